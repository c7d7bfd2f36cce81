package aws_test

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/opensaves/sandbox/aws"
)

// direct answers requests without a network, so that time may stand still.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// published is a stock account with a publisher that runs until the test ends.
type published struct {
	*aws.Meter
	cloud  *aws.Cloud
	client *cloudwatch.Client
}

// publish begins at midnight; body runs in a bubble.
func publish(t *testing.T, held aws.Holdings, body func(*testing.T, *published)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cloud := aws.New(aws.Stock("us-east-1"))
		p := &published{Meter: &aws.Meter{}, cloud: cloud}
		p.client = cloudwatch.New(cloudwatch.Options{
			Region: "us-east-1", BaseEndpoint: sdk.String("http://cloud"), HTTPClient: &http.Client{Transport: direct{cloud}},
			Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), Retryer: sdk.NopRetryer{},
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		publisher := aws.NewPublisher(cloud, p.Meter, func() aws.Holdings { return held })
		go func() {
			publisher.Run(ctx)
			close(done)
		}()
		body(t, p)
		stop()
		<-done
	})
}

// all lists the metrics of a namespace, as "name key=value …".
func (p *published) all(t *testing.T, namespace string) (found []types.Metric, names []string) {
	t.Helper()
	pages := cloudwatch.NewListMetricsPaginator(p.client, &cloudwatch.ListMetricsInput{Namespace: &namespace})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, page.Metrics...)
	}
	for _, m := range found {
		name := *m.MetricName
		slices.SortFunc(m.Dimensions, func(a, b types.Dimension) int { return strings.Compare(*a.Name, *b.Name) })
		for _, d := range m.Dimensions {
			name += " " + *d.Name + "=" + *d.Value
		}
		names = append(names, name)
	}
	return found, names
}

// values returns a statistic of all metrics of a namespace over the minute that
// begins then, by what all calls them.
func (p *published) values(t *testing.T, namespace, statistic string, start time.Time) map[string]float64 {
	t.Helper()
	metrics, names := p.all(t, namespace)
	in := &cloudwatch.GetMetricDataInput{StartTime: &start, EndTime: sdk.Time(start.Add(time.Minute))}
	for i, m := range metrics {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{
			Id: sdk.String("m" + strconv.Itoa(i)), MetricStat: &types.MetricStat{Metric: &m, Period: sdk.Int32(60), Stat: &statistic},
		})
	}
	answer, err := p.client.GetMetricData(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, r := range answer.MetricDataResults {
		i, _ := strconv.Atoi((*r.Id)[1:])
		if len(r.Values) > 0 {
			values[names[i]] = math.Round(r.Values[0]*1000) / 1000
		}
	}
	return values
}

// want compares what there is of some metrics.
func want(t *testing.T, got, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}
