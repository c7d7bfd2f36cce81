package scenario

import (
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/linear"
	"opensaves-soak/opensaves"
)

// register is a record whose counter several arrivals change at once, from when
// it is fresh until there is enough to judge.
type register struct {
	object *ledger.Object

	mu       sync.Mutex
	history  *linear.History
	opened   time.Duration
	inFlight int
	last     int64 // value that an answer showed: swaps are to fit sometimes
	count    int
	closed   bool
}

// What keeps the search for an order short: its cost grows with how many
// operations overlap, and with how many there are.
const (
	registers   = 4
	overlapping = 4
	enough      = 60 // operations
	longEnough  = 5 * time.Second
	searching   = time.Second
	// shared is one in so many of the operations that registers are for.
	shared = 4
)

// share begins the task's operation on a register; where there is none, it
// leaves one in the task that is to be made.
func (w *World) share(t *Task) bool {
	if t.rand.IntN(shared) > 0 {
		return false
	}
	place := &w.registers.places[t.rand.IntN(registers)]
	r := place.Load()
	switch {
	case r == nil && w.registers.mayMake(t.sent):
		t.base, t.register = int64(t.rand.IntN(counterHigh+1)), &register{opened: t.sent}
		t.register.history, t.register.last = linear.NewHistory(t.base), t.base
		return false
	case r == nil:
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed = r.closed || r.count >= enough || t.sent-r.opened > longEnough; r.closed || r.inFlight >= overlapping {
		return false
	}
	w.operate(t, r.object, r.last)
	id, ok := r.history.Begin(t.atomic, t.sent)
	if !ok {
		return false
	}
	t.register, t.object, t.entry = r, r.object, id
	r.inFlight++
	r.count++
	return true
}

// settleShared takes an answer into the register's history, which is judged as a
// whole when it is complete.
func (w *World) settleShared(t *Task, err error, now time.Duration) {
	r, end := t.register, t.ends(err)
	t.object.Touch(now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlight--
	switch end {
	case ledger.Acknowledged:
		r.history.End(t.entry, linear.Answer{Updated: t.Answer.Updated, Old: t.Answer.Old.Int}, now)
		r.last, _ = t.atomic.Apply(t.Answer.Old.Int)
	case ledger.Rejected:
		r.history.Drop(t.entry)
	}
}

// Read sends a task's call, and returns when it was answered.
type Read func() (answered time.Duration, err error)

// Report is told of a verdict in a task's result, and of how many operations it is on.
type Report func(t *Task, operations int)

// Histories judges the registers that are complete, each after a last read past
// the cache, and reports each verdict with the operations that it is about.
func (w *World) Histories(t *Task, now time.Duration, read Read, report Report) {
	for i := range w.registers.places {
		place := &w.registers.places[i]
		r := place.Load()
		if r == nil || !r.complete(now) {
			continue
		}
		place.Store(nil)
		t.reset(Draw{})
		t.Op, t.sent, t.object = metric.GetRecords, now, r.object
		t.Call.Op = t.Op
		w.readRecords(t, r.object)
		id, full := r.history.Begin(linear.Read(), now)
		if answered, err := read(); err == nil && full && len(t.Answer.Records) == 1 && t.Answer.Statuses[0] == metric.OK {
			r.history.End(id, linear.Answer{Old: counterOf(&t.Answer.Records[0])}, answered)
		}
		w.judgeHistory(t, r)
		report(t, r.count)
		w.retire(r.object, now)
	}
}

// complete closes a register that is due, and says whether all answers are there.
func (r *register) complete(now time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = r.closed || r.count >= enough || now-r.opened > longEnough
	return r.closed && r.inFlight == 0
}

func (w *World) judgeHistory(t *Task, r *register) {
	t.checked(metric.CheckAtomic)
	switch r.history.Check(searching) {
	case linear.Unchecked:
		t.unjudged(metric.CheckAtomic)
	case linear.NotLinearizable:
		t.accuse(w, Violation{Kind: ledger.NotLinearizable, Detail: "no order explains the answers"}, r.object)
	}
}

// counterOf is the value of a record's counter.
func counterOf(r *opensaves.Record) int64 {
	for i := range r.Properties {
		if r.Properties[i].Name == counterProperty {
			return r.Properties[i].Int
		}
	}
	return 0
}
