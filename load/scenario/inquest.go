package scenario

import (
	"fmt"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// learn takes what a settled call showed into its inquiry.
func (w *World) learn(t *Task, now time.Duration) {
	q := t.inquiry
	defer w.release(q)
	switch {
	case q.cached:
		w.learnCached(t, q, now)
		return
	case q.Step() == ledger.Before, q.Step() == ledger.After:
		w.learnSentinel(t, q, now)
	case q.Step() == ledger.Enclose:
		w.learnEnclosed(t, q, now)
	case q.question != metric.Ping:
		if t.whole || t.shown { // no other answer need enclose it: this one does
			q.Sight(t.shown, false, t.sent, t.Answer.Connection)
		} else {
			q.Failed(now)
		}
	case !t.Result.Checked, t.Result.Verdict == metric.Unjudged, t.Result.Verdict == metric.Violation && !t.missed:
		q.Failed(now)
	default:
		q.seen = t.seen
		q.recount(t)
		q.Sight(t.Result.Verdict == metric.Right, t.seen.Absent, t.sent, t.Answer.Connection)
	}
	w.conclude(t, q, now)
}

// recount counts ages from the write that is not shown now: it may be another one
// than at first.
func (q *inquiry) recount(t *Task) {
	if t.missed {
		q.Missed = max(q.Missed, t.sent-t.missedFor)
	}
}

// learnSentinel judges the sentinel. One that was deleted meanwhile is no bad
// sign; another is taken. An object that a question did not show and a read does
// not show either is what the reads say.
func (w *World) learnSentinel(t *Task, q *inquiry, now time.Duration) {
	right := t.Result.Checked && t.Result.Verdict == metric.Right
	if t.Result.Verdict == metric.Suspect && q.question != metric.Ping {
		q.question = metric.Ping
		q.Sentinel(false, w.rules(), now)
		return
	}
	if !right {
		q.bad++
	}
	if right && t.seen.Absent {
		q.Failed(now)
		return
	}
	q.Sentinel(right, w.rules(), now)
}

// learnEnclosed takes an answer that would show the suspect. Where its store is
// not found, only a list of stores tells that from a backend that is down.
func (w *World) learnEnclosed(t *Task, q *inquiry, now time.Duration) {
	switch {
	case q.bare && t.Result.Checked && t.Result.Verdict != metric.Unjudged:
		q.Enclosed(!t.seen.Absent, now)
	case q.bare:
		q.Failed(now)
	case t.whole || t.shown:
		q.Enclosed(t.shown, now)
	default:
		q.bare = t.Result.Code == metric.NotFound
		q.Failed(now)
	}
}

func (w *World) rules() ledger.Rules {
	return ledger.Rules{StaleLimit: time.Duration(w.Verify.StaleLimit)}
}

// learnCached follows an object that is right past the cache until the cache
// shows it too, or has shown an old version for too long.
func (w *World) learnCached(t *Task, q *inquiry, now time.Duration) {
	q.recount(t)
	age := t.sent - q.Missed
	switch {
	case !t.Result.Checked:
		q.Due = now + time.Second
	case t.Result.Verdict == metric.Right:
		w.end(q)
	case age > time.Duration(w.Verify.CacheLimit):
		t.accuse(w, Violation{Kind: ledger.Stale, Seen: t.seen, Age: age, Suspected: q.trace.String()}, q.Object)
		w.end(q)
	default:
		q.cleared++
		q.Due = now + min(ledger.SightEvery<<min(q.cleared, 3), max(time.Second, time.Duration(w.Verify.CacheLimit)-age))
	}
}

// conclude acts on an inquiry that has come to an end.
func (w *World) conclude(t *Task, q *inquiry, now time.Duration) {
	switch q.State() {
	case ledger.Cleared:
		if q.cached = w.Protocol == metric.GRPC && q.question == metric.Ping && cachedRead(q.Object) != metric.Ping && !q.Object.Deleted(); q.cached {
			q.Due = now
			return
		}
		w.end(q)
	case ledger.Confirmed:
		w.convict(t, q, now)
	}
}

// convict tells a confirmed suspicion, and takes what was lost out of the
// working set once nobody writes it.
func (w *World) convict(t *Task, q *inquiry, now time.Duration) {
	o, kind := q.Object, q.Kind()
	if q.question != metric.Ping {
		kind = ledger.QueryMissing
	}
	if q.offset > 0 {
		kind = ledger.QueryShape
	}
	if s := w.shadowOf(o); s != nil {
		s.catch(kind)
		w.end(q)
		return
	}
	if q.question != metric.Ping {
		t.accuse(w, Violation{Kind: kind, Age: t.sent - q.Missed, Detail: fmt.Sprintf("%s, offset %d", q.question, q.offset), Suspected: q.trace.String()}, o)
		w.end(q)
		return
	}
	if !forGood(o) && !o.Guard().TryLockSuspect() {
		q.Due = now + time.Second
		return
	}
	t.checked(checkOf(o))
	t.accuse(w, Violation{Kind: kind, Age: t.sent - q.Missed, Seen: q.seen, Suspected: q.trace.String()}, o)
	w.lose(o, now)
	w.end(q)
}

// checkOf is the check that an object's reads belong to.
func checkOf(o *ledger.Object) metric.Check {
	switch o.Letter() {
	case ledger.Store:
		return metric.CheckStore
	case ledger.Metadata:
		return metric.CheckMetadata
	case ledger.Blob, ledger.Chunked:
		return metric.CheckBlob
	case ledger.Part:
		return metric.CheckChunk
	}
	return metric.CheckRecord
}

// forGood says that an object was deleted, whose lock nobody gives back.
func forGood(o *ledger.Object) bool { return o.Former || o.Guard() == o && o.Deleted() }

// lose takes an object out of the working set that the target has lost, or that
// is back although it was deleted. The caller has its lock. Its key is watched
// for as long as a write may land late, and then deleted.
func (w *World) lose(o *ledger.Object, now time.Duration) {
	if o.Former {
		return // it is about to be deleted
	}
	switch o.Letter() {
	case ledger.Record:
		w.dropRecord(o)
		w.put(doubt{since: now, object: o, call: recordDeletion(o), why: lost})
	case ledger.Metadata:
		w.metadata.Remove(o)
		w.put(doubt{since: now, object: o, call: w.metadataDeletion(o), why: lost})
	case ledger.Store:
		w.extra.Remove(o)
		o.Unlock()
	case ledger.Part:
		w.loseBlob(o.Parent, now)
	default:
		w.loseBlob(o, now)
	}
}

func (w *World) loseBlob(o *ledger.Object, now time.Duration) {
	if o.Size.Load() == 0 { // it was deleted
		o.Parent.Unlock()
		return
	}
	w.setOf(o).Remove(o)
	w.releaseBlob(o, now)
}

// dropRecord takes a record out of the working set, its blobs with it.
func (w *World) dropRecord(o *ledger.Object) {
	w.shelf(o).Remove(o)
	if !w.records.Remove(o) {
		return // it is out already
	}
	w.leaveCohort(o)
	if o.Children == 0 {
		return // the search goes through all blobs
	}
	var blobs []*ledger.Object
	for _, set := range [...]*ledger.Set{w.blobs[0], w.blobs[1], w.chunked} {
		set.From(0, func(blob *ledger.Object) bool {
			if blob.Parent == o {
				blobs = append(blobs, blob)
			}
			return false
		})
	}
	for _, blob := range blobs {
		w.setOf(blob).Remove(blob)
		w.blobBytes.Add(-blob.Size.Load())
	}
}
