package rest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

const (
	// maxJSON bounds a JSON answer: a page is about 1 MB on DynamoDB, and complete on DocumentDB.
	maxJSON = 8 << 20
	// maxBlob bounds a blob: 1 GiB is the largest that Open Saves takes in one piece.
	maxBlob = 1 << 30
	// maxError is how much of an error's text is read.
	maxError = 4 << 10
	// keptBuffer is how much memory a call may keep for the next.
	keptBuffer = 256 << 10
)

// The types of a request's body.
const (
	noBody = iota
	jsonBody
	blobBody
	bodyTypes
)

var contentTypes = [bodyTypes]string{"", "application/json", "application/octet-stream"}

// encoded is a body of JSON as Content.
type encoded []byte

func (e *encoded) Size() int64 { return int64(len(*e)) }
func (e *encoded) Piece(offset int64, limit int) []byte {
	return (*e)[offset:][:min(limit, len(*e)-int(offset))]
}

// upload reads Content as the body of a request. net/http cannot rewind it, and
// so never sends it twice.
type upload struct {
	content opensaves.Content
	size    int64
	offset  atomic.Int64
}

func (u *upload) reset(content opensaves.Content) {
	u.content, u.size = content, 0
	if content != nil {
		u.size = content.Size()
	}
	u.offset.Store(0)
}

// Read copies the next piece.
func (u *upload) Read(p []byte) (int, error) {
	offset := u.offset.Load()
	if offset >= u.size {
		return 0, io.EOF
	}
	n := copy(p, u.content.Piece(offset, len(p)))
	u.offset.Store(offset + int64(n))
	return n, nil
}

// Close has nothing to do.
func (u *upload) Close() error { return nil }

// readBody reads a body of JSON into the answer's buffer.
func (x *exchange) readBody(response *http.Response) error {
	if response.ContentLength > maxJSON {
		return errTooLong
	}
	b := slices.Grow(x.answer.Buffer[:0], int(max(response.ContentLength, 0)))
	defer func() { x.answer.Buffer, x.answer.Received = b, int64(len(b)) }()
	for {
		if len(b) == cap(b) {
			if int64(len(b)) == response.ContentLength { // only the end can follow
				return end(response.Body)
			}
			b = slices.Grow(b, 512)
		}
		n, err := response.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(b) > maxJSON:
			return errTooLong
		}
	}
}

func end(body io.Reader) error {
	var one [1]byte
	if _, err := body.Read(one[:]); err != io.EOF {
		return err
	}
	return nil
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// download streams a blob into the call's sink. net/http answers a body that is
// shorter than declared with io.ErrUnexpectedEOF.
func (x *exchange) download(response *http.Response) error {
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	for {
		n, err := response.Body.Read(buffer[:])
		if x.answer.FirstByte.IsZero() && (n > 0 || err == io.EOF) {
			x.answer.FirstByte = time.Now()
		}
		x.answer.Received += int64(n)
		if n > 0 && x.call.Sink != nil {
			if _, err := x.call.Sink.Write(buffer[:n]); err != nil {
				return fmt.Errorf("%w: %w", errSink, err)
			}
		}
		x.answer.Size += int64(n)
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case x.answer.Size > maxBlob:
			return errTooLong
		}
	}
}

// refused is an answer with another status than the documented success.
func (x *exchange) refused(response *http.Response) *opensaves.Error {
	said, _ := io.ReadAll(io.LimitReader(response.Body, maxError))
	x.answer.Received = int64(len(said))
	return x.fail(codeOf(response.StatusCode), strconv.Itoa(response.StatusCode)+" "+text(said), nil)
}

func codeOf(status int) metric.Code {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return metric.InvalidArgument
	case http.StatusUnauthorized:
		return metric.Unauthenticated
	case http.StatusForbidden:
		return metric.PermissionDenied
	case http.StatusNotFound:
		return metric.NotFound
	case http.StatusMethodNotAllowed:
		return metric.Unimplemented
	case http.StatusConflict:
		return metric.AlreadyExists
	case http.StatusTooManyRequests:
		return metric.ResourceExhausted
	case http.StatusInternalServerError:
		return metric.Internal
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return metric.Unavailable
	case http.StatusGatewayTimeout:
		return metric.DeadlineExceeded
	}
	return metric.Unknown
}
