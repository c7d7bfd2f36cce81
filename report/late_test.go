package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/metric"
)

// stepped has another value in every ten minutes.
func stepped(values ...float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 {
		return values[min(max(int((at-time.Second)/(10*time.Minute)), 0), len(values)-1)]
	}
}

// after is what was so long before.
func after(late time.Duration, value func(time.Duration) float64) func(time.Duration) float64 {
	return func(at time.Duration) float64 { return value(at - late) }
}

// steps is three levels of ten minutes.
func steps(t *testing.T) *block {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 10*time.Minute), healthy(500, 10*time.Minute), healthy(1000, 10*time.Minute)})
	b.more()
	return b
}

// means are those of a reading by level.
func means(r *Report, c metric.Component, name string) (list []Figure) {
	for _, l := range r.Levels {
		list = append(list, l.reading(c, name))
	}
	return list
}

// A report that is made right after the last level: of AWS there are the first
// twenty-one minutes, and costs of up to twenty-six.
func TestWhatHasNotComeYetIsNotMadeUp(t *testing.T) {
	b := steps(t)
	b.evenly(metric.RedisEngineCPU.Name, `,region="r",cache_cluster="c",cache_node="1",stat="avg"`, time.Minute, 21*time.Minute, time.Minute, stepped(0.1, 0.4, 0.95))
	b.evenly(metric.DynamoDBReadUnits.Name, `,region="r",table="records",role="records",index=""`, time.Minute, 20*time.Minute, time.Minute, stepped(50, 200, 475))
	b.evenly(metric.CostPerHour.Name, `,component="dynamodb",kind="variable"`, time.Minute, 30*time.Minute, scrape, after(4*time.Minute, stepped(0.1, 0.5, 1)))
	b.evenly(metric.CloudWatchDataAge.Name, `,component="dynamodb"`, time.Minute, 30*time.Minute, scrape, constantly(240))
	b.close()
	got, err := b.until(30*time.Minute, b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Figure{50, 200, none}, means(got, metric.DynamoDB, readUnits), near); diff != "" {
		t.Errorf("read units: wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff([]Figure{0.1, 0.4, none}, means(got, metric.Redis, engineCPU), near); diff != "" {
		t.Errorf("engine: wanted -, got +\n%s", diff)
	}
	var hourly []Figure
	for _, l := range got.Levels {
		hourly = append(hourly, costs(l.CostAnHour))
	}
	if diff := cmp.Diff([]Figure{0.1, 0.5, none}, hourly, near); diff != "" {
		t.Errorf("cost: wanted -, got +\n%s", diff)
	}
	notes := []string{
		"What the level of 1000 requests a second cost that ended at 2026-11-20 12:29:45 UTC had not come when the samples end: where the tester still runs, make the report again some minutes later.",
		"AWS has not told all yet of the level of 1000 requests a second that ended at 2026-11-20 12:29:45 UTC " +
			"(DynamoDB up to 2026-11-20 12:20:00 UTC, Redis up to 2026-11-20 12:21:00 UTC): make the report again some minutes later.",
	}
	if diff := cmp.Diff(notes, got.Notes); diff != "" {
		t.Errorf("notes: wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dynamodb", "redis"}, got.Levels[2].Awaited); diff != "" {
		t.Errorf("awaited: wanted -, got +\n%s", diff)
	}
}

// EKS has minutes with times of their own, and credits of five minutes without.
func TestEachMetricOfAComponentIsAsLateAsItIs(t *testing.T) {
	b := steps(t)
	b.evenly(metric.EKSWorkloadCPULimit.Name, `,region="r",eks_cluster="c",workload_namespace="n",workload="w",stat="max"`, time.Minute, 40*time.Minute, time.Minute, stepped(0.2, 0.3, 0.4))
	b.evenly(metric.EKSNodeCredits.Name, `,region="r",eks_cluster="c",eks_node="x",mode="standard"`, time.Minute, 40*time.Minute, scrape, after(460*time.Second, stepped(100, 0, 100)))
	b.evenly(metric.CloudWatchDataAge.Name, `,component="eks"`, time.Minute, 40*time.Minute, scrape, constantly(220))
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Figure{0.2, 0.3, 0.4}, means(got, metric.EKS, busiestPod), near); diff != "" {
		t.Errorf("CPU: wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff([]Figure{0, 1, 0}, means(got, metric.EKS, "nodes without CPU credits"), near); diff != "" {
		t.Errorf("credits: wanted -, got +\n%s", diff)
	}
	if len(got.Bottleneck.Onsets) != 1 || got.Bottleneck.Onsets[0].RPS != 500 {
		t.Errorf("got %v, want the credits at 500", got.Bottleneck.Onsets)
	}
}

func TestCostWaitsForThoseWhoseBillDependsOnTheLoad(t *testing.T) {
	b := steps(t)
	b.evenly(metric.CostPerHour.Name, `,component="dynamodb",kind="variable"`, time.Minute, 40*time.Minute, scrape, after(4*time.Minute, stepped(0.1, 0.2, 0.3)))
	b.evenly(metric.CloudWatchDataAge.Name, `,component="dynamodb"`, time.Minute, 40*time.Minute, scrape, constantly(240))
	b.evenly(metric.CloudWatchDataAge.Name, `,component="eks"`, time.Minute, 40*time.Minute, scrape, constantly(900))
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	var hourly []Figure
	for _, l := range got.Levels {
		hourly = append(hourly, costs(l.CostAnHour))
	}
	if diff := cmp.Diff([]Figure{0.1, 0.2, 0.3}, hourly, near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestOneMinuteOfAWSDoesNotReplaceAllOfPrometheus(t *testing.T) {
	b := ladder(t)
	client, err := api.NewClient(api.Config{Address: b.serve()})
	if err != nil {
		t.Fatal(err)
	}
	one := settled(metric.DynamoDBReadUnits, 50, "us-east-1", "records", "records", "")
	one.Points = one.Points[:3]
	got, err := Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began, End: began.Add(2 * time.Hour), Objectives: alerts.DefaultObjectives(), AWS: []cloudwatch.Series{one},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Figure{50, 100, 150}, means(got, metric.DynamoDB, readUnits), near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// container writes what the kubelet says of a container.
func (b *block) container(name string, cores func(time.Duration) float64, limit float64) {
	labels := fmt.Sprintf(`namespace="open-saves",pod="open-saves-1",container=%q`, name)
	sum := 0.0
	for at := time.Duration(0); at <= 30*time.Minute; at += scrape {
		fmt.Fprintf(&b.text, "container_cpu_usage_seconds_total{%s} %v %d\n", labels, sum, began.Add(at).Unix())
		if limit > 0 {
			fmt.Fprintf(&b.text, "kube_pod_container_resource_limits{%s,resource=\"cpu\"} %v %d\n", labels, limit, began.Add(at).Unix())
		}
		sum += cores(at+scrape) * scrape.Seconds()
	}
}

func TestTheCPUOfAPodIsThatOfItsLevelAndItsLimits(t *testing.T) {
	b := steps(t)
	b.text.WriteString("# TYPE container_cpu_usage_seconds counter\n# TYPE kube_pod_container_resource_limits gauge\n")
	b.container("server", stepped(0.1, 0.93, 0.3), 1)
	b.container("proxy", constantly(0.5), 0) // without a limit of its own
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Figure{0.1, 0.93, 0.3}, means(got, metric.EKS, busiestPod), near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got.Bottleneck.Component != "eks" || got.Bottleneck.Onsets[0].RPS != 500 {
		t.Errorf("got %v, want the pods at 500", got.Bottleneck)
	}
}

func TestAnEvictionAloneSaturatesNothing(t *testing.T) {
	b := steps(t)
	b.evenly(metric.RedisEvictions.Name, `,region="r",cache_cluster="c",cache_node="1"`, time.Minute, 30*time.Minute, time.Minute, func(at time.Duration) float64 {
		return map[time.Duration]float64{5 * time.Minute: 1. / 60}[at] + stepped(0, 0, 2)(at)
	})
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Bottleneck.Onsets) != 1 || got.Bottleneck.Onsets[0].RPS != 1000 {
		t.Errorf("got %v, want the evictions at 1000 alone", got.Bottleneck.Onsets)
	}
	var saturated []bool
	for _, l := range got.Levels {
		saturated = append(saturated, l.find(metric.Redis, "keys evicted").Saturated)
	}
	if diff := cmp.Diff([]bool{false, false, true}, saturated); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestCapacityIsColdWhereItsLoadWasSeenToDouble(t *testing.T) {
	for name, test := range map[string]struct {
		units float64 // a second, in the half hour before
		want  bool
	}{
		"it was half of that before": {40, true},
		"it was as much before":      {90, false},
		"nobody knows":               {0, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := steps(t)
			labels := `,region="r",table="records",role="records"`
			b.evenly(metric.DynamoDBSuccessful.Name, labels+`,operation="GetItem"`, time.Minute, 30*time.Minute, time.Minute, constantly(100))
			b.evenly(metric.DynamoDBThrottledRequests.Name, labels+`,operation="GetItem"`, time.Minute, 30*time.Minute, time.Minute, constantly(0))
			b.evenly(metric.DynamoDBThrottleEvents.Name, labels+`,index="",access="read"`, time.Minute, 30*time.Minute, time.Minute, stepped(0, 5, 5))
			from := -25 * time.Minute
			if test.units == 0 {
				from = time.Minute
			}
			b.evenly(metric.DynamoDBReadUnits.Name, labels+`,index=""`, from, 30*time.Minute, time.Minute, func(at time.Duration) float64 {
				if at <= 0 {
					return test.units
				}
				return 100
			})
			b.close()
			got, err := b.report(b.serve())
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Bottleneck.Onsets) != 1 || got.Bottleneck.Onsets[0].Cold != test.want {
				t.Errorf("got %+v, want throttles whose capacity is cold: %v", got.Bottleneck.Onsets, test.want)
			}
		})
	}
}
