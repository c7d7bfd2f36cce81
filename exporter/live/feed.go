package live

import (
	"encoding/json"
	"fmt"
	"sort"
	"sync"
)

const (
	// kept is how many moments are kept: those of 15 minutes, where one comes a second.
	kept = 15 * 60
	// behind is how many moments a reader may be behind.
	behind = 30
)

// Feed keeps the last moments and passes on those that come. Each is encoded
// once, for all readers. It may be used by several goroutines at once.
type Feed struct {
	mu     sync.Mutex
	past   []glance // the oldest first
	events [][]byte // of the last moments, the oldest first
	count  int      // moments so far
	ended  bool
	news   chan struct{} // closed when count or ended changes
}

// glance is a Glance in JSON, and its moment's Unix time in milliseconds.
type glance struct {
	id   int64
	text []byte
}

// NewFeed returns a feed of no moments.
func NewFeed() *Feed { return &Feed{news: make(chan struct{})} }

// Add passes a moment on. Where it is not later than the one before, the clock was
// set back, and what was kept is forgotten. The error is of a moment that is not JSON,
// with a number that is none.
func (f *Feed) Add(m Moment) error {
	full, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding a moment: %w", err)
	}
	brief, err := json.Marshal(m.Glance)
	if err != nil {
		return fmt.Errorf("encoding a moment: %w", err)
	}
	id := m.Time.UnixMilli()
	event := fmt.Appendf(nil, "event: moment\nid: %d\ndata: %s\n\n", id, full)
	f.mu.Lock()
	defer f.mu.Unlock()
	// Readers hold parts of both lists: what is in them never changes.
	if n := len(f.past); n > 0 && id <= f.past[n-1].id {
		f.past = nil
	}
	f.past = last(kept, append(f.past, glance{id, brief}))
	f.events = last(behind, append(f.events, event))
	f.count++
	f.tell()
	return nil
}

func last[T any](n int, list []T) []T { return list[max(0, len(list)-n):] }

// End ends all streams, also those that will be asked for.
func (f *Feed) End() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.tell()
}

// tell wakes all readers.
func (f *Feed) tell() {
	close(f.news)
	f.news = make(chan struct{})
}

// since returns the moments after one, and how many there were so far.
func (f *Feed) since(id int64) (past []glance, count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	from := sort.Search(len(f.past), func(i int) bool { return f.past[i].id > id })
	return f.past[from:], f.count
}

// next is what a reader has not got yet.
type next struct {
	events [][]byte
	count  int
	news   <-chan struct{} // closed when there is more
	over   bool            // nothing more will come, or the reader is too far behind
}

// after returns what came after the first count moments.
func (f *Feed) after(count int) next {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := f.count - count
	if f.ended || missing > len(f.events) {
		return next{over: true}
	}
	return next{events: last(missing, f.events), count: f.count, news: f.news}
}
