package rest

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// exchange is one request and its response. It is used again only when
// net/http is known to have let go of it.
type exchange struct {
	client   *Client
	trace    httptrace.ClientTrace
	url      url.URL
	target   []byte // path and query
	json     encoded
	body     upload
	scan     scanner
	sent     *http.Request // as net/http writes it
	call     *opensaves.Call
	op       metric.Operation
	asked    time.Time // for a connection; zero while there is one
	answer   *opensaves.Answer
	attempts atomic.Int32 // requests begun, and
	written  atomic.Int32 // ended: both by net/http's goroutines
	again    sync.Mutex
	resent   []time.Time // when another attempt began
	reusable bool
}

func newExchange(c *Client) *exchange {
	x := &exchange{client: c}
	x.trace = httptrace.ClientTrace{
		GetConn:      func(string) { x.asked = time.Now() },
		GotConn:      x.gotConn,
		WroteHeaders: x.wroteHeaders,
		WroteRequest: func(httptrace.WroteRequestInfo) { x.written.Add(1) },
	}
	return x
}

func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	now := time.Now()
	x.answer.ConnectionWait += now.Sub(x.asked)
	x.asked = time.Time{}
	if conn := underlying(info.Conn); conn != nil {
		x.answer.Connection = conn.name
		x.sent.Close = conn.expired(now)
	}
}

func (x *exchange) wroteHeaders() {
	if x.attempts.Add(1) > 1 {
		x.again.Lock()
		x.resent = append(x.resent, time.Now())
		x.again.Unlock()
	}
	if tell := x.client.options.OnAttempt; tell != nil {
		tell(x.op)
	}
}

// forget drops what the pool must not keep alive.
func (x *exchange) forget() {
	x.call, x.answer, x.sent, x.body.content = nil, nil, nil, nil
	x.scan.b = nil
	if cap(x.json) > keptBuffer {
		x.json = nil
	}
}

func (x *exchange) do(ctx context.Context, row *operation, call *opensaves.Call, answer *opensaves.Answer) *opensaves.Error {
	x.call, x.op, x.answer, x.asked, x.reusable = call, call.Op, answer, time.Time{}, false
	x.attempts.Store(0)
	x.written.Store(0)
	answer.Wire = opensaves.Wire{Method: row.method, Route: row.path}
	response, err := x.client.transport().RoundTrip(x.request(ctx, row))
	failed := x.read(ctx, row, response, err)
	answer.Answered = time.Now()
	if !x.asked.IsZero() {
		answer.ConnectionWait += answer.Answered.Sub(x.asked)
	}
	attempts := x.attempts.Load()
	answer.Attempts, answer.Sent = int(attempts), x.body.offset.Load()
	if attempts > 1 {
		x.again.Lock()
		answer.Resent, x.resent = x.resent, nil
		x.again.Unlock()
	}
	x.reusable = err == nil && x.written.Load() == attempts
	if attempts > 1 && failed == nil {
		failed = x.fail(metric.Unavailable, opensaves.ErrResent.Error(), opensaves.ErrResent)
	}
	return failed
}

func (c *Client) transport() *http.Transport { return c.transports[c.turn.Add(1)%pools] }

// request builds the request by hand: net/http would parse the URL again each time.
func (x *exchange) request(ctx context.Context, row *operation) *http.Request {
	x.target = appendTarget(x.target[:0], row.path, x.call)
	x.url = x.client.base
	x.url.Opaque = text(x.target) // sent as it is, so that %2F stays
	request := &http.Request{Method: row.method, URL: &x.url, Host: x.url.Host, ProtoMajor: 1, ProtoMinor: 1}
	x.body.reset(nil)
	kind := noBody
	switch {
	case row.encode != nil:
		kind, x.json = jsonBody, row.encode(x.json[:0], x.call)
		x.body.reset(&x.json)
	case row.uploads:
		kind = blobBody
		x.body.reset(x.call.Content)
	}
	request.Header = x.headers(kind)
	if kind != noBody {
		request.Body, request.ContentLength = &x.body, x.body.size
		if x.body.size == 0 {
			request.Body = http.NoBody
		}
		ctx = context.WithValue(ctx, exchangeKey{}, x)
	}
	request = request.WithContext(httptrace.WithClientTrace(ctx, &x.trace))
	x.sent = request
	return request
}

// headers are shared by all requests, but for one that carries a header of its own.
func (x *exchange) headers(kind int) http.Header {
	shared, own := x.client.headers.Load().byType[kind], x.call.Header
	if own.Name == "" {
		return shared
	}
	x.answer.Wire.Target = string(x.target)
	all := make(http.Header, len(shared)+1)
	maps.Copy(all, shared)
	all[own.Name] = []string{own.Value}
	return all
}

// read takes the response in, the whole body, so that the connection is free again.
func (x *exchange) read(ctx context.Context, row *operation, response *http.Response, err error) *opensaves.Error {
	if err != nil {
		return x.broken(ctx, err)
	}
	defer response.Body.Close()
	x.answer.Wire.Status = response.StatusCode
	if response.StatusCode != row.status {
		x.answer.Responded = true
		return x.refused(response)
	}
	take := x.readBody
	if row.downloads {
		take = x.download
	}
	if err := take(response); err != nil {
		return x.broken(ctx, err)
	}
	x.answer.Responded = true
	if row.decode != nil && !x.scan.decode(x.answer, row.decode) {
		return x.fail(metric.DataLoss, "decoding the answer: got no JSON of the documented form: "+head(x.answer.Buffer), nil)
	}
	return nil
}

func (x *exchange) fail(code metric.Code, said string, cause error) *opensaves.Error {
	return &opensaves.Error{Op: x.op, Code: code, Text: x.client.headers.Load().target.Text(said), Err: cause}
}

// broken is a call that got no whole HTTP answer.
func (x *exchange) broken(ctx context.Context, err error) *opensaves.Error {
	code := metric.Unavailable
	var slow net.Error
	switch {
	case errors.Is(err, errTooLong):
		code = metric.ResourceExhausted
	case errors.Is(err, errSink):
		code = metric.Internal
	case errors.Is(ctx.Err(), context.Canceled):
		code = metric.Canceled
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		code = metric.DeadlineExceeded
	}
	return x.fail(code, err.Error(), err)
}

// text shares b's memory.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// head copies as much of b as an error has room for.
func head(b []byte) string { return string(b[:min(len(b), maxError)]) }

var (
	errTooLong = errors.New("reading the answer: got more bytes than the limit")
	errSink    = errors.New("handing on the blob")
)
