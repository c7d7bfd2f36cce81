package cloudwatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

func TestValuesBecomeBaseUnits(t *testing.T) {
	simulate(t, only(metric.Redis, metric.S3), func(r *rig) {
		r.cloud.Put(ofNode("CPUUtilization"), r.start, one(45), one(55))
		r.cloud.Put(ofNode("SuccessfulReadRequestLatency"), r.start, one(250)) // microseconds
		r.cloud.Put(ofNode("CacheHits"), r.start, aws.Value{Value: 90, Count: 1})
		r.cloud.Put(ofNode("CacheMisses"), r.start, aws.Value{Value: 30, Count: 1})
		r.cloud.Put(ofBucket("FirstByteLatency", "FilterId", "EntireBucket"), r.start, one(20)) // milliseconds
		r.cloud.Put(ofBucket("5xxErrors", "FilterId", "EntireBucket"), r.start, one(1), aws.Value{Value: 0, Count: 3})
		r.run()
		r.until(6*time.Minute + 10*time.Second)
		node := "cache_cluster=open-saves-cache,cache_node=0001"
		bucket := "bucket=open-saves-blobs-123456789012,"
		got := map[string]map[string]float64{
			"cpu": r.shown(metric.RedisCPU), "hits": r.shown(metric.RedisHitRatio), "vcpus": r.shown(metric.RedisVCPUs),
			"errors": r.shown(metric.S3ErrorRatio),
		}
		want := map[string]map[string]float64{
			"cpu": {node + ",stat=avg": 0.5, node + ",stat=max": 0.55}, "hits": {node: 0.75}, "vcpus": {node: 2},
			"errors": {bucket + "class=5xx,filter_id=EntireBucket": 0.25},
		}
		if diff := cmp.Diff(want, got, nearly1e9()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if got := r.shown(metric.RedisLatency)["access=read,"+node+",stat=p99"]; !cmp.Equal(got, 250e-6, nearly1e9()) {
			t.Errorf("got a latency of %v s, want 250 µs", got)
		}
		if got := r.shown(metric.S3FirstByte)[bucket+"filter_id=EntireBucket,stat=avg"]; !cmp.Equal(got, 0.02, nearly1e9()) {
			t.Errorf("got a latency of %v s, want 20 ms", got)
		}
	})
}

func TestAReplicationGroupIsAskedByItsMembersAndAServerlessCacheByItsName(t *testing.T) {
	simulate(t, func(c *Config) {
		only()(c)
		c.Redis = RedisConfig{ReplicationGroups: []string{"saves"}, Serverless: []string{"burst"}}
	}, func(r *rig) {
		r.cloud.Update(func(a *aws.Account) {
			a.CacheClusters = []aws.CacheCluster{
				{ID: "saves-001", Engine: "valkey", NodeType: "cache.m7g.2xlarge", ReplicationGroup: "saves", Nodes: []string{"0001"}},
				{ID: "saves-002", Engine: "valkey", NodeType: "cache.m7g.2xlarge", ReplicationGroup: "saves", Nodes: []string{"0001"}},
			}
			a.ReplicationGroups = []aws.ReplicationGroup{{ID: "saves", Members: []string{"saves-001", "saves-002"}}}
			a.ServerlessCaches = []aws.ServerlessCache{{Name: "burst", Engine: "valkey"}}
		})
		dims := map[string]string{"CacheClusterId": "saves-002", "CacheNodeId": "0001"}
		r.cloud.Put(aws.Metric{Namespace: redisNamespace, Name: "ReplicationLag", Dimensions: dims}, r.start, one(0.5))
		r.cloud.Put(aws.Metric{Namespace: redisNamespace, Name: "ElastiCacheProcessingUnits", Dimensions: map[string]string{"clusterId": "burst"}}, r.start, one(600))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		got := map[string]map[string]float64{
			"lag": r.shown(metric.RedisReplicationLag), "units": r.shown(metric.RedisECPU), "vcpus": r.shown(metric.RedisVCPUs),
		}
		want := map[string]map[string]float64{
			"lag":   {"cache_cluster=saves-002,cache_node=0001": 0.5},
			"units": {"cache_cluster=burst,cache_node=": 10},
			"vcpus": {"cache_cluster=saves-001,cache_node=0001": 8, "cache_cluster=saves-002,cache_node=0001": 8},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestTypesOfNodesHaveTheVCPUsThatTheirNamesSay(t *testing.T) {
	for kind, want := range map[string]float64{
		"cache.t4g.small": 2, "cache.m7g.large": 2, "cache.r7g.xlarge": 4, "cache.r7g.16xlarge": 64, "cache.t2.micro": 0, "cache.x": 0, "": 0, "cache.r7g.metal": 0,
	} {
		if got, _ := vCPUs(kind); got != want {
			t.Errorf("%q: got %v, want %v", kind, got, want)
		}
	}
}

func TestACacheThatHitsAlwaysHasARatioOfOne(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		for i := range 30 {
			r.cloud.Put(ofNode("CacheHits"), r.start.Add(time.Duration(i)*time.Minute), one(60))
		}
		r.run()
		r.until(20 * time.Minute)
		want := map[string]float64{"cache_cluster=open-saves-cache,cache_node=0001": 1}
		if diff := cmp.Diff(want, r.shown(metric.RedisHitRatio)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}
