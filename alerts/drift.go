package alerts

import (
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
)

// The series that drift is measured on. What pods use is in bytes where cAdvisor
// tells it, and a share of the node's memory where only Container Insights does.
const (
	ArrivalsRate = "cluster_namespace_job:opensaves_soak_arrivals:rate10m"
	Latency99    = "cluster_namespace_job_class:opensaves_soak_response_time_seconds:p99_rate10m"
	FailureRatio = "cluster_namespace_job:opensaves_soak_failures:ratio_rate10m"
	PodBytes     = "cluster_namespace_job:opensaves_pod_memory_bytes:avg"
	PodShare     = "cluster_namespace_job:opensaves_pod_memory_ratio:avg"
)

// drift compares today with yesterday and with a week ago, at the same load.
// Either is enough: a step shows in the first, a slow leak in the second.
func (b builder) drift() Group {
	hour := time.Hour
	return b.group("drift", b.measured(),
		alert{
			name: "OpenSavesSoakLatencyDrift", severity: Warning, board: BoardOverview, wait: hour,
			expr:        b.steady(b.grown(DriftLatency, "", Latency99)),
			summary:     "Open Saves has become slower ({{ $labels.class }}).",
			description: "The p99 of {{ $labels.class }} is {{ $value | humanizeDuration }}, over " + number(DriftLatency) + " times that of a day or a week ago at the same load.",
		},
		alert{
			name: "OpenSavesSoakErrorDrift", severity: Warning, board: BoardOverview, wait: hour,
			// From no errors to one is no drift.
			expr: b.steady(b.grown(DriftErrors,
				"\nand "+b.series(FailureRatio)+" > "+number(DriftErrorFloor)+" * (1 - "+number(b.Availability)+")", FailureRatio)),
			summary:     "Open Saves fails more requests than it did.",
			description: "{{ $value | humanizePercentage }} of the requests fail, over " + number(DriftErrors) + " times the share of a day or a week ago at the same load.",
		},
		alert{
			name: "OpenSavesSoakMemoryDrift", severity: Warning, board: BoardEKS, wait: hour,
			expr:        b.steady(b.grown(DriftMemory, "", PodBytes, PodShare)),
			summary:     "The pods of Open Saves use more and more memory.",
			description: "A pod uses {{ $value | humanize1024 }} on average (bytes, or a share of its node), over " + number(DriftMemory) + " times that of a day or a week ago at the same load.",
		})
}

// measured records what is compared.
func (b builder) measured() []Rule {
	ten := 10 * time.Minute
	success := `outcome="` + metric.Success.String() + `"`
	bucket := metric.ResponseTime
	bucket.Name += "_bucket"
	p99 := func(rates string, labels ...string) string {
		return "histogram_quantile(0.99, " + sum(b.settled(rates), append(labels, "class")...) + ")"
	}
	failed := func(name string) string { return "sum_over_time(" + b.series(name) + "[" + b.over(ten) + "])" }
	used := "container_memory_working_set_bytes{" + b.Pods + `,container!=""}`
	return []Rule{
		{Record: ArrivalsRate, Expr: sum(b.rate(metric.Arrivals, ten))},
		{Record: Latency99, Expr: "(" + p99(b.rate(metric.ResponseTime, ten, success)) + "\nor " + p99(b.rate(bucket, ten, success), "le") + ") > 0"},
		{Record: FailureRatio, Expr: failed(FailuresRate) + "\n/ (" + failed(RequestsRate) + " > 0)"},
		{Record: PodBytes, Expr: b.fromTarget("avg by (cluster) (sum by (cluster, pod) (" + used + "))")},
		{Record: PodShare, Expr: over("avg", b.lately(metric.EKSPodMemory, `stat="avg"`))},
	}
}

// grown is a series that is more than limit times what it was, where the load was
// the same.
func (b builder) grown(limit float64, condition string, names ...string) string {
	var either []string
	for _, ago := range []time.Duration{day, 7 * day} {
		offset := " offset " + b.over(ago)
		same := "abs(" + b.series(ArrivalsRate) + " / " + b.series(ArrivalsRate) + offset + " - 1) <= " + number(DriftRate)
		for _, name := range names {
			either = append(either, b.series(name)+" > "+number(limit)+" * "+b.series(name)+offset+condition+"\nand on ("+kept+") "+same)
		}
	}
	return strings.Join(either, "\nor\n")
}
