package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"opensaves-soak/exporter/metric"
)

// REST returns the REST surface.
func (s *Sandbox) REST() http.Handler { return http.HandlerFunc(s.serveREST) }

// query is a REST request that came in whole.
type query struct {
	route
	body   []byte
	params url.Values
}

func (s *Sandbox) serveREST(w http.ResponseWriter, r *http.Request) {
	if target, moved := redirect(r.URL); moved {
		http.Redirect(w, r, target, http.StatusMovedPermanently)
		return
	}
	at, err := parseRoute(r.Method, r.URL.Path)
	if errors.Is(err, errNoMethod) && at.store != "" { // the list of records looks for its store first
		if _, missing := s.database.store(at.store); missing != nil {
			err = errStoreNotFound
		}
	}
	switch {
	case err != nil:
		writeError(w, err)
	case at.root:
		_, _ = io.WriteString(w, "Open Saves AWS Adapter is running!")
	default:
		q := query{route: at}
		if at.op == metric.ListRecords {
			q.readParams(r.URL)
		}
		s.answerREST(w, r, q)
	}
}

// readParams looks for a question in the address of a list: of owner and game,
// the game counts.
func (q *query) readParams(u *url.URL) {
	if u.RawQuery == "" {
		return
	}
	q.params = u.Query()
	switch {
	case q.params.Get("game_id") != "":
		q.op = metric.QueryByGame
	case q.params.Get("owner_id") != "":
		q.op = metric.QueryByOwner
	}
}

// answerREST takes a request through the faults to its endpoint.
func (s *Sandbox) answerREST(w http.ResponseWriter, r *http.Request, q query) {
	if err := s.arrive(r.Context(), q.op); err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	end := &endpoints[q.op]
	if end.body {
		body, err := readBody(w, r, s.config.MaxBody)
		if err != nil {
			writeError(w, err)
			return
		}
		q.body = body
	}
	c := &call{op: q.op, touches: end.touches, failures: &end.failures, eventual: true}
	answer, err := run(r.Context(), s, c, func(how manner) (reply, error) { return end.handle(s.database, &q, how) })
	cut := s.plan.Load().Cut()
	switch {
	case r.Context().Err() != nil:
		panic(http.ErrAbortHandler)
	case err != nil && cut:
		panic(http.ErrAbortHandler)
	case err != nil:
		writeError(w, err)
	default:
		answer.write(w, cut)
	}
}

// readBody reads the whole body, at once where its length is known.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "Request Entity Too Large"}
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, &refusal{http.StatusBadRequest, err.Error()}
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &refusal{http.StatusRequestEntityTooLarge, "Request Entity Too Large"}
	case err != nil:
		return nil, &refusal{http.StatusBadRequest, err.Error()}
	}
	return body, nil
}

// redirect returns where a path that is not clean should have gone, as the
// standard library's mux has it.
func redirect(u *url.URL) (string, bool) {
	p := u.EscapedPath()
	clean := p
	if p == "/api/metadata" {
		clean = "/api/metadata/"
	} else if strings.Contains(p, "//") || strings.Contains(p, "/.") {
		if clean = path.Clean("/" + p); strings.HasSuffix(p, "/") && clean != "/" {
			clean += "/"
		}
	}
	if clean == p {
		return "", false
	}
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).String(), true
}

// refusal is an answer other than success: one line of text.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

// statuses are the inverse of how a client reads statuses as codes.
var statuses = [metric.Codes]int{
	metric.InvalidArgument: http.StatusBadRequest, metric.Unauthenticated: http.StatusUnauthorized,
	metric.PermissionDenied: http.StatusForbidden, metric.NotFound: http.StatusNotFound,
	metric.Unimplemented: http.StatusMethodNotAllowed, metric.AlreadyExists: http.StatusConflict,
	metric.ResourceExhausted: http.StatusTooManyRequests, metric.Internal: http.StatusInternalServerError,
	metric.Unavailable: http.StatusServiceUnavailable, metric.DeadlineExceeded: http.StatusGatewayTimeout,
}

func writeError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var refused *refusal
	var fake injected
	switch {
	case errors.As(err, &refused):
		status = refused.status
	case errors.As(err, &fake) && statuses[fake] != 0:
		status = statuses[fake]
	}
	http.Error(w, err.Error(), status)
}

// reply is a success.
type reply struct {
	status     int
	kind       []string // Content-Type
	head, tail []byte
	end        []byte
	records    []*record // between head and tail, with commas
}

var (
	jsonKind  = []string{"application/json"}
	bytesKind = []string{"application/octet-stream"}
	textKind  = []string{"text/plain; charset=utf-8"}
	noLength  = []string{"0"}
	comma     = []byte(",")
)

// write sends the answer; cut in the middle, the connection with it.
func (a *reply) write(w http.ResponseWriter, cut bool) {
	header := w.Header()
	if a.kind == nil {
		header["Content-Length"] = noLength
	} else {
		header["Content-Type"] = a.kind
		header["Content-Length"] = []string{strconv.Itoa(a.length())}
	}
	if cut {
		a.writeHalf(w)
	}
	w.WriteHeader(a.status)
	if a.kind == nil {
		return
	}
	a.pieces(func(piece []byte) bool {
		_, err := w.Write(piece)
		return err == nil // the client has gone
	})
}

func (a *reply) writeHalf(w http.ResponseWriter) {
	if half := a.length() / 2; half > 0 {
		w.WriteHeader(a.status)
		a.pieces(func(piece []byte) bool {
			n, err := w.Write(piece[:min(half, len(piece))])
			half -= n
			return err == nil && half > 0
		})
		_ = http.NewResponseController(w).Flush() // the connection ends in any case
	}
	panic(http.ErrAbortHandler)
}

func (a *reply) length() int {
	n := 0
	a.pieces(func(piece []byte) bool {
		n += len(piece)
		return true
	})
	return n
}

// pieces yields the body in order.
func (a *reply) pieces(yield func([]byte) bool) {
	if !yield(a.head) {
		return
	}
	for i, r := range a.records {
		if i > 0 && !yield(comma) || !yield(r.rest().json) {
			return
		}
	}
	_ = (len(a.tail) == 0 || yield(a.tail)) && len(a.end) > 0 && yield(a.end)
}
