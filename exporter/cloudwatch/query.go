package cloudwatch

import (
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
)

// dimension is a part of a CloudWatch metric's name.
type dimension struct{ name, value string }

// awsMetric is a metric as CloudWatch knows it. Its dimensions must be exactly
// those that are published: CloudWatch does not sum over missing ones.
type awsMetric struct {
	namespace, name string
	dimensions      []dimension
}

// key identifies the metric within one account and region.
func (m awsMetric) key() string {
	var b strings.Builder
	b.WriteString(m.namespace)
	b.WriteByte('|')
	b.WriteString(m.name)
	for _, d := range m.dimensions {
		b.WriteByte('|')
		b.WriteString(d.name)
		b.WriteByte('=')
		b.WriteString(d.value)
	}
	return b.String()
}

// The statistics of CloudWatch
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html).
const (
	average     = "Average"
	maximum     = "Maximum"
	minimum     = "Minimum"
	sum         = "Sum"
	sampleCount = "SampleCount"
)

// statLabels are the values of the label "stat".
var statLabels = map[string]string{average: "avg", maximum: "max", minimum: "min", sum: "sum"}

func statLabel(stat string) string {
	if label, ok := statLabels[stat]; ok {
		return label
	}
	return stat // p99 and the like
}

// unit is what CloudWatch's values are multiplied by to become base units.
type unit float64

const (
	plain        unit = 1
	percent      unit = 0.01
	milliseconds unit = 1e-3
	microseconds unit = 1e-6
)

// empty is what a period means that was answered completely and without a value.
type empty uint8

const (
	absent empty = iota // nothing is known: latency, utilisation
	zero                // nothing happened: sums of events
	hold                // the value before still holds: what is measured seldom
)

// detail is what is given up first when polls become too dear.
type detail uint8

const (
	essential detail = iota
	reasons          // of throttling
	nodes            // one by one
	pods             // the same
)

// comesAndGoes says whether what is asked about may end while the program runs.
func (d detail) comesAndGoes() bool { return d == nodes || d == pods }

// Periods of metrics.
const (
	minutely   = time.Minute
	fiveMinute = 5 * time.Minute
	daily      = 24 * time.Hour
)

// row says what becomes of a metric's statistics; a component's rows are a table.
type row struct {
	name   string // CloudWatch's
	into   metric.Definition
	stats  []string
	unit   unit
	rate   bool // divided by the period: a sum becomes a rate
	empty  empty
	labels []string          // values after those of the target
	total  metric.Definition // counter of the same sums; without a name: none
	period time.Duration     // 0: a minute
	detail detail
	probe  bool // of what comes and goes: the one that is asked for until it is known to be there
}

// counts is a row of sums of events, which become a rate.
func counts(name string, into metric.Definition, labels ...string) row {
	return row{name: name, into: into, stats: []string{sum}, unit: plain, rate: true, empty: zero, labels: labels}
}

// with returns the row with values of labels of its own.
func (r row) with(labels ...string) row {
	r.labels = labels
	return r
}

// level is a row of a quantity that has an average.
func level(name string, into metric.Definition, u unit, stats ...string) row {
	return row{name: name, into: into, stats: stats, unit: u}
}

// target is a resource whose metrics share dimensions and labels.
type target struct {
	namespace  string
	dimensions []dimension
	labels     []string // values, region first
}

// query is one statistic of one metric, and the series it becomes.
type query struct {
	row    *row
	metric awsMetric
	stat   string
	labels []string // of the series, in the order of the definition's
}

func (q *query) period() time.Duration {
	if q.row.period == 0 {
		return minutely
	}
	return q.row.period
}

// scale is what a value of CloudWatch is multiplied by.
func (q *query) scale() float64 {
	if q.row.rate {
		return float64(q.row.unit) / q.period().Seconds()
	}
	return float64(q.row.unit)
}

// key identifies the query over plans.
func (q *query) key() string {
	return q.row.into.Name + "|" + q.row.total.Name + "|" + q.stat + "|" + q.metric.key()
}

// member is the name of the pod or node, of a query of one.
func (q *query) member() string { return q.metric.dimensions[len(q.metric.dimensions)-1].value }

// queries makes those of a target from a table.
func (t target) queries(table []row) []query {
	var made []query
	for i := range table {
		r := &table[i]
		m := awsMetric{t.namespace, r.name, t.dimensions}
		for _, stat := range r.stats {
			labels := append(append([]string{}, t.labels...), r.labels...)
			if takesStat(r.into) {
				labels = append(labels, statLabel(stat))
			}
			made = append(made, query{row: r, metric: m, stat: stat, labels: labels})
		}
	}
	return made
}

func takesStat(d metric.Definition) bool {
	return len(d.Labels) > 0 && d.Labels[len(d.Labels)-1] == "stat"
}
