package scenario

import (
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

	total   *total   // for sums: that the object belongs to
	contest *contest // for lost updates, the same
}

// shadows are those at work. Requests only look at their count.
type shadows struct {
	count atomic.Int64
	mu    sync.Mutex
	list  []*shadow
	next  [ledger.Kinds]time.Duration // when to inject a kind again
	dumb  int                         // pings in a row that the target has not answered
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
	if !w.Mutable() || w.suspended(now()) || w.shadows.count.Load() > 0 && !w.responds(t, send) {
		w.delay(now())
		return
	}
	w.reap(now(), told)
	for _, kind := range w.injectable() {
		if next := &w.shadows.next[kind]; now() >= *next && w.inject(t, kind, now()) {
			*next = now() + time.Duration(w.Verify.SelfTestInterval)
			told(kind, Injected)
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

// outage is how many pings in a row go unanswered when the target is down.
const outage = 3

// responds says whether the target still answers: without answers the checks have
// nothing to find a violation in.
func (w *World) responds(t *Task, send func(*Task) error) bool {
	t.reset(Draw{})
	t.Op, t.Call.Op = metric.Ping, metric.Ping
	w.shadows.dumb++
	if send(t) == nil {
		w.shadows.dumb = 0
	}
	return w.shadows.dumb < outage
}

// delay gives shadows time that wait until the run may write and judge again.
func (w *World) delay(now time.Duration) {
	for _, s := range w.shades() {
		s.until = max(s.until, now+slowest)
	}
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

// provoke prepares a call whose answer, falsified, begins to show the shadow.
func (w *World) provoke(t *Task, s *shadow, now time.Duration) bool {
	t.reset(Draw{})
	t.sent = now
	switch s.kind {
	case ledger.AtomicTotal, ledger.DoubleApplied:
		t.Op = metric.AtomicAdd
		t.Call.Op = t.Op
		w.addTo(t, s.total)
		return true
	case ledger.LostUpdate:
		t.Op = metric.UpdateRecord
		t.Call.Op = t.Op
		return w.update(t, s.contest) // the second one that is guarded with a signature will be refused
	case ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing:
		t.Op = metric.QueryByOwner
	case ledger.NotLinearizable:
		if _, steady := s.object.Steady(now); !steady {
			return false
		}
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
