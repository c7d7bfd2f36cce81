package report

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// Measured is what a level showed, over exactly its time.
type Measured struct {
	RPS        Figure             `json:"rps"` // that was asked for
	Start      time.Time          `json:"start"`
	End        time.Time          `json:"end"`
	Achieved   Figure             `json:"achieved_rps"`
	Success    Figure             `json:"success"`   // share, as objectives.availability has it
	Dropped    Figure             `json:"dropped"`   // arrivals a second that were not sent
	InFlight   Figure             `json:"in_flight"` // requests, on average
	Lag        Figure             `json:"schedule_lag_p99_seconds"`
	Covered    Figure             `json:"latency_coverage"` // share of the successes that the latencies are of
	Errors     map[string]float64 `json:"errors"`           // a second, by code
	Violations map[string]float64 `json:"violations"`       // wrong answers, by kind
	CostAnHour map[string]float64 `json:"cost_usd_per_hour"`
	CostAMio   map[string]float64 `json:"cost_usd_per_million_requests"`
	Operations []Operation        `json:"operations"`
	Missed     []string           `json:"missed"` // objectives, as sentences
}

// Operation is how one operation did at a level. Times are response times of
// successes in seconds.
type Operation struct {
	Name   string `json:"operation"`
	RPS    Figure `json:"rps"`
	Failed Figure `json:"failed"` // share
	Mean   Figure `json:"mean_seconds"`
	P50    Figure `json:"p50_seconds"`
	P95    Figure `json:"p95_seconds"`
	P99    Figure `json:"p99_seconds"`
}

// answers are the questions that make a level, by what they are about.
type answers map[string]map[string]float64

// measure asks for all figures of a level.
func (p Prometheus) measure(ctx context.Context, l Level, o alerts.Objectives) (Measured, error) {
	window := l.End.Sub(l.Start).Truncate(time.Second)
	got := answers{}
	questions := p.questions(window)
	for i, l := range o.Latency {
		questions[fmt.Sprint("within ", i)] = question{"", p.within(window, l)}
	}
	for name, q := range questions {
		values, err := p.by(ctx, l.End, q.label, q.expr)
		if err != nil {
			return Measured{}, err
		}
		got[name] = values
	}
	m := Measured{
		RPS: Figure(l.RPS), Start: l.Start, End: l.End, Achieved: got.one("achieved"), Dropped: got.one("dropped"),
		InFlight: got.one("in flight"), Lag: got.one("lag"), Errors: got["errors"], Violations: got["violations"],
		CostAnHour: got["cost an hour"], CostAMio: got["cost a million"], Operations: got.operations(),
	}
	m.Success = share(got.one("success"), got.one("success")+got.one("failures"))
	m.Covered = share(got.one("latencies"), got.one("success"))
	m.Missed = m.missed(o)
	for i, l := range o.Latency {
		if within := got.one(fmt.Sprint("within ", i)); within < Figure(l.Ratio) {
			m.Missed = append(m.Missed, fmt.Sprintf("latency of %s: got %.4g %% within %s, want at least %.4g %%", l.Class, 100*within, time.Duration(l.Threshold), 100*l.Ratio))
		}
	}
	return m, nil
}

// one is the answer of a question that has a single one.
func (a answers) one(name string) Figure {
	if v, ok := a[name][""]; ok {
		return Figure(v)
	}
	return none
}

func share(part, whole Figure) Figure {
	if !(whole > 0) {
		return none
	}
	return part / whole
}

// operations are those that were asked for at the level, in order.
func (a answers) operations() []Operation {
	of := func(name, operation string) Figure {
		if v, ok := a[name][operation]; ok {
			return Figure(v)
		}
		return none
	}
	var all []Operation
	for _, name := range slices.Sorted(maps.Keys(a["operations"])) {
		if rps := of("operations", name); rps > 0 {
			all = append(all, Operation{
				Name: name, RPS: rps, Failed: share(max(0, of("operation failures", name)), rps),
				Mean: of("mean", name), P50: of("p50", name), P95: of("p95", name), P99: of("p99", name),
			})
		}
	}
	return all
}

// missed are the objectives that the level did not meet.
func (m Measured) missed(o alerts.Objectives) []string {
	var missed []string
	want := func(ok bool, format string, args ...any) {
		if !ok {
			missed = append(missed, fmt.Sprintf(format, args...))
		}
	}
	want(!(m.Success < Figure(o.Availability)), "availability: got %.4g %%, want at least %.4g %%", 100*m.Success, 100*o.Availability)
	achieved := share(m.Achieved, m.RPS)
	want(!(achieved < Figure(o.AchievedRate)), "achieved rate: got %.4g %%, want at least %.4g %%", 100*achieved, 100*o.AchievedRate)
	wrong := 0.0
	for _, n := range m.Violations {
		wrong += n
	}
	want(wrong < 0.5, "wrong answers: got %.0f, want none", wrong)
	return missed
}

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
	full := p.rate(metric.ArrivalsDropped, window, `reason="`+metric.MaxInFlight.String()+`"`)
	part := func(d metric.Definition, name string) metric.Definition {
		d.Name += name
		return d
	}
	response, duration, lag := metric.ResponseTime, metric.RequestDuration, metric.ScheduleLag
	quantile := func(q string) question {
		return question{"operation", "histogram_quantile(" + q + ", " + byOperation(p.rate(response, window, success)) + ") or histogram_quantile(" + q +
			", sum by (operation, le) (" + p.rate(part(response, "_bucket"), window, success) + "))"}
	}
	cost := func(d metric.Definition) question {
		return question{"component", "sum by (component) (avg_over_time((max by (component, kind) (" + p.series(d.Name) + "))" +
			"[" + fmt.Sprint(int64(window/time.Second)) + "s:1m]))"}
	}
	return map[string]question{
		"achieved":           {"", sum(p.rate(metric.Requests, window))},
		"success":            {"", sum(p.rate(metric.Requests, window, success))},
		"failures":           {"", sum(p.rate(metric.Requests, window, failure) + " or " + full)},
		"dropped":            {"", sum(p.rate(metric.ArrivalsDropped, window))},
		"errors":             {"code", "sum by (code) (" + p.rate(metric.Requests, window, failure) + ") > 0"},
		"violations":         {"kind", "sum by (kind) (increase(" + p.series(metric.CheckViolations.Name) + back(window) + ")) > 0"},
		"in flight":          {"", "histogram_sum(" + sum(p.rate(duration, window)) + ") or " + sum(p.rate(part(duration, "_sum"), window))},
		"lag":                {"", "histogram_quantile(0.99, " + sum(p.rate(lag, window)) + ") or histogram_quantile(0.99, sum by (le) (" + p.rate(part(lag, "_bucket"), window) + "))"},
		"latencies":          {"", "histogram_count(" + sum(p.rate(response, window, success)) + ") or " + sum(p.rate(part(response, "_count"), window, success))},
		"operations":         {"operation", byOperation(p.rate(metric.Requests, window))},
		"operation failures": {"operation", byOperation(p.rate(metric.Requests, window, failure))},
		"mean": {"operation", "histogram_avg(" + byOperation(p.rate(response, window, success)) + ") or " +
			byOperation(p.rate(part(response, "_sum"), window, success)) + " / " + byOperation(p.rate(part(response, "_count"), window, success))},
		"p50": quantile("0.5"), "p95": quantile("0.95"), "p99": quantile("0.99"),
		"cost an hour":   cost(metric.CostPerHour),
		"cost a million": cost(metric.CostPerMillion),
	}
}
