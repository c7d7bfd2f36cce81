package scenario

import (
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// injectable are the kinds that can come up with the protocol and the mix.
func (w *World) injectable() []ledger.Kind {
	kinds := []ledger.Kind{
		ledger.Corrupt, ledger.PhantomWrite, ledger.LostWrite, ledger.Resurrected,
		ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing,
	}
	if w.Protocol == metric.HTTP {
		return kinds
	}
	kinds = append(kinds, ledger.NotLinearizable)
	if w.strong {
		kinds = append(kinds, ledger.NonMonotonic)
	} else {
		kinds = append(kinds, ledger.Stale)
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
		if s.total != nil && !s.total.Retired() {
			s.object = s.total.object
		}
	case ledger.LostUpdate:
		if c := w.contests.places[t.rand.IntN(contests)].Load(); c != nil && !c.over() {
			s.contest, s.object = c, c.object
		}
	default:
		s.object = w.shadowable(t, kind, now)
	}
	if s.object == nil || !w.reserve(s, now) {
		return false
	}
	w.shadows.mu.Lock()
	w.shadows.list = append(w.shadows.list, s)
	w.shadows.mu.Unlock()
	w.shadows.count.Add(1)
	return true
}

// reserve keeps writers from a shadow; false where a write was faster. Who updates
// contests, counters and what is deleted does no harm.
func (w *World) reserve(s *shadow, now time.Duration) bool {
	if s.contest != nil {
		return true
	}
	if !s.object.Shadowed.CompareAndSwap(false, true) {
		return false
	}
	_, steady := s.object.Steady(now) // then its counter can be looked at too
	steady = steady && (s.kind != ledger.NotLinearizable || s.object.Counted)
	if steady || s.total != nil || s.kind == ledger.Resurrected {
		return true
	}
	s.object.Shadowed.Store(false)
	return false
}

// shadowable returns a record that can show a violation of a kind at once: one
// that is settled, for as long as the limits say; nil where none is found soon.
func (w *World) shadowable(t *Task, kind ledger.Kind, now time.Duration) *ledger.Object {
	quiet := time.Duration(w.Verify.StaleLimit)
	switch kind {
	case ledger.Stale:
		quiet = time.Duration(w.Verify.CacheLimit)
	case ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing:
		quiet = time.Duration(w.Verify.IndexLimit)
	}
	if now < quiet {
		return nil
	}
	fits := func(o *ledger.Object) bool {
		_, steady := o.Steady(now - quiet)
		return steady && !o.Shadowed.Load()
	}
	looked := 0
	found := w.records.From(t.rand.IntN(max(1, w.records.Len())), func(o *ledger.Object) bool {
		looked++
		return looked > swept || fits(o)
	})
	if found == nil || !fits(found) {
		return nil
	}
	return found
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
