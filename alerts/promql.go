package alerts

import (
	"strconv"
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
)

const (
	// kept are the labels that everything is aggregated by.
	kept = "cluster, namespace, job"
	// awsWindow is how far back gauges of AWS are read: they come minutes late,
	// with times of their own.
	awsWindow = "[10m]"
	day       = 24 * time.Hour
)

// series selects what the tester exports; matchers are PromQL.
func (b builder) series(name string, matchers ...string) string {
	return name + "{" + strings.Join(append([]string{b.Selector}, matchers...), ",") + "}"
}

// rate is the increase a second of a counter.
func (b builder) rate(d metric.Definition, window time.Duration, matchers ...string) string {
	return "rate(" + b.series(d.Name, matchers...) + "[" + b.over(window) + "])"
}

// increase is how far a counter has come.
func (b builder) increase(d metric.Definition, window time.Duration, matchers ...string) string {
	return "increase(" + b.series(d.Name, matchers...) + "[" + b.over(window) + "])"
}

// gauge reads one of the tester's own, the highest of its replicas.
func (b builder) gauge(d metric.Definition, matchers ...string) string {
	return over("max", b.series(d.Name, matchers...))
}

// lately reads a gauge of AWS. After a change of leader two replicas have one
// for a while, of which the highest counts.
func (b builder) lately(d metric.Definition, matchers ...string) string {
	return "max without (instance, pod) (last_over_time(" + b.series(d.Name, matchers...) + awsWindow + "))"
}

// over aggregates by the kept labels and more.
func over(aggregation, expr string, more ...string) string {
	return aggregation + " by (" + strings.Join(append([]string{kept}, more...), ", ") + ") (" + expr + ")"
}

func sum(expr string, more ...string) string { return over("sum", expr, more...) }

// present is 1 for each tester that runs.
func (b builder) present() string { return over("group", b.series(metric.TargetRPS.Name)) }

// settled leaves out replicas that still fill their working set.
func (b builder) settled(expr string) string {
	return "\n  (" + expr + ")\n  unless on (" + kept + ", instance) (" + b.series(metric.Warmup.Name) + " == 1)\n"
}

// steady holds an alert back while the load changes, and when the tester is gone,
// whose gauge can no longer hold back what happened before.
func (b builder) steady(expr string) string {
	return "(\n  " + strings.ReplaceAll(expr, "\n", "\n  ") + "\n)\nand on (" + kept + ") " + b.present() +
		"\nunless on (" + kept + ") (" + b.gauge(metric.LoadTransition) + " == 1)"
}

// moved is how far counters came in an hour. One that was not there before
// counts from 0: some series are made by the first thing that they count.
func (b builder) moved(d metric.Definition, labels ...string) string {
	now, window := b.series(d.Name), b.over(time.Hour)
	return sum("\n  ("+now+" unless last_over_time("+now+"["+window+"] offset "+window+"))\n"+
		"  or "+b.increase(d, time.Hour)+"\n", labels...) + " > 0"
}

// requests are those that count for availability, a second: answered ones but
// for contention, and drops because the target was too slow. Outcomes are PromQL.
func (b builder) requests(outcomes string, window time.Duration) string {
	return b.rate(metric.Requests, window, `outcome=~"`+outcomes+`"`) + "\n  or " +
		b.rate(metric.ArrivalsDropped, window, `reason="`+metric.MaxInFlight.String()+`"`)
}

// fromTarget gives what is known of Open Saves' pods, by cluster, to the testers there.
func (b builder) fromTarget(expr string) string {
	return "(" + expr + ")\n  * on (cluster) group_right () " + b.present()
}

// number writes a number as PromQL has it.
func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// Bucket matches the bucket of a classic histogram that ends at so many seconds;
// Prometheus 3 stores "1.0", others "1".
func Bucket(seconds float64) string {
	text := strconv.FormatFloat(seconds, 'f', -1, 64)
	if strings.Contains(text, ".") {
		return `le="` + text + `"`
	}
	return `le=~"` + text + `(\\.0)?"`
}
