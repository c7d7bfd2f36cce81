package aws_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"opensaves-soak/opensaves/sandbox/aws"
)

var latency = aws.Metric{
	Namespace: "AWS/DynamoDB", Name: "SuccessfulRequestLatency",
	Dimensions: map[string]string{"TableName": "open-saves-records", "Operation": "GetItem"},
}

// ask is a query for a statistic of a metric, a minute a point.
func ask(id string, m aws.Metric, stat string) types.MetricDataQuery {
	q := types.MetricDataQuery{Id: &id, MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: &m.Namespace, MetricName: &m.Name}, Period: sdk.Int32(60), Stat: &stat,
	}}
	for name, value := range m.Dimensions {
		q.MetricStat.Metric.Dimensions = append(q.MetricStat.Metric.Dimensions, types.Dimension{Name: &name, Value: &value})
	}
	return q
}

// window asks for the minutes from noon.
func window(minutes int, queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataInput {
	return &cloudwatch.GetMetricDataInput{
		StartTime: &noon, EndTime: sdk.Time(after(minutes)), MetricDataQueries: queries,
	}
}

func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// result is a complete result with the value of each minute after noon that is named.
func result(id, label string, values map[int]float64, minutes ...int) types.MetricDataResult {
	r := types.MetricDataResult{
		Id: &id, Label: &label, StatusCode: types.StatusCodeComplete, Timestamps: []time.Time{}, Values: []float64{},
	}
	for _, m := range minutes {
		r.Timestamps, r.Values = append(r.Timestamps, after(m)), append(r.Values, values[m])
	}
	return r
}

func TestStatisticsAreThoseOfWhatWasObserved(t *testing.T) {
	c := open(t, aws.Account{})
	for v := range 100 {
		c.cloud.Put(latency, after(v%2), aws.Value{Value: float64(100 - v)})
	}
	c.cloud.Put(latency, after(1), aws.Value{Value: 200, Count: 900})
	want := map[string]float64{
		"Average": 185.05, "Sum": 185050, "Minimum": 1, "Maximum": 200, "SampleCount": 1000,
		"p0": 1, "p5": 50, "p9.9": 99, "p10": 100, "p10.1": 200, "p99.9": 200, "p100": 200,
	}
	for stat, value := range want {
		q := ask("a", latency, stat)
		q.MetricStat.Period = sdk.Int32(120)
		got, err := c.cloudwatch.GetMetricData(t.Context(), window(2, q))
		compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{
			result("a", latency.Name, map[int]float64{0: value}, 0),
		}})
	}
}

func TestPointsAreTheNewestFirstAndResultsNotInTheOrderOfTheRequest(t *testing.T) {
	c := open(t, aws.Account{})
	values := map[int]float64{0: 1, 1: 2, 3: 4, 5: 6}
	for minute, v := range values {
		c.cloud.Put(latency, after(minute).Add(59*time.Second), aws.Value{Value: v})
	}
	absent := aws.Metric{Namespace: "AWS/S3", Name: "AllRequests"}
	in := window(5, ask("a", latency, "Sum"), ask("b", absent, "Sum"))
	got, err := c.cloudwatch.GetMetricData(t.Context(), in)
	compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{
		result("b", "AllRequests", nil), result("a", latency.Name, values, 3, 1, 0),
	}})
	in.ScanBy = types.ScanByTimestampAscending
	got, err = c.cloudwatch.GetMetricData(t.Context(), in)
	compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{
		result("b", "AllRequests", nil), result("a", latency.Name, values, 0, 1, 3),
	}})
}

func TestPeriodsAreCountedFromTheEpochAndTheStartIsRoundedDown(t *testing.T) {
	c := open(t, aws.Account{})
	for minute := range 12 {
		c.cloud.Put(latency, after(minute), aws.Value{Value: 1})
	}
	q := ask("a", latency, "SampleCount")
	q.MetricStat.Period = sdk.Int32(300)
	in := window(11, q)
	in.StartTime = sdk.Time(after(4))
	got, err := c.cloudwatch.GetMetricData(t.Context(), in)
	compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{
		result("a", latency.Name, map[int]float64{10: 1, 5: 5, 0: 5}, 10, 5, 0),
	}})
}

func TestResultsComeOnPagesAndEachPageIsBilled(t *testing.T) {
	c := open(t, aws.Account{})
	c.cloud.Page(2)
	c.cloud.Put(latency, noon, aws.Value{Value: 3})
	in := window(1)
	for i, stat := range []string{"Average", "p50", "p90", "p99", "SampleCount", "Maximum"} {
		in.MetricDataQueries = append(in.MetricDataQueries, ask(fmt.Sprintf("m%d", i), latency, stat))
	}
	got, sizes := map[string]float64{}, []int{}
	pages := cloudwatch.NewGetMetricDataPaginator(c.cloudwatch, in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.MetricDataResults))
		for _, r := range page.MetricDataResults {
			got[*r.Id] = r.Values[0]
		}
	}
	compare(t, sizes, nil, []int{2, 2, 2})
	compare(t, got, nil, map[string]float64{"m0": 3, "m1": 3, "m2": 3, "m3": 3, "m4": 1, "m5": 3})
	compare(t, c.cloud.Billed(), nil, map[string]int64{"AWS/DynamoDB": 3 * 2})
	compare(t, c.cloud.Calls(), nil, map[string]int64{"GetMetricData": 3})
}

func TestAMetricIsSplitOverPagesThatHoldFewPoints(t *testing.T) {
	c := open(t, aws.Account{})
	values := map[int]float64{0: 1, 1: 2, 2: 3}
	for minute, v := range values {
		c.cloud.Put(latency, after(minute), aws.Value{Value: v})
	}
	in := window(3, ask("a", latency, "Sum"), ask("b", latency, "Sum"))
	in.MaxDatapoints = sdk.Int32(2)
	partial := func(r types.MetricDataResult) types.MetricDataResult {
		r.StatusCode = types.StatusCodePartialData
		return r
	}
	for _, want := range [][]types.MetricDataResult{
		{partial(result("b", latency.Name, values, 2, 1))},
		{result("b", latency.Name, values, 0), partial(result("a", latency.Name, values, 2))},
		{result("a", latency.Name, values, 1, 0)},
	} {
		got, err := c.cloudwatch.GetMetricData(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, got.MetricDataResults, err, want)
		// What shows meanwhile moves nothing.
		c.cloud.Put(latency, after(-1), aws.Value{Value: 9})
		in.NextToken = got.NextToken
	}
	compare(t, in.NextToken, nil, nil)
}

func TestAnswersSayWhatIsWrongWithAMetric(t *testing.T) {
	c := open(t, aws.Account{})
	c.cloud.Put(latency, noon, aws.Value{Value: 3})
	whole := result("a", latency.Name, map[int]float64{0: 3}, 0)
	check := func(want types.MetricDataResult) {
		t.Helper()
		got, err := c.cloudwatch.GetMetricData(t.Context(), window(1, ask("a", latency, "Sum")))
		compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{want}})
	}
	c.cloud.Answer(latency, "Forbidden", "Authentication too complex")
	forbidden := result("a", latency.Name, nil)
	forbidden.StatusCode = types.StatusCodeForbidden
	forbidden.Messages = []types.MessageData{{Code: sdk.String("Forbidden"), Value: sdk.String("Authentication too complex")}}
	check(forbidden)

	c.cloud.Answer(latency, "InternalError", "")
	failed := result("a", latency.Name, nil)
	failed.StatusCode = types.StatusCodeInternalError
	check(failed)

	c.cloud.Answer(latency, "PartialData", "")
	partial := whole
	partial.StatusCode = types.StatusCodePartialData
	check(partial)

	c.cloud.Answer(latency, "", "")
	check(whole)
}

func TestPointsShowOnlyAfterTheDelayOfTheirNamespace(t *testing.T) {
	c := open(t, aws.Account{})
	now := time.Now().UTC()
	old, fresh := now.Add(-9*time.Minute).Truncate(time.Minute), now.Add(-2*time.Minute)
	c.cloud.Put(latency, old, aws.Value{Value: 1})
	c.cloud.Put(latency, fresh, aws.Value{Value: 1})
	in := window(0, ask("a", latency, "Sum"))
	in.StartTime, in.EndTime = sdk.Time(now.Add(-time.Hour)), &now
	for delay, want := range map[time.Duration]int{0: 2, 5 * time.Minute: 1, 15 * time.Minute: 0} {
		c.cloud.Delay("AWS/DynamoDB", delay)
		c.cloud.Delay("AWS/S3", time.Hour)
		got, err := c.cloudwatch.GetMetricData(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, len(got.MetricDataResults[0].Values), err, want)
	}
}

func TestOldMinutesAreForgottenAndDailyOnesKept(t *testing.T) {
	c := open(t, aws.Account{})
	size := aws.Metric{Namespace: "AWS/S3", Name: "BucketSizeBytes", Dimensions: map[string]string{"StorageType": "StandardStorage"}}
	requests := aws.Metric{Namespace: "AWS/S3", Name: "AllRequests", Dimensions: map[string]string{"FilterId": "EntireBucket"}}
	for _, m := range []aws.Metric{size, requests, latency} {
		c.cloud.Put(m, noon, aws.Value{Value: 1})
	}
	c.cloud.Put(latency, after(211), aws.Value{Value: 2})
	c.cloud.Put(requests, noon, aws.Value{Value: 1}) // too old by now
	in := window(1000, ask("a", size, "Average"), ask("b", requests, "Sum"), ask("c", latency, "Sum"))
	got, err := c.cloudwatch.GetMetricData(t.Context(), in)
	values := map[int]float64{0: 1, 211: 2}
	compare(t, got, err, &cloudwatch.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{
		result("c", latency.Name, values, 211), result("b", "AllRequests", nil), result("a", "BucketSizeBytes", values, 0),
	}})
}

func TestAMinuteOfVeryManyValuesIsRoundedByLessThanAPercent(t *testing.T) {
	c := open(t, aws.Account{})
	for v := range 50000 {
		c.cloud.Put(latency, noon, aws.Value{Value: float64(v + 1)}, aws.Value{Value: math.NaN()}, aws.Value{Value: 1, Count: -1})
	}
	got, err := c.cloudwatch.GetMetricData(t.Context(), window(1, ask("a", latency, "p90"), ask("b", latency, "Sum")))
	if err != nil {
		t.Fatal(err)
	}
	p90, sum := got.MetricDataResults[1].Values[0], got.MetricDataResults[0].Values[0]
	if math.Abs(p90-45000) > 450 || sum != 50000*50001/2 {
		t.Errorf("got p90 %v and sum %v, want about 45000 and exactly 1250025000", p90, sum)
	}
}

func TestRequestsThatCloudWatchRefuses(t *testing.T) {
	c := open(t, aws.Account{})
	with := func(change func(*types.MetricDataQuery)) *cloudwatch.GetMetricDataInput {
		q := ask("a", latency, "Sum")
		change(&q)
		return window(1, q)
	}
	many := window(1)
	for i := range 501 {
		many.MetricDataQueries = append(many.MetricDataQueries, ask(fmt.Sprintf("m%d", i), latency, "Sum"))
	}
	points := window(1, ask("a", latency, "Sum"))
	points.MaxDatapoints = sdk.Int32(100801)
	for name, in := range map[string]*cloudwatch.GetMetricDataInput{
		"too many queries": many,
		"no query":         {StartTime: &noon, EndTime: &noon, MetricDataQueries: []types.MetricDataQuery{}},
		"too many points":  points,
		"an empty window":  window(0, ask("a", latency, "Sum")),
		"an ID twice":      window(1, ask("a", latency, "Sum"), ask("a", latency, "p50")),
		"a capital ID":     window(1, ask("A", latency, "Sum")),
		"a long ID":        window(1, ask(strings.Repeat("a", 256), latency, "Sum")),
		"no metric":        with(func(q *types.MetricDataQuery) { q.MetricStat = nil; q.Period = sdk.Int32(60) }),
		"an expression":    with(func(q *types.MetricDataQuery) { q.Expression = sdk.String("a*2") }),
		"a unit":           with(func(q *types.MetricDataQuery) { q.MetricStat.Unit = types.StandardUnitCount }),
		"a short period":   with(func(q *types.MetricDataQuery) { q.MetricStat.Period = sdk.Int32(30) }),
		"no period":        with(func(q *types.MetricDataQuery) { q.MetricStat.Period = sdk.Int32(0) }),
		"a strange stat":   with(func(q *types.MetricDataQuery) { q.MetricStat.Stat = sdk.String("p101") }),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.cloudwatch.GetMetricData(t.Context(), in)
			wantProblem(t, err, 400, "ValidationError")
		})
	}
	compare(t, c.cloud.Billed(), nil, map[string]int64{})
}

func TestATokenIsGoodForItsRequestAlone(t *testing.T) {
	c := open(t, aws.Account{})
	c.cloud.Page(1)
	in := window(1, ask("a", latency, "Sum"), ask("b", latency, "Sum"))
	first, err := c.cloudwatch.GetMetricData(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	other := window(2, in.MetricDataQueries...)
	for _, token := range []string{*first.NextToken, "?", "e30", "eyJSZXF1ZXN0IjoxfQ"} {
		other.NextToken = &token
		_, err := c.cloudwatch.GetMetricData(t.Context(), other)
		wantProblem(t, err, 400, "InvalidNextToken")
	}
}
