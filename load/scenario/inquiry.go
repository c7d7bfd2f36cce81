package scenario

import (
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/trace"
)

// inquiry looks into a suspicion: a write that a read of the object did not
// show, or an object that the answer to a question lacks. Calls bring it forward
// one step at a time.
type inquiry struct {
	ledger.Suspicion
	question metric.Operation // whose answer lacks the object; Ping: none
	offset   int              // of the question
	sentinel *ledger.Object
	cached   bool        // gRPC: past the cache all is well, what the cache shows is still to be seen
	cleared  int         // times that it was seen well past the cache
	seen     ledger.Seen // by the last sighting
	bad      int         // sentinels that could not be read
	bare     bool        // the store of the object is gone too: a list of stores has to show that
	busy     bool        // a call is under way
	opened   time.Duration
	trace    trace.Context // of the answer that raised the suspicion
}

// inquiries are those that are open. There are few, and none while the target
// is right, so that requests only look at their count.
type inquiries struct {
	count atomic.Int64
	mu    sync.Mutex
	list  []*inquiry
}

// maxInquiries bounds how many suspicions are looked into at once: each takes
// its object out of use. Further ones are counted, and show again.
const maxInquiries = 1000

// hopeless is how long an inquiry may take: one that brings no evidence either
// way, because answers have become too long to show all or the target is down,
// must not keep its object from use. If it is wrong still, that shows again.
const hopeless = 10 * time.Minute

// suspect opens an inquiry, unless one about the object is open.
func (w *World) suspect(t *Task, o *ledger.Object, question metric.Operation, age time.Duration) {
	if o.Accused(ledger.LostWrite) || o.Accused(ledger.Resurrected) {
		return // it is told
	}
	if int(w.inquiries.count.Load()) >= min(maxInquiries, max(20, w.Data.Records/10)) || !o.Suspect() {
		return
	}
	q := &inquiry{question: question, trace: t.Trace}
	if question != metric.Ping {
		q.offset = t.Call.Query.Offset
	}
	q.Object, q.Missed, q.Due, q.opened = o, t.sent-age, t.sent, t.sent
	w.inquiries.mu.Lock()
	w.inquiries.list = append(w.inquiries.list, q)
	w.inquiries.mu.Unlock()
	w.inquiries.count.Add(1)
}

// end closes an inquiry.
func (w *World) end(q *inquiry) {
	w.inquiries.mu.Lock()
	for i, other := range w.inquiries.list {
		if other == q {
			w.inquiries.list = append(w.inquiries.list[:i], w.inquiries.list[i+1:]...)
			break
		}
	}
	w.inquiries.mu.Unlock()
	w.inquiries.count.Add(-1)
	q.Object.Clear()
}

// due returns an inquiry whose next step was due by an instant and is wanted,
// and makes it busy; nil if there is none.
func (w *World) dueInquiry(by time.Duration, wanted func(*inquiry) bool) *inquiry {
	if w.inquiries.count.Load() == 0 {
		return nil
	}
	w.inquiries.mu.Lock()
	defer w.inquiries.mu.Unlock()
	for _, q := range w.inquiries.list {
		if !q.busy && q.Due <= by && wanted(q) {
			q.busy = true
			return q
		}
	}
	return nil
}

func (w *World) release(q *inquiry) {
	w.inquiries.mu.Lock()
	q.busy = false
	w.inquiries.mu.Unlock()
}

// op is the operation of the next step.
func (w *World) op(q *inquiry) metric.Operation {
	switch {
	case q.cached:
		return cachedRead(q.Object)
	case q.Step() == ledger.Enclose && q.bare:
		return metric.ListStores
	case q.Step() == ledger.Enclose:
		return metric.QueryByOwner
	case q.Step() == ledger.Target && q.question != metric.Ping:
		return q.question
	}
	return w.reader(q.Object)
}

// reader is the operation that reads an object past every cache.
func (w *World) reader(o *ledger.Object) metric.Operation {
	grpc := w.Protocol == metric.GRPC
	switch o.Letter() {
	case ledger.Store:
		if grpc {
			return metric.ListStores
		}
		return metric.GetStore
	case ledger.Metadata:
		return metric.GetMetadata
	case ledger.Blob:
		return metric.GetBlob
	case ledger.Part:
		return metric.GetBlobChunk
	case ledger.Chunked:
		return metric.CreateChunkURLs
	}
	if grpc {
		return metric.GetRecords
	}
	return metric.GetRecord
}

// cachedRead is the operation of gRPC that may read an object from the cache;
// Ping where none does.
func cachedRead(o *ledger.Object) metric.Operation {
	switch o.Letter() {
	case ledger.Store:
		return metric.GetStore
	case ledger.Record:
		return metric.GetRecord
	case ledger.Blob:
		return metric.GetBlob
	}
	return metric.Ping
}

// step prepares the next step of an inquiry; false where it must wait, because
// there is no sentinel.
func (w *World) step(t *Task, q *inquiry) bool {
	t.Op = w.op(q)
	object := q.Object
	if !q.cached && (q.Step() == ledger.Before || q.Step() == ledger.After) {
		if q.Step() == ledger.Before {
			q.sentinel = w.sentinel(t, q)
		}
		if object = q.sentinel; object == nil {
			q.Due = t.sent + ledger.SightEvery
			return false
		}
	}
	if q.Step() == ledger.Enclose && q.bare {
		object = q.Object.Parent
	}
	t.inquiry, t.Size = q, object.Size.Load()
	t.Call.Op = t.Op
	t.Call.Hint.SkipCache = w.Protocol == metric.GRPC && t.Op == metric.GetBlob && !q.cached
	w.aim(t, object)
	if t.Op == q.question && q.Step() == ledger.Target {
		t.Call.Query.Offset = q.offset
	}
	return true
}

// aim fills the call of the task's operation to read an object, or to ask a
// question that it answers.
func (w *World) aim(t *Task, o *ledger.Object) {
	switch t.Op {
	case metric.GetStore:
		w.readStore(t, o)
	case metric.ListStores:
		w.listStores(t, o)
	case metric.GetRecord:
		w.readRecord(t, o)
	case metric.GetRecords:
		w.readRecords(t, o)
	case metric.GetMetadata:
		w.readMetadata(t, o)
	case metric.GetBlob:
		w.readBlob(t, o)
	case metric.GetBlobChunk:
		w.readPart(t, o)
	case metric.CreateChunkURLs:
		w.readURLs(t, o)
	default:
		w.ask(t, o)
	}
}
