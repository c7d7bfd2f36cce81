package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

// history reads minutes from the start, and returns the series of a metric: values
// by the minute that they end with, by the labels but the region.
func (r *rig) history(from, to int) func(metric.Definition) map[string]map[int]float64 {
	r.t.Helper()
	found, err := r.exporter.History(r.t.Context(), r.start.Add(time.Duration(from)*time.Minute), r.start.Add(time.Duration(to)*time.Minute))
	if err != nil {
		r.t.Fatal(err)
	}
	return func(d metric.Definition) map[string]map[int]float64 {
		series := map[string]map[int]float64{}
		for _, s := range found {
			if s.Definition.Name == d.Name {
				series[strings.Join(s.Labels[1:], ",")] = r.byMinute(s.Points)
			}
		}
		return series
	}
}

func (r *rig) byMinute(points []Point) map[int]float64 {
	values := map[int]float64{}
	for _, p := range points {
		values[int(p.End.Sub(r.start)/time.Minute)] = p.Value
	}
	if len(values) != len(points) {
		r.t.Errorf("got %d points of %d minutes, want one each", len(points), len(values))
	}
	return values
}

// puts puts a value a minute, from a minute on.
func (r *rig) puts(m aws.Metric, from int, values ...float64) {
	for i, value := range values {
		r.cloud.Put(m, r.start.Add(time.Duration(from+i)*time.Minute), one(value))
	}
}

const (
	cacheNode = "open-saves-cache,0001"
	oneHour   = 60 // minutes
)

func TestTheHistoryHasTheValuesOfTheWindowInBaseUnits(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		r.puts(ofNode("CPUUtilization"), 0, 10, 20, 30, 40)
		r.until(oneHour * time.Minute)
		found, err := r.exporter.History(r.t.Context(), r.start.Add(time.Minute+59*time.Second), r.start.Add(3*time.Minute+59*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		second, third := r.start.Add(2*time.Minute), r.start.Add(3*time.Minute)
		want := []Series{
			{metric.RedisCPU, []string{"us-east-1", "open-saves-cache", "0001", "avg"}, []Point{{second, 0.2}, {third, 0.3}}},
			{metric.RedisCPU, []string{"us-east-1", "open-saves-cache", "0001", "max"}, []Point{{second, 0.2}, {third, 0.3}}},
		}
		found = slices.DeleteFunc(found, func(s Series) bool {
			return s.Definition.Name != metric.RedisCPU.Name && s.Definition.Name != metric.RedisVCPUs.Name // a fact of today
		})
		if diff := cmp.Diff(want, found, nearly1e9()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestInTheHistoryNoEventsAreZeroAndNoLatencyIsAbsent(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.puts(ofTable("ConsumedReadCapacityUnits", stores), 1, 60)
		r.puts(ofTable("SuccessfulRequestLatency", stores, "Operation", "GetItem"), 2, 4)
		r.until(oneHour * time.Minute)
		got := r.history(0, 4)
		for what, c := range map[string]struct{ got, want map[int]float64 }{
			"units":     {got(metric.DynamoDBReadUnits)[stores+",stores,"], map[int]float64{1: 0, 2: 1, 3: 0, 4: 0}},
			"throttles": {got(metric.DynamoDBThrottleEvents)[stores+",stores,,read"], map[int]float64{1: 0, 2: 0, 3: 0, 4: 0}},
			"latency":   {got(metric.DynamoDBLatency)[stores+",stores,GetItem,p99"], map[int]float64{3: 0.004}},
			"silent":    {got(metric.DynamoDBLatency)[stores+",stores,PutItem,p99"], nil},
			"counter":   {got(metric.DynamoDBReadUnitsTotal)[stores+",stores,"], nil},
		} {
			if diff := cmp.Diff(c.want, c.got, nearly1e9()); diff != "" {
				t.Errorf("%s: wanted -, got +\n%s", what, diff)
			}
		}
	})
}

func TestInTheHistoryAnAnswerThatIsNotCompleteIsNotFilled(t *testing.T) {
	for status, want := range map[string]map[int]float64{"PartialData": {1: 1}, "InternalError": nil, "Forbidden": nil} {
		simulate(t, only(metric.DynamoDB), func(r *rig) {
			reads := ofTable("ConsumedReadCapacityUnits", stores)
			r.puts(reads, 0, 60)
			r.cloud.Answer(reads, status, "")
			r.until(oneHour * time.Minute)
			if diff := cmp.Diff(want, r.history(0, 3)(metric.DynamoDBReadUnits)[stores+",stores,"]); diff != "" {
				t.Errorf("%s: wanted -, got +\n%s", status, diff)
			}
		})
	}
}

func TestTheHistoryEndsWithWhatHasSettled(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.puts(ofTable("ConsumedReadCapacityUnits", stores), 0, 60, 60, 60, 60, 60, 60, 60, 60)
		r.until(7*time.Minute + 30*time.Second) // the first four have settled
		got := r.history(2, oneHour)
		if diff := cmp.Diff(map[int]float64{3: 1, 4: 1}, got(metric.DynamoDBReadUnits)[stores+",stores,"]); diff != "" {
			t.Errorf("values: wanted -, got +\n%s", diff)
		}
		if diff := cmp.Diff(map[int]float64{3: 0, 4: 0}, got(metric.DynamoDBWriteUnits)[stores+",stores,"]); diff != "" {
			t.Errorf("zeros: wanted -, got +\n%s", diff)
		}
	})
}

func TestInTheHistoryWhatIsMeasuredSeldomHolds(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		r.puts(ofNode("CPUCreditBalance"), 5, 100)
		r.puts(ofNode("CPUCreditBalance"), 15, 80)
		r.until(oneHour * time.Minute)
		want := map[int]float64{10: 100, 15: 100, 20: 80, 25: 80}
		if diff := cmp.Diff(want, r.history(3, 29)(metric.RedisCredits)[cacheNode]); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestTheHistoryHasRatiosByTheMinute(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		r.puts(ofNode("CacheHits"), 0, 90, 60)
		r.puts(ofNode("CacheMisses"), 0, 30)
		r.puts(ofNode("CacheMisses"), 3, 30)
		r.until(oneHour * time.Minute)
		got := r.history(0, 4)
		if diff := cmp.Diff(map[string]map[int]float64{cacheNode: {1: 0.75, 2: 1, 4: 0}}, got(metric.RedisHitRatio)); diff != "" {
			t.Errorf("hits: wanted -, got +\n%s", diff)
		}
	})
}

func TestTheHistoryHasTheLastValueOfARevisedPoint(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		writes := ofTable("ConsumedWriteCapacityUnits", stores)
		r.puts(writes, 0, 60)
		r.run()
		r.until(10 * time.Minute)
		r.puts(writes, 0, 30) // the sum is now 90
		if diff := cmp.Diff(map[int]float64{1: 1.5}, r.history(0, 1)(metric.DynamoDBWriteUnits)[stores+",stores,"]); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

// asked notes the queries of each call of GetMetricData and the points it asks for,
// and sees to it that no query is there twice.
func (r *rig) asked() *[][2]int {
	calls := &[][2]int{}
	get := r.exporter.options.Calls.GetMetricData
	r.exporter.options.Calls.GetMetricData = func(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
		points, seen := 0, map[string]bool{}
		for _, q := range in.MetricDataQueries {
			text, err := json.Marshal(q.MetricStat)
			if err != nil || seen[string(text)] {
				r.t.Errorf("got %s asked for once more, with %v", text, err)
			}
			seen[string(text)] = true
			points += int(in.EndTime.Sub(*in.StartTime).Seconds()) / int(*q.MetricStat.Period)
		}
		*calls = append(*calls, [2]int{len(in.MetricDataQueries), points})
		return get(ctx, in, o...)
	}
	return calls
}

func TestAHistoryOfMoreThan500QueriesTakesSeveralCalls(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		want := map[string]map[int]float64{}
		for i := range 60 { // more than cloudwatch.max_pods
			name := fmt.Sprintf("pod-%02d", i)
			r.pod(name, 0, 10)
			for _, stat := range []string{"avg", "max"} {
				want["open-saves-cluster,open-saves,open-saves,"+name+","+stat] = map[int]float64{5: 0.1, 6: 0.1}
			}
		}
		r.until(oneHour * time.Minute)
		calls := r.asked()
		if diff := cmp.Diff(want, r.history(4, 6)(metric.EKSPodCPU), nearly1e9()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		most := slices.MaxFunc(*calls, func(a, b [2]int) int { return a[0] - b[0] })
		if len(*calls) != 4 || most[0] != maxQueries {
			t.Errorf("got calls of %v queries and points, want three for minutes and one for five, of at most 500 queries", *calls)
		}
	})
}

func TestAHistoryOfTwoWeeksAndMoreIsReadInCallsOfOnePage(t *testing.T) {
	simulate(t, only(metric.S3), func(r *rig) {
		const all, piece = 15*24*oneHour - 20, 14 * 24 * oneHour // minutes
		reads := ofBucket("BytesDownloaded", "FilterId", "EntireBucket")
		r.puts(reads, piece-1, 60, 120) // on both sides of the seam
		r.until((all + 20) * time.Minute)
		calls := r.asked()
		got := r.history(0, all)(metric.S3Bytes)["open-saves-blobs-123456789012,EntireBucket,download"]
		total := 0.0
		for _, value := range got {
			total += value
		}
		if len(got) != all || got[piece] != 1 || got[piece+1] != 2 || total != 3 {
			t.Errorf("got %d minutes of %v bytes, with %v and %v at the seam, want %d of 3, with 1 and 2", len(got), total, got[piece], got[piece+1], all)
		}
		if most := slices.MaxFunc(*calls, func(a, b [2]int) int { return a[1] - b[1] }); most[1] != maxPoints {
			t.Errorf("got a call of %d points, want none above %d", most[1], maxPoints)
		}
	})
}

func TestAHistoryOfTimesThatCloudWatchDoesNotHaveIsRefused(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		day := func(n int) time.Time { return r.start.Add(time.Duration(n) * daily) }
		r.until(20 * daily)
		for _, c := range []struct {
			start, end time.Time
			want       string
		}{
			{day(4), day(6), "got a start at 2000-01-05T00:00:00Z, want none before 2000-01-06T00:00:00Z: CloudWatch keeps minutes for 15 days"},
			{day(7), day(6), "got the time from 2000-01-08T00:00:00Z to 2000-01-07T00:00:00Z, want a whole minute that is over"},
			{day(7), day(7).Add(59 * time.Second), "got the time from 2000-01-08T00:00:00Z to 2000-01-08T00:00:59Z, want a whole minute that is over"},
			{day(21), day(22), "got the time from 2000-01-22T00:00:00Z to 2000-01-23T00:00:00Z, want a whole minute that is over"},
		} {
			_, err := r.exporter.History(r.t.Context(), c.start, c.end)
			if want := "reading the history of AWS: " + c.want; err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		if calls := r.cloud.Calls(); len(calls) != 0 {
			t.Errorf("got the calls %v, want none", calls)
		}
	})
}

func TestACallThatFailsIsAnErrorWithTheNameOfTheComponent(t *testing.T) {
	for name, c := range map[string]struct {
		component metric.Component
		fail      string
		failure   aws.Failure
		want      string
	}{
		"credentials that are refused": {metric.Redis, "*", aws.Failure{Status: 403, Code: "UnrecognizedClientException"}, "reading the history of redis: looking for cluster:open-saves-cache: "},
		"a role that is refused":       {metric.EKS, "AssumeRole", aws.Failure{Status: 403, Code: "AccessDenied"}, "reading the history of eks: looking for container_insights: "},
		"metric data that are denied":  {metric.DynamoDB, "GetMetricData", aws.Failure{Status: 400, Code: "AccessDeniedException"}, "reading the history of dynamodb: operation error CloudWatch: GetMetricData"},
		"metric data that do not come": {metric.S3, "GetMetricData", aws.Failure{Hang: true}, "reading the history of s3: operation error CloudWatch: GetMetricData"},
		"a look that fails":            {metric.DynamoDB, "DescribeTable", aws.Failure{Status: 503}, "reading the history of dynamodb: looking for describe_table:metadata: "},
	} {
		simulate(t, func(config *Config) {
			only(c.component)(config)
			config.RoleARN = "arn:aws:iam::123456789012:role/soak"
		}, func(r *rig) {
			r.cloud.Fail(c.fail, &c.failure)
			r.until(oneHour * time.Minute)
			found, err := r.exporter.History(r.t.Context(), r.start, r.start.Add(5*time.Minute))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || found != nil {
				t.Errorf("%s: got %d series and %v, want %s…", name, len(found), err, c.want)
			}
		})
	}
}

func TestWhatIsForbiddenOrGoneIsLeftOutOfTheHistory(t *testing.T) {
	simulate(t, only(metric.DynamoDB, metric.S3, metric.Redis), func(r *rig) {
		for _, row := range slices.Concat(cacheRows, nodeRows, burstableRows) {
			r.puts(ofNode(row.name), 0, 1)
			r.cloud.Answer(ofNode(row.name), "Forbidden", "")
		}
		r.cloud.Fail("DescribeCacheClusters", &aws.Failure{Status: 403, Code: "AccessDenied"})
		r.cloud.Update(func(a *aws.Account) { a.Tables, a.Buckets = a.Tables[1:], nil }) // without stores
		r.puts(ofTable("ConsumedReadCapacityUnits", stores), 0, 60)
		r.until(oneHour * time.Minute)
		found, err := r.exporter.History(r.t.Context(), r.start, r.start.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]bool{}
		for _, s := range found {
			of[strings.SplitAfter(s.Definition.Name, "_")[1]] = true
		}
		if diff := cmp.Diff([]string{"dynamodb_"}, slices.Sorted(maps.Keys(of))); diff != "" {
			t.Errorf("components: wanted -, got +\n%s", diff)
		}
		got := r.history(0, 1)
		if diff := cmp.Diff(map[int]float64{1: 1}, got(metric.DynamoDBReadUnits)[stores+",stores,"]); diff != "" {
			t.Errorf("units of a table that is gone: wanted -, got +\n%s", diff)
		}
		if _, sized := got(metric.DynamoDBTableSize)[stores+",stores,"]; sized {
			t.Error("got the size of a table that is gone")
		}
		if n := r.log.count("AWS does not answer"); n != 6 {
			t.Errorf("got %d lines in the log, want one for each of the three looks of both readings", n)
		}
	})
}

func TestTheHistoryHasEachGaugeOfAMinuteOrFiveOnce(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		dims := map[string]string{"ClusterName": "open-saves-cluster", "InstanceId": "i-1", "NodeName": "node-1"}
		for _, more := range []string{"", "Zone"} { // a node that is listed twice
			if more != "" {
				dims[more] = "a"
			}
			r.puts(aws.Metric{Namespace: insights, Name: "node_cpu_utilization", Dimensions: dims}, 0, 10)
		}
		r.pod("open-saves-1", 0, 1)
		r.puts(ofBucket("NumberOfObjects", "StorageType", "AllStorageTypes"), 0, 7)
		r.until(oneHour * time.Minute)
		r.asked()
		found, err := r.exporter.History(r.t.Context(), r.start, r.start.Add(5*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		times, kinds := map[string]int{}, map[string]bool{}
		for _, s := range found {
			times[s.Definition.Name+strings.Join(s.Labels, ",")]++
			kinds[s.Definition.Type] = true
		}
		if len(times) != len(found) || times[metric.EKSNodeCPU.Name+"us-east-1,open-saves-cluster,node-1,avg"] != 1 {
			t.Errorf("got %d series of %d names, want each once, and one of the node", len(found), len(times))
		}
		if times[metric.S3BucketObjects.Name+"us-east-1,open-saves-blobs-123456789012"] != 0 || !cmp.Equal(kinds, map[string]bool{"gauge": true}) {
			t.Errorf("got metrics of a day or of the types %v, want gauges of a minute or five", kinds)
		}
	})
}

func TestPointsOutsideTheWindowAreNotTakenIntoTheHistory(t *testing.T) {
	w := window{time.Unix(120, 0).UTC(), time.Unix(240, 0).UTC()}
	p := newPast(latencies(1)[0], w)
	p.take(answer{types.StatusCodeComplete, []point{pointAt(1, 1), pointAt(2, 2), pointAt(4, 4)}}, w)
	got := points(w, minutely, func(i int) float64 { return p.values[i] })
	if diff := cmp.Diff([]Point{{time.Unix(180, 0).UTC(), 2}}, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAHistoryLeavesThePollersAsTheyAre(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		r.readsOfAll()
		r.run()
		r.until(10*time.Minute + 30*time.Second)
		before, published := r.shown(metric.CloudWatchSeries), r.exporter.pollers[0].published.Load()
		r.history(0, 5)
		synctest.Wait()
		if diff := cmp.Diff(before, r.shown(metric.CloudWatchSeries)); diff != "" || published != r.exporter.pollers[0].published.Load() {
			t.Errorf("series: wanted -, got +\n%s", diff)
		}
		billed, noted := 0.0, 0.0
		for _, n := range r.cloud.Billed() {
			billed += float64(n)
		}
		for _, n := range r.shown(metric.CloudWatchBilled) {
			noted += n
		}
		if billed != noted {
			t.Errorf("got %v metrics noted as billed, want %v", noted, billed)
		}
	})
}
