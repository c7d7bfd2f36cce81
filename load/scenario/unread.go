package scenario

import (
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

const (
	// pursued is the share of the mix's reads that may go to suspects and to
	// acknowledged writes that nobody has read yet; the others follow the skew.
	pursued = 0.3
	// unreadRoom is how many acknowledged writes wait to be read, of each kind.
	unreadRoom = 1 << 12
	// patience is how long arrivals may take to bring an inquiry forward.
	patience = time.Second
)

// unreadBy is the operation that reads an acknowledged write of a kind.
func (w *World) unreadBy(letter byte) metric.Operation {
	switch letter {
	case ledger.Store:
		if w.Protocol == metric.GRPC {
			return metric.ListStores // a deleted store stays in the cache
		}
		return metric.GetStore
	case ledger.Metadata:
		return metric.GetMetadata
	case ledger.Blob:
		return metric.GetBlob
	case ledger.Part, ledger.Chunked:
		return metric.GetBlobChunk
	}
	if w.Protocol == metric.GRPC {
		return metric.GetRecords // which leaves the cache as it is
	}
	return metric.GetRecord
}

// intend announces the next version of an object.
func (w *World) intend(o *ledger.Object) uint32 {
	w.supersede(o)
	return o.Intend()
}

// intendDelete announces the deletion of an object.
func (w *World) intendDelete(o *ledger.Object) uint32 {
	w.supersede(o)
	return o.IntendDelete()
}

func (w *World) supersede(o *ledger.Object) {
	if o.Unread() {
		w.superseded.Add(1)
	}
}

// ended notes how the task's write ended, and lets an acknowledged one be read.
func (w *World) ended(t *Task, err error, now time.Duration) ledger.End {
	end := t.ends(err)
	t.object.End(t.version, end, now)
	if end != ledger.Acknowledged {
		w.note(t.object) // the next version needs its place on disk all the same
		return end
	}
	if t.object.Parts == nil {
		w.toRead(w.unreadBy(t.object.Letter()), t.object)
	}
	if w.fresh != nil && t.object.Letter() == ledger.Record {
		w.fresh.Put(t.object)
	}
	if t.object.Deleted() {
		w.forget(t.object)
	} else {
		w.note(t.object)
	}
	return end
}

// toRead has an acknowledged write read. One that has to make room for it is as
// good as superseded.
func (w *World) toRead(by metric.Operation, o *ledger.Object) {
	if displaced := w.unread[by].Put(o); displaced != nil && displaced != o && displaced.Unread() {
		w.superseded.Add(1)
	}
}

// pursue lets some of the mix's reads bring an inquiry forward, or read an
// acknowledged write for the first time. It reports whether this one does.
func (w *World) pursue(t *Task) bool {
	if side(t.Op) != 0 || t.Op != metric.GetRecords && t.rand.Float64() >= pursued {
		return false // all get_records are fewer than that share of a mix's reads
	}
	q := w.dueInquiry(t.sent, func(q *inquiry) bool { return w.op(q) == t.Op })
	return q != nil && w.follow(t, q) || w.readUnread(t)
}

// follow prepares the next step of an inquiry that is busy, or lets go of it.
func (w *World) follow(t *Task, q *inquiry) bool {
	switch {
	case t.sent-q.opened > hopeless:
		w.end(q)
	case w.step(t, q):
		return true
	default:
		w.release(q)
	}
	return false
}

// readUnread prepares the first read of an acknowledged write by the task's
// operation; false where there is none.
func (w *World) readUnread(t *Task) bool {
	queue, most := w.unread[t.Op], 1
	if t.Op == metric.GetRecords {
		most = batch
	}
	found := 0
	for found < most && queue != nil {
		o := queue.Take()
		if o == nil {
			break
		}
		if o.Unread() {
			found++
			t.Call.Op, t.Size = t.Op, o.Size.Load()
			t.Call.Hint.SkipCache = w.Protocol == metric.GRPC && t.rand.IntN(2) == 0
			w.aim(t, o)
		}
	}
	if found > 0 {
		w.supplied.Store(int64(t.sent))
		return true
	}
	return w.readFresh(t) || w.readFormer(t)
}

// readFresh prepares a read, from the cache if it likes, of a record that was
// just written: a cache that was not told of the write shows then.
func (w *World) readFresh(t *Task) bool {
	if w.fresh == nil || t.Op != metric.GetRecord {
		return false
	}
	o := w.fresh.Take()
	if o == nil {
		return false
	}
	t.Call.Op = t.Op
	w.aim(t, o)
	return true
}

// Overdue prepares a call that arrivals did not make in time: the next step of
// an inquiry, or the first read of an acknowledged write. It reports false where
// there is none. It is to be called at most ten times a second.
func (w *World) Overdue(t *Task, now time.Duration) bool {
	t.reset(Draw{})
	t.sent = now
	if q := w.dueInquiry(now-patience, func(*inquiry) bool { return true }); q != nil && w.follow(t, q) {
		return true
	}
	starved := now-time.Duration(w.supplied.Load()) > patience
	for op, queue := range w.unread {
		t.Op = metric.Operation(op)
		if w.readFormer(t) || queue != nil && (starved || !w.mix.Load().Has(t.Op)) && w.readUnread(t) {
			return true
		}
	}
	return false
}

// graves are the records that were deleted, for as long as an index may show them.
type graves struct {
	mu   sync.Mutex
	list []grave
}

type grave struct {
	object *ledger.Object
	since  time.Duration
}

// bury keeps a deleted record in mind.
func (w *World) bury(o *ledger.Object, now time.Duration) {
	w.graves.mu.Lock()
	w.graves.list = append(w.graves.list, grave{o, now})
	w.graves.mu.Unlock()
}

// clearGraves forgets records whose deletion every index has seen by now, and
// the oldest where there are more than records.
func (w *World) clearGraves(now time.Duration) {
	w.graves.mu.Lock()
	defer w.graves.mu.Unlock()
	keep := 2 * time.Duration(w.Verify.IndexLimit)
	kept, surplus := w.graves.list[:0], len(w.graves.list)-w.Data.Records
	for i, g := range w.graves.list {
		if (now-g.since <= keep && i >= surplus) || g.object.Suspected() {
			kept = append(kept, g)
			continue
		}
		w.known.Remove(g.object)
	}
	clear(w.graves.list[len(kept):])
	w.graves.list = kept
}
