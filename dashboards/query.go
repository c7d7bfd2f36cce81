package dashboards

import (
	"fmt"
	"strings"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// The selectors of all queries. A variable that stands at "All" is .*, which
// series without the label match as well.
const (
	ofJob      = `cluster=~"$cluster",namespace=~"$namespace",job=~"$job"`
	ofReplica  = ofJob + `,instance=~"$replica"`
	ofPods     = `cluster=~"$cluster",namespace=~"$target_namespace",pod=~"($workload)-.*"`
	ofWorkload = `workload_namespace=~"$target_namespace",workload=~"$workload"`

	ofOperation = `operation=~"$operation"`
	succeeded   = `outcome="success"`
)

// selected is the series of a metric that the variables choose and the
// matchers fit. Only one replica exports what AWS says, and which one changes:
// the variable replica is for the tester's own series.
func selected(name string, matchers ...string) string {
	selector := ofJob
	if strings.HasPrefix(name, "opensaves_soak_") {
		selector = ofReplica
	}
	return name + "{" + strings.Join(append([]string{selector}, matchers...), ",") + "}"
}

// own is the tester's series of a metric.
func own(d metric.Definition, matchers ...string) string { return selected(d.Name, matchers...) }

// rate is the rate of a counter or histogram.
func rate(d metric.Definition, matchers ...string) string {
	return "rate(" + own(d, matchers...) + "[$__rate_interval])"
}

// shown is how much a counter grew in the time that the board shows.
func shown(d metric.Definition, matchers ...string) string {
	return "increase(" + own(d, matchers...) + "[$__range])"
}

// sum adds up over all labels but those named, which are separated by commas.
func sum(by, expr string) string { return aggregate("sum", by, expr) }

// highest is the maximum over all labels but those named.
func highest(by, expr string) string { return aggregate("max", by, expr) }

func aggregate(how, by, expr string) string {
	if by == "" {
		return how + "(" + expr + ")"
	}
	return how + " by (" + by + ") (" + expr + ")"
}

// aws is what AWS says, over time. For some minutes after a change of leader
// two replicas have the same series.
func aws(d metric.Definition, matchers ...string) string {
	return "max without (instance, pod) (" + selected(d.Name, matchers...) + ")"
}

// awsNow is what AWS said last: its samples are minutes old when they come.
func awsNow(d metric.Definition, matchers ...string) string {
	return "max without (instance, pod) (last_over_time(" + selected(d.Name, matchers...) + "[10m]))"
}

// ratio is a share, and absent where there is nothing to share.
func ratio(part, whole string) string { return "(" + part + ") / (" + whole + ")" }

// Histograms are native where Prometheus scrapes them so, and classic
// elsewhere. Expressions take what is there; of both the native ones, which are
// finer.

// quantile is the q-quantile, 0 to 1, by the labels named.
func quantile(q float64, by string, d metric.Definition, matchers ...string) string {
	return fmt.Sprintf("histogram_quantile(%[1]v, %[2]s) or histogram_quantile(%[1]v, %[3]s)",
		q, sum(by, rate(d, matchers...)), sum(strings.TrimSuffix("le, "+by, ", "), rate(part(d, "bucket"), matchers...)))
}

// within is the share of observations up to the limit, which is a bucket
// boundary, in the window. The classic form comes first here: it is exact.
func within(limit float64, window string, d metric.Definition, matchers ...string) string {
	over := func(name string, more ...string) string {
		return "sum(rate(" + selected(name, append(more, matchers...)...) + "[" + window + "]))"
	}
	return fmt.Sprintf("%s / %s or histogram_fraction(0, %v, %s)",
		over(d.Name+"_bucket", alerts.Bucket(limit)), over(d.Name+"_count"), limit, over(d.Name))
}

// counted is how many observations there were in the window.
func counted(window string, d metric.Definition, matchers ...string) string {
	over := func(name string) string { return "sum(increase(" + selected(name, matchers...) + "[" + window + "]))" }
	return "histogram_count(" + over(d.Name) + ") or " + over(d.Name+"_count")
}

// buckets is what a heatmap shows: a native histogram, else classic buckets.
func buckets(d metric.Definition, matchers ...string) string {
	native := sum("", rate(d, matchers...))
	return native + " or (" + sum("le", rate(part(d, "bucket"), matchers...)) + " unless on () " + native + ")"
}

// part is a series of a classic histogram.
func part(d metric.Definition, name string) metric.Definition {
	d.Name += "_" + name
	return d
}

// called gives all series of the expression a label.
func called(label, value, expr string) string {
	return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, expr, label, value)
}

// either is the series of all expressions; of those with the same labels that of
// the first.
func either(exprs ...string) string { return strings.Join(exprs, " or ") }
