package report

import (
	"context"
	"fmt"
	"time"

	"gonum.org/v1/gonum/stat"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// question is an expression, and the label that its answers are told apart by.
type question struct{ label, expr string }

// within is the share of successes that keep to a latency objective. The classic
// form comes first, since it has a bucket that ends there.
func (p Prometheus) within(window time.Duration, l alerts.Latency) string {
	d, matchers := l.Histogram()
	bucket, count := d, d
	bucket.Name, count.Name = d.Name+"_bucket", d.Name+"_count"
	limit := time.Duration(l.Threshold).Seconds()
	return "sum(" + p.rate(bucket, window, append(matchers, alerts.Bucket(limit))...) + ") / sum(" + p.rate(count, window, matchers...) +
		fmt.Sprintf(") or histogram_fraction(0, %v, sum(%s))", limit, p.rate(d, window, matchers...))
}

// questions are all that a level is asked, over a window that ends with it.
// Histograms are native where Prometheus scrapes them so, and classic elsewhere.
func (p Prometheus) questions(window time.Duration) map[string]question {
	sum := func(expr string) string { return "sum(" + expr + ")" }
	byOperation := func(expr string) string { return "sum by (operation) (" + expr + ")" }
	success := `outcome="` + metric.Success.String() + `"`
	failure := `outcome="` + metric.Failure.String() + `"`
	response, lag := metric.ResponseTime, metric.ScheduleLag
	blob, all := metric.BlobDuration, `phase="total"`
	bySize := func(expr string) string { return "sum by (size) (" + expr + ")" }
	quantile := func(q string) question { return question{"operation", p.quantile(q, window)} }
	return map[string]question{
		"outcomes":           {"outcome", "sum by (outcome) (" + p.movedRate(metric.Requests, window) + ")"},
		"crowded":            {"", sum(p.rate(metric.ArrivalsDropped, window, `reason="`+metric.MaxInFlight.String()+`"`))},
		"dropped":            {"", sum(p.rate(metric.ArrivalsDropped, window))},
		"errors":             {"code", "sum by (code) (" + p.movedRate(metric.Requests, window, failure) + ") > 0"},
		"violations":         {"kind", p.wrong(window)},
		"in flight":          {"", inFlight(p, window)},
		"shares":             {"", p.shares(window)},
		"lag":                {"", "histogram_quantile(0.99, " + sum(p.rate(lag, window)) + ") or histogram_quantile(0.99, sum by (le) (" + p.rate(part(lag, "_bucket"), window) + "))"},
		"latencies":          {"", "histogram_count(" + sum(p.rate(response, window, success)) + ") or " + sum(p.rate(part(response, "_count"), window, success))},
		"stale":              {"", "(" + p.stale(window) + ") / sum(" + p.rate(metric.Checks, window, judged...) + ")"},
		"operations":         {"operation", byOperation(p.movedRate(metric.Requests, window))},
		"operation failures": {"operation", byOperation(p.movedRate(metric.Requests, window, failure))},
		"mean": {"operation", "histogram_avg(" + byOperation(p.rate(response, window, success)) + ") or " +
			byOperation(p.rate(part(response, "_sum"), window, success)) + " / " + byOperation(p.rate(part(response, "_count"), window, success))},
		"p50": quantile("0.5"), "p95": quantile("0.95"), "p99": quantile("0.99"),
		"blobs": {"size", "histogram_count(" + bySize(p.rate(blob, window, all)) + ") or " + bySize(p.rate(part(blob, "_count"), window, all))},
		"blob mean": {"size", "histogram_avg(" + bySize(p.rate(blob, window, all)) + ") or " +
			bySize(p.rate(part(blob, "_sum"), window, all)) + " / " + bySize(p.rate(part(blob, "_count"), window, all))},
		"blob p99": {"size", "histogram_quantile(0.99, " + bySize(p.rate(blob, window, all)) + ") or histogram_quantile(0.99, sum by (size, le) (" +
			p.rate(part(blob, "_bucket"), window, all) + "))"},
	}
}

// judged are the reads whose answer was judged.
var judged = []string{
	`check!="` + metric.CheckAtomic.String() + `"`,
	`result=~"` + metric.Right.String() + "|" + metric.Suspect.String() + "|" + metric.Violation.String() + `"`,
}

// stale is how many stale answers there were a second.
func (p Prometheus) stale(window time.Duration) string {
	return "histogram_count(sum(" + p.rate(metric.Staleness, window) + ")) or sum(" + p.rate(part(metric.Staleness, "_count"), window) + ")"
}

// wrong are the wrong answers of a window by kind, but for lost updates where the
// API makes no promise about them.
func (p Prometheus) wrong(window time.Duration) string {
	http := "last_over_time(" + p.series(metric.TargetInfo.Name, `protocol="`+metric.HTTP.String()+`"`) + back(window) + ")"
	return "sum by (kind) (" + p.moved(metric.CheckViolations, window) + " unless on (job, instance, kind) label_replace(" + http + `, "kind", "lost_update", "", "")) > 0`
}

// shares is what replicas make of the rate that is asked of all of them, together, in
// the middle of a window: over 1 where these are of two fleets, or one is there twice.
func (p Prometheus) shares(window time.Duration) string {
	return "quantile_over_time(0.5, (sum(" + p.series(metric.TargetRPS.Name) + ") / max(" + p.series(metric.FleetTargetRPS.Name) + "))[" +
		whole(window) + ":" + whole(max(finest, window/100)) + "])"
}

// parts of a level are held against each other for the noise of its p99, a sixth of it
// each: how it begins counts less.
const parts = 5

// noise is the standard deviation of p99 between the parts of a level, as a share of
// their mean, by operation, where each part has one. It is asked part by part, as a
// server can load a sixth of a month where it cannot load three times the whole.
func (p Prometheus) noise(ctx context.Context, end time.Time, window time.Duration) (map[string]float64, error) {
	length, p99s := (window / (parts + 1)).Truncate(time.Second), map[string][]float64{}
	for i := range parts {
		values, err := p.by(ctx, end.Add(-time.Duration(i)*length), "operation", p.quantile("0.99", length))
		if err != nil {
			return nil, err
		}
		for operation, p99 := range values {
			p99s[operation] = append(p99s[operation], p99)
		}
	}
	noise := map[string]float64{}
	for operation, each := range p99s {
		if mean := stat.Mean(each, nil); len(each) == parts && mean > 0 {
			noise[operation] = stat.PopStdDev(each, nil) / mean
		}
	}
	return noise, nil
}

// quantile is one of the response times of successes over a window, by operation.
func (p Prometheus) quantile(q string, window time.Duration) string {
	success := `outcome="` + metric.Success.String() + `"`
	return "histogram_quantile(" + q + ", sum by (operation) (" + p.rate(metric.ResponseTime, window, success) + ")) or histogram_quantile(" + q +
		", sum by (operation, le) (" + p.rate(part(metric.ResponseTime, "_bucket"), window, success) + "))"
}

// native are the native histograms of response times of successes over a window, by
// operation.
func (p Prometheus) native(window time.Duration) string {
	return "sum by (operation) (" + p.rate(metric.ResponseTime, window, `outcome="`+metric.Success.String()+`"`) + ")"
}
