package alerts

import (
	"time"

	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
)

// The series that rules record each minute, as rates of that minute taken
// without warm-up. Slow answers, and how many of them the objective allows, have
// the labels class and threshold.
const (
	RequestsRate    = "cluster_namespace_job:opensaves_soak_requests:rate1m"
	FailuresRate    = "cluster_namespace_job:opensaves_soak_failures:rate1m"
	SlowRate        = "cluster_namespace_job_class_threshold:opensaves_soak_slow_responses:rate1m"
	SlowAllowedRate = "cluster_namespace_job_class_threshold:opensaves_soak_slow_responses_allowed:rate1m"
	JudgedReadsRate = "cluster_namespace_job:opensaves_soak_judged_reads:rate1m"
	StaleReadsRate  = "cluster_namespace_job:opensaves_soak_stale_reads:rate1m"
)

// AvailabilityBurn returns the name of the recorded burn rate: how many times
// faster than the objective allows its error budget was used over a window.
func AvailabilityBurn(window time.Duration) string {
	return "cluster_namespace_job:opensaves_soak_availability:burnrate" + model.Duration(window).String()
}

// LatencyBurn is AvailabilityBurn of the objectives for latency.
func LatencyBurn(window time.Duration) string {
	return "cluster_namespace_job_class_threshold:opensaves_soak_latency:burnrate" + model.Duration(window).String()
}

// Burn is a pair of windows over which a burn rate is too high; see
// https://sre.google/workbook/alerting-on-slos/. The short one ends the alert
// soon after the trouble.
type Burn struct {
	Long, Short time.Duration
	Budget      float64 // share of the error budget that is gone after Long
	Severity    string
}

// Burns are the pairs that alerts use.
var Burns = []Burn{
	{time.Hour, 5 * time.Minute, 0.02, Critical},
	{6 * time.Hour, 30 * time.Minute, 0.05, Critical},
	{day, 2 * time.Hour, 0.10, Warning},
	{3 * day, 6 * time.Hour, 0.10, Warning},
}

// Factor is the burn rate at which an alert fires: 14.4, 6, 3 and 1 for a
// window of 30 days. It is at least 1, with which the budget just lasts.
func (b Burn) Factor(o Objectives) float64 {
	return max(1, b.Budget*float64(time.Duration(o.Window))/float64(b.Long))
}

func burnWindows() []time.Duration {
	return []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, day, 3 * day}
}

// objectives records burn rates and watches them.
func (b builder) objectives() Group {
	records := b.rates()
	read := func(name string, window time.Duration) string {
		return "sum_over_time(" + b.series(name) + "[" + b.over(window) + "])"
	}
	for _, w := range burnWindows() {
		records = append(records,
			Rule{
				Record: AvailabilityBurn(w),
				Expr:   read(FailuresRate, w) + "\n/ (" + read(RequestsRate, w) + " > 0)\n/ (1 - " + number(b.Availability) + ")",
			},
			Rule{Record: LatencyBurn(w), Expr: read(SlowRate, w) + "\n/ (" + read(SlowAllowedRate, w) + " > 0)"})
	}
	failing := "Requests use up their error budget {{ $value | humanize }} times as fast as it allows."
	slow := "{{ $labels.class }} answers over {{ $labels.threshold }} use up their error budget {{ $value | humanize }} times as fast as it allows."
	return b.group("objectives", records,
		alert{
			name: "OpenSavesSoakTargetDown", severity: Critical, board: BoardOverview, wait: 2 * time.Minute,
			expr: sum(b.rate(metric.Requests, 2*time.Minute, `outcome="`+metric.Success.String()+`"`)) +
				"\n/ (" + sum(b.requests("success|error", 2*time.Minute)) + " > 0)\n< " + number(SuccessShareDown),
			summary:     "Open Saves is down.",
			description: "Only {{ $value | humanizePercentage }} of the requests succeed.",
		},
		b.burning("OpenSavesSoakAvailabilityBurnFast", Critical, AvailabilityBurn, "Open Saves fails too many requests.", failing),
		b.burning("OpenSavesSoakAvailabilityBurnSlow", Warning, AvailabilityBurn, "Open Saves fails more requests than its objective allows.", failing),
		b.burning("OpenSavesSoakLatencyBurnFast", Critical, LatencyBurn, "Open Saves is too slow ({{ $labels.class }}).", slow),
		b.burning("OpenSavesSoakLatencyBurnSlow", Warning, LatencyBurn, "Open Saves is slower than its objective allows ({{ $labels.class }}).", slow),
		alert{
			name: "OpenSavesSoakStaleReads", severity: Warning, board: BoardOverview, wait: 5 * time.Minute,
			expr:        read(StaleReadsRate, time.Hour) + "\n/ (" + read(JudgedReadsRate, time.Hour) + " > 0)\n> " + number(b.StaleRatio),
			summary:     "Open Saves gives too many stale answers.",
			description: "{{ $value | humanizePercentage }} of the reads of the last hour did not show a write that was acknowledged before.",
		})
}

// burning fires where both windows of a pair burn too fast.
func (b builder) burning(name, severity string, burn func(time.Duration) string, summary, description string) alert {
	expr := ""
	for _, pair := range Burns {
		if pair.Severity != severity {
			continue
		}
		if expr != "" {
			expr += "\nor\n"
		}
		factor := number(pair.Factor(b.Objectives))
		expr += b.series(burn(pair.Long)) + " > " + factor + " and " + b.series(burn(pair.Short)) + " > " + factor
	}
	return alert{
		name: name, severity: severity, board: BoardOverview, expr: b.steady(expr), summary: summary, description: description,
	}
}
