package aws

// podNames are those of the deployment's replicas.
var podNames = [...]string{"open-saves-6d5f8b7c9d-4xk2p", "open-saves-6d5f8b7c9d-q7wzn"}

// podShares are how a balancer shares the requests out among them.
var podShares = [len(podNames)]float64{0.52, 0.48}

// What a pod may use and needs, and what a node needs beside its pods.
const (
	podCPUs     = 0.5       // virtual CPUs, its limit
	podIdle     = 0.004     // virtual CPUs
	podRequest  = 200e-6    // virtual CPU seconds of a request
	podByte     = 4e-9      // virtual CPU seconds of a byte that it moves
	podMemory   = 512 << 20 // bytes, its limit
	podUsed     = 46 << 20  // bytes of memory without requests
	podBuffered = 2         // seconds of its traffic that it holds in memory

	nodeCPUs = 2         // virtual CPUs
	nodeIdle = 0.11      // virtual CPUs
	nodeUsed = 900 << 20 // bytes of memory
)

// pod is what a pod uses, or all pods of a node.
type pod struct {
	cpus, memory   float64 // virtual CPUs, bytes
	received, sent float64 // bytes a second
}

// pods shares what the requests consumed out among the pods.
func (i *interval) pods() (pods [len(podNames)]pod) {
	used := &i.meter.pods
	received, sent := i.rate(&used.bytesIn), i.rate(&used.bytesOut)
	work := podRequest*i.rate(&used.requests) + podByte*(received+sent)
	for n, share := range podShares {
		pods[n] = pod{
			cpus:     podCPUs * max(i.busy(&used.busy), min(1, (podIdle+share*work)/podCPUs)),
			memory:   min(podMemory, podUsed+podBuffered*share*(received+sent)),
			received: share * received, sent: share * sent,
		}
	}
	return pods
}

// insights returns a set of dimensions of Container Insights: the cluster's, and
// more names with their values.
func insights(more ...string) family {
	dimensions := map[string]string{"ClusterName": clusterName}
	for i := 0; i < len(more); i += 2 {
		dimensions[more[i]] = more[i+1]
	}
	return family{"ContainerInsights", dimensions}
}

// eks publishes what the enhanced Container Insights have of the cluster and of
// the workload, whose pods stand on the nodes in turn.
func (i *interval) eks() {
	cluster, space := insights(), insights("Namespace", namespace)
	workload := insights("Namespace", namespace, "PodName", workloadName)
	service := insights("Namespace", namespace, "Service", workloadName)
	pods := i.pods()
	for n, p := range pods {
		one := insights("Namespace", namespace, "PodName", workloadName, "FullPodName", podNames[n])
		i.podUse(p, i.memoryUnder(n), cluster, space, service, workload, one)
		i.podState(service, workload, one)
	}
	i.nodes(cluster, pods)
	running := float64(len(pods))
	i.level(cluster, "cluster_number_of_running_pods", running)
	i.level(space, "namespace_number_of_running_pods", running)
	i.level(service, "service_number_of_running_pods", running)
	i.level(workload, "replicas_desired", running)
	i.level(workload, "replicas_ready", running)
}

// memoryUnder is the memory of the node that a pod stands on.
func (i *interval) memoryUnder(n int) float64 {
	if len(i.account.Instances) == 0 {
		return machineOf("").memory
	}
	return machineOf(i.account.Instances[n%len(i.account.Instances)].Type).memory
}

// podUse publishes what a pod uses in each of the sets.
func (i *interval) podUse(p pod, memory float64, sets ...family) {
	for _, to := range sets {
		i.level(to, "pod_cpu_utilization", 100*p.cpus/nodeCPUs)
		i.level(to, "pod_cpu_utilization_over_pod_limit", 100*p.cpus/podCPUs)
		i.level(to, "pod_memory_utilization", 100*p.memory/memory)
		i.level(to, "pod_memory_utilization_over_pod_limit", 100*p.memory/podMemory)
		i.level(to, "pod_network_rx_bytes", p.received)
		i.level(to, "pod_network_tx_bytes", p.sent)
	}
}

// podState publishes what has become of a pod in each of the sets.
func (i *interval) podState(sets ...family) {
	for _, to := range sets {
		i.level(to, "pod_number_of_container_restarts", i.grown(&i.meter.pods.restarts))
		for name, value := range map[string]float64{
			"pod_number_of_containers": 1, "pod_number_of_running_containers": 1,
			"pod_status_ready": 1, "pod_status_running": 1, "pod_status_pending": 0, "pod_status_failed": 0,
			"pod_container_status_terminated_reason_oom_killed": 0,
		} {
			i.level(to, name, value)
		}
	}
}

// nodes publishes what the nodes use, each alone and all in the cluster.
func (i *interval) nodes(cluster family, pods [len(podNames)]pod) {
	instances := i.account.Instances
	i.level(cluster, "cluster_node_count", float64(len(instances)))
	i.level(cluster, "cluster_failed_node_count", 0)
	for n, instance := range instances {
		cpus, memory := nodeIdle, float64(nodeUsed)
		for at := n; at < len(pods); at += len(instances) {
			cpus, memory = cpus+pods[at].cpus, memory+pods[at].memory
		}
		alone := insights("InstanceId", instance.ID, "NodeName", instance.PrivateDNSName)
		for _, to := range []family{cluster, alone} {
			i.level(to, "node_cpu_utilization", 100*cpus/nodeCPUs)
			i.level(to, "node_memory_utilization", 100*memory/machineOf(instance.Type).memory)
		}
		i.ec2(instance, cpus)
	}
}
