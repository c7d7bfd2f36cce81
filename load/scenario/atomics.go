package scenario

import (
	"fmt"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/linear"
	"opensaves-soak/opensaves"
)

// counterHigh is where wrapping counters wrap; they start over at 0. It is so
// low that they do.
const counterHigh = 7

func counter(value int64) opensaves.Property {
	return opensaves.Property{Name: counterProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: value}}
}

// prepareAtomic works on a register that several arrivals share, now and then,
// and else on the counter of a record, whose lock it takes.
func prepareAtomic(w *World, t *Task) metric.Operation {
	if w.share(t) {
		return t.Op
	}
	if t.register != nil {
		return metric.CreateRecord
	}
	if t.object = w.lock(t, w.records); t.object == nil {
		return metric.GetRecord
	}
	w.operate(t, t.object, t.object.Counter)
	return t.Op
}

// operate fills the call with the task's operation on a record's counter, which
// is expected to have a value. Half of the swaps fit.
func (w *World) operate(t *Task, o *ledger.Object, expected int64) {
	t.Call.Store, t.Call.Key = o.Parent.Key, o.Key
	value := int64(t.rand.IntN(counterHigh + 1))
	t.Call.Property = counter(value)
	switch t.Op {
	case metric.CompareAndSwap:
		if t.rand.IntN(2) == 0 {
			expected = int64(t.rand.IntN(counterHigh + 1))
		}
		t.Call.Old = opensaves.Value{Kind: opensaves.Integer, Int: expected}
		t.atomic = linear.CompareAndSwap(expected, value)
	case metric.CompareAndSwapGreater:
		t.atomic = linear.CompareAndSwapGreater(value)
	case metric.CompareAndSwapLess:
		t.atomic = linear.CompareAndSwapLess(value)
	case metric.AtomicInc:
		t.Call.Low, t.Call.High = 0, counterHigh
		t.atomic = linear.AtomicInc(0, counterHigh)
	case metric.AtomicDec:
		t.Call.Low, t.Call.High = 0, counterHigh
		t.atomic = linear.AtomicDec(0, counterHigh)
	}
}

// settleAtomic judges an operation that nobody else's can have met: the value
// that it found must be the one that the last operation left.
func settleAtomic(w *World, t *Task, err error, now time.Duration) {
	if t.register != nil {
		w.settleShared(t, err, now)
		return
	}
	o := t.object
	switch t.ends(err) {
	case ledger.Acknowledged:
		w.judgeAtomic(t, o)
		o.Unlock()
	case ledger.Rejected:
		o.Unlock()
	case ledger.Unknown:
		o.Counted = false
		o.Freeze()
		w.freeze(o, now)
	}
}

func (w *World) judgeAtomic(t *Task, o *ledger.Object) {
	value, updated := t.atomic.Apply(t.Answer.Old.Int)
	t.checked(metric.CheckAtomic)
	switch {
	case !o.Counted: // this answer tells
		t.unjudged(metric.CheckAtomic)
	case t.Answer.Old.Int != o.Counter, t.Answer.Updated != updated:
		t.accuse(w, Violation{Kind: ledger.NotLinearizable, Detail: fmt.Sprintf(
			"found %d, updated %v; want %d, updated %v", t.Answer.Old.Int, t.Answer.Updated, o.Counter, updated)}, o)
	}
	o.Counter, o.Counted = value, t.shadow == nil // a falsified answer tells nothing
}
