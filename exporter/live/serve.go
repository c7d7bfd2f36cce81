package live

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strconv"
	"time"
)

// patience is how long a reader may take to accept what it is sent, whatever the
// server's bound of writing. Between two events no time runs.
const patience = 5 * time.Second

// sendBuffer bounds what the kernel keeps of a stream, in bytes. By itself it keeps
// megabytes, minutes of moments, before a reader that does not read shows.
const sendBuffer = 32 << 10

type connection struct{}

// ConnContext is for http.Server, without which a reader that does not read is
// dropped later: it lets streams know the connection that they are on.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, c)
}

// boundSending bounds what the kernel keeps for the reader of a stream.
func boundSending(ctx context.Context) {
	c := ctx.Value(connection{})
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if c, ok := c.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = c.SetWriteBuffer(sendBuffer) // a connection that has ended shows when it is written to
	}
}

// ServeHTTP streams the moments that are kept, or those after Last-Event-ID, as
// one event, and then each that comes, until the reader has gone, does not read,
// or the feed ends. HEAD answers the header alone.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies that collect answers must not
	if r.Method == http.MethodHead {
		return
	}
	boundSending(r.Context())
	id, _ := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64) // any other text is nobody's: 0
	past, count := f.since(id)
	s := stream{w, http.NewResponseController(w)}
	if s.send(history(past)...) != nil {
		return
	}
	for {
		n := f.after(count)
		if n.over || len(n.events) > 0 && s.send(n.events...) != nil {
			return
		}
		count = n.count
		select {
		case <-n.news:
		case <-r.Context().Done():
			return
		}
	}
}

// history is the first event, in parts that all readers share.
func history(past []glance) [][]byte {
	parts := [][]byte{[]byte("retry: 2000\n\nevent: history\ndata: {\"moments\":[")}
	for i, g := range past {
		if i > 0 {
			parts = append(parts, []byte(","))
		}
		parts = append(parts, g.text)
	}
	return append(parts, []byte("]}\n\n"))
}

// stream is the way to a reader.
type stream struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// send sends texts. The error is of a reader that has gone, or has not taken one
// of them in time.
func (s stream) send(texts ...[]byte) error {
	for _, text := range texts {
		if err := s.c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := s.w.Write(text); err != nil {
			return err
		}
	}
	if err := s.c.Flush(); err != nil {
		return err
	}
	return s.c.SetWriteDeadline(time.Time{})
}
