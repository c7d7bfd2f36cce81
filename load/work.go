package load

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/metric"
)

// Work is what the load has done since it began.
type Work struct {
	Requests float64                    // of arrivals that have ended, in whatever way
	Attempts [metric.Operations]float64 // requests written to a connection, background ones too
}

// Work counts what was done. It reads thousands of counters: it is for every few seconds.
func (r *Runner) Work() (w Work) {
	for op := range r.metrics.requests {
		for class := range r.metrics.requests[op] {
			for outcome := range r.metrics.requests[op][class] {
				for code := range r.metrics.requests[op][class][outcome] {
					w.Requests += counted(&r.metrics.requests[op][class][outcome][code])
				}
			}
		}
		w.Attempts[op] = counted(&r.metrics.attempts[op])
	}
	return w
}

// requests names Work.Requests among the counts, where operations have their own names.
const requests = "requests"

// Counts names what was counted, to be told to others.
func (w Work) Counts() map[string]float64 {
	counts := map[string]float64{requests: w.Requests}
	for op, n := range w.Attempts {
		if n > 0 {
			counts[metric.Operation(op).String()] = n
		}
	}
	return counts
}

// Add returns the sum of what was done here and of counts that others told.
func (w Work) Add(counts map[string]float64) Work {
	w.Requests += counts[requests]
	for op := range w.Attempts {
		w.Attempts[op] += counts[metric.Operation(op).String()]
	}
	return w
}

// counted is the value of a counter, 0 if it never counted.
func counted(c *child[prometheus.Counter]) float64 {
	known := c.known.Load()
	if known == nil {
		return 0
	}
	var m dto.Metric
	if err := (*known).Write(&m); err != nil {
		return 0 // a counter of the library's own never fails
	}
	return m.Counter.GetValue()
}
