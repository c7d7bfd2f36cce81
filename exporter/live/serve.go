package live

import (
	"net/http"
	"strconv"
	"time"
)

// patience is how long a reader may take to accept what it is sent, whatever the
// server's bound of writing. Between two events no time runs.
const patience = 5 * time.Second

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
