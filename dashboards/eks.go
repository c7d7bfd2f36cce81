package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// eksPods shows the target's pods and the nodes under them.
func eksPods() design {
	return design{
		name: "eks", uid: alerts.BoardEKS, title: "EKS pods", pods: true,
		description: "What the pods of Open Saves and their nodes do, beside what the tester sees.",
		sections: []section{
			numbers(
				cpuNow(), memoryNow(), restartsNow(), oomNow(), replicasNow(), pendingNow(),
				failedNow(), p99Now(), networkNow(), creditsNow(), ageOf(metric.EKS, alerts.DataAgeSeconds), costOf(metric.EKS),
			),
			graphs("", testerRate(), testerLatency(), podCPUs(), podMemories(), podErrors(), podRestartsByPod(), podReceive(), podTransmit()),
			details("Scaling", replicas(), autoscaler(), podPhases(), nodesByCapacity()),
			details("Pods in detail", podCPUOfNode(), podCores(), podMemoryBytes(), podThrottling(), containers(), servicePods()),
			details("Nodes", nodeCPU(), nodeMemory(), nodeCredits(), nodeSurplus(), failedNodes(), workloadNetwork()),
		},
	}
}

// What kubelet and kube-state-metrics say of the target's pods.
const (
	ofContainers = ofPods + `,container!="",container!="POD"`

	podCPUOfLimit = `sum by (pod) (rate(container_cpu_usage_seconds_total{` + ofContainers + `}[$__rate_interval]))` +
		` / sum by (pod) (kube_pod_container_resource_limits{` + ofPods + `,resource="cpu"})`
	podMemoryOfLimit = `sum by (pod) (container_memory_working_set_bytes{` + ofContainers + `})` +
		` / sum by (pod) (kube_pod_container_resource_limits{` + ofPods + `,resource="memory"})`
	podReceived    = `sum by (pod) (rate(container_network_receive_bytes_total{` + ofPods + `}[$__rate_interval]))`
	podTransmitted = `sum by (pod) (rate(container_network_transmit_bytes_total{` + ofPods + `}[$__rate_interval]))`
	podRestarted   = `sum by (pod) (increase(kube_pod_container_status_restarts_total{` + ofPods + `}[30m]))`
	podOutOfMemory = `sum by (pod) (kube_pod_container_status_last_terminated_reason{` + ofPods + `,reason="OOMKilled"} == 1` +
		` and on (cluster, namespace, pod, container) increase(kube_pod_container_status_restarts_total{` + ofPods + `}[10m]) > 0)`
	podReady        = `sum(kube_pod_status_ready{` + ofPods + `,condition="true"})`
	podPending      = `sum(kube_pod_status_phase{` + ofPods + `,phase="Pending"})`
	ofDeployments   = `cluster=~"$cluster",namespace=~"$target_namespace",horizontalpodautoscaler=~"$workload"`
	capacityOfNodes = `count by (capacity) (label_replace(label_replace(kube_node_labels{cluster=~"$cluster"},` +
		` "capacity", "$1", "label_eks_amazonaws_com_capacity_type", "(.+)"), "capacity", "$1", "label_karpenter_sh_capacity_type", "(.+)"))`
)

// byPod is what Container Insights says of pods, with the label that others have.
func byPod(expr string) string {
	return highest("pod", `label_replace(`+expr+`, "pod", "$1", "workload_pod", "(.+)")`)
}

// ofInsights is what Container Insights says of each of the target's pods.
func ofInsights(d metric.Definition, matchers ...string) string {
	return byPod(aws(d, append(matchers, ofWorkload)...))
}

func insightsNow(d metric.Definition, matchers ...string) string {
	return highest("", awsNow(d, append(matchers, ofWorkload)...))
}

func cpuNow() panel {
	return number(about{"CPU", "CPU of the busiest pod as a share of its limit.", units.PercentUnit},
		highest("", pods(highest("", podCPUOfLimit), insightsNow(metric.EKSWorkloadCPULimit, `stat="max"`))), under(podCPU)).NoValue("no limit")
}

func memoryNow() panel {
	return number(about{"Memory", "Memory of the fullest pod as a share of its limit.", units.PercentUnit},
		highest("", pods(highest("", podMemoryOfLimit), insightsNow(metric.EKSWorkloadMemoryLimit, `stat="max"`))), under(podMemory)).NoValue("no limit")
}

func restartsNow() panel {
	insights := highest("", "max without (instance, pod) (increase("+selected(metric.EKSWorkloadRestarts.Name, ofWorkload)+"[30m]))")
	return number(about{"Restarts", "Restarts in the last 30 minutes of the pod, or the workload by Container Insights, that restarted most often.", units.Short},
		"round("+highest("", pods(highest("", podRestarted), insights))+")", under(alerts.PodRestarts+1)).Decimals(0)
}

func oomNow() panel {
	insights := "max without (instance, pod) (max_over_time(" + selected(metric.EKSPodOOM.Name, ofWorkload) + "[10m]))"
	return number(about{"Out of memory", "Containers that were killed in the last 10 minutes because they were out of memory.", units.Short},
		sum("", pods(sum("", podOutOfMemory), sum("", insights))), under(1)).Decimals(0).NoValue("0")
}

func replicasNow() panel {
	return number(about{"Ready pods", "Pods of the target that are ready.", units.Short},
		sum("", pods(podReady, sum("", awsNow(metric.EKSWorkloadReplicas, ofWorkload, `state="ready"`)))), over(1)).Decimals(0)
}

func pendingNow() panel {
	return number(about{"Pending pods", "Pods of the target that wait for a node.", units.Short},
		sum("", pods(podPending, sum("", awsNow(metric.EKSPodStatus, ofWorkload, `condition="pending"`)))), under(1)).Decimals(0)
}

func networkNow() panel {
	insights := sum("", awsNow(metric.EKSWorkloadReceive, ofWorkload, `stat="sum"`)) + " + " +
		sum("", awsNow(metric.EKSWorkloadTransmit, ofWorkload, `stat="sum"`))
	return number(about{"Network", "Bytes that the pods receive and send.", units.BytesPerSecondSI},
		sum("", pods("sum("+podReceived+") + sum("+podTransmitted+")", insights)), neutral())
}

func creditsNow() panel {
	return number(about{"Node credits", "CPU credits that the poorest burstable node in standard mode has left; at 0 it is slowed down.", units.Short},
		"min("+awsNow(metric.EKSNodeCredits, `mode="standard"`)+")", over(1)).NoValue("none")
}

func failedNow() panel {
	return number(about{"Failed requests", "Share of the requests of the chosen operations that failed, as the tester sees it.", units.PercentUnit},
		failedShare("", ofOperation), neutral())
}

func p99Now() panel {
	return number(about{"Request latency p99", "Response time that 99 of 100 successes of the chosen operations stay below, as the tester sees it.", units.Seconds},
		quantile(0.99, "", metric.ResponseTime, ofOperation, succeeded), neutral())
}

func podCPUs() panel {
	return line(awsGraph(about{"CPU of limit by pod", "CPU that a pod uses as a share of its limit.", units.PercentUnit},
		query{pods(podCPUOfLimit, ofInsights(metric.EKSPodCPULimit, `stat="max"`)), "{{pod}}"}), under(podCPU))
}

func podMemories() panel {
	return line(awsGraph(about{"Memory of limit by pod", "Memory that a pod uses as a share of its limit.", units.PercentUnit},
		query{pods(podMemoryOfLimit, ofInsights(metric.EKSPodMemoryLimit, `stat="max"`)), "{{pod}}"}), under(podMemory))
}

// podErrors is the tester's: neither source of pod metrics knows of requests.
func podErrors() panel {
	return graph(about{"Error ratio", "Share of the requests that failed, by operation, as the tester sees it.", units.PercentUnit},
		query{failedShare("operation", ofOperation), "{{operation}}"}).
		DataLinks(toOperation(inSeries))
}

func podRestartsByPod() panel {
	insights := byPod("max without (instance, pod) (increase(" + selected(metric.EKSPodRestarts.Name, ofWorkload) + "[30m]))")
	return line(awsGraph(about{"Restarts by pod", "Restarts of a pod's containers within 30 minutes.", units.Short},
		query{pods(podRestarted, insights), "{{pod}}"}), under(alerts.PodRestarts+1))
}

func podReceive() panel {
	return awsGraph(about{"Received by pod", "Bytes that a pod receives.", units.BytesPerSecondSI},
		query{pods(podReceived, ofInsights(metric.EKSPodReceive)), "{{pod}}"})
}

func podTransmit() panel {
	return awsGraph(about{"Sent by pod", "Bytes that a pod sends.", units.BytesPerSecondSI},
		query{pods(podTransmitted, ofInsights(metric.EKSPodTransmit)), "{{pod}}"})
}
