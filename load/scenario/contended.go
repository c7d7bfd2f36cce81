package scenario

import (
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// contest is a record that several arrivals write at once, on purpose: on gRPC
// updates, each guarded with a signature; on REST uploads of blobs. No other
// operation writes it.
type contest struct {
	object *ledger.Object
	opened time.Duration

	mu     sync.Mutex
	round  *round // gRPC: of the last signature that a read showed
	shown  uint32 // the version that came with it
	writes int    // gRPC
	crowd  crowd  // REST
}

// round is the life of one signature. At most one of the updates guarded with it
// may take effect, for that changes the signature; so they write the same
// version. The next round begins when a read shows that version. In a server
// that is right, versions thus only rise: a guard that is met was read after all
// earlier versions took effect.
type round struct {
	signature [signatureBytes]byte
	version   uint32 // 0: there was no update yet
	hopes     int    // updates under way, or that may have taken effect
	acked     bool
	settled   bool // the ledger knows that the version took effect
}

const (
	contests       = 8   // so few that arrivals meet
	contestWrites  = 500 // until a record is retired, so that many keys take part
	signatureBytes = 16
)

// lanes are the operations of the scenario contended on each protocol.
var lanes = map[metric.Protocol][]metric.Operation{
	metric.GRPC: {metric.GetRecord, metric.UpdateRecord},
	metric.HTTP: {metric.CreateBlob, metric.ListBlobs},
}

// join lets an arrival read a contest past the cache, if its scenario says so;
// nil: there is none.
func (w *World) join(t *Task) *ledger.Object {
	if !t.Drawn.Contended {
		return nil
	}
	if t.contest = w.contests.places[t.rand.IntN(contests)].Load(); t.contest == nil {
		return nil
	}
	t.Call.Hint.SkipCache = w.Protocol == metric.GRPC
	return t.contest.object
}

// enter returns a contest for an arrival that writes. Where there is none at the
// place that it draws, it leaves one in the task that is to be made.
func (w *World) enter(t *Task) *contest {
	place := &w.contests.places[t.rand.IntN(contests)]
	found := place.Load()
	switch {
	case found == nil && w.contests.mayMake(t.sent):
		t.contest = &contest{}
	case found != nil && found.over():
		if place.CompareAndSwap(found, nil) {
			w.endContest(found, t.sent)
		}
		return nil
	}
	return found
}

// over says whether a contest has been judged, is old, or is known to be wrong.
func (c *contest) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.crowd.judged || c.writes >= contestWrites || c.object.Accused(ledger.LostUpdate) || c.object.Accused(ledger.LostWrite)
}

// endContest retires a contest: its blobs first, which would outlive the record
// on some servers.
func (w *World) endContest(c *contest, now time.Duration) {
	for _, blob := range c.close() {
		call := opensaves.Call{Op: metric.DeleteBlob, Store: c.object.Parent.Key, Key: c.object.Key, Blob: blob.Key}
		w.put(doubt{since: now, object: blob, call: call, why: retired})
	}
	w.retire(c.object, now)
}

// contend updates a contest, guarded with the last signature that a read of it
// showed, whoever else does; without one the arrival reads.
func (w *World) contend(t *Task) metric.Operation {
	c := w.enter(t)
	switch {
	case t.contest != nil:
		return metric.CreateRecord
	case c == nil, !w.update(t, c):
		return metric.GetRecord
	}
	return t.Op
}

// update fills the call with a guarded update of a contest; false where none may
// be sent.
func (w *World) update(t *Task, c *contest) bool {
	if !w.guard(t, c) {
		return false
	}
	t.contest, t.object = c, c.object
	w.fillRecord(t)
	t.record.Signature = t.round.signature[:]
	return true
}

// guard takes part in the contest's round; false where no update may be sent. The
// lock of the record is held only while its next version is announced.
func (w *World) guard(t *Task, c *contest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.round
	if r == nil || c.object.Suspected() {
		return false
	}
	if r.version == 0 {
		if !w.tryLock(c.object) {
			return false
		}
		r.version = w.intend(c.object)
		c.object.Unlock()
	}
	r.hopes++
	c.writes++
	t.round, t.version = r, r.version
	return true
}

// settleContended learns how a guarded update ended. That its guard was not met
// is what contention is for, and no error; but a server that tries again by
// itself says so of its own success too, so that the next read has to tell.
func (w *World) settleContended(t *Task, err error, now time.Duration) {
	end := t.ends(err)
	if t.Result.Code == metric.FailedPrecondition || t.Result.Code == metric.Aborted {
		t.Result.Outcome, t.Result.Unknown = metric.AbortedOutcome, false
	}
	twice := t.contest.end(t.round, end, now)
	if end != ledger.Acknowledged {
		return
	}
	w.note(t.object)
	t.checked(metric.CheckRecord)
	if twice {
		t.accuse(w, Violation{Kind: ledger.LostUpdate, Detail: "two updates guarded with one signature were acknowledged"}, t.object)
	}
}

// end notes how an update of a round ended, and says whether another one of the
// same round had been acknowledged.
func (c *contest) end(r *round, end ledger.End, now time.Duration) (twice bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch end {
	case ledger.Acknowledged:
		twice, r.acked = r.acked, true
		c.settle(r, now)
	case ledger.Rejected:
		r.hopes--
	}
	c.object.Touch(now)
	return twice
}

// settle lets the ledger know, once, that a round's version took effect.
func (c *contest) settle(r *round, now time.Duration) {
	if !r.settled {
		r.settled = true
		c.object.End(r.version, ledger.Acknowledged, now)
	}
}

// remember keeps the signature that a read of a contest has shown, for updates to
// be guarded with.
func (w *World) remember(t *Task, now time.Duration) {
	signature := t.Answer.Record.Signature
	if t.contest == nil || t.Result.Verdict != metric.Right || len(signature) != signatureBytes {
		return
	}
	fresh, possible := t.contest.show(t.seen.Version, [signatureBytes]byte(signature), now)
	if fresh {
		w.note(t.object)
	}
	if !possible {
		t.accuse(w, Violation{Kind: ledger.PhantomWrite, Seen: t.seen, Detail: "all updates to this version were refused"}, t.object)
	}
}

// show begins a round where a read shows a version that none has shown before,
// and says whether it is such a one and whether it may be there. A read that
// shows what an update wrote is as good as its acknowledgement.
func (c *contest) show(version uint32, signature [signatureBytes]byte, now time.Duration) (fresh, possible bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version <= c.shown {
		return false, true
	}
	possible = true
	if c.round != nil {
		possible = c.round.hopes > 0
		c.settle(c.round, now)
	}
	c.round, c.shown = &round{signature: signature}, version
	return true, possible
}

// taken says whether an update of a round has been acknowledged.
func (c *contest) taken(r *round) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.acked
}
