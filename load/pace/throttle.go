package pace

import "time"

// Throttle spaces the releases of overdue arrivals, so that a generator that
// was held up does not hit its target with a burst: no more than twice the rate.
type Throttle struct{ free time.Duration }

// Grain is the lateness that timers have: an arrival within it is not overdue.
const Grain = 5 * time.Millisecond

// Ready returns when the next release may happen: now, or a later instant.
func (t *Throttle) Ready(now time.Duration) time.Duration { return max(now, t.free) }

// Released accounts for the release of an overdue arrival at instant now while the rate was rate.
func (t *Throttle) Released(now time.Duration, rate float64) {
	t.free = max(t.free, now-Grain)
	if rate > 0 {
		t.free += time.Duration(float64(time.Second) / (2 * rate))
	}
}

// Forget lets the next release happen at once: the rate has changed.
func (t *Throttle) Forget() { t.free = 0 }
