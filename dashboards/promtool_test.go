package dashboards

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/tools"
)

// promtool runs it, and wants it to find nothing wrong.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	var said bytes.Buffer
	run := exec.CommandContext(t.Context(), tools.Path(t, "promtool"), args...)
	run.Stdout, run.Stderr = &said, &said
	if err := run.Run(); err != nil {
		t.Errorf("promtool %s: %v\n%s", args[0], err, said.String())
	}
}

// filledIn is an expression with Grafana's variables as they stand at first.
func filledIn(expr string) string {
	if inner, ok := strings.CutPrefix(expr, "query_result("); ok {
		expr = strings.TrimSuffix(inner, ")")
	}
	return strings.NewReplacer("$__rate_interval", "4m", "$__range", "6h", "$workload", "open-saves.*", "$pods", "0",
		"$cluster", ".*", "$namespace", ".*", "$job", ".*", "$replica", ".*", "$operation", ".*", "$target_namespace", ".*").Replace(expr)
}

// written is a file in a folder of the test.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPrometheusCanParseEveryQuery(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: boards\n  rules:\n")
	for i, expr := range expressions(t) {
		if strings.HasPrefix(expr, "label_values(") {
			continue
		}
		fmt.Fprintf(&rules, "  - record: query:%d\n    expr: %q\n", i, filledIn(expr))
	}
	promtool(t, "check", "rules", "--lint=none", written(t, "rules.yml", rules.String()))
}

// Both forms hold four observations a minute: one up to 0.1 s, three up to 0.25 s.
const (
	classicSeries = `
  - series: 'opensaves_soak_response_time_seconds_bucket{operation="ping",class="read",outcome="success",le="0.1"}'
    values: '0+1x20'
  - series: 'opensaves_soak_response_time_seconds_bucket{operation="ping",class="read",outcome="success",le="0.25"}'
    values: '0+4x20'
  - series: 'opensaves_soak_response_time_seconds_bucket{operation="ping",class="read",outcome="success",le="+Inf"}'
    values: '0+4x20'
  - series: 'opensaves_soak_response_time_seconds_count{operation="ping",class="read",outcome="success"}'
    values: '0+4x20'`
	nativeSeries = `
  - series: 'opensaves_soak_response_time_seconds{operation="ping",class="read",outcome="success"}'
    values: '{{schema:0 sum:0 count:0}}+{{schema:0 sum:0.6 count:4 offset:-4 buckets:[1 0 3]}}x20'`
)

func TestExpressionsWorkWithClassicAndWithNativeHistograms(t *testing.T) {
	read := []string{`class="read"`, succeeded}
	quantiles := quantile(0.5, "operation", metric.ResponseTime, read...)
	grown := counted("5m", metric.ResponseTime, read...)
	inTime := within(0.1, "$__rate_interval", metric.ResponseTime, read...)
	heated := "count(" + buckets(metric.ResponseTime, read...) + ")"
	for name, c := range map[string]struct {
		series                         string
		quantile, counted, share, cell string
	}{
		"classic": {classicSeries, "0.15", "20", "0.25", "3"},
		"native":  {nativeSeries, "0.15749013123685918", "20", "0.25", "1"},
		"both":    {classicSeries + nativeSeries, "0.15749013123685918", "20", "0.25", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			evaluate(t, c.series, []answerOf{
				{quantiles, map[string]string{`{operation="ping"}`: c.quantile}},
				{grown, map[string]string{"{}": c.counted}},
				{inTime, map[string]string{"{}": c.share}},
				{heated, map[string]string{"{}": c.cell}},
			})
		})
	}
}

// answerOf is an expression and the values that it has after 15 minutes, by
// their labels.
type answerOf struct {
	expr string
	want map[string]string
}

func evaluate(t *testing.T, series string, answers []answerOf) {
	t.Helper()
	test := "fuzzy_compare: true\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:" + series + "\n  promql_expr_test:"
	for _, a := range answers {
		test += fmt.Sprintf("\n  - expr: %q\n    eval_time: 15m\n    exp_samples:", filledIn(a.expr))
		for labels, value := range a.want {
			test += fmt.Sprintf("\n    - labels: '%s'\n      value: %s", labels, value)
		}
	}
	promtool(t, "test", "rules", written(t, "test.yml", test+"\n"))
}

func TestASeriesOfAWSCountsOnceAfterAChangeOfLeader(t *testing.T) {
	evaluate(t, `
  - series: 'opensaves_dynamodb_consumed_read_capacity_units_per_second{instance="a",pod="soak-0",role="records",index=""}'
    values: '40+0x10'
  - series: 'opensaves_dynamodb_consumed_read_capacity_units_per_second{instance="b",pod="soak-1",role="records",index=""}'
    values: '_x8 50+0x12'`, []answerOf{
		{sum("", awsNow(metric.DynamoDBReadUnits)), map[string]string{"{}": "50"}},
		{sum("", aws(metric.DynamoDBReadUnits)), map[string]string{"{}": "50"}},
	})
}

func TestPodsAreThoseOfTheSourceThatIsChosen(t *testing.T) {
	const (
		cluster = `
  - series: 'container_cpu_usage_seconds_total{namespace="open-saves",pod="open-saves-7d-x",container="server"}'
    values: '0+30x20'
  - series: 'kube_pod_container_resource_limits{namespace="open-saves",pod="open-saves-7d-x",container="server",resource="cpu"}'
    values: '2+0x20'`
		insights = `
  - series: 'opensaves_eks_pod_cpu_limit_utilization_ratio{workload_namespace="open-saves",workload="open-saves",workload_pod="open-saves-7d-x",stat="max"}'
    values: '0.75+0x20'`
	)
	expr := pods(podCPUOfLimit, ofInsights(metric.EKSPodCPULimit, `stat="max"`))
	chosen := func(number string) string { return strings.ReplaceAll(expr, "$pods", number) }
	byCluster, byInsights := map[string]string{`{pod="open-saves-7d-x"}`: "0.25"}, map[string]string{`{pod="open-saves-7d-x"}`: "0.75"}
	evaluate(t, cluster+insights, []answerOf{{chosen("0"), byCluster}, {chosen("1"), byCluster}, {chosen("2"), byInsights}})
	evaluate(t, insights, []answerOf{{chosen("0"), byInsights}, {chosen("1"), nil}, {chosen("2"), byInsights}})
}

func TestTheComponentNearestToItsLimitIsNamed(t *testing.T) {
	evaluate(t, `
  - series: 'opensaves_redis_cpu_utilization_ratio{cache_cluster="c",cache_node="1",stat="avg"}'
    values: '0.36+0x20'
  - series: 'opensaves_redis_node_vcpus{cache_cluster="c",cache_node="1"}'
    values: '2+0x20'
  - series: 'opensaves_redis_memory_utilization_ratio{cache_cluster="c",cache_node="1",stat="avg"}'
    values: '0.2+0x20'
  - series: 'opensaves_s3_error_ratio{bucket="b",class="5xx"}'
    values: '0.001+0x20'`, []answerOf{
		{"topk(1, " + saturation(awsNow) + ")", map[string]string{`{component="redis: host CPU"}`: "0.8"}},
	})
}

func TestALoadChangeIsMarkedWithItsSourceAndRate(t *testing.T) {
	evaluate(t, `
  - series: 'opensaves_soak_load_changes_total{source="api"}'
    values: '0+0x14 1'
  - series: 'opensaves_soak_load_changes_total{source="ttl"}'
    values: '0+0x20'
  - series: 'opensaves_soak_fleet_target_rps'
    values: '50+0x14 1234.56'`, []answerOf{
		{"(" + loadChanges() + ") > bool 0", map[string]string{`{rps="1234.6", source="api"}`: "1"}},
	})
}
