package metric

// The classic buckets, in seconds; nobody changes them.
var (
	// LatencyBuckets are those of latencies. The thresholds of objectives must be among them.
	LatencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	// LagBuckets are those of the schedule's lag.
	LagBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1}
	// StalenessBuckets are those of the age of stale answers.
	StalenessBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
)
