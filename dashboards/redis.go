package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// redis shows the target's cache.
func redis() design {
	return design{
		name: "redis", uid: alerts.BoardRedis, title: "ElastiCache Redis",
		description: "What the cache of Open Saves does and how full it is, beside what the tester sees.",
		sections: []section{
			numbers(
				engineNow(), hostNow(), cacheMemoryNow(), hitRatioNow(), evictionsNow(), allowanceNow(),
				connectionsNow(), cacheNetworkNow(), cacheCreditsNow(), p99Now(), ageOf(metric.Redis, alerts.DataAgeSeconds), costOf(metric.Redis),
			),
			graphs("", testerRate(), testerLatency(), redisCPUs(), cacheTimes(), redisMemories(), evictions(),
				hitsAndMisses(), hitRatio(), redisNetwork(), redisConnections()),
			details("Limits", allowances(), cacheCredits(), newConnections(), replicationLag(), cacheLatency(), hostMemory()),
			details("Content and cost", cacheItems(), cacheBytes(), commands(), costsOf(metric.Redis), costsOfMillion(metric.Redis)),
			details("Serverless", ecpu(), serverlessCommands()),
		},
	}
}

const byNode = "cache_cluster, cache_node"

// redisSmall is the CPU of hosts with one or two vCPUs, where the engine is
// saturated when the host is half busy.
func redisSmall(read func(metric.Definition, ...string) string) string {
	return read(metric.RedisCPU, `stat="avg"`) + " and on (" + byNode + ") (" + read(metric.RedisVCPUs) + fmt.Sprintf(" <= %d)", alerts.RedisSmallVCPUs)
}

func engineNow() panel {
	return number(about{"Engine CPU", "CPU of the busiest node's engine thread in use.", units.PercentUnit},
		highest("", awsNow(metric.RedisEngineCPU, `stat="avg"`)), under(alerts.RedisEngineCPU))
}

func hostNow() panel {
	return number(about{"Host CPU", "CPU in use of the busiest host with one or two vCPUs, where the engine is saturated near a half.", units.PercentUnit},
		highest("", redisSmall(awsNow)), under(alerts.RedisHostCPU)).NoValue("larger")
}

func cacheMemoryNow() panel {
	return number(about{"Memory", "Memory of the fullest node as a share of what it may hold.", units.PercentUnit},
		highest("", awsNow(metric.RedisMemory, `stat="avg"`)), under(alerts.RedisMemory))
}

func hitRatioNow() panel {
	return number(about{"Hit ratio", "Share of the reads of keys that the cache had; the REST server never reads its cache.", units.PercentUnit},
		ratio(sum("", awsNow(metric.RedisHits)), sum("", awsNow(metric.RedisHits))+" + "+sum("", awsNow(metric.RedisMisses))), neutral()).NoValue("no reads")
}

func evictionsNow() panel {
	return number(about{"Evictions", "Keys a second that nodes dropped for want of memory.", units.CountsPerSecond},
		sum("", awsNow(metric.RedisEvictions)), under(leastOfAny))
}

func allowanceNow() panel {
	return number(about{"Network allowance", "Packets a second that were held up or dropped because a node's network allowance was exceeded.", units.PacketsPerSecond},
		sum("", awsNow(metric.RedisAllowance)), under(leastOfAny))
}

func connectionsNow() panel {
	return number(about{"Connections", "Connections of clients to all nodes, a few of AWS's own included.", units.Short},
		sum("", awsNow(metric.RedisConnections, `stat="avg"`)), neutral()).Decimals(0)
}

func cacheNetworkNow() panel {
	return number(about{"Network", "Bytes a second that the nodes receive and send.", units.BytesPerSecondSI},
		sum("", awsNow(metric.RedisReceive))+" + "+sum("", awsNow(metric.RedisTransmit)), neutral())
}

func cacheCreditsNow() panel {
	return number(about{"CPU credits", "CPU credits that the poorest burstable node has left.", units.Short},
		"min("+awsNow(metric.RedisCredits)+")", neutral()).NoValue("none")
}

func redisCPUs() panel {
	return line(awsGraph(about{"CPU", "CPU of a node's engine thread, whose limit is the line, and of its host, which saturates near 0.5 where it has two vCPUs.", units.PercentUnit},
		query{highest(byNode, aws(metric.RedisEngineCPU, `stat="avg"`)), "{{cache_cluster}} {{cache_node}} engine"},
		query{highest(byNode, aws(metric.RedisCPU, `stat="avg"`)), "{{cache_cluster}} {{cache_node}} host"}), under(alerts.RedisEngineCPU))
}

func redisMemories() panel {
	return line(awsGraph(about{"Memory by node", "Memory of a node in use, as a share of what it may hold.", units.PercentUnit},
		query{highest(byNode, aws(metric.RedisMemory, `stat="avg"`)), "{{cache_cluster}} {{cache_node}}"}), under(alerts.RedisMemory))
}

func hitsAndMisses() panel {
	return bars(awsGraph(about{"Hits and misses", "Reads of keys that the cache had and had not.", units.OpsPerSecond},
		query{sum("", aws(metric.RedisHits)), "hits"}, query{sum("", aws(metric.RedisMisses)), "misses"}))
}

func hitRatio() panel {
	return awsGraph(about{"Hit ratio by node", "Share of the reads of keys that a node had.", units.PercentUnit},
		query{highest(byNode, aws(metric.RedisHitRatio)), "{{cache_cluster}} {{cache_node}}"}).Max(1)
}

func redisNetwork() panel {
	return awsGraph(about{"Network by node", "Bytes that a node receives and sends.", units.BytesPerSecondSI},
		query{sum(byNode, aws(metric.RedisReceive)), "{{cache_cluster}} {{cache_node}} received"},
		query{sum(byNode, aws(metric.RedisTransmit)), "{{cache_cluster}} {{cache_node}} sent"})
}

func redisConnections() panel {
	return awsGraph(about{"Connections by node", "Connections of clients to a node, a few of AWS's own included.", units.Short},
		query{highest(byNode, aws(metric.RedisConnections, `stat="max"`)), "{{cache_cluster}} {{cache_node}}"})
}

func commands() panel {
	return bars(awsGraph(about{"Commands", "Commands that the nodes carry out, by their type.", units.OpsPerSecond},
		query{sum("type", aws(metric.RedisCommands)), "{{type}}"}))
}

func evictions() panel {
	return awsGraph(about{"Evicted and expired", "Keys that nodes dropped for want of memory, and keys that expired.", units.CountsPerSecond},
		query{sum("", aws(metric.RedisEvictions)), "evicted"}, query{sum("", aws(metric.RedisExpired)), "expired"})
}

func allowances() panel {
	return bars(awsGraph(about{"Exceeded allowances", "Packets that were held up or dropped because a node's network allowance was exceeded, by the limit.", units.PacketsPerSecond},
		query{sum("limit", aws(metric.RedisAllowance)), "{{limit}}"}))
}

func cacheCredits() panel {
	return awsGraph(about{"CPU credits by node", "CPU credits that a burstable node has left.", units.Short},
		query{highest(byNode, aws(metric.RedisCredits)), "{{cache_cluster}} {{cache_node}}"})
}

func newConnections() panel {
	return awsGraph(about{"New connections", "Connections that clients open to a node.", units.CountsPerSecond},
		query{sum(byNode, aws(metric.RedisNewConnections)), "{{cache_cluster}} {{cache_node}}"})
}

func replicationLag() panel {
	return awsGraph(about{"Replication lag", "How far a replica is behind its primary node.", units.Seconds},
		query{highest(byNode, aws(metric.RedisReplicationLag)), "{{cache_cluster}} {{cache_node}}"})
}

func cacheLatency() panel {
	return awsGraph(about{"Latency of the cache", "Time that the cache took for a request, which older engines do not report.", units.Seconds},
		awsPercentiles("access", "{{access}} ", metric.RedisLatency)...)
}

func hostMemory() panel {
	return awsGraph(about{"Memory of the host", "Memory of a node's host that can be freed, and that is swapped out.", units.BytesIEC},
		query{highest(byNode, aws(metric.RedisFreeable)), "{{cache_cluster}} {{cache_node}} free"},
		query{highest(byNode, aws(metric.RedisSwap)), "{{cache_cluster}} {{cache_node}} swapped"})
}

func cacheItems() panel {
	return awsGraph(about{"Keys", "Keys that a node holds.", units.Short},
		query{highest(byNode, aws(metric.RedisItems)), "{{cache_cluster}} {{cache_node}}"})
}

func cacheBytes() panel {
	return awsGraph(about{"Data", "Bytes that a node uses for its data.", units.BytesIEC},
		query{highest(byNode, aws(metric.RedisMemoryUsed)), "{{cache_cluster}} {{cache_node}}"})
}

func ecpu() panel {
	return awsGraph(about{"Processing units", "ElastiCache processing units that a serverless cache consumes.", units.CountsPerSecond},
		query{sum("cache_cluster", aws(metric.RedisECPU)), "{{cache_cluster}}"})
}

func serverlessCommands() panel {
	return awsGraph(about{"Commands of serverless caches", "Commands that a serverless cache carries out, and those that it throttled.", units.OpsPerSecond},
		query{sum("cache_cluster", aws(metric.RedisAllCommands)), "{{cache_cluster}}"},
		query{sum("cache_cluster", aws(metric.RedisThrottled)), "{{cache_cluster}} throttled"})
}
