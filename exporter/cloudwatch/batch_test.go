package cloudwatch

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
)

// latencies makes queries of metrics with five statistics each, the statistics apart.
func latencies(metrics int) []*query {
	r := level("SuccessfulRequestLatency", metric.DynamoDBLatency, milliseconds)
	var queries []*query
	for _, stat := range []string{"p50", "p90", "p99", average, sampleCount} {
		for i := range metrics {
			queries = append(queries, &query{row: &r, stat: stat, metric: awsMetric{dynamoNamespace, r.name, []dimension{{"TableName", fmt.Sprint(i)}}}})
		}
	}
	return queries
}

func TestOver500QueriesKeepAMetricsStatisticsTogether(t *testing.T) {
	calls := batches(latencies(101), maxQueries) // 505 queries
	sizes := []int{}
	for _, call := range calls {
		sizes = append(sizes, len(call))
		perMetric := map[string]int{}
		for _, q := range call {
			perMetric[q.metric.key()]++
		}
		for key, n := range perMetric {
			if n != 5 {
				t.Errorf("%s: got %d of its statistics in one call, want all 5", key, n)
			}
		}
	}
	if diff := cmp.Diff([]int{500, 5}, sizes); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestASixthStatisticIsBilledAsASecondMetric(t *testing.T) {
	five := latencies(1)
	six := append(five, &query{row: five[0].row, stat: maximum, metric: five[0].metric})
	if got := []int{billed(five), billed(six), billed(latencies(3)), billed(nil)}; !cmp.Equal(got, []int{1, 2, 3, 0}) {
		t.Errorf("got %v, want 1, 2, 3, 0", got)
	}
}
