package cloudwatch

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"opensaves-soak/exporter/metric"
)

// What ElastiCache publishes
// (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html).
var (
	cacheRows = []row{ // of nodes and of serverless caches
		counts("CacheHits", metric.RedisHits),
		counts("CacheMisses", metric.RedisMisses),
		level("BytesUsedForCache", metric.RedisMemoryUsed, plain, average),
		level("CurrConnections", metric.RedisConnections, plain, average, maximum),
		counts("NewConnections", metric.RedisNewConnections),
		counts("NetworkBytesIn", metric.RedisReceive),
		counts("NetworkBytesOut", metric.RedisTransmit),
		counts("Evictions", metric.RedisEvictions),
		level("CurrItems", metric.RedisItems, plain, average),
		level("SuccessfulReadRequestLatency", metric.RedisLatency, microseconds, "p50", "p90", "p99", average).with("read"),
		level("SuccessfulWriteRequestLatency", metric.RedisLatency, microseconds, "p50", "p90", "p99", average).with("write"),
	}
	nodeRows = []row{
		level("CPUUtilization", metric.RedisCPU, percent, average, maximum),
		level("EngineCPUUtilization", metric.RedisEngineCPU, percent, average, maximum),
		level("DatabaseMemoryUsagePercentage", metric.RedisMemory, percent, average, maximum),
		level("FreeableMemory", metric.RedisFreeable, plain, average),
		level("SwapUsage", metric.RedisSwap, plain, average),
		counts("NetworkBandwidthInAllowanceExceeded", metric.RedisAllowance, "bandwidth_in"),
		counts("NetworkBandwidthOutAllowanceExceeded", metric.RedisAllowance, "bandwidth_out"),
		counts("NetworkPacketsPerSecondAllowanceExceeded", metric.RedisAllowance, "packets_per_second"),
		counts("NetworkConntrackAllowanceExceeded", metric.RedisAllowance, "conntrack"),
		counts("Reclaimed", metric.RedisExpired),
		counts("GetTypeCmds", metric.RedisCommands, "get"),
		counts("SetTypeCmds", metric.RedisCommands, "set"),
	}
	burstableRows = []row{{name: "CPUCreditBalance", into: metric.RedisCredits, stats: []string{minimum}, unit: plain, empty: hold, period: fiveMinute}}
	replicaRows   = []row{level("ReplicationLag", metric.RedisReplicationLag, plain, maximum)}
	serverless    = []row{
		counts("ElastiCacheProcessingUnits", metric.RedisECPU),
		counts("ThrottledCmds", metric.RedisThrottled),
		counts("TotalCmdsCount", metric.RedisAllCommands),
	}
)

const redisNamespace = "AWS/ElastiCache"

// caches is what is known of ElastiCache.
type caches struct {
	Options
	members  map[string][]string // clusters of replication groups
	clusters map[string]*types.CacheCluster
	engines  map[string]string    // of serverless caches
	at       map[string]time.Time // of each cluster
}

func newRedis(o Options) source {
	c := &caches{Options: o, members: map[string][]string{}, clusters: map[string]*types.CacheCluster{}, engines: map[string]string{}, at: map[string]time.Time{}}
	return source{metric.Redis, time.Duration(o.Config.Delay), c.discover}
}

func (c *caches) discover(ctx context.Context, tell looks) plan {
	p := plan{sources: map[string]bool{}}
	offered := true
	tell = func(tell looks) looks {
		return func(name string, err error) {
			offered = offered && err == nil
			tell(name, err)
		}
	}(tell)
	ids := slices.Clone(c.Config.Redis.Clusters)
	for _, group := range c.Config.Redis.ReplicationGroups {
		ids = append(ids, c.membersOf(ctx, group, tell)...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		c.describe(ctx, id, tell)
		c.planNodes(&p, id)
	}
	for _, name := range c.Config.Redis.Serverless {
		c.describeServerless(ctx, name, tell)
		c.planServerless(&p, name)
	}
	p.sources["describe"] = offered
	return p
}

// membersOf returns the clusters of a group: it has no metrics of its own.
func (c *caches) membersOf(ctx context.Context, group string, tell looks) []string {
	out, err := c.Calls.DescribeReplicationGroups(ctx, &elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &group})
	if err == nil && len(out.ReplicationGroups) != 1 {
		err = errors.New("describing replication group " + group + ": got " + strconv.Itoa(len(out.ReplicationGroups)) + ", want one")
	}
	tell("replication_group:"+group, err)
	if err == nil {
		c.members[group] = out.ReplicationGroups[0].MemberClusters
	}
	return c.members[group]
}

func (c *caches) describe(ctx context.Context, id string, tell looks) {
	out, err := c.Calls.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{CacheClusterId: &id, ShowCacheNodeInfo: aws.Bool(true)})
	tell("cluster:"+id, err)
	if err == nil && len(out.CacheClusters) == 1 {
		c.clusters[id], c.at[id] = &out.CacheClusters[0], time.Now()
	}
}

func (c *caches) describeServerless(ctx context.Context, name string, tell looks) {
	out, err := c.Calls.DescribeServerlessCaches(ctx, &elasticache.DescribeServerlessCachesInput{ServerlessCacheName: &name})
	tell("serverless:"+name, err)
	if err == nil && len(out.ServerlessCaches) == 1 {
		c.engines[name] = aws.ToString(out.ServerlessCaches[0].Engine)
	}
}

// onlyNode is the node of a cluster of Redis or Valkey that was not described:
// such clusters have one.
const onlyNode = "0001"

// planNodes adds a cluster of nodes.
func (c *caches) planNodes(p *plan, id string) {
	known, nodes, kind := c.clusters[id], []string{onlyNode}, ""
	if known != nil {
		nodes, kind = nil, aws.ToString(known.CacheNodeType)
		for _, n := range known.CacheNodes {
			nodes = append(nodes, aws.ToString(n.CacheNodeId))
		}
		p.billed.caches = append(p.billed.caches, cache{name: id, engine: aws.ToString(known.Engine), nodeType: kind, nodes: len(nodes)})
	}
	for _, node := range nodes {
		labels := []string{c.Connect.Region, id, node}
		at := target{redisNamespace, []dimension{{"CacheClusterId", id}, {"CacheNodeId", node}}, labels}
		p.addCache(at)
		p.queries = append(p.queries, at.queries(nodeRows)...)
		if known == nil || burstable(kind) {
			p.queries = append(p.queries, at.queries(burstableRows)...)
		}
		if known != nil && aws.ToString(known.ReplicationGroupId) != "" {
			p.queries = append(p.queries, at.queries(replicaRows)...)
		}
		if n, ok := vCPUs(kind); ok {
			p.facts = append(p.facts, fact{metric.RedisVCPUs, labels, n, c.at[id]})
		}
	}
}

func (c *caches) planServerless(p *plan, name string) {
	at := target{redisNamespace, []dimension{{"clusterId", name}}, []string{c.Connect.Region, name, ""}}
	p.addCache(at)
	p.queries = append(p.queries, at.queries(serverless)...)
	p.billed.caches = append(p.billed.caches, cache{name: name, engine: c.engines[name], serverless: true})
}

// addCache adds what all caches have, and the share of hits.
func (p *plan) addCache(at target) {
	queries := at.queries(cacheRows)
	p.queries = append(p.queries, queries...)
	p.ratios = append(p.ratios, ratio{metric.RedisHitRatio, at.labels, queries[0].key(), queries[1].key()})
}

// burstable says whether nodes of a type have CPU credits.
func burstable(kind string) bool {
	kind = strings.TrimPrefix(kind, "cache.")
	return len(kind) > 1 && kind[0] == 't' && '0' <= kind[1] && kind[1] <= '9'
}

// vCPUs is how many a type has, by the rule that its name follows: two up to
// large, four times the number before "xlarge" beyond
// (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html).
// The rule does not hold for generations before t3, m4 and r4.
func vCPUs(kind string) (float64, bool) {
	parts := strings.Split(kind, ".")
	if len(parts) != 3 || slices.Contains([]string{"t1", "t2", "m1", "m2", "m3", "c1", "r3"}, parts[1]) {
		return 0, false
	}
	size := parts[2]
	if slices.Contains([]string{"micro", "small", "medium", "large"}, size) {
		if parts[1][0] != 't' && size == "medium" {
			return 1, true
		}
		return 2, true
	}
	times, ok := strings.CutSuffix(size, "xlarge")
	if !ok {
		return 0, false
	}
	if times == "" {
		return 4, true
	}
	n, err := strconv.Atoi(times)
	return float64(4 * n), err == nil
}
