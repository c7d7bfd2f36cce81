package scenario

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// shadow is an object whose answers are falsified on the way in, so that the
// checks must find a violation of a kind: who watches the watcher.
type shadow struct {
	object *ledger.Object
	kind   ledger.Kind
	until  time.Duration // it must be found by then
	found  atomic.Bool
	over   atomic.Bool // nothing is falsified any more
	total  *total      // for sums: that the object belongs to
}

// shadows are those at work. Requests only look at their count.
type shadows struct {
	count atomic.Int64
	mu    sync.Mutex
	list  []*shadow
	next  time.Duration // when to inject again
}

// SelfTested is told of what a self-test came to: injected, caught or missed.
type SelfTested func(kind ledger.Kind, result string)

// The results of a self-test.
const (
	Injected = "injected"
	Caught   = "caught"
	Missed   = "missed"
)

// slowest is how long the checks may take to find a violation that is injected,
// beside the limits that the configuration sets.
const slowest = 4 * time.Minute

// SelfTest injects a violation of every kind, every interval from when the
// working set is warm, and sees to it that each is found. It is to be called
// about every second.
func (w *World) SelfTest(t *Task, now func() time.Duration, send func(*Task) error, told SelfTested) {
	if !w.Verify.SelfTest || !w.WarmedUp() {
		return
	}
	w.reap(now(), told)
	if now() >= w.shadows.next {
		w.shadows.next = now() + time.Duration(w.Verify.SelfTestInterval)
		for _, kind := range w.injectable() {
			if w.inject(t, kind, now()) {
				told(kind, Injected)
			}
		}
	}
	for _, s := range w.shades() {
		if !s.over.Load() && !s.found.Load() && w.provoke(t, s, now()) {
			err := send(t)
			w.Settle(t, err, now())
		}
	}
	w.reap(now(), told)
}

// shades returns the shadows at work.
func (w *World) shades() []*shadow {
	if w.shadows.count.Load() == 0 {
		return nil
	}
	w.shadows.mu.Lock()
	defer w.shadows.mu.Unlock()
	return append([]*shadow(nil), w.shadows.list...)
}

// catch notes that a violation was found.
func (s *shadow) catch(kind ledger.Kind) {
	if kind == s.kind {
		s.found.Store(true)
	}
}

// shadowOf returns the shadow of an object, nil if it is none.
func (w *World) shadowOf(o *ledger.Object) *shadow {
	if !o.Shadowed.Load() {
		return nil
	}
	for _, s := range w.shades() {
		if s.object == o {
			return s
		}
	}
	return nil
}

// reap ends shadows that were found, and those whose time is over. An object
// whose answers are still being looked into stays one until that has ended.
func (w *World) reap(now time.Duration, told SelfTested) {
	w.shadows.mu.Lock()
	defer w.shadows.mu.Unlock()
	kept := w.shadows.list[:0]
	for _, s := range w.shadows.list {
		if found := s.found.Load(); !s.over.Load() && (found || now > s.until) {
			s.over.Store(true)
			told(s.kind, map[bool]string{true: Caught, false: Missed}[found])
		}
		if s.over.Load() && !s.object.Suspected() {
			s.object.Shadowed.Store(false)
			continue
		}
		kept = append(kept, s)
	}
	clear(w.shadows.list[len(kept):])
	w.shadows.list = kept
	w.shadows.count.Store(int64(len(kept)))
}

// injectable are the kinds that can come up with the protocol and the mix.
func (w *World) injectable() []ledger.Kind {
	kinds := []ledger.Kind{
		ledger.Corrupt, ledger.PhantomWrite, ledger.LostWrite, ledger.Resurrected,
		ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing,
	}
	if w.Protocol == metric.HTTP {
		return kinds
	}
	kinds = append(kinds, ledger.Stale, ledger.NotLinearizable)
	if w.strong {
		kinds = append(kinds, ledger.NonMonotonic)
	}
	if w.mix.Load().Has(metric.AtomicAdd) {
		kinds = append(kinds, ledger.AtomicTotal, ledger.DoubleApplied)
	}
	if w.contests.places[0].Load() != nil {
		kinds = append(kinds, ledger.LostUpdate)
	}
	return kinds
}

// inject makes a shadow of an object that fits; false where there is none.
func (w *World) inject(t *Task, kind ledger.Kind, now time.Duration) bool {
	s := &shadow{kind: kind, until: now + slowest + time.Duration(w.Verify.StaleLimit)}
	switch kind {
	case ledger.Resurrected:
		s.object = w.buried()
	case ledger.AtomicTotal, ledger.DoubleApplied:
		s.total = w.rising.places[t.rand.IntN(totals)].Load()
		if s.total != nil {
			s.object = s.total.object
		}
	case ledger.LostUpdate:
		if c := w.contests.places[t.rand.IntN(contests)].Load(); c != nil && !c.over() {
			s.object = c.object
		}
	default:
		s.object = w.records.From(t.rand.IntN(max(1, w.records.Len())), func(o *ledger.Object) bool { return w.mayShadow(o, kind, now) })
	}
	if s.object == nil || !s.object.Shadowed.CompareAndSwap(false, true) {
		return false
	}
	if _, steady := s.object.Steady(now); !steady && kind != ledger.Resurrected && kind != ledger.LostUpdate && s.total == nil { // a write was faster
		s.object.Shadowed.Store(false)
		return false
	}
	w.shadows.mu.Lock()
	w.shadows.list = append(w.shadows.list, s)
	w.shadows.mu.Unlock()
	w.shadows.count.Add(1)
	return true
}

// mayShadow says whether a record can show a violation of a kind at once: one
// that is settled, for as long as the limits say.
func (w *World) mayShadow(o *ledger.Object, kind ledger.Kind, now time.Duration) bool {
	quiet := time.Duration(w.Verify.StaleLimit)
	switch kind {
	case ledger.Stale:
		quiet = time.Duration(w.Verify.CacheLimit)
	case ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing:
		quiet = time.Duration(w.Verify.IndexLimit)
	case ledger.NotLinearizable:
		if !o.Counted {
			return false
		}
	}
	_, steady := o.Steady(now - quiet)
	return steady && now >= quiet && !o.Shadowed.Load()
}

// buried returns a record that was deleted lately, nil if there is none.
func (w *World) buried() *ledger.Object {
	w.graves.mu.Lock()
	defer w.graves.mu.Unlock()
	for _, g := range slices.Backward(w.graves.list) {
		if o := g.object; !o.Suspected() && !o.Shadowed.Load() && o.Version() > 1 {
			return o
		}
	}
	return nil
}

// provoke prepares a call whose answer, falsified, begins to show the shadow.
func (w *World) provoke(t *Task, s *shadow, now time.Duration) bool {
	t.reset(Draw{})
	t.sent = now
	switch s.kind {
	case ledger.AtomicTotal, ledger.DoubleApplied, ledger.LostUpdate:
		return false // arrivals do
	case ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing:
		t.Op = metric.QueryByOwner
	case ledger.NotLinearizable:
		t.Op, t.object = metric.AtomicInc, s.object
		t.Call.Op = t.Op
		w.operate(t, s.object, 0)
		return true
	default:
		t.Op = metric.GetRecord
		t.Call.Hint.SkipCache = w.Protocol == metric.GRPC && s.kind != ledger.Stale
	}
	if s.object.Suspected() {
		return false // it is being looked into
	}
	t.Call.Op = t.Op
	w.aim(t, s.object)
	return true
}
