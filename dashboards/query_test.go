package dashboards

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"opensaves-soak/exporter/metric"
)

// foreigners are metrics that others export, with the labels that boards name:
// kubelet, kube-state-metrics, and the Go and process collectors.
var foreigners = map[string][]string{
	"container_cpu_cfs_periods_total":                      {"container"},
	"container_cpu_cfs_throttled_periods_total":            {"container"},
	"container_cpu_usage_seconds_total":                    {"container"},
	"container_memory_working_set_bytes":                   {"container"},
	"container_network_receive_bytes_total":                nil,
	"container_network_transmit_bytes_total":               nil,
	"go_gc_duration_seconds_sum":                           nil,
	"go_goroutines":                                        nil,
	"go_memstats_heap_inuse_bytes":                         nil,
	"kube_deployment_spec_replicas":                        {"deployment"},
	"kube_horizontalpodautoscaler_spec_max_replicas":       {"horizontalpodautoscaler"},
	"kube_horizontalpodautoscaler_status_current_replicas": {"horizontalpodautoscaler"},
	"kube_horizontalpodautoscaler_status_desired_replicas": {"horizontalpodautoscaler"},
	"kube_node_labels":                                     {"label_eks_amazonaws_com_capacity_type", "label_karpenter_sh_capacity_type"},
	"kube_pod_container_resource_limits":                   {"resource"},
	"kube_pod_container_status_last_terminated_reason":     {"reason", "container"},
	"kube_pod_container_status_restarts_total":             nil,
	"kube_pod_info":                                        nil,
	"kube_pod_status_phase":                                {"phase"},
	"kube_pod_status_ready":                                {"condition"},
	"kube_replicaset_created":                              {"replicaset"},
	"process_cpu_seconds_total":                            nil,
	"process_max_fds":                                      nil,
	"process_open_fds":                                     nil,
	"process_resident_memory_bytes":                        nil,
}

// scraping gives these labels to all series.
var scraping = []string{"cluster", "namespace", "job", "instance", "pod"}

// madeUp are labels that queries themselves make.
var madeUp = []string{"capacity", "class", "component", "kind", "phase", "pod", "rps", "target_namespace", "le"}

var (
	selectors  = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{([^}]*)\}`)
	matchers   = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)(?:=~|!~|!=|=)"`)
	groupings  = regexp.MustCompile(`\b(?:by|without|on|group_left|group_right)\s*\(([^)]*)\)`)
	metricName = regexp.MustCompile(`\b(?:opensaves|kube|container|process|go)_[a-z0-9_]+\b`)
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// expressions are all that is asked of Prometheus, that of variables and
// annotations included.
func expressions(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, p := range panels(t) {
		all = append(all, p.Queries...)
	}
	for _, b := range built(t) {
		var d struct {
			Annotations struct{ List []struct{ Expr string } }
			Templating  struct {
				List []struct {
					Type  string
					Query string
				}
			}
		}
		if err := json.Unmarshal(b.JSON, &d); err != nil {
			t.Fatal(err)
		}
		for _, a := range d.Annotations.List {
			all = append(all, a.Expr)
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				all = append(all, v.Query)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// exported is each metric with its labels.
func exported() map[string][]string {
	known := maps.Clone(foreigners)
	for _, d := range slices.Concat(metric.Soak, metric.AWS) {
		known[d.Name] = d.Labels
		if d.Type == "histogram" {
			known[d.Name+"_count"], known[d.Name+"_sum"] = d.Labels, d.Labels
			known[d.Name+"_bucket"] = append(slices.Clone(d.Labels), "le")
		}
	}
	return known
}

func TestQueriesNameMetricsAndLabelsThatAreExported(t *testing.T) {
	known := exported()
	for _, expr := range expressions(t) {
		for _, found := range selectors.FindAllStringSubmatch(expr, -1) {
			labels, ok := known[found[1]]
			if !ok {
				t.Errorf("got metric %s, which nobody exports, in %s", found[1], expr)
			}
			for _, matcher := range matchers.FindAllStringSubmatch(found[2], -1) {
				if !slices.Contains(labels, matcher[1]) && !slices.Contains(scraping, matcher[1]) {
					t.Errorf("got label %s, which %s has not got, in %s", matcher[1], found[1], expr)
				}
			}
		}
	}
}

func TestEveryMetricOfAQueryHasASelector(t *testing.T) {
	for _, expr := range expressions(t) {
		bare := quoted.ReplaceAllString(groupings.ReplaceAllString(expr, ""), `""`)
		for _, found := range metricName.FindAllStringIndex(bare, -1) {
			if !strings.HasPrefix(bare[found[1]:], "{") {
				t.Errorf("got %s without a selector in %s", bare[found[0]:found[1]], expr)
			}
		}
	}
}

func TestQueriesGroupByLabelsOfTheirMetrics(t *testing.T) {
	known := exported()
	for _, expr := range expressions(t) {
		allowed := slices.Concat(scraping, madeUp)
		for _, found := range selectors.FindAllStringSubmatch(expr, -1) {
			allowed = append(allowed, known[found[1]]...)
		}
		for _, found := range groupings.FindAllStringSubmatch(expr, -1) {
			for label := range strings.SplitSeq(found[1], ",") {
				if label = strings.TrimSpace(label); label != "" && !slices.Contains(allowed, label) {
					t.Errorf("got grouping by %s, which no metric there has, in %s", label, expr)
				}
			}
		}
	}
}

func TestEveryForeignMetricIsUsed(t *testing.T) {
	all := strings.Join(expressions(t), "\n")
	for name := range foreigners {
		if !strings.Contains(all, name+"{") {
			t.Errorf("got %s, which no query names any more", name)
		}
	}
}

func TestEveryMetricOfTheProgramIsOnABoard(t *testing.T) {
	unshown := map[string]string{
		metric.Spans.Name:                   "for whoever debugs the way to the collector",
		metric.ReloadTimestamp.Name:         "the time of a reload is in the log",
		metric.CloudWatchUp.Name:            "the age of data says more",
		metric.CloudWatchRequests.Name:      "the cost of the polls says more",
		metric.CloudWatchDuration.Name:      "for whoever debugs the poller",
		metric.CloudWatchRetries.Name:       "for whoever debugs the poller",
		metric.CloudWatchBilled.Name:        "the cost of the polls says more",
		metric.CloudWatchLastSuccess.Name:   "the age of data says more",
		metric.CloudWatchPollDuration.Name:  "for whoever debugs the poller",
		metric.CloudWatchPublishDelay.Name:  "for whoever sets the delay",
		metric.CloudWatchRevised.Name:       "for whoever sets the delay",
		metric.CloudWatchSkipped.Name:       "for whoever debugs the poller",
		metric.CloudWatchResults.Name:       "for whoever debugs the poller",
		metric.CloudWatchSeries.Name:        "for whoever debugs the poller",
		metric.CostPrice.Name:               "docs/aws.md says how to look prices up",
		metric.DynamoDBReadUnitsTotal.Name:  "the rate is shown",
		metric.DynamoDBWriteUnitsTotal.Name: "the rate is shown",
		metric.EKSWorkloadCPU.Name:          "the share of the limit is shown",
		metric.EKSWorkloadMemory.Name:       "the share of the limit is shown",
		metric.EKSPodMemory.Name:            "the share of the limit is shown",
	}
	all := strings.Join(expressions(t), "\n")
	for _, d := range slices.Concat(metric.Soak, metric.AWS) {
		shown := regexp.MustCompile(`\b` + d.Name + `(_bucket)?\{`).MatchString(all)
		if _, left := unshown[d.Name]; shown == left {
			t.Errorf("got %s shown %t, want the opposite, or another list of what is not", d.Name, shown)
		}
	}
}
