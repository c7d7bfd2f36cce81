package dashboards

import (
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// Where things count as saturated of which no alert speaks; the report has the
// same numbers. All others are in package alerts.
const (
	podCPU       = 0.90 // of the limit
	podMemory    = 0.90 // of the limit
	podThrottled = 0.25 // of the target's CFS periods
	generatorLag = 0.01 // seconds at p99, above which the tester measures itself
	leastOfAny   = 1e-4 // a second, where the alert is for any at all: less than one in an hour
)

// objective is the latency that a class of operations must keep.
type objective struct {
	alerts.Latency
	series   metric.Definition
	matchers []string
}

// latencies are the objectives, each with the series that it is counted by.
func latencies(o alerts.Objectives) []objective {
	var all []objective
	for _, l := range o.Latency {
		series, matchers := l.Histogram()
		all = append(all, objective{l, series, matchers})
	}
	return all
}

// limit is the threshold in seconds.
func (o objective) limit() float64 { return time.Duration(o.Threshold).Seconds() }

// strictest is the lowest threshold of the class in seconds, 0 where it has none.
func strictest(o alerts.Objectives, class metric.Class) float64 {
	least := 0.0
	for _, l := range o.Latency {
		if limit := time.Duration(l.Threshold).Seconds(); l.Class == class.String() && (least == 0 || limit < least) {
			least = limit
		}
	}
	return least
}
