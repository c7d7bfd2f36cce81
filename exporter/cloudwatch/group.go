package cloudwatch

import "time"

// group are the queries of one period. They have one rhythm and one window.
type group struct {
	period   time.Duration
	lookback time.Duration
	every    time.Duration // at least so long between two polls
	asked    time.Time     // end of the last window that was asked for with success
	at       time.Time     // when that was
	answered time.Time     // end of the last window that AWS owes nothing of
	newest   time.Time     // start of the newest period in which any of them has a value
}

// due returns the window of a group, and whether it is time to ask for it. After
// an outage it reaches back to where that began, or to where the program did.
func (g *group) due(now, began time.Time, delay time.Duration, level int) (window, bool) {
	if g.period == daily {
		return settled(now, daily, 0, g.lookback), now.Sub(g.at) >= g.every
	}
	w := settled(now, g.period, delay, g.lookback)
	if missed := w.end.Sub(latest(g.answered, began)) - g.period; missed > 0 {
		w.start = w.end.Add(-min(w.end.Sub(w.start)+missed, maxLookback))
	}
	return w, g.asked.IsZero() || w.end.Sub(g.asked) >= g.rhythm(level)
}

// rhythm is how often the group is asked for at a level of degradation.
func (g *group) rhythm(level int) time.Duration {
	if level >= slow {
		return max(g.every, fiveMinute)
	}
	return g.every
}
