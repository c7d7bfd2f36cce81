package scenario

import (
	"context"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// doubt is an object with a write whose end nobody knows. It is read, and not
// written, until the write can no longer land.
type doubt struct {
	since  time.Duration
	object *ledger.Object
	set    *ledger.Set    // that the object leaves if its fate stays unknown
	call   opensaves.Call // deletes it then
	why    why
	absent bool // a deletion was answered as if nothing were there
}

// why an object is in doubt.
type why uint8

const (
	unknown why = iota // how a write ended
	lost               // it was found lost, or back: only its key is watched
	retired            // arrivals shared it, and some of their requests may still land
)

// Do sends a call that no arrival made.
type Do func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error

// freeze puts a record of the working set under doubt.
func (w *World) freeze(o *ledger.Object, now time.Duration) {
	w.frozen.Add(1)
	w.put(doubt{since: now, object: o, set: w.records, call: recordDeletion(o)})
}

// recordDeletion is the call that deletes a record.
func recordDeletion(o *ledger.Object) opensaves.Call {
	return opensaves.Call{Op: metric.DeleteRecord, Store: o.Parent.Key, Key: o.Key}
}

func (w *World) metadataDeletion(o *ledger.Object) opensaves.Call {
	return opensaves.Call{Op: metric.DeleteMetadata, Store: w.metadataType, Key: o.Key}
}

func (w *World) doubtStore(o *ledger.Object, now time.Duration) {
	call := opensaves.Call{Op: metric.DeleteStore, Store: o.Key}
	w.put(doubt{since: now, object: o, set: w.extra, call: call})
}

func (w *World) doubtMetadata(o *ledger.Object, now time.Duration) {
	w.put(doubt{since: now, object: o, set: w.metadata, call: w.metadataDeletion(o)})
}

// doubtBlob keeps the lock of the blob's record, since an upload that lands
// late rewrites it.
func (w *World) doubtBlob(o *ledger.Object, set *ledger.Set, now time.Duration) {
	record := o.Parent
	call := opensaves.Call{Op: metric.DeleteBlob, Store: record.Parent.Key, Key: record.Key, Blob: o.Key}
	w.put(doubt{since: now, object: o, set: set, call: call})
}

// put notes a doubt. Where too many records are frozen, the oldest is given up.
func (w *World) put(d doubt) {
	w.uncertain.Lock()
	defer w.uncertain.Unlock()
	w.doubts = append(w.doubts, d)
	if w.frozen.Load() <= int64(w.Data.Records) {
		return
	}
	for i, oldest := range w.doubts {
		if oldest.call.Op == metric.DeleteRecord && oldest.why == unknown {
			w.doubts = append(w.doubts[:i], w.doubts[i+1:]...)
			w.abandoned.Add(1)
			w.gone(oldest, d.since)
			return
		}
	}
}

// gone takes what a doubt was about out of the working set. A record's one blob
// goes with it.
func (w *World) gone(d doubt, now time.Duration) {
	switch {
	case d.why != unknown:
	case d.call.Op == metric.DeleteRecord:
		w.frozen.Add(-1)
		w.dropRecord(d.object)
	case d.call.Op == metric.DeleteBlob:
		d.set.Remove(d.object)
		w.releaseBlob(d.object, now)
	default:
		d.set.Remove(d.object)
	}
	if d.call.Op == metric.DeleteRecord {
		w.known.Remove(d.object)
	}
}

// thaw lets an object be written again whose fate became known. A blob is not
// thawed: an upload that lands late would rewrite its record.
func (w *World) thaw(d doubt, now time.Duration) bool {
	if d.why != unknown || d.call.Op == metric.DeleteBlob || !d.object.Thaw(now) {
		return false
	}
	if d.call.Op == metric.DeleteRecord {
		w.frozen.Add(-1)
	}
	return true
}

// Tend settles doubts that are old enough, at most so many: an object whose fate
// is known may be written again, others are deleted and forgotten. It also drops
// uploads that nobody will commit, and deletes what earlier starts left. It is to
// be called about every second.
func (w *World) Tend(ctx context.Context, most int, now func() time.Duration, do Do) {
	w.dropSessions(now())
	w.clearGraves(now())
	if !w.Mutable() || w.suspended(now()) {
		return
	}
	ripe := w.ripe(now(), most)
	var objects []*ledger.Object
	for _, d := range ripe {
		objects = append(objects, d.object)
	}
	if w.doomAll(ctx, objects) != nil {
		for _, d := range ripe {
			w.put(d)
		}
		return
	}
	var answer opensaves.Answer
	for _, d := range ripe {
		w.bring(ctx, d, &answer, now, do)
	}
	w.endFormer(ctx, most-len(ripe), now, do)
}

// ripe takes the doubts that are to be ended by a deletion.
func (w *World) ripe(now time.Duration, most int) (ripe []doubt) {
	for _, d := range w.due(now, most) {
		switch {
		case d.object.Guard().Suspected():
			d.since = now
			w.put(d) // what a suspicion is about is not written
		case !w.thaw(d, now):
			ripe = append(ripe, d)
		}
	}
	return ripe
}

// bring ends a doubt by a deletion, or tries again when as much time has passed.
func (w *World) bring(ctx context.Context, d doubt, answer *opensaves.Answer, now func() time.Duration, do Do) {
	if d.why == lost {
		w.look(ctx, d.object, answer, do)
	}
	version := d.object.IntendDelete()
	end, over := w.delete(ctx, &d.call, answer, do)
	d.object.End(version, end, now())
	if !over || end == ledger.Unknown && !d.absent { // a backend that is down says that nothing is there, too
		d.since, d.absent = now(), over
		w.put(d)
		return
	}
	w.gone(d, now())
	w.forget(d.object)
}

// look reads the key of a lost record for the last time: what shows now was
// written late.
func (w *World) look(ctx context.Context, o *ledger.Object, answer *opensaves.Answer, do Do) {
	if o.Letter() != ledger.Record || o.Deleted() {
		return
	}
	answer.Reset()
	call := opensaves.Call{Op: metric.GetRecord, Store: o.Parent.Key, Key: o.Key}
	call.Hint.SkipCache = w.Protocol == metric.GRPC
	if do(ctx, &call, answer) == nil {
		w.late.Add(1)
	}
}

// delete sends a deletion that no arrival made, and says whether it is over. What
// is not found is no more looked for, but that may be the answer of a server whose
// backend is down; another backend calls it an internal error. The key is never
// used again, so that nothing can depend on it.
func (w *World) delete(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer, do Do) (end ledger.End, over bool) {
	answer.Reset()
	switch opensaves.CodeOf(do(ctx, call, answer)) {
	case metric.OK:
		return ledger.Acknowledged, true
	case metric.NotFound, metric.FailedPrecondition, metric.Internal:
		return ledger.Unknown, true
	}
	return ledger.Unknown, false
}

func (w *World) due(now time.Duration, most int) []doubt {
	w.uncertain.Lock()
	defer w.uncertain.Unlock()
	n := 0
	for n < min(most, len(w.doubts)) && now-w.doubts[n].since >= time.Duration(w.Verify.UnknownTTL) {
		n++
	}
	due := append([]doubt(nil), w.doubts[:n]...)
	w.doubts = w.doubts[n:]
	return due
}

// Setup creates the stores that hold the records and waits until they can be
// read. It returns the first error; it may be called again until it succeeds.
func (w *World) Setup(ctx context.Context, now func() time.Duration, do Do) error {
	t := NewTask(0, 0)
	for _, o := range w.stores {
		if o.Before() != (ledger.Expect{}) {
			continue
		}
		t.reset(Draw{Op: metric.CreateStore})
		t.Call.Op, t.object = metric.CreateStore, o
		w.fillStore(t)
		t.version = max(1, o.Version())
		if o.Version() == 0 {
			w.begun(o)
			o.Intend()
		}
		err := do(ctx, &t.Call, &t.Answer)
		if opensaves.CodeOf(err) == metric.AlreadyExists {
			err = nil // an earlier attempt whose end was unknown: nobody else has this key
		}
		if err != nil {
			return err
		}
		if err := w.await(ctx, t, do); err != nil {
			return err
		}
		o.End(t.version, ledger.Acknowledged, now())
		o.Unlock()
		w.note(o)
	}
	return nil
}

// await reads a store that was just created.
func (w *World) await(ctx context.Context, t *Task, do Do) error {
	t.Answer.Reset()
	t.Call.Op = metric.GetStore
	return do(ctx, &t.Call, &t.Answer)
}
