package metric

import "slices"

// Component is a part of an Open Saves deployment on AWS; the value of the
// label "component".
type Component uint8

// The components. Those after Redis have no metrics of their own, only a bill.
const (
	EKS Component = iota
	DynamoDB
	S3
	Redis
	Network
	Edge
	CloudWatch

	// Components is how many components there are.
	Components = int(CloudWatch) + 1
)

// String returns the label value, for example "dynamodb".
func (c Component) String() string {
	return [Components]string{"eks", "dynamodb", "s3", "redis", "network", "edge", "cloudwatch"}[c]
}

// aws defines a gauge that CloudWatch is asked for. All have the label region.
func aws(name, help string, labels ...string) Definition {
	return Definition{Name: "opensaves_" + name, Type: "gauge", Labels: append([]string{"region"}, labels...), Help: help}
}

// counted defines a counter that is built of CloudWatch's sums.
func counted(name, help string, labels ...string) Definition {
	d := aws(name, help, labels...)
	d.Type = "counter"
	return d
}

// What EKS says of the pods and nodes of the target, by Container Insights.
var (
	EKSPodCPU = aws("eks_pod_cpu_utilization_ratio",
		"CPU that a pod uses, as a share of its node's.", podLabels("stat")...)
	EKSPodCPULimit = aws("eks_pod_cpu_limit_utilization_ratio",
		"CPU that a pod uses, as a share of its limit.", podLabels("stat")...)
	EKSPodMemory = aws("eks_pod_memory_utilization_ratio",
		"Memory that a pod uses, as a share of its node's.", podLabels("stat")...)
	EKSPodMemoryLimit = aws("eks_pod_memory_limit_utilization_ratio",
		"Memory that a pod uses, as a share of its limit.", podLabels("stat")...)
	EKSPodRestarts = counted("eks_pod_container_restarts_total",
		"Restarts of a pod's containers since this program began to look.", podLabels()...)
	EKSPodReceive = aws("eks_pod_network_receive_bytes_per_second",
		"Bytes that a pod receives.", podLabels()...)
	EKSPodTransmit = aws("eks_pod_network_transmit_bytes_per_second",
		"Bytes that a pod sends.", podLabels()...)
	EKSPodRunning = aws("eks_pod_running_containers",
		"Containers of a pod that are running.", podLabels()...)
	EKSPodContainers = aws("eks_pod_containers",
		"Containers of a pod.", podLabels()...)
	EKSPodStatus = aws("eks_pod_status",
		"Whether a pod is in the condition, as an average over the period.", podLabels("condition")...)
	EKSPodOOM = aws("eks_pod_oom_killed_containers",
		"Containers of a pod that ended because they were out of memory.", podLabels()...)

	EKSWorkloadCPU = aws("eks_workload_cpu_utilization_ratio",
		"CPU that a workload's pods use, as a share of their nodes', average and highest.", workloadLabels("stat")...)
	EKSWorkloadCPULimit = aws("eks_workload_cpu_limit_utilization_ratio",
		"CPU that a workload's pods use, as a share of their limits, average and highest.", workloadLabels("stat")...)
	EKSWorkloadMemory = aws("eks_workload_memory_utilization_ratio",
		"Memory that a workload's pods use, as a share of their nodes', average and highest.", workloadLabels("stat")...)
	EKSWorkloadMemoryLimit = aws("eks_workload_memory_limit_utilization_ratio",
		"Memory that a workload's pods use, as a share of their limits, average and highest.", workloadLabels("stat")...)
	EKSWorkloadRestarts = counted("eks_workload_container_restarts_total",
		"Restarts of the containers of a workload's pods since this program began to look.", workloadLabels()...)
	EKSWorkloadReceive = aws("eks_workload_network_receive_bytes_per_second",
		"Bytes that a workload's pods receive, on average and all together.", workloadLabels("stat")...)
	EKSWorkloadTransmit = aws("eks_workload_network_transmit_bytes_per_second",
		"Bytes that a workload's pods send, on average and all together.", workloadLabels("stat")...)
	EKSWorkloadPods = aws("eks_workload_pods",
		"Pods of a workload that reported in the period.", workloadLabels()...)
	EKSWorkloadReplicas = aws("eks_workload_replicas",
		"Replicas of a workload, desired and ready.", workloadLabels("state")...)
	EKSServicePods = aws("eks_service_running_pods",
		"Running pods behind a service.", "eks_cluster", "workload_namespace", "workload_service")

	EKSNodes = aws("eks_cluster_nodes",
		"Nodes of the cluster.", "eks_cluster")
	EKSFailedNodes = aws("eks_cluster_failed_nodes",
		"Nodes of the cluster that have failed.", "eks_cluster")
	EKSNodeCPU = aws("eks_node_cpu_utilization_ratio",
		"CPU of a node in use, average and highest.", "eks_cluster", "eks_node", "stat")
	EKSNodeMemory = aws("eks_node_memory_utilization_ratio",
		"Memory of a node in use, average and highest.", "eks_cluster", "eks_node", "stat")
	EKSNodeCredits = aws("eks_node_cpu_credits",
		"CPU credits that a burstable node has left; at 0 it is slowed down where its mode is standard.", "eks_cluster", "eks_node", "mode")
	EKSNodeSurplus = aws("eks_node_cpu_surplus_credits",
		"CPU credits that a burstable node has spent beyond those it earned.", "eks_cluster", "eks_node", "mode")
)

func podLabels(more ...string) []string {
	return append([]string{"eks_cluster", "workload_namespace", "workload", "workload_pod"}, more...)
}

func workloadLabels(more ...string) []string {
	return append([]string{"eks_cluster", "workload_namespace", "workload"}, more...)
}

// What DynamoDB says of the target's tables. The index is empty for the table itself.
var (
	DynamoDBReadUnits = aws("dynamodb_consumed_read_capacity_units_per_second",
		"Read capacity units that a table or index consumes.", "table", "role", "index")
	DynamoDBWriteUnits = aws("dynamodb_consumed_write_capacity_units_per_second",
		"Write capacity units that a table or index consumes.", "table", "role", "index")
	DynamoDBReadUnitsTotal = counted("dynamodb_consumed_read_capacity_units_total",
		"Read capacity units that a table or index consumed since this program began to look.", "table", "role", "index")
	DynamoDBWriteUnitsTotal = counted("dynamodb_consumed_write_capacity_units_total",
		"Write capacity units that a table or index consumed since this program began to look.", "table", "role", "index")
	DynamoDBProvisionedRead = aws("dynamodb_provisioned_read_capacity_units",
		"Read capacity units a second that a table or index of provisioned capacity has.", "table", "role", "index")
	DynamoDBProvisionedWrite = aws("dynamodb_provisioned_write_capacity_units",
		"Write capacity units a second that a table or index of provisioned capacity has.", "table", "role", "index")
	DynamoDBThrottledRequests = aws("dynamodb_throttled_requests_per_second",
		"Requests to a table that were throttled; batches count only where every item was.", "table", "role", "operation")
	DynamoDBThrottleEvents = aws("dynamodb_throttle_events_per_second",
		"Reads or writes of items that a table or index throttled.", "table", "role", "index", "access")
	DynamoDBThrottleReasons = aws("dynamodb_throttle_events_by_reason_per_second",
		"Reads or writes of items that a table or index throttled, by the limit that they met.", "table", "role", "index", "access", "reason")
	DynamoDBLatency = aws("dynamodb_request_latency_seconds",
		"Time that DynamoDB took for a successful request, without network and retries.", "table", "role", "operation", "stat")
	DynamoDBSuccessful = aws("dynamodb_successful_requests_per_second",
		"Requests to a table that succeeded.", "table", "role", "operation")
	DynamoDBSystemErrors = aws("dynamodb_system_errors_per_second",
		"Requests to a table that failed on the side of DynamoDB.", "table", "role", "operation")
	DynamoDBUserErrors = aws("dynamodb_user_errors_per_second",
		"Requests of the whole account and region that DynamoDB refused as wrong.")
	DynamoDBConditionFailures = aws("dynamodb_conditional_check_failures_per_second",
		"Conditional writes whose condition did not hold.", "table", "role")
	DynamoDBReturnedItems = aws("dynamodb_returned_items_per_second",
		"Items that queries and scans of a table returned.", "table", "role", "operation")
	DynamoDBTableSize = aws("dynamodb_table_size_bytes",
		"Bytes that a table or index holds, which AWS brings up to date about every six hours.", "table", "role", "index")
	DynamoDBTableItems = aws("dynamodb_table_items",
		"Items that a table or index holds, which AWS brings up to date about every six hours.", "table", "role", "index")
	DynamoDBTableInfo = aws("dynamodb_table_info",
		"How a table is billed, as labels of the constant 1.", "table", "role", "billing_mode", "table_class")
)

// What S3 says of the target's bucket. All but the storage needs request
// metrics, which are off unless somebody has switched them on.
var (
	S3Requests = aws("s3_requests_per_second",
		"Requests to a bucket, by their type.", "bucket", "filter_id", "type")
	S3AllRequests = aws("s3_all_requests_per_second",
		"Requests to a bucket of all types.", "bucket", "filter_id")
	S3Errors = aws("s3_errors_per_second",
		"Requests to a bucket that were answered with a status of the class.", "bucket", "filter_id", "class")
	S3ErrorRatio = aws("s3_error_ratio",
		"Share of the requests to a bucket that were answered with a status of the class.", "bucket", "filter_id", "class")
	S3FirstByte = aws("s3_first_byte_latency_seconds",
		"Time from a whole request to the first byte of its answer.", "bucket", "filter_id", "stat")
	S3Latency = aws("s3_total_request_latency_seconds",
		"Time from the first byte of a request to the last byte of its answer.", "bucket", "filter_id", "stat")
	S3Bytes = aws("s3_bytes_per_second",
		"Bytes that requests to a bucket move.", "bucket", "filter_id", "direction")
	S3BucketSize = aws("s3_bucket_size_bytes",
		"Bytes that a bucket holds, noncurrent versions and unfinished uploads included, as of a day or two ago.", "bucket", "storage_type")
	S3BucketObjects = aws("s3_bucket_objects",
		"Objects that a bucket holds, noncurrent versions included, as of a day or two ago.", "bucket")
)

// What ElastiCache says of the target's cache. The node is empty for a
// serverless cache.
var (
	RedisCPU = aws("redis_cpu_utilization_ratio",
		"CPU of a cache node in use; with two vCPUs the engine is saturated near 0.5.", nodeLabels("stat")...)
	RedisEngineCPU = aws("redis_engine_cpu_utilization_ratio",
		"CPU of a cache node's engine thread in use.", nodeLabels("stat")...)
	RedisVCPUs = aws("redis_node_vcpus",
		"Virtual CPUs of a cache node.", nodeLabels()...)
	RedisMemory = aws("redis_memory_utilization_ratio",
		"Memory of a cache node in use, as a share of what it may hold.", nodeLabels("stat")...)
	RedisMemoryUsed = aws("redis_memory_used_bytes",
		"Bytes that a cache node uses for its data.", nodeLabels()...)
	RedisFreeable = aws("redis_host_freeable_memory_bytes",
		"Memory of a cache node's host that is free or can be freed.", nodeLabels()...)
	RedisSwap = aws("redis_host_swap_bytes",
		"Memory of a cache node's host that is swapped out.", nodeLabels()...)
	RedisHits = aws("redis_cache_hits_per_second",
		"Reads of keys that a cache node had.", nodeLabels()...)
	RedisMisses = aws("redis_cache_misses_per_second",
		"Reads of keys that a cache node did not have.", nodeLabels()...)
	RedisHitRatio = aws("redis_cache_hit_ratio",
		"Share of the reads of keys that a cache node had.", nodeLabels()...)
	RedisConnections = aws("redis_connections",
		"Connections of clients to a cache node, a few of AWS's own included.", nodeLabels("stat")...)
	RedisNewConnections = aws("redis_new_connections_per_second",
		"Connections that clients open to a cache node.", nodeLabels()...)
	RedisReceive = aws("redis_network_receive_bytes_per_second",
		"Bytes that a cache node receives.", nodeLabels()...)
	RedisTransmit = aws("redis_network_transmit_bytes_per_second",
		"Bytes that a cache node sends.", nodeLabels()...)
	RedisAllowance = aws("redis_network_allowance_exceeded_per_second",
		"Packets that were held up or dropped because a cache node's network allowance was exceeded.", nodeLabels("limit")...)
	RedisEvictions = aws("redis_evictions_per_second",
		"Keys that a cache node dropped for want of memory.", nodeLabels()...)
	RedisExpired = aws("redis_expired_keys_per_second",
		"Keys of a cache node that expired.", nodeLabels()...)
	RedisItems = aws("redis_items",
		"Keys that a cache node holds.", nodeLabels()...)
	RedisCommands = aws("redis_commands_per_second",
		"Commands that a cache node carries out, by their type.", nodeLabels("type")...)
	RedisCredits = aws("redis_cpu_credits",
		"CPU credits that a burstable cache node has left.", nodeLabels()...)
	RedisReplicationLag = aws("redis_replication_lag_seconds",
		"How far a replica is behind its primary node.", nodeLabels()...)
	RedisLatency = aws("redis_request_latency_seconds",
		"Time that the cache took for a request, which older engines do not report.", nodeLabels("access", "stat")...)
	RedisECPU = aws("redis_ecpu_per_second",
		"ElastiCache processing units that a serverless cache consumes.", nodeLabels()...)
	RedisThrottled = aws("redis_throttled_commands_per_second",
		"Commands that a serverless cache throttled.", nodeLabels()...)
	RedisAllCommands = aws("redis_all_commands_per_second",
		"Commands of all types that a serverless cache carries out.", nodeLabels()...)
)

func nodeLabels(more ...string) []string {
	return append([]string{"cache_cluster", "cache_node"}, more...)
}

// AWS is every definition of the AWS side, in the order of its documents.
var AWS = slices.Concat(
	[]Definition{
		EKSPodCPU, EKSPodCPULimit, EKSPodMemory, EKSPodMemoryLimit, EKSPodRestarts, EKSPodReceive, EKSPodTransmit,
		EKSPodRunning, EKSPodContainers, EKSPodStatus, EKSPodOOM,
		EKSWorkloadCPU, EKSWorkloadCPULimit, EKSWorkloadMemory, EKSWorkloadMemoryLimit, EKSWorkloadRestarts,
		EKSWorkloadReceive, EKSWorkloadTransmit, EKSWorkloadPods, EKSWorkloadReplicas, EKSServicePods,
		EKSNodes, EKSFailedNodes, EKSNodeCPU, EKSNodeMemory, EKSNodeCredits, EKSNodeSurplus,
	},
	[]Definition{
		DynamoDBReadUnits, DynamoDBWriteUnits, DynamoDBReadUnitsTotal, DynamoDBWriteUnitsTotal,
		DynamoDBProvisionedRead, DynamoDBProvisionedWrite, DynamoDBThrottledRequests, DynamoDBThrottleEvents,
		DynamoDBThrottleReasons, DynamoDBLatency, DynamoDBSuccessful, DynamoDBSystemErrors, DynamoDBUserErrors,
		DynamoDBConditionFailures, DynamoDBReturnedItems, DynamoDBTableSize, DynamoDBTableItems, DynamoDBTableInfo,
	},
	[]Definition{
		S3Requests, S3AllRequests, S3Errors, S3ErrorRatio, S3FirstByte, S3Latency, S3Bytes, S3BucketSize, S3BucketObjects,
	},
	[]Definition{
		RedisCPU, RedisEngineCPU, RedisVCPUs, RedisMemory, RedisMemoryUsed, RedisFreeable, RedisSwap, RedisHits, RedisMisses,
		RedisHitRatio, RedisConnections, RedisNewConnections, RedisReceive, RedisTransmit, RedisAllowance, RedisEvictions,
		RedisExpired, RedisItems, RedisCommands, RedisCredits, RedisReplicationLag, RedisLatency, RedisECPU, RedisThrottled,
		RedisAllCommands,
	},
	[]Definition{
		CloudWatchUp, CloudWatchRequests, CloudWatchErrors, CloudWatchDuration, CloudWatchRetries, CloudWatchBilled,
		CloudWatchCost, CloudWatchLastSuccess, CloudWatchPollDuration, CloudWatchDataAge, CloudWatchPublishDelay,
		CloudWatchRevised, CloudWatchSkipped, CloudWatchResults, CloudWatchSeries, CloudWatchSource, CloudWatchDegraded,
	},
	[]Definition{CostPerHour, CostPerMillion, CostShared, CostBudget, CostPrice, CostPriceAge},
)
