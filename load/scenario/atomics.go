package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// counterHigh is where wrapping counters wrap; they start over at 0.
const counterHigh = 1 << 20

func counter(value int64) opensaves.Property {
	return opensaves.Property{Name: counterProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: value}}
}

// onCounter takes the lock of a record and addresses its counter.
func (w *World) onCounter(t *Task, value int64) metric.Operation {
	if t.object = w.lock(t, w.records); t.object == nil {
		return metric.GetRecord
	}
	t.Call.Store, t.Call.Key = t.object.Parent.Key, t.object.Key
	t.Call.Property = counter(value)
	return t.Op
}

func prepareAtomic(w *World, t *Task) metric.Operation {
	t.Call.Low, t.Call.High = 0, counterHigh
	return w.onCounter(t, int64(t.rand.IntN(100)))
}

func prepareCompareAndSwap(w *World, t *Task) metric.Operation {
	op := w.onCounter(t, int64(t.rand.IntN(counterHigh)))
	if op == t.Op {
		t.Call.Old = opensaves.Value{Kind: opensaves.Integer, Int: t.object.Counter}
	}
	return op
}

// settleAtomic follows the counter; a swap that found another value than the
// one given is a success too.
func settleAtomic(w *World, t *Task, err error, now time.Duration) {
	switch t.ends(err) {
	case ledger.Acknowledged:
		t.unjudged(metric.CheckAtomic)
		t.object.Counter = t.after()
		t.object.Unlock()
	case ledger.Rejected:
		t.object.Unlock()
	case ledger.Unknown:
		t.object.Freeze()
		w.freeze(t.object, now)
	}
}

// after is the counter's value once an operation has succeeded.
func (t *Task) after() int64 {
	old, given := t.Answer.Old.Int, t.Call.Property.Int
	switch t.Op {
	case metric.AtomicAdd:
		return old + given
	case metric.AtomicSub:
		return old - given
	case metric.AtomicInc:
		return wrap(old+1, t.Call.Low, t.Call.High)
	case metric.AtomicDec:
		return wrap(old-1, t.Call.Low, t.Call.High)
	}
	if t.Answer.Updated {
		return given
	}
	return old
}

// wrap brings a value that left the bounds to the other one.
func wrap(value, low, high int64) int64 {
	switch {
	case value > high:
		return low
	case value < low:
		return high
	}
	return value
}
