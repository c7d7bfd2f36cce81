package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/exporter/metric"
)

func replicas() panel {
	return awsGraph(about{"Replicas", "Replicas of the target's workloads, desired and ready, and the pods that reported.", units.Short},
		query{pods(`sum(kube_deployment_spec_replicas{cluster=~"$cluster",namespace=~"$target_namespace",deployment=~"$workload"})`,
			sum("", aws(metric.EKSWorkloadReplicas, ofWorkload, `state="desired"`))), "desired"},
		query{pods(podReady, sum("", aws(metric.EKSWorkloadReplicas, ofWorkload, `state="ready"`))), "ready"},
		query{sum("", aws(metric.EKSWorkloadPods, ofWorkload)), "reported to Container Insights"})
}

func autoscaler() panel {
	return graph(about{"Autoscaler", "What the HorizontalPodAutoscalers of the target want, have and may have; only kube-state-metrics knows.", units.Short},
		query{`sum(kube_horizontalpodautoscaler_status_current_replicas{` + ofDeployments + `})`, "current"},
		query{`sum(kube_horizontalpodautoscaler_status_desired_replicas{` + ofDeployments + `})`, "desired"},
		query{`sum(kube_horizontalpodautoscaler_spec_max_replicas{` + ofDeployments + `})`, "most"})
}

// podPhases says what kube-state-metrics says, which has two phases more.
func podPhases() panel {
	kube, insights := `sum by (phase) (kube_pod_status_phase{`+ofPods+`})`, aws(metric.EKSPodStatus, ofWorkload, `condition!="ready"`)
	for _, phase := range []string{"Pending", "Running", "Failed"} {
		insights = fmt.Sprintf(`label_replace(%s, "phase", %q, "condition", %q)`, insights, phase, strings.ToLower(phase))
	}
	return awsGraph(about{"Pods by phase", "Pods of the target by their phase.", units.Short},
		query{pods(kube, sum("phase", insights)), "{{phase}}"})
}

func nodesByCapacity() panel {
	return awsGraph(about{"Nodes", "Nodes of the cluster, by on-demand and spot where kube-state-metrics exports the labels of nodes.", units.Short},
		query{pods(capacityOfNodes, highest("eks_cluster", aws(metric.EKSNodes))), "{{capacity}}{{eks_cluster}}"})
}

func podCPUOfNode() panel {
	return awsGraph(about{"CPU of node by pod", "CPU that a pod uses as a share of its node's; only Container Insights says it.", units.PercentUnit},
		query{ofInsights(metric.EKSPodCPU, `stat="max"`), "{{pod}}"})
}

func podCores() panel {
	return graph(about{"Cores by pod", "Cores that a pod uses; only cAdvisor says it.", units.Short},
		query{`sum by (pod) (rate(container_cpu_usage_seconds_total{` + ofContainers + `}[$__rate_interval]))`, "{{pod}}"})
}

func podMemoryBytes() panel {
	return graph(about{"Working set by pod", "Bytes of memory that a pod uses; only cAdvisor says it.", units.BytesIEC},
		query{`sum by (pod) (container_memory_working_set_bytes{` + ofContainers + `})`, "{{pod}}"})
}

func podThrottling() panel {
	return line(graph(about{"CFS throttling by pod", "Share of a pod's scheduling periods in which its CPU limit held it up; only cAdvisor says it.", units.PercentUnit},
		query{`sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{` + ofContainers + `}[$__rate_interval]))` +
			` / sum by (pod) (rate(container_cpu_cfs_periods_total{` + ofContainers + `}[$__rate_interval]))`, "{{pod}}"}), under(podThrottled))
}

func containers() panel {
	return awsGraph(about{"Containers by pod", "Containers of a pod, and those that run; only Container Insights says it.", units.Short},
		query{ofInsights(metric.EKSPodContainers), "{{pod}}"}, query{ofInsights(metric.EKSPodRunning), "{{pod}} running"})
}

func servicePods() panel {
	return awsGraph(about{"Pods behind services", "Running pods behind a service of the target; only Container Insights says it.", units.Short},
		query{highest("workload_service", aws(metric.EKSServicePods, `workload_namespace=~"$target_namespace"`)), "{{workload_service}}"})
}

func nodeCPU() panel {
	return awsGraph(about{"CPU by node", "CPU of a node in use; only Container Insights says it.", units.PercentUnit},
		query{highest("eks_node", aws(metric.EKSNodeCPU, `stat="avg"`)), "{{eks_node}}"})
}

func nodeMemory() panel {
	return awsGraph(about{"Memory by node", "Memory of a node in use; only Container Insights says it.", units.PercentUnit},
		query{highest("eks_node", aws(metric.EKSNodeMemory, `stat="avg"`)), "{{eks_node}}"})
}

func nodeCredits() panel {
	return awsGraph(about{"CPU credits by node", "CPU credits that a burstable node has left; at 0 it is slowed down where its mode is standard.", units.Short},
		query{highest("eks_node, mode", aws(metric.EKSNodeCredits)), "{{eks_node}}, {{mode}}"})
}

func nodeSurplus() panel {
	return awsGraph(about{"Surplus credits by node", "CPU credits that a burstable node has spent beyond those it earned.", units.Short},
		query{highest("eks_node", aws(metric.EKSNodeSurplus)), "{{eks_node}}"})
}

func failedNodes() panel {
	return awsGraph(about{"Failed nodes", "Nodes of the cluster that have failed.", units.Short},
		query{highest("eks_cluster", aws(metric.EKSFailedNodes)), "{{eks_cluster}}"})
}

func workloadNetwork() panel {
	return awsGraph(about{"Network by workload", "Bytes that all pods of a workload receive and send; only Container Insights says it.", units.BytesPerSecondSI},
		query{sum("workload", aws(metric.EKSWorkloadReceive, ofWorkload, `stat="sum"`)), "{{workload}} received"},
		query{sum("workload", aws(metric.EKSWorkloadTransmit, ofWorkload, `stat="sum"`)), "{{workload}} sent"})
}
