package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

func TestAdviceCarriesItsArithmetic(t *testing.T) {
	b := ladder(t)
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := []Advice{
		{
			"dynamodb", "Provision DynamoDB's capacity, with auto scaling at 70 %: even one that stays as it is here is cheaper, if the load of a whole day is on average over 41 % of this level's.",
			"At 200 requests a second the tables consume 100 read and 40 write units a second. On demand: (100 × 1.25e-07 + 40 × 6.25e-07) USD × 3600 = 0.135 USD an hour. " +
				"Provisioned: (100 × 0.00013 + 40 × 0.00065) USD ÷ 0.7 = 0.05571 USD an hour.",
		},
		{
			"redis", "Give Redis 5.6 times as many shards as now (cluster mode), rounded up, or nodes that are as much faster.",
			"The CPU of the busiest host with up to two vCPUs is used to 10 % at 200 requests a second, in proportion to 250 % at 5000; up to 45 % it is not saturated. 250 % ÷ 45 % = 5.56.",
		},
	}
	if diff := cmp.Diff(want, got.Advice); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// showing is a level at which components showed this.
func showing(rps Figure, readings ...Reading) Measured {
	return Measured{RPS: rps, Achieved: rps, Components: readings}
}

func redis(name string, unit Unit, mean, limit Figure) Reading {
	return Reading{metric.Redis.String(), name, unit, mean, mean, limit, mean > limit}
}

func eks(name string, unit Unit, mean Figure) Reading {
	return Reading{metric.EKS.String(), name, unit, mean, mean, none, false}
}

func dynamoDB(name string, mean Figure) Reading {
	return Reading{metric.DynamoDB.String(), name, UnitsASecond, mean, mean, none, false}
}

func TestShardsAreAdvisedAsAMultipleOfThoseThereAre(t *testing.T) {
	for share, want := range map[Figure]string{
		0.2:  "Give Redis 2.3 times as many shards as now (cluster mode), rounded up, or nodes that are as much faster.",
		0.18: "Give Redis 2.0 times as many shards as now (cluster mode), rounded up, or nodes that are as much faster.",
		0.09: "Keep Redis's nodes: their CPU carries 5000 requests a second.",
	} {
		if got := cache(showing(1000, redis(hostCPU, Share, share, 0.45))); len(got) != 1 || got[0].Do != want {
			t.Errorf("%v: got %+v, want %q", share, got, want)
		}
	}
}

func TestTheCPUOfRedisThatIsNearestToItsLimitCounts(t *testing.T) {
	want := []Advice{{
		"redis", "Give Redis 4.4 times as many shards as now (cluster mode), rounded up, or nodes that are as much faster.",
		"The CPU of the busiest engine thread is used to 70 % at 1000 requests a second, in proportion to 350 % at 5000; up to 80 % it is not saturated. 350 % ÷ 80 % = 4.38.",
	}}
	got := cache(showing(1000, redis(hostCPU, Share, 0.05, 0.45), redis(engineCPU, Share, 0.7, 0.8)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestWhatRedisLacksBesidesCPUIsAdvised(t *testing.T) {
	want := []Advice{
		{
			"redis", "Give Redis more memory: larger nodes, or more shards (cluster mode).",
			"At 1000 requests a second: memory of the fullest node 95 % (limit: 80 %). At least 95 % ÷ 80 % = 1.19 times as much is needed. It does not grow with the rate, but with what is stored.",
		},
		{
			"redis", "Give Redis more memory until no key is evicted: larger nodes, or more shards (cluster mode).",
			"At 1000 requests a second: keys evicted 40 a second (limit: 0 a second). Nothing tells how much is missing: it does not grow with the rate, but with what is stored.",
		},
		{
			"redis", "Give Redis nodes with more network, or more shards (cluster mode).",
			"At 1000 requests a second: packets over the network allowance 12 a second (limit: 0 a second). Packets over the allowance were held up or dropped.",
		},
	}
	got := cache(showing(1000,
		redis(hostCPU, Share, 0.05, 0.45), redis(cacheFull, Share, 0.95, 0.8),
		redis("keys evicted", PerSecond, 40, 0), redis("packets over the network allowance", PerSecond, 12, 0),
	))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestNodesOfRedisAreNotKeptWhereAnyReadingIsOverItsLimit(t *testing.T) {
	for _, s := range (Prometheus{}).redisSignals() {
		if math.IsNaN(s.limit) {
			continue
		}
		limit := Figure(s.limit)
		for _, rps := range []Figure{1000, 2 * goal} { // in proportion, a level above the goal is under its limit there
			over := showing(rps, redis(hostCPU, Share, 0.01, 0.45), redis(s.name, s.unit, limit+0.1, limit))
			if s.name == hostCPU {
				over.Components = over.Components[1:]
			}
			if got := cache(over); len(got) != 1 || strings.HasPrefix(got[0].Do, "Keep") {
				t.Errorf("%s at %v: got %+v, want one thing to change", s.name, rps, got)
			}
		}
	}
}

func TestEvictionsInPrometheusKeepNoNodes(t *testing.T) {
	b := ladder(t)
	b.more()
	b.gauge("opensaves_redis_evictions_per_second", `,region="us-east-1",cache_cluster="c",cache_node="1"`, minutely, 0, constantly(40))
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := "At 200 requests a second: keys evicted 40 a second (limit: 0 a second). Nothing tells how much is missing: it does not grow with the rate, but with what is stored."
	if len(got.Advice) != 3 || got.Advice[1].Arithmetic != want {
		t.Errorf("got %+v, want the second of three to say %q", got.Advice, want)
	}
}

func TestAdviceIsMadeOfValidLevelsAndTellsThatObjectivesWereMissed(t *testing.T) {
	cpu := redis(hostCPU, Share, 0.03, 0.45)
	invalid, missed := showing(100, cpu), showing(1000, cpu)
	invalid.Invalid, missed.Missed = "The tester was late.", []string{"availability"}
	if got := recommend(&Report{Highest: none, Levels: []Measured{invalid}}, nil); got != nil {
		t.Errorf("got %+v from an invalid level, want none", got)
	}
	want := []Advice{{
		"redis", "Keep Redis's nodes: their CPU carries 5000 requests a second.",
		"The CPU of the busiest host with up to two vCPUs is used to 3 % at 1000 requests a second, in proportion to 15 % at 5000; up to 45 % it is not saturated. Objectives were missed at this level.",
	}}
	if diff := cmp.Diff(want, recommend(&Report{Highest: none, Levels: []Measured{invalid, missed}}, nil)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAdviceOnPodsAndNodesShowsTheNumbersThatItIsMadeOf(t *testing.T) {
	r := &Report{Highest: 200, Levels: []Measured{showing(200, eks(podsReady, Count, 3), eks(busiestPod, Share, 0.1), eks(nodeCount, Count, 3), eks(nodeCPU, Share, 0.28))}}
	want := []Advice{
		{
			"eks", "Let the autoscaler keep 2 to 16 pods at 60 % of their CPU limit (it counts in requests: limit ÷ request × 60 %).",
			"The busiest of 3 pods uses 10 % of its CPU limit at 200 requests a second: 3 × 0.1 ÷ 0.6 = 0.5 are needed there. In proportion 5000 a second need × 5000 ÷ 200 = 12.5. At least 2, at most a quarter more, rounded up.",
		},
		{
			"eks", "Let the cluster have 2 to 30 nodes of this type, and more if the pods' requests do not fit.",
			"The busiest of 3 nodes uses 28 % of its CPU at 200 requests a second: 3 × 0.28 ÷ 0.7 = 1.2 are needed there. In proportion 5000 a second need × 5000 ÷ 200 = 30. At least 2, rounded up.",
		},
	}
	if diff := cmp.Diff(want, recommend(r, nil)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAdviceOnDynamoDBAssumesNothingOfItsCapacityMode(t *testing.T) {
	prices := map[string]float64{"dynamodb_read_unit": 1e-9, "dynamodb_write_unit": 1e-9, "dynamodb_read_capacity_hour": 1, "dynamodb_write_capacity_hour": 1}
	got, _ := capacity(showing(100, dynamoDB(readUnits, 50), dynamoDB(writeUnits, 20)), prices)
	want := Advice{
		"dynamodb", "Have DynamoDB on demand.",
		"At 100 requests a second the tables consume 50 read and 20 write units a second. On demand: (50 × 1e-09 + 20 × 1e-09) USD × 3600 = 0.000252 USD an hour. " +
			"Provisioned: (50 × 1 + 20 × 1) USD ÷ 0.7 = 100 USD an hour.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestBlobsAreHeldAgainstWhatTheirP99Misses(t *testing.T) {
	within := func(threshold time.Duration, ratio float64) alerts.Latency {
		return alerts.Latency{Class: metric.SmallBlob.String(), Threshold: model.Duration(threshold), Ratio: ratio}
	}
	size := metric.Upto64KiB.String()
	level := Measured{Blobs: answers{"blobs": {size: 2}, "blob mean": {size: 0.4}, "blob p99": {size: 0.9}}.blobs(alerts.Objectives{
		Latency: []alerts.Latency{within(time.Second, 0.99), within(800*time.Millisecond, 0.999), within(100*time.Millisecond, 0.95)},
	})}
	want := []Advice{{
		"s3", "Make blobs of the size 64KiB smaller, or let clients fetch them from S3 by signed addresses.",
		"Their p99 is 900 ms at 2 a second of them, 800 ms is the objective of their class; on average they take 400 ms.",
	}}
	if diff := cmp.Diff(want, blobs(level)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
