package cloudwatch

import "time"

// window is a stretch of whole periods: start is in it, end is not, as in
// GetMetricData. The newest point that can come starts one period before end.
type window struct{ start, end time.Time }

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
