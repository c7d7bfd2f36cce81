package scenario

import (
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// sentinel is another object of the kind: one of the same store, if possible
// quiet for as long as an answer may be stale; or, every other time that such a
// one could not be read, the last one that was, in the same store or in any. So a
// store that has lost everything has one too. Where the answer to a question
// lacks an object, it is the object itself. It returns nil where there is none.
func (w *World) sentinel(t *Task, q *inquiry) *ledger.Object {
	if q.question != metric.Ping {
		return q.Object
	}
	if q.bad%2 == 1 {
		if found := w.well.of(q.Object); found != nil && found != q.Object && !found.Suspected() {
			return found
		}
	}
	for _, quiet := range [...]time.Duration{time.Duration(w.Verify.StaleLimit), 0} {
		if found := w.other(t, q.Object, t.sent-quiet); found != nil {
			return found
		}
	}
	return w.well.of(q.Object)
}

// well is the objects that were last read as they must be, by kind, noted only
// while there is something to look into.
type well struct {
	last [letters]atomic.Pointer[ledger.Object]
}

const letters = 6

func letterIndex(o *ledger.Object) int {
	switch o.Letter() {
	case ledger.Store:
		return 1
	case ledger.Metadata:
		return 2
	case ledger.Blob:
		return 3
	case ledger.Part:
		return 4
	case ledger.Chunked:
		return 5
	}
	return 0
}

func (l *well) of(o *ledger.Object) *ledger.Object { return l.last[letterIndex(o)].Load() }

func (l *well) note(o *ledger.Object) { l.last[letterIndex(o)].Store(o) }

func (w *World) other(t *Task, o *ledger.Object, since time.Duration) *ledger.Object {
	fit := func(c *ledger.Object) bool {
		_, steady := c.Steady(since)
		return c != o && steady
	}
	from := func(set *ledger.Set, fit func(*ledger.Object) bool) *ledger.Object {
		return set.From(t.rand.IntN(max(1, set.Len())), fit)
	}
	switch o.Letter() {
	case ledger.Store:
		return w.anotherStore(t, o)
	case ledger.Record:
		return from(w.shelf(o), fit)
	case ledger.Metadata:
		return from(w.metadata, fit)
	case ledger.Blob:
		return w.anotherBlob(o, since, from)
	}
	blob := from(w.chunked, func(c *ledger.Object) bool { return c != o && c != o.Parent && w.holds(c, since) })
	if blob != nil && o.Letter() == ledger.Part {
		return blob.Parts[0]
	}
	return blob
}

func (w *World) anotherStore(t *Task, o *ledger.Object) *ledger.Object {
	first := t.rand.IntN(len(w.stores))
	for i := range w.stores {
		if c := w.stores[(first+i)%len(w.stores)]; c != o && !c.Suspected() {
			return c
		}
	}
	return nil
}

// anotherBlob prefers one in the same store.
func (w *World) anotherBlob(o *ledger.Object, since time.Duration, from func(*ledger.Set, func(*ledger.Object) bool) *ledger.Object) *ledger.Object {
	store := o.Parent.Parent
	for _, near := range [...]bool{true, false} {
		for _, set := range w.blobs {
			found := from(set, func(c *ledger.Object) bool {
				return c != o && (!near || c.Parent.Parent == store) && w.holds(c, since)
			})
			if found != nil {
				return found
			}
		}
	}
	return nil
}

// stays is holds, suspicions apart.
func (w *World) stays(blob *ledger.Object, since time.Duration) bool {
	_, still := blob.Guard().Still(since)
	return still && blob.Present()
}

// holds says that a blob is there, and that no write on its record was under way
// since an instant.
func (w *World) holds(blob *ledger.Object, since time.Duration) bool {
	_, steady := blob.Guard().Steady(since)
	return steady && blob.Present()
}
