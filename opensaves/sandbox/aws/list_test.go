package aws_test

import (
	"fmt"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"opensaves-soak/opensaves/sandbox/aws"
)

func TestListMetricsFiltersByNamespaceNameAndDimensions(t *testing.T) {
	c := open(t, aws.Account{})
	cpu := func(pod string) aws.Metric {
		return aws.Metric{Namespace: "ContainerInsights", Name: "pod_cpu_utilization", Dimensions: map[string]string{"ClusterName": "one", "FullPodName": pod}}
	}
	memory := aws.Metric{Namespace: "ContainerInsights", Name: "pod_memory_utilization", Dimensions: map[string]string{"ClusterName": "one"}}
	for _, m := range []aws.Metric{cpu("b"), cpu("a"), memory, latency} {
		c.cloud.Put(m, noon, aws.Value{Value: 1})
	}
	listed := func(all ...aws.Metric) *cloudwatch.ListMetricsOutput {
		out := &cloudwatch.ListMetricsOutput{}
		for _, m := range all {
			one := types.Metric{Namespace: &m.Namespace, MetricName: &m.Name}
			for _, name := range []string{"ClusterName", "FullPodName", "Operation", "TableName"} {
				if value, has := m.Dimensions[name]; has {
					one.Dimensions = append(one.Dimensions, types.Dimension{Name: sdk.String(name), Value: &value})
				}
			}
			out.Metrics = append(out.Metrics, one)
		}
		return out
	}
	dimensions := func(name string, value *string) []types.DimensionFilter {
		return []types.DimensionFilter{{Name: sdk.String("ClusterName"), Value: sdk.String("one")}, {Name: &name, Value: value}}
	}
	for _, one := range []struct {
		in   cloudwatch.ListMetricsInput
		want []aws.Metric
	}{
		{cloudwatch.ListMetricsInput{}, []aws.Metric{latency, cpu("a"), cpu("b"), memory}},
		{cloudwatch.ListMetricsInput{Namespace: sdk.String("ContainerInsights")}, []aws.Metric{cpu("a"), cpu("b"), memory}},
		{cloudwatch.ListMetricsInput{MetricName: &memory.Name}, []aws.Metric{memory}},
		{cloudwatch.ListMetricsInput{Dimensions: dimensions("FullPodName", nil)}, []aws.Metric{cpu("a"), cpu("b")}},
		{cloudwatch.ListMetricsInput{Dimensions: dimensions("FullPodName", sdk.String("b"))}, []aws.Metric{cpu("b")}},
	} {
		got, err := c.cloudwatch.ListMetrics(t.Context(), &one.in)
		compare(t, got, err, listed(one.want...))
	}
}

func TestListMetricsTellsRecentlyActiveOnes(t *testing.T) {
	c := open(t, aws.Account{})
	size := aws.Metric{Namespace: "AWS/S3", Name: "BucketSizeBytes", Dimensions: map[string]string{"StorageType": "StandardStorage"}}
	objects := aws.Metric{Namespace: "AWS/S3", Name: "NumberOfObjects", Dimensions: map[string]string{"StorageType": "AllStorageTypes"}}
	c.cloud.Put(size, time.Now().Add(-2*time.Hour), aws.Value{Value: 1})
	c.cloud.Put(objects, time.Now().Add(-4*time.Hour), aws.Value{Value: 1})
	names := func(in *cloudwatch.ListMetricsInput) (names []string) {
		out, err := c.cloudwatch.ListMetrics(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Metrics {
			names = append(names, *m.MetricName)
		}
		return names
	}
	recent := &cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}
	compare(t, names(recent), nil, []string{"BucketSizeBytes"})
	compare(t, names(&cloudwatch.ListMetricsInput{}), nil, []string{"BucketSizeBytes", "NumberOfObjects"})
	_, err := c.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{RecentlyActive: "PT4H"})
	wantProblem(t, err, 400, "ValidationError")
}

func TestListMetricsComesInPagesOf500(t *testing.T) {
	c := open(t, aws.Account{})
	for i := range 1001 {
		c.cloud.Put(aws.Metric{Namespace: "N", Name: fmt.Sprintf("m%04d", i)}, noon, aws.Value{Value: 1})
	}
	var sizes []int
	seen := map[string]bool{}
	pages := cloudwatch.NewListMetricsPaginator(c.cloudwatch, &cloudwatch.ListMetricsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Metrics))
		for _, m := range page.Metrics {
			seen[*m.MetricName] = true
		}
	}
	compare(t, sizes, nil, []int{500, 500, 1})
	compare(t, len(seen), nil, 1001)
	_, err := c.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{NextToken: sdk.String("?")})
	wantProblem(t, err, 400, "InvalidParameterValue")
}
