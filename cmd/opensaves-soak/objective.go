package main

import (
	"fmt"
	"math"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// status is what became of an objective.
type status string

// An objective without data is neither met nor missed.
const (
	met    status = "met"
	missed status = "missed"
	noData status = "no_data"
)

// outcome is an objective beside what was reached.
type outcome struct {
	Name    string `json:"name"`
	Status  status `json:"status"`
	Got     number `json:"got"`      // a share; null without data
	Want    number `json:"want"`     // at least, or at most
	AtMost  bool   `json:"at_most"`  // how Want is meant
	Samples number `json:"samples"`  // that the share is of
	Matched number `json:"matching"` // of them, those that make up the share
}

// String says what was reached and what was wanted.
func (o outcome) String() string {
	bound := "at least"
	if o.AtMost {
		bound = "at most"
	}
	if o.Status == noData {
		return fmt.Sprintf("got no data, want %s %.6g %%", bound, 100*o.Want)
	}
	return fmt.Sprintf("got %.6g %% (%.0f of %.0f), want %s %.6g %%", 100*o.Got, o.Matched, o.Samples, bound, 100*o.Want)
}

// evaluate holds objectives against what was counted over a time.
func evaluate(wanted alerts.Objectives, counted snapshot) []outcome {
	outcomes := []outcome{
		availability(counted).atLeast(wanted.Availability),
		achievedRate(counted).atLeast(wanted.AchievedRate),
		staleRatio(counted).atMost(wanted.StaleRatio),
	}
	for _, l := range wanted.Latency {
		outcomes = append(outcomes, latency(l, counted).atLeast(l.Ratio))
	}
	return outcomes
}

// share is matching ÷ all, under a name.
type share struct {
	name          string
	matching, all float64
}

// availability is success ÷ (success + error + dropped because the target was
// too slow). Contention is nobody's fault and is left out.
func availability(s snapshot) share {
	success := s.sum(metric.Requests, labels{"outcome": metric.Success.String()})
	failed := s.sum(metric.Requests, labels{"outcome": metric.Failure.String()})
	full := s.sum(metric.ArrivalsDropped, labels{"reason": metric.MaxInFlight.String()})
	return share{"availability", success, success + failed + full}
}

// achievedRate is answered ÷ scheduled. Every arrival is answered or dropped in
// the end, and those in flight when the time began were scheduled for it too.
func achievedRate(s snapshot) share {
	answered := s.sum(metric.Requests, nil)
	return share{"achieved_rate", answered, answered + s.sum(metric.ArrivalsDropped, nil)}
}

// staleRatio is stale reads ÷ judged reads.
func staleRatio(s snapshot) share {
	judged := 0.0
	for check := range metric.Check(metric.ChecksCount) {
		if check == metric.CheckAtomic {
			continue // no read
		}
		for _, result := range []metric.Result{metric.Right, metric.Suspect, metric.Violation} {
			judged += s.sum(metric.Checks, labels{"check": check.String(), "result": result.String()})
		}
	}
	return share{"stale_ratio", s.histogram(metric.Staleness, nil).count(), judged}
}

// latency is successes within a threshold ÷ all successes of a class.
func latency(l alerts.Latency, s snapshot) share {
	threshold := time.Duration(l.Threshold)
	times := s.histogram(metric.ResponseTime, labels{"class": l.Class, "outcome": metric.Success.String()})
	if sizes, ok := blobSizes(l.Class); ok {
		times = histogram{}
		for _, size := range sizes {
			times = times.plus(s.histogram(metric.BlobDuration, labels{"size": size.String(), "phase": "total"}), 1)
		}
	}
	return share{fmt.Sprintf("latency %s %s", l.Class, threshold), times.within(threshold.Seconds()), times.count()}
}

// blobSizes are the sizes of blobs that make up a class.
func blobSizes(class string) ([]metric.BlobSize, bool) {
	switch class {
	case metric.SmallBlob.String():
		return []metric.BlobSize{metric.Upto64KiB, metric.Upto1MiB}, true
	case metric.LargeBlob.String():
		return []metric.BlobSize{metric.Upto10MiB, metric.Larger}, true
	}
	return nil, false
}

func (s share) atLeast(want float64) outcome {
	return s.judged(want, false, s.matching/s.all >= want)
}

func (s share) atMost(want float64) outcome {
	return s.judged(want, true, s.matching/s.all <= want)
}

func (s share) judged(want float64, atMost, ok bool) outcome {
	o := outcome{
		Name: s.name, Status: missed, AtMost: atMost, Want: number(want),
		Got: number(s.matching / s.all), Matched: number(s.matching), Samples: number(s.all),
	}
	switch {
	case s.all == 0:
		o.Status, o.Got = noData, number(math.NaN())
	case ok:
		o.Status = met
	}
	return o
}
