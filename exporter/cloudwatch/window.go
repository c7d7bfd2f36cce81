package cloudwatch

import "time"

// window is a stretch of whole periods: start is in it, end is not, as in
// GetMetricData. The newest point that can come starts one period before end.
type window struct{ start, end time.Time }

// holds says whether a time is in the window.
func (w window) holds(at time.Time) bool { return !at.Before(w.start) && at.Before(w.end) }

// whole cuts both times to the start of their period.
func (w window) whole(period time.Duration) window {
	return window{w.start.Truncate(period), w.end.Truncate(period)}
}

// periods is how many whole ones there are.
func (w window) periods(period time.Duration) int { return int(w.end.Sub(w.start) / period) }

// pieces divides the window into some that are no longer than longest.
func (w window) pieces(longest time.Duration) (pieces []window) {
	for at := w.start; at.Before(w.end); at = at.Add(longest) {
		pieces = append(pieces, window{at, at.Add(min(longest, w.end.Sub(at)))})
	}
	return pieces
}

// settled returns the periods of the last lookback that have been over for
// delay. Periods are aligned to the epoch, as CloudWatch aligns them.
func settled(now time.Time, period, delay, lookback time.Duration) window {
	end := now.UTC().Add(-delay).Truncate(period)
	return window{end.Add(-max(lookback, period)).Truncate(period), end}
}

// nextPoll is the first moment after now at which another minute has settled.
func nextPoll(now time.Time, delay time.Duration) time.Time {
	return now.UTC().Add(-delay).Truncate(minutely).Add(minutely + delay)
}
