package main

import (
	"fmt"
	"math"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/capacity"
)

// window is what was counted from some instant on.
type window struct {
	account
	counted snapshot
	since   time.Time
}

func (w *window) begin() { w.counted, w.since = nil, time.Now() }

// count takes into account what happened since it was called last.
func (w *window) count() error {
	news, err := w.take()
	if err != nil {
		return err
	}
	w.counted = news.plus(w.counted)
	return nil
}

// broken are the sentences of what was not as it should be.
func (w *window) broken(outcomes []outcome) (list []string) {
	for _, o := range outcomes {
		if o.Status == missed {
			list = append(list, o.Name+": "+o.String())
		}
	}
	if w.counted.sum(metric.Arrivals, nil) > 0 && w.counted.sum(metric.Requests, nil) == 0 {
		list = append(list, "everything: got no answer")
	}
	return append(list, wrongAnswers(violations(w.counted))...)
}

// Beyond these the tester itself is late.
const (
	mostLag   = 10 * time.Millisecond // p99
	mostStall = 0.01                  // of arrivals
)

// invalid says why the window says nothing of the target; empty: it does.
func (w *window) invalid() string {
	lag := w.counted.histogram(metric.ScheduleLag, nil).quantile(0.99)
	arrivals := w.counted.sum(metric.Arrivals, nil)
	stalled := w.counted.sum(metric.ArrivalsDropped, labels{"reason": metric.Stall.String()}) / arrivals
	switch {
	case arrivals == 0:
		return "arrivals: got none"
	case lag > mostLag.Seconds():
		return fmt.Sprintf("schedule lag p99: got %s, want at most %s", shortly(lag), mostLag)
	case stalled > mostStall:
		return fmt.Sprintf("arrivals dropped for stall: got %.3g %%, want at most %.3g %%", 100*stalled, 100*mostStall)
	}
	return ""
}

// seen is what the window was like for so many replicas, of equal shares.
func (w *window) seen(replicas int) capacity.Seen {
	p99 := w.counted.histogram(metric.ResponseTime, nil).quantile(0.99)
	if math.IsNaN(p99) {
		p99 = 0
	}
	times := float64(max(1, replicas)) // 0: the fleet has not given this one a place
	return capacity.Seen{
		Achieved: times * w.counted.sum(metric.Requests, nil) / time.Since(w.since).Seconds(), P99: p99,
		InFlight: times * w.counted.sum(metric.InFlight, nil),
	}
}
