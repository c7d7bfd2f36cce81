package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

func databaseScenes() []scene {
	throttled, failing := "OpenSavesSoakDynamoDBThrottled", "OpenSavesSoakS3Failing"
	event := `region="r",table="records",role="records",index="",access="write"`
	operation := `region="r",table="records",role="records",operation="PutItem"`
	table := func(events, successes string) []input {
		return []input{
			of(metric.DynamoDBThrottleEvents, event, events+hours),
			of(metric.DynamoDBThrottledRequests, operation, events+hours),
			of(metric.DynamoDBSuccessful, operation, successes+hours),
		}
	}
	bucket := func(class, ratio string) []input {
		return []input{of(metric.S3ErrorRatio, `region="r",bucket="blobs",filter_id="f",class="`+class+`"`, ratio+hours)}
	}
	half := 30 * time.Minute
	return []scene{
		{alert: throttled, name: "1 %", at: half, input: table("1", "99"), fires: here("1%", "table", "records")},
		{
			alert: throttled, name: "after a change of leader", at: half, fires: here("1%", "table", "records"),
			input: append(table("1", "99"), from("soak-1", metric.DynamoDBThrottleEvents.Name, event, "1"+hours)),
		},
		{
			alert: throttled, name: "eight minutes late", at: half, fires: here("1%", "table", "records"),
			input: []input{
				of(metric.DynamoDBThrottleEvents, event, "1x44"), of(metric.DynamoDBThrottledRequests, operation, "1x44"),
				of(metric.DynamoDBSuccessful, operation, "99x44"),
			},
		},
		{alert: throttled, name: "0.05 %", at: half, input: table("0.05", "99")},
		{alert: throttled, name: "no requests", at: half, input: table("0", "0")},
		{alert: throttled, name: "the load changes", at: half, input: append(table("1", "99"), changing)},
		{alert: failing, name: "2 %", at: half, input: bucket("5xx", "0.02"), fires: here("2%", "bucket", "blobs")},
		{alert: failing, name: "2 % of another class", at: half, input: bucket("4xx", "0.02")},
		{alert: failing, name: "the load changes", at: half, input: append(bucket("5xx", "0.02"), changing)},
	}
}

func redisScenes() []scene {
	place := `region="r",cache_cluster="cache",cache_node="0001",`
	node := func(d metric.Definition, labels, value string) input { return of(d, place+labels, value+hours) }
	fires := func(value string, more ...string) []told {
		return here(value, append([]string{"cache_cluster", "cache", "cache_node", "0001"}, more...)...)
	}
	cpu, memory := "OpenSavesSoakRedisCPUHigh", "OpenSavesSoakRedisMemoryHigh"
	host, two := node(metric.RedisCPU, `stat="avg"`, "0.5"), node(metric.RedisVCPUs, "", "2")
	half := 30 * time.Minute
	return []scene{
		{alert: cpu, name: "the host of a small node", at: half, input: []input{host, two}, fires: fires("50%")},
		{alert: cpu, name: "the host of a large node", at: half, input: []input{host, node(metric.RedisVCPUs, "", "4")}},
		{alert: cpu, name: "the engine", at: half, input: []input{node(metric.RedisEngineCPU, `stat="avg"`, "0.9")}, fires: fires("90%")},
		{alert: cpu, name: "a moment", at: half, input: []input{node(metric.RedisEngineCPU, `stat="max"`, "0.9")}},
		{alert: cpu, name: "the load changes", at: half, input: []input{host, two, changing}},
		{alert: memory, name: "85 %", at: half, input: []input{node(metric.RedisMemory, `stat="avg"`, "0.85")}, fires: fires("85%")},
		{alert: memory, name: "70 %", at: half, input: []input{node(metric.RedisMemory, `stat="avg"`, "0.7")}},
		{alert: "OpenSavesSoakRedisEvicting", name: "evictions", at: half, input: []input{node(metric.RedisEvictions, "", "5")}, fires: fires("5")},
		{alert: "OpenSavesSoakRedisEvicting", name: "no evictions", at: half, input: []input{node(metric.RedisEvictions, "", "0")}},
		{
			alert: "OpenSavesSoakRedisNetworkLimited", name: "exceeded", at: half, fires: fires("2", "limit", "bandwidth_in"),
			input: []input{node(metric.RedisAllowance, `limit="bandwidth_in"`, "2")},
		},
		{alert: "OpenSavesSoakRedisNetworkLimited", name: "kept", at: half, input: []input{node(metric.RedisAllowance, `limit="bandwidth_in"`, "0")}},
	}
}

func podScenes() []scene {
	again, killed := "OpenSavesSoakPodRestarts", "OpenSavesSoakPodOutOfMemory"
	restarts := func(values string) input {
		return foreigner("kube_pod_container_status_restarts_total", `job="ksm"`, values)
	}
	reason := foreigner("kube_pod_container_status_last_terminated_reason", `job="ksm",reason="OOMKilled"`, "_x20 1"+hours)
	workload := `region="r",eks_cluster="c",workload_namespace="open-saves",workload="open-saves"`
	pod := workload + `,workload_pod="open-saves-5d7f-x2x"`
	thrice := "0x20 1x5 2x5 3" + hours
	at, quarter := 25*time.Minute, 15*time.Minute
	return []scene{
		{alert: again, name: "thrice", at: at, input: []input{running, restarts(thrice)}, fires: here("3")},
		{alert: again, name: "thrice, by Container Insights", at: at, input: []input{of(metric.EKSPodRestarts, pod, thrice)}, fires: here("3")},
		{alert: again, name: "thrice, by a workload's", at: at, input: []input{of(metric.EKSWorkloadRestarts, workload, thrice)}, fires: here("3")},
		{alert: again, name: "kube-state-metrics comes first", at: at, input: []input{running, restarts("0" + hours), of(metric.EKSPodRestarts, pod, thrice)}},
		{alert: again, name: "twice", at: at, input: []input{running, restarts("0x20 1x5 2" + hours)}},
		{
			alert: again, name: "another's pod", at: at,
			input: []input{running, {`kube_pod_container_status_restarts_total{cluster="eu",namespace="other",pod="open-saves-1"}`, thrice}},
		},
		{alert: again, name: "the load changes", at: at, input: []input{running, changing, restarts(thrice)}},
		{alert: killed, name: "killed", at: quarter, input: []input{running, reason, restarts("0x20 1" + hours)}, fires: here("1")},
		{alert: killed, name: "killed for a minute", at: quarter, input: []input{of(metric.EKSPodOOM, pod, "0x20 1x2 0"+hours)}, fires: here("1")},
		{alert: killed, name: "killed an hour ago", at: time.Hour, input: []input{running, reason, restarts("0x20 1" + hours)}},
		{alert: killed, name: "not killed", at: quarter, input: []input{of(metric.EKSPodOOM, pod, "0"+hours)}},
	}
}

func awsScenes() []scene {
	age := func(component, seconds string) []input {
		return []input{of(metric.CloudWatchDataAge, `component="`+component+`"`, seconds+hours)}
	}
	held := func(level string) []input {
		return []input{of(metric.CloudWatchDegraded, `reason="cost"`, level+hours)}
	}
	cost := func(nodes, budget string) []input {
		return []input{
			of(metric.CostPerHour, `component="eks",kind="fixed"`, nodes+hours), of(metric.CostPerHour, `component="s3",kind="variable"`, "0.5"+hours),
			of(metric.CostBudget, "", budget+hours),
		}
	}
	old, over := "OpenSavesSoakAWSDataOld", "OpenSavesSoakCostOverBudget"
	return []scene{
		{alert: old, name: "twelve minutes", at: time.Hour, input: age("dynamodb", "720"), fires: here("12m 0s", "component", "dynamodb")},
		{alert: old, name: "S3, 22 minutes", at: time.Hour, input: age("s3", "1320"), fires: here("22m 0s", "component", "s3")},
		{
			alert: old, name: "nothing ever", at: time.Hour,
			input: []input{of(metric.CloudWatchUp, `component="eks"`, "0"+hours)}, fires: here("10m 0s", "component", "eks"),
		},
		{alert: old, name: "nothing for five minutes", at: 5 * time.Minute, input: []input{of(metric.CloudWatchUp, `component="eks"`, "0"+hours)}},
		{alert: old, name: "S3, twelve minutes", at: time.Hour, input: age("s3", "720")},
		{alert: "OpenSavesSoakAWSCeilingReached", name: "paused", at: time.Hour, input: held("4"), fires: here("4")},
		{alert: "OpenSavesSoakAWSCeilingReached", name: "held back", at: time.Hour, input: held("3")},
		{alert: over, name: "half as much again", at: time.Hour, input: cost("1", "1"), fires: here("150%")},
		{alert: over, name: "a tenth more", at: time.Hour, input: cost("0.6", "1")},
		{alert: over, name: "no budget", at: time.Hour, input: cost("1", "0")},
	}
}
