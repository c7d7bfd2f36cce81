package alerts

// Alarm is an alert that CloudWatch gives by itself, with no Prometheus at all.
// It fires when the sum of its metrics is over the threshold in each of Minutes.
type Alarm struct {
	Suffix    string // of the alert's name; empty where it has one alarm
	What      string // is watched
	Namespace string
	Metrics   []AlarmMetric
	Threshold float64 // in CloudWatch's unit: percent for utilisation
	Minutes   int     // in a row
	Period    int     // seconds that a value spans
	Condition string  // of the template, under which the alarm is made; empty: always
}

// AlarmMetric is one metric, with the template's parameters that hold the values
// of its dimensions.
type AlarmMetric struct {
	Name, Stat string
	Dimensions map[string]string
}

const minute = 60 // seconds

func dynamoDBAlarms() []Alarm {
	var alarms []Alarm
	for _, role := range []string{"Stores", "Records", "Metadata"} {
		a := Alarm{
			Suffix: role, What: "Throttle events of a table and its indexes a minute", Namespace: "AWS/DynamoDB",
			Minutes: 5, Period: minute, // CloudWatch cannot sum up as many operations as the share would need
		}
		places := []map[string]string{{"TableName": role + "Table"}}
		if role == "Records" {
			for _, index := range []string{"OwnerIndex", "GameIndex"} {
				places = append(places, map[string]string{"TableName": role + "Table", "GlobalSecondaryIndexName": index})
			}
		}
		for _, place := range places {
			a.Metrics = append(a.Metrics, AlarmMetric{"ReadThrottleEvents", "Sum", place}, AlarmMetric{"WriteThrottleEvents", "Sum", place})
		}
		alarms = append(alarms, a)
	}
	return alarms
}

func s3Alarms() []Alarm {
	place := map[string]string{"BucketName": "Bucket", "FilterId": "Filter"}
	return []Alarm{{
		What: "Share of requests that S3 fails; needs request metrics", Namespace: "AWS/S3",
		Metrics: []AlarmMetric{{"5xxErrors", "Average", place}}, Threshold: S3Failed, Minutes: 10, Period: minute,
	}}
}

// redisAlarm watches the sum of metrics of the cache node.
func redisAlarm(suffix, what, stat string, threshold float64, minutes int, names ...string) Alarm {
	a := Alarm{Suffix: suffix, What: what, Namespace: "AWS/ElastiCache", Threshold: threshold, Minutes: minutes, Period: minute}
	for _, name := range names {
		a.Metrics = append(a.Metrics, AlarmMetric{name, stat, map[string]string{"CacheClusterId": "CacheCluster", "CacheNodeId": "CacheNode"}})
	}
	return a
}

func redisCPUAlarms() []Alarm {
	host := redisAlarm("Host", "CPU of a cache node with up to two CPUs, in percent", "Average", 100*RedisHostCPU, 10, "CPUUtilization")
	host.Condition = "CacheIsSmall"
	return []Alarm{
		host,
		redisAlarm("Engine", "CPU of the cache engine's thread, in percent", "Average", 100*RedisEngineCPU, 10, "EngineCPUUtilization"),
	}
}

func redisMemoryAlarms() []Alarm {
	return []Alarm{redisAlarm("", "Memory of the cache in use, in percent", "Average", 100*RedisMemory, 15, "DatabaseMemoryUsagePercentage")}
}

func redisEvictionAlarms() []Alarm {
	return []Alarm{redisAlarm("", "Keys that the cache evicts a minute", "Sum", 0, 10, "Evictions")}
}

func redisNetworkAlarms() []Alarm {
	return []Alarm{redisAlarm("", "Packets a minute beyond the network allowance of the cache", "Sum", 0, 5,
		"NetworkBandwidthInAllowanceExceeded", "NetworkBandwidthOutAllowanceExceeded",
		"NetworkPacketsPerSecondAllowanceExceeded", "NetworkConntrackAllowanceExceeded")}
}

// podAlarm watches the pods of the workload together: Container Insights has no
// dimension of one pod that lasts.
func podAlarm(what, name, stat string, threshold float64, period int) []Alarm {
	place := map[string]string{"ClusterName": "EKSCluster", "Namespace": "Namespace", "PodName": "Workload"}
	return []Alarm{{
		What: what, Namespace: "ContainerInsights", Metrics: []AlarmMetric{{name, stat, place}},
		Threshold: threshold, Minutes: period / minute, Period: period,
	}}
}

func podRestartAlarms() []Alarm {
	return podAlarm("Restarts of the pods in half an hour", "pod_number_of_container_restarts", "Sum", PodRestarts, 30*minute)
}

func podMemoryAlarms() []Alarm {
	return podAlarm("Containers killed because they were out of memory",
		"pod_container_status_terminated_reason_oom_killed", "Maximum", 0, minute)
}
