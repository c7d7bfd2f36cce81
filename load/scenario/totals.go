package scenario

import (
	"fmt"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// total is a record that several arrivals add to at once, or subtract from. No
// other operation writes it.
type total struct {
	*ledger.Total
	object *ledger.Object
	falls  bool
	last   atomic.Int64 // value that an addition found; 0: none yet
}

const (
	totals   = 32  // of each direction: enough that arrivals rarely meet at one
	maxDelta = 100 // of one addition
)

// lane is the records that arrivals of one kind share; a place is nil where
// there is none. One is made at a time.
type lane[T any] struct {
	places []atomic.Pointer[T]
	making atomic.Bool
	rested atomic.Int64 // none is made before that instant
}

// mayMake says whether the caller is to make one now.
func (l *lane[T]) mayMake(now time.Duration) bool {
	return int64(now) >= l.rested.Load() && l.making.CompareAndSwap(false, true)
}

// made lets the next one be made; after one of unknown end, which is in doubt for
// long, not at once.
func (l *lane[T]) made(end ledger.End, now time.Duration) {
	if end == ledger.Unknown {
		l.rested.Store(int64(now + time.Second))
	}
	l.making.Store(false)
}

// open puts a new one where arrivals find it, and says whether there was room.
func (l *lane[T]) open(made *T) bool {
	for i := range l.places {
		if l.places[i].CompareAndSwap(nil, made) {
			return true
		}
	}
	return false
}

// prepareSum adds to a counter of the operation's direction; where there is none
// at the place that it draws, the arrival makes one.
func prepareSum(w *World, t *Task) metric.Operation {
	falls := t.Op == metric.AtomicSub
	lane := w.sums(falls)
	place := &lane.places[t.rand.IntN(len(lane.places))]
	found := place.Load()
	switch {
	case found == nil && lane.mayMake(t.sent):
		t.base = int64(1+t.rand.IntN(1000)) * 1000
		t.total = &total{Total: ledger.NewTotal(t.base, falls), falls: falls}
		return metric.CreateRecord
	case found == nil:
		return metric.GetRecord
	case found.Retired():
		if place.CompareAndSwap(found, nil) {
			w.retire(found.object, t.sent)
		}
		return metric.GetRecord
	}
	w.addTo(t, found)
	return t.Op
}

// addTo fills the call with an addition to a counter, or a subtraction.
func (w *World) addTo(t *Task, to *total) {
	delta := int64(1 + t.rand.IntN(maxDelta))
	t.total, t.object = to, to.object
	t.Call.Store, t.Call.Key = t.object.Parent.Key, t.object.Key
	t.Call.Property = counter(delta)
	t.addition = to.Begin(delta)
}

// settleSum judges the value that an addition found.
func settleSum(w *World, t *Task, err error, now time.Duration) {
	end := t.ends(err)
	verdict := t.total.End(t.addition, end, t.Answer.Old.Int)
	t.object.Touch(now)
	if end != ledger.Acknowledged {
		return
	}
	t.checked(metric.CheckAtomic)
	kind := ledger.AtomicTotal
	switch verdict {
	case ledger.TotalOK:
		t.total.last.Store(t.Answer.Old.Int)
		return
	case ledger.TotalUnjudged:
		t.unjudged(metric.CheckAtomic)
		return
	case ledger.TotalTwice:
		kind = ledger.DoubleApplied
	}
	t.accuse(w, Violation{Kind: kind, Detail: fmt.Sprintf("found %d when %d came", t.Answer.Old.Int, t.Call.Property.Int)}, t.object)
}

// Sums reads one counter of each direction past the cache, judges its value, and
// reports the verdict: additions show what they found, but not what the last ones
// left. It is to be called about every second.
func (w *World) Sums(t *Task, now time.Duration, read Read, report Report) {
	for _, lane := range [...]*lane[total]{&w.rising, &w.falling} {
		found := lane.places[t.rand.IntN(len(lane.places))].Load()
		if found == nil {
			continue
		}
		t.reset(Draw{})
		t.Op, t.sent = metric.GetRecords, now
		t.Call.Op = t.Op
		w.readRecords(t, found.object)
		before := found.BeforeRead()
		if _, err := read(); err != nil || len(t.Answer.Records) != 1 || t.Answer.Statuses[0] != metric.OK {
			continue
		}
		t.checked(metric.CheckAtomic)
		value := counterOf(&t.Answer.Records[0])
		switch found.Judge(before, value) {
		case ledger.TotalOK:
		case ledger.TotalUnjudged:
			t.unjudged(metric.CheckAtomic)
		default:
			t.accuse(w, Violation{Kind: ledger.AtomicTotal, Detail: fmt.Sprintf("a read showed %d", value)}, found.object)
		}
		report(t, 1)
	}
}

// prepareShared makes the record of a counter, register or contest that the task
// has reserved a place for.
func (w *World) prepareShared(t *Task) metric.Operation {
	if !w.numbersLeft(ledger.Record) {
		w.made(t, ledger.Rejected, t.sent)
		t.total, t.register, t.contest = nil, nil, nil
		return metric.GetRecord
	}
	number, key := w.name(ledger.Record)
	t.object = ledger.NewObject(number, key, w.stores[number%uint64(len(w.stores))])
	w.known.Add(t.object)
	w.begun(t.object)
	w.write(t)
	if t.contest == nil {
		t.record.Properties[len(t.record.Properties)-1] = counter(t.base)
	}
	return metric.CreateRecord
}

// settleSharedCreate opens the place to others once the record is known to be there.
func (w *World) settleSharedCreate(t *Task, end ledger.End, now time.Duration) {
	defer w.made(t, end, now)
	switch end {
	case ledger.Rejected:
		w.known.Remove(t.object)
		w.forget(t.object)
		return
	case ledger.Unknown:
		w.retire(t.object, now)
		return
	}
	t.object.Unlock()
	w.shelf(t.object).Add(t.object)
	switch {
	case t.total != nil:
		t.total.object = t.object
		w.sums(t.total.falls).open(t.total)
	case t.contest != nil:
		t.contest.object, t.contest.opened = t.object, now
		w.contests.open(t.contest)
	default:
		t.register.object = t.object
		w.registers.open(t.register)
	}
}

// sums is the lane of counters of a direction.
func (w *World) sums(falls bool) *lane[total] {
	if falls {
		return &w.falling
	}
	return &w.rising
}

// made lets the next one be made.
func (w *World) made(t *Task, end ledger.End, now time.Duration) {
	switch {
	case t.total != nil:
		w.sums(t.total.falls).made(end, now)
	case t.contest != nil:
		w.contests.made(end, now)
	default:
		w.registers.made(end, now)
	}
}

// retire gives up a record that arrivals shared, and deletes it when nothing
// sent to it can land any more.
func (w *World) retire(o *ledger.Object, now time.Duration) {
	w.shelf(o).Remove(o)
	w.put(doubt{since: now, object: o, call: recordDeletion(o), why: retired})
}

// makesShared says whether the task makes a record that arrivals will share.
func (t *Task) makesShared() bool { return t.total != nil || t.register != nil || t.contest != nil }
