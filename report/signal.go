package report

import (
	"math"
	"slices"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// signal is what is asked of a component over time, and what it tells.
type signal struct {
	component metric.Component
	name      string
	unit      Unit
	limit     float64           // above it the component is saturated; NaN: it tells nothing of that
	times     float64           // where there is no limit: it is so many times the reading of the lowest level; 0: none
	expr      string            // one series without labels
	late      metric.Definition // of AWS, whose samples come late; empty: not late
	period    time.Duration     // of AWS, that a sample is of; 0: a minute
}

// kubelet is what rates of the kubelet's counters are taken over.
const kubelet = 2 * time.Minute

// reach is how far back a sample tells.
func (s signal) reach() time.Duration {
	if s.late.Name == "" {
		return kubelet
	}
	return max(minutely, s.period)
}

// The limits that alerts do not have.
const (
	podCPU       = 0.9   // of a pod's limit
	podThrottled = 0.25  // of a pod's CFS periods
	s3Failed     = 0.001 // of the requests
	// slower is how many times its latency at the lowest level a component must take
	// to count as saturated: a queue before it shows nowhere else.
	slower = 5
)

// signals are all that are watched. Of those with the same name the first that has
// data counts.
func (p Prometheus) signals() []signal {
	return slices.Concat(p.podSignals(), p.nodeSignals(), p.dynamoDBSignals(), p.s3Signals(), p.redisSignals())
}

// aws reads a gauge of AWS. After a change of leader two replicas have one for a
// while, of which the highest counts. A sample counts for as long as the next one
// takes to come: what Prometheus would repeat beyond that is of no minute.
func (p Prometheus) aws(d metric.Definition, matchers ...string) string {
	return "max without (instance, pod) (last_over_time(" + p.series(d.Name, matchers...) + back(minutely) + "))"
}

// seen is a signal of AWS.
func seen(name string, unit Unit, limit float64, d metric.Definition, expr string) signal {
	return signal{name: name, unit: unit, limit: limit, expr: expr, late: d}
}

// of gives signals their component.
func of(c metric.Component, signals ...signal) []signal {
	for i := range signals {
		signals[i].component = c
	}
	return signals
}

// unlimited is the limit of what tells nothing of saturation.
var unlimited = math.NaN()

// podSignals come from kubelet and kube-state-metrics, and from Container Insights.
func (p Prometheus) podSignals() []signal {
	containers := p.Pods + `,container!="",container!="POD"`
	rate := func(name, matchers string) string { return "rate(" + name + "{" + matchers + "}" + back(kubelet) + ")" }
	limits := func(resource string) string {
		return "sum by (pod, container) (kube_pod_container_resource_limits{" + p.Pods + `,resource="` + resource + `"})`
	}
	const memory, received, sent = "memory of the fullest pod, of its limit", "received by all pods", "sent by all pods"
	return of(
		metric.EKS,
		signal{name: busiestPod, unit: Share, limit: podCPU, expr: "max(sum by (pod, container) (" + rate("container_cpu_usage_seconds_total", containers) + ") / " + limits("cpu") + ")"},
		seen(busiestPod, Share, podCPU, metric.EKSWorkloadCPULimit, "max("+p.aws(metric.EKSWorkloadCPULimit, `stat="max"`)+")"),
		signal{name: "CFS periods in which the busiest pod was held back", unit: Share, limit: podThrottled, expr: "max(sum by (pod) (" +
			rate("container_cpu_cfs_throttled_periods_total", containers) + ") / sum by (pod) (" + rate("container_cpu_cfs_periods_total", containers) + "))"},
		signal{name: memory, unit: Share, limit: unlimited, expr: "max(sum by (pod, container) (container_memory_working_set_bytes{" + containers + "}) / " + limits("memory") + ")"},
		seen(memory, Share, unlimited, metric.EKSWorkloadMemoryLimit, "max("+p.aws(metric.EKSWorkloadMemoryLimit, `stat="max"`)+")"),
		signal{name: podsReady, unit: Count, limit: unlimited, expr: "sum(kube_pod_status_ready{" + p.Pods + `,condition="true"})`},
		seen(podsReady, Count, unlimited, metric.EKSWorkloadReplicas, "sum("+p.aws(metric.EKSWorkloadReplicas, `state="ready"`)+")"),
		signal{name: received, unit: BytesASecond, limit: unlimited, expr: "sum(" + rate("container_network_receive_bytes_total", p.Pods) + ")"},
		seen(received, BytesASecond, unlimited, metric.EKSWorkloadReceive, "sum("+p.aws(metric.EKSWorkloadReceive, `stat="sum"`)+")"),
		signal{name: sent, unit: BytesASecond, limit: unlimited, expr: "sum(" + rate("container_network_transmit_bytes_total", p.Pods) + ")"},
		seen(sent, BytesASecond, unlimited, metric.EKSWorkloadTransmit, "sum("+p.aws(metric.EKSWorkloadTransmit, `stat="sum"`)+")"),
	)
}

// nodeSignals are those of the machines under the pods.
func (p Prometheus) nodeSignals() []signal {
	credits := p.aws(metric.EKSNodeCredits, `mode="standard"`)
	spent := seen("nodes without CPU credits", Count, 0, metric.EKSNodeCredits, "count("+credits+" <= 0) or 0 * count("+credits+")")
	spent.period = 5 * time.Minute
	return of(
		metric.EKS,
		seen(nodeCount, Count, unlimited, metric.EKSNodes, "max("+p.aws(metric.EKSNodes)+")"),
		seen(nodeCPU, Share, unlimited, metric.EKSNodeCPU, "max("+p.aws(metric.EKSNodeCPU, `stat="avg"`)+")"),
		spent,
	)
}

// The names of readings that advice is made of.
const (
	nodeCount  = "nodes"
	nodeCPU    = "CPU of the busiest node"
	readUnits  = "read capacity units"
	writeUnits = "write capacity units"
	hostCPU    = "CPU of the busiest host with up to two vCPUs"
	engineCPU  = "CPU of the busiest engine thread"
	cacheFull  = "memory of the fullest node"
	evicted    = "keys evicted"
	allowance  = "packets over the network allowance"
	throttled  = "throttle events of the most throttled table, of its requests"
	ownLatency = "its own latency"
	firstByte  = "time to its first byte"
	podsReady  = "pods that are ready"
	busiestPod = "CPU of the busiest pod, of its limit"
)

func (p Prometheus) dynamoDBSignals() []signal {
	byTable := func(d metric.Definition) string { return "sum by (table) (" + p.aws(d) + ")" }
	successful := p.aws(metric.DynamoDBSuccessful)
	latency := seen(ownLatency, Seconds, unlimited, metric.DynamoDBLatency,
		"sum("+p.aws(metric.DynamoDBLatency, `stat="avg"`)+" * ignoring (stat) "+successful+") / (sum("+successful+") > 0)")
	latency.times = slower
	return of(
		metric.DynamoDB,
		seen(throttled, Share, alerts.DynamoDBThrottled, metric.DynamoDBThrottleEvents,
			"max("+byTable(metric.DynamoDBThrottleEvents)+" / ("+byTable(metric.DynamoDBSuccessful)+" + "+byTable(metric.DynamoDBThrottledRequests)+" > 0))"),
		latency,
		seen(readUnits, UnitsASecond, unlimited, metric.DynamoDBReadUnits, "sum("+p.aws(metric.DynamoDBReadUnits)+")"),
		seen(writeUnits, UnitsASecond, unlimited, metric.DynamoDBWriteUnits, "sum("+p.aws(metric.DynamoDBWriteUnits)+")"),
		seen("requests that succeeded", PerSecond, unlimited, metric.DynamoDBSuccessful, "sum("+successful+")"),
	)
}

func (p Prometheus) s3Signals() []signal {
	latency := seen(firstByte, Seconds, unlimited, metric.S3FirstByte, "max("+p.aws(metric.S3FirstByte, `stat="avg"`)+")")
	latency.times = slower
	return of(
		metric.S3,
		seen("requests answered with 5xx, of all", Share, s3Failed, metric.S3ErrorRatio, "max("+p.aws(metric.S3ErrorRatio, `class="5xx"`)+")"),
		latency,
		seen("requests", PerSecond, unlimited, metric.S3AllRequests, "sum("+p.aws(metric.S3AllRequests)+")"),
		seen("bytes moved", BytesASecond, unlimited, metric.S3Bytes, "sum("+p.aws(metric.S3Bytes)+")"),
	)
}

// redisSignals have the limits of the alerts.
func (p Prometheus) redisSignals() []signal {
	hits, misses := "sum("+p.aws(metric.RedisHits)+")", "sum("+p.aws(metric.RedisMisses)+")"
	mean := `stat="avg"`
	small := p.aws(metric.RedisCPU, mean) + " and on (cache_cluster, cache_node) " + p.aws(metric.RedisVCPUs) + " <= 2"
	return of(
		metric.Redis,
		seen(hostCPU, Share, alerts.RedisHostCPU, metric.RedisCPU, "max("+small+")"),
		seen(engineCPU, Share, alerts.RedisEngineCPU, metric.RedisEngineCPU, "max("+p.aws(metric.RedisEngineCPU, mean)+")"),
		seen(cacheFull, Share, alerts.RedisMemory, metric.RedisMemory, "max("+p.aws(metric.RedisMemory, mean)+")"),
		seen(evicted, PerSecond, 0, metric.RedisEvictions, "sum("+p.aws(metric.RedisEvictions)+")"),
		seen(allowance, PerSecond, 0, metric.RedisAllowance, "sum("+p.aws(metric.RedisAllowance)+")"),
		seen("reads that the cache had, of all", Share, unlimited, metric.RedisHits, hits+" / ("+hits+" + "+misses+" > 0)"),
		seen("commands", PerSecond, unlimited, metric.RedisCommands, "sum("+p.aws(metric.RedisCommands)+")"),
	)
}
