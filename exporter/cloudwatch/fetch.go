package cloudwatch

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// getMetricData is the one call that costs money. It is kept as a function, so
// that the linker drops the calls that nobody makes.
type getMetricData func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)

// point is a value of the period that began at a time.
type point struct {
	at    time.Time
	value float64
}

// answer is what was said of one query; without a status, nothing was.
type answer struct {
	status types.StatusCode
	points []point
}

// failed says whether AWS owes the answer: periods that it covers must be asked for
// again.
func (a answer) failed() bool { return a.status == "" || a.status == types.StatusCodeInternalError }

// fetched is what a call brought, page by page.
type fetched struct {
	answers  []answer // in the order of the queries
	pages    int      // each is billed like a call
	messages []types.MessageData
}

// fetch asks for the queries of one call. With an error it returns what the
// pages before it gave.
func fetch(ctx context.Context, get getMetricData, call []*query, w window) (fetched, error) {
	f := fetched{answers: make([]answer, len(call))}
	in := &cloudwatch.GetMetricDataInput{
		StartTime: &w.start, EndTime: &w.end, MetricDataQueries: dataQueries(call), ScanBy: types.ScanByTimestampDescending,
	}
	for range mostPages {
		out, err := get(ctx, in)
		if err != nil {
			return f, err
		}
		f.pages++
		f.messages = append(f.messages, out.Messages...)
		if err := f.merge(out.MetricDataResults); err != nil {
			return f, err
		}
		if out.NextToken == nil || aws.ToString(out.NextToken) == aws.ToString(in.NextToken) {
			return f, nil
		}
		in.NextToken = out.NextToken
	}
	return f, fmt.Errorf("reading metric data: got more than %d pages", mostPages)
}

func dataQueries(call []*query) []types.MetricDataQuery {
	queries := make([]types.MetricDataQuery, len(call))
	for i, q := range call {
		m := &types.Metric{Namespace: &q.metric.namespace, MetricName: &q.metric.name}
		for _, d := range q.metric.dimensions {
			m.Dimensions = append(m.Dimensions, types.Dimension{Name: aws.String(d.name), Value: aws.String(d.value)})
		}
		queries[i] = types.MetricDataQuery{
			Id:         aws.String("m" + strconv.Itoa(i)),
			MetricStat: &types.MetricStat{Metric: m, Period: aws.Int32(int32(q.period().Seconds())), Stat: &q.stat},
		}
	}
	return queries
}

// merge adds a page. A metric may be on several; its last status counts.
func (f *fetched) merge(page []types.MetricDataResult) error {
	for i := range page {
		r := &page[i]
		id := aws.ToString(r.Id)
		n, err := strconv.Atoi(id[min(1, len(id)):])
		if err != nil || n < 0 || n >= len(f.answers) || len(r.Timestamps) != len(r.Values) {
			return fmt.Errorf("reading metric data: got a result %.20q of %d times and %d values, want an ID that was asked for and as many", id, len(r.Timestamps), len(r.Values))
		}
		a := &f.answers[n]
		a.status = r.StatusCode
		for j, at := range r.Timestamps {
			a.points = append(a.points, point{at.UTC(), r.Values[j]})
		}
		f.messages = append(f.messages, r.Messages...)
	}
	return nil
}
