package cloudwatch

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

// insightsOf lets Container Insights report a workload with pods.
func (r *rig) insightsOf(names ...string) {
	of := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "open-saves", "PodName": "open-saves"}
	for i := range 60 {
		r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: of}, r.start.Add(time.Duration(i-5)*time.Minute), one(10))
		for _, name := range names {
			dims := maps.Clone(of)
			dims["FullPodName"] = name
			r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: dims}, r.start.Add(time.Duration(i-5)*time.Minute), one(10))
		}
	}
}

// Two pods and the stock tables with reasons take 8,988 billed metrics an hour;
// 7,428 where of pods only the CPU is left, 5,028 without reasons, 1,044 read every
// five minutes.
func TestTheCeilingGivesUpPodsThenReasonsThenMinutesThenAll(t *testing.T) {
	for name, c := range map[string]struct {
		usd   float64
		level float64
		asked map[string]int64 // in the second ten minutes
	}{
		"enough for all":             {0.09, whole, map[string]int64{dynamoNamespace: 1090, insights: 400, "AWS/EC2": 8}},
		"too little for pods":        {0.08, noPods, map[string]int64{dynamoNamespace: 1090, insights: 140, "AWS/EC2": 8}},
		"too little for reasons too": {0.06, noReasons, map[string]int64{dynamoNamespace: 690, insights: 140, "AWS/EC2": 8}},
		"too little for each minute": {0.04, slow, map[string]int64{dynamoNamespace: 138, insights: 28, "AWS/EC2": 8}},
		"too little for five":        {0.001, paused, map[string]int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, func(config *Config) {
				only(metric.DynamoDB, metric.EKS)(config)
				config.DynamoDB.ThrottleReasons, config.MaxUSDPerHour = true, c.usd
			}, func(r *rig) {
				r.insightsOf("a", "b")
				r.run()
				r.until(10*time.Minute + 30*time.Second)
				before := r.cloud.Billed()
				r.until(20*time.Minute + 30*time.Second)
				asked := map[string]int64{}
				for namespace, n := range r.cloud.Billed() {
					if n > before[namespace] {
						asked[namespace] = n - before[namespace]
					}
				}
				if diff := cmp.Diff(c.asked, asked); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
				if got := r.shown(metric.CloudWatchDegraded)["reason=cost"]; got != c.level {
					t.Errorf("got level %v, want %v", got, c.level)
				}
			})
		})
	}
}

func TestThePausedHourHasRoomAgainWhenItSlides(t *testing.T) {
	simulate(t, func(config *Config) {
		only(metric.DynamoDB)(config)
		config.MaxUSDPerHour = 0.005 // 500 metrics, seven polls of 69
	}, func(r *rig) {
		r.run()
		r.until(58 * time.Minute)
		if got := r.cloud.Billed()[dynamoNamespace]; got != 7*69 {
			t.Errorf("got %d billed metrics in the first hour, want %d", got, 7*69)
		}
		if got := r.shown(metric.CloudWatchDegraded)["reason=cost"]; got != paused {
			t.Errorf("got level %v, want paused", got)
		}
		r.until(66 * time.Minute)
		if got := r.cloud.Billed()[dynamoNamespace]; got != 9*69 {
			t.Errorf("got %d billed metrics after 66 minutes, want %d: the first two polls have left the hour", got, 9*69)
		}
		if n := r.log.count("Polls pause"); n != 1 {
			t.Errorf("got %d lines of the pause, want one", n)
		}
		if n := r.log.count("costs nearly"); n != 1 {
			t.Errorf("got %d lines of the nearness, want one", n)
		}
	})
}

// What is foretold, what is counted and what AWS bills must be one number.
func TestEstimateCounterAndBillAgree(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		r.insightsOf("a", "b")
		r.run()
		r.until(5*time.Minute + 30*time.Second)
		counted, billed := r.shown(metric.CloudWatchBilled), r.cloud.Billed()
		r.until(65*time.Minute + 30*time.Second)
		for component, namespaces := range map[metric.Component][]string{
			metric.DynamoDB: {dynamoNamespace}, metric.S3: {s3Namespace}, metric.Redis: {redisNamespace}, metric.EKS: {insights, "AWS/EC2"},
		} {
			got := map[string]float64{}
			for _, p := range r.exporter.pollers {
				if p.component == component {
					got["estimate"] = float64(p.told[whole])
				}
			}
			key := "component=" + component.String()
			got["counter"] = r.shown(metric.CloudWatchBilled)[key] - counted[key]
			for _, namespace := range namespaces {
				got["bill"] += float64(r.cloud.Billed()[namespace] - billed[namespace])
			}
			want := map[string]float64{"estimate": got["estimate"], "counter": got["estimate"], "bill": got["estimate"]}
			if diff := cmp.Diff(want, got); diff != "" || got["estimate"] == 0 {
				t.Errorf("%s: wanted -, got +\n%s", component, diff)
			}
		}
	})
}
