package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// components is about the parts of the deployment on AWS.
func (b builder) components() Group {
	alerts := append([]alert{b.dynamoDB(), b.s3()}, b.redis()...)
	return b.group("components", nil, append(alerts, b.pods()...)...)
}

func (b builder) dynamoDB() alert {
	table := func(d metric.Definition) string { return sum(b.lately(d), "table") }
	return alert{
		name: "OpenSavesSoakDynamoDBThrottled", severity: Warning, board: BoardDynamoDB, wait: 5 * time.Minute,
		expr: b.steady(table(metric.DynamoDBThrottleEvents) + "\n/ (\n  " + table(metric.DynamoDBSuccessful) + "\n  + " +
			table(metric.DynamoDBThrottledRequests) + " > 0\n)\n> " + number(DynamoDBThrottled)),
		summary:     "DynamoDB throttles {{ $labels.table }}.",
		description: "There is a throttle event of {{ $labels.table }} or its indexes for {{ $value | humanizePercentage }} of the requests.",
		alarms:      dynamoDBAlarms(),
	}
}

func (b builder) s3() alert {
	return alert{
		name: "OpenSavesSoakS3Failing", severity: Warning, board: BoardS3, wait: 10 * time.Minute,
		expr:        b.steady(over("max", b.lately(metric.S3ErrorRatio, `class="5xx"`), "bucket") + " > " + number(S3Failed)),
		summary:     "S3 fails requests to {{ $labels.bucket }}.",
		description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.bucket }} are answered with a status of 500 or more.",
		alarms:      s3Alarms(),
	}
}

func (b builder) redis() []alert {
	node := func(d metric.Definition, matchers ...string) string {
		return over("max", b.lately(d, matchers...), "cache_cluster", "cache_node")
	}
	return []alert{
		{
			name: "OpenSavesSoakRedisCPUHigh", severity: Warning, board: BoardRedis, wait: 10 * time.Minute,
			expr: b.steady(node(metric.RedisCPU, `stat="avg"`) + " > " + number(RedisHostCPU) +
				"\nand " + node(metric.RedisVCPUs) + " <= " + number(RedisSmallVCPUs) +
				"\nor " + node(metric.RedisEngineCPU, `stat="avg"`) + " > " + number(RedisEngineCPU)),
			summary:     "The CPU of Redis is saturated ({{ $labels.cache_cluster }}).",
			description: "{{ $labels.cache_cluster }}/{{ $labels.cache_node }} uses {{ $value | humanizePercentage }} of its CPUs (up to two of them) or of its engine's thread.",
			alarms:      redisCPUAlarms(),
		},
		{
			name: "OpenSavesSoakRedisMemoryHigh", severity: Warning, board: BoardRedis, wait: 15 * time.Minute,
			expr:        b.steady(node(metric.RedisMemory, `stat="avg"`) + " > " + number(RedisMemory)),
			summary:     "Redis runs out of memory ({{ $labels.cache_cluster }}).",
			description: "{{ $labels.cache_cluster }}/{{ $labels.cache_node }} uses {{ $value | humanizePercentage }} of the memory that it may use.",
			alarms:      redisMemoryAlarms(),
		},
		{
			name: "OpenSavesSoakRedisEvicting", severity: Warning, board: BoardRedis, wait: 10 * time.Minute,
			expr:        b.steady(node(metric.RedisEvictions) + " > 0"),
			summary:     "Redis evicts keys ({{ $labels.cache_cluster }}).",
			description: "{{ $labels.cache_cluster }}/{{ $labels.cache_node }} drops {{ $value | humanize }} keys a second for want of memory.",
			alarms:      redisEvictionAlarms(),
		},
		{
			name: "OpenSavesSoakRedisNetworkLimited", severity: Warning, board: BoardRedis, wait: 5 * time.Minute,
			expr:        b.steady(over("max", b.lately(metric.RedisAllowance), "cache_cluster", "cache_node", "limit") + " > 0"),
			summary:     "Redis is beyond its network allowance ({{ $labels.cache_cluster }}).",
			description: "{{ $labels.cache_cluster }}/{{ $labels.cache_node }} holds up or drops {{ $value | humanize }} packets a second ({{ $labels.limit }}).",
			alarms:      redisNetworkAlarms(),
		},
	}
}

// pods are watched by kube-state-metrics, and where that knows nothing of them by
// Container Insights.
func (b builder) pods() []alert {
	restarts := func(window time.Duration) string {
		return "increase(kube_pod_container_status_restarts_total{" + b.Pods + "}[" + b.over(window) + "])"
	}
	insights := func(d metric.Definition, label string) string {
		return over("max", sum("max without (instance, pod) ("+b.increase(d, 30*time.Minute)+")", label))
	}
	killed := "\n  (kube_pod_container_status_last_terminated_reason{" + b.Pods + `,reason="OOMKilled"} == 1)` +
		"\n  and on (cluster, namespace, pod, container) (" + restarts(10*time.Minute) + " > 0)\n"
	return []alert{
		{
			name: "OpenSavesSoakPodRestarts", severity: Warning, board: BoardEKS,
			// An increase over 30 minutes is a little more than what was counted in them.
			expr: b.steady("round(\n  " + b.fromTarget("max by (cluster) (sum by (cluster, pod) ("+restarts(30*time.Minute)+"))") +
				"\n  or " + insights(metric.EKSPodRestarts, "workload_pod") +
				"\n  or " + insights(metric.EKSWorkloadRestarts, "workload") + "\n) > " + number(PodRestarts)),
			summary:     "A pod of Open Saves restarts again and again.",
			description: "A pod of Open Saves has restarted {{ $value }} times in half an hour.",
			alarms:      podRestartAlarms(),
		},
		{
			name: "OpenSavesSoakPodOutOfMemory", severity: Warning, board: BoardEKS,
			// A pod shows in Container Insights for a minute only.
			expr: b.steady(b.fromTarget("count by (cluster) ("+killed+")") +
				"\nor " + sum("max without (instance, pod) (max_over_time("+b.series(metric.EKSPodOOM.Name)+awsWindow+"))") + " > 0"),
			summary:     "A pod of Open Saves was killed because it was out of memory.",
			description: "{{ $value }} containers of Open Saves have just been killed because they were out of memory.",
			alarms:      podMemoryAlarms(),
		},
	}
}
