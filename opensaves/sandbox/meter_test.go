package sandbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// direct answers requests without a network, so that time may stand still.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// metered is a sandbox whose account is looked at minute by minute.
type metered struct {
	*Sandbox
	client *cloudwatch.Client
}

func meter(t *testing.T, body func(*testing.T, *metered)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Region: "us-east-1", Seed: 1})
		ctx, stop := context.WithCancel(t.Context())
		go s.publish.Run(ctx)
		body(t, &metered{s, cloudwatch.New(cloudwatch.Options{
			Region: "us-east-1", BaseEndpoint: sdk.String("http://cloud"), HTTPClient: &http.Client{Transport: direct{s.AWS()}},
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), Retryer: sdk.NopRetryer{},
		})})
		stop()
		synctest.Wait()
	})
}

// rest sends a request like "PUT /path body", which must succeed or be refused
// on purpose.
func (m *metered) rest(t *testing.T, request string) {
	t.Helper()
	method, rest, _ := strings.Cut(request, " ")
	path, body, _ := strings.Cut(rest, " ")
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	m.REST().ServeHTTP(httptest.NewRecorder(), r)
}

// consumed waits until the minute is over, and returns what a namespace has of it.
func (m *metered) consumed(t *testing.T, namespace string) map[string]float64 {
	t.Helper()
	start := time.Now()
	time.Sleep(time.Until(start.Truncate(time.Minute).Add(time.Minute + time.Second)))
	return m.last(t, namespace, start)
}

// last returns what a namespace has of the minute that holds at, with short names:
// of latencies how many there were, of others the sum.
func (m *metered) last(t *testing.T, namespace string, at time.Time) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	m.each(t, namespace, at, func(name string) string {
		if strings.HasSuffix(name, "Latency") {
			return "SampleCount"
		}
		return "Sum"
	}, func(found types.Metric, value float64) {
		if value > 0 {
			values[short(found)] += value
		}
	})
	return values
}

// highest returns the maximum of all metrics of a name in the minute that holds at.
func (m *metered) highest(t *testing.T, namespace, name string, at time.Time) (most float64) {
	t.Helper()
	m.each(t, namespace, at, func(string) string { return "Maximum" }, func(found types.Metric, value float64) {
		if *found.MetricName == name {
			most = max(most, value)
		}
	})
	return most
}

// each asks for a statistic of every metric that has a point in the minute.
func (m *metered) each(t *testing.T, namespace string, at time.Time, statistic func(name string) string, yield func(types.Metric, float64)) {
	t.Helper()
	start := at.Truncate(time.Minute)
	list, err := m.client.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: &namespace})
	if err != nil || len(list.Metrics) == 0 {
		t.Fatalf("got %d metrics of %s, %v, want some", len(list.Metrics), namespace, err)
	}
	in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: sdk.Time(start.Add(time.Minute))}
	for i, found := range list.Metrics {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id:         sdk.String("m" + strconv.Itoa(i)),
			MetricStat: &types.MetricStat{Metric: &found, Period: sdk.Int32(60), Stat: sdk.String(statistic(*found.MetricName))},
		})
	}
	answer, err := m.client.GetMetricData(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.MetricDataResults {
		if i, _ := strconv.Atoi((*r.Id)[1:]); len(r.Values) > 0 {
			yield(list.Metrics[i], r.Values[0])
		}
	}
}

// short names a metric by its table or index, operation, and itself.
func short(m types.Metric) string {
	name := map[string]string{
		"ConsumedReadCapacityUnits": "read", "ConsumedWriteCapacityUnits": "write", "SuccessfulRequestLatency": "",
		"ReturnedItemCount": "items", "ConditionalCheckFailedRequests": "clashes",
	}
	parts := map[string]string{}
	for _, d := range m.Dimensions {
		parts[*d.Name] = *d.Value
	}
	what, known := name[*m.MetricName]
	if !known {
		what = *m.MetricName
	}
	table := strings.TrimPrefix(parts["TableName"], "open-saves-")
	return strings.Join(strings.Fields(table+" "+strings.TrimSuffix(parts["GlobalSecondaryIndexName"], "IDIndex")+" "+parts["Operation"]+" "+what), " ")
}

// some returns the values of those names, 0 where there is none.
func some(values map[string]float64, names ...string) map[string]float64 {
	picked := map[string]float64{}
	for _, name := range names {
		picked[name] = values[name]
	}
	return picked
}
