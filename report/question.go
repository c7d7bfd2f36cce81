package report

import (
	"fmt"
	"strconv"
	"time"

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
	short := (window / (parts + 1)).Truncate(time.Second)
	p99s := "(" + p.quantile("0.99", short) + ")[" + whole(window-short) + ":" + whole(short) + "]"
	return map[string]question{
		"outcomes":           {"outcome", "sum by (outcome) (" + p.movedRate(metric.Requests, window) + ")"},
		"crowded":            {"", sum(p.rate(metric.ArrivalsDropped, window, `reason="`+metric.MaxInFlight.String()+`"`))},
		"dropped":            {"", sum(p.rate(metric.ArrivalsDropped, window))},
		"errors":             {"code", "sum by (code) (" + p.movedRate(metric.Requests, window, failure) + ") > 0"},
		"violations":         {"kind", p.wrong(window)},
		"in flight":          {"", inFlight(p, window)},
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
		"noise": {"operation", "stddev_over_time(" + p99s + ") / (avg_over_time(" + p99s + ") > 0) and count_over_time(" + p99s + ") >= " + strconv.Itoa(parts)},
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

// parts of a level are held against each other for the noise of its p99. They are
// a sixth of it each, for of six that many lie on the grid of a subquery.
const parts = 5

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
