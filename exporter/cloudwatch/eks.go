package cloudwatch

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"opensaves-soak/exporter/metric"
)

// What Container Insights publishes
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-EKS.html).
// Its dimension PodName is the name of the workload; that of a pod is
// FullPodName, which only the enhanced variant has.
var (
	workloadRows = []row{
		level("pod_cpu_utilization", metric.EKSWorkloadCPU, percent, average, maximum),
		level("pod_cpu_utilization", metric.EKSWorkloadPods, plain, sampleCount), // each pod reports once a minute
		level("pod_cpu_utilization_over_pod_limit", metric.EKSWorkloadCPULimit, percent, average, maximum),
		level("pod_memory_utilization", metric.EKSWorkloadMemory, percent, average, maximum),
		level("pod_memory_utilization_over_pod_limit", metric.EKSWorkloadMemoryLimit, percent, average, maximum),
		restarts(metric.EKSWorkloadRestarts, essential),
		level("pod_network_rx_bytes", metric.EKSWorkloadReceive, plain, average, sum), // bytes a second already
		level("pod_network_tx_bytes", metric.EKSWorkloadTransmit, plain, average, sum),
	}
	replicaCountRows = []row{
		level("replicas_desired", metric.EKSWorkloadReplicas, plain, average).with("desired"),
		level("replicas_ready", metric.EKSWorkloadReplicas, plain, average).with("ready"),
	}
	podRows = each(pods,
		level("pod_cpu_utilization", metric.EKSPodCPU, percent, average, maximum),
		level("pod_cpu_utilization_over_pod_limit", metric.EKSPodCPULimit, percent, average, maximum),
		level("pod_memory_utilization", metric.EKSPodMemory, percent, average, maximum),
		level("pod_memory_utilization_over_pod_limit", metric.EKSPodMemoryLimit, percent, average, maximum),
		restarts(metric.EKSPodRestarts, pods),
		level("pod_network_rx_bytes", metric.EKSPodReceive, plain, average),
		level("pod_network_tx_bytes", metric.EKSPodTransmit, plain, average),
		level("pod_number_of_running_containers", metric.EKSPodRunning, plain, average),
		level("pod_number_of_containers", metric.EKSPodContainers, plain, average),
		level("pod_status_ready", metric.EKSPodStatus, plain, average).with("ready"),
		level("pod_status_pending", metric.EKSPodStatus, plain, average).with("pending"),
		level("pod_status_running", metric.EKSPodStatus, plain, average).with("running"),
		level("pod_status_failed", metric.EKSPodStatus, plain, average).with("failed"),
		level("pod_container_status_terminated_reason_oom_killed", metric.EKSPodOOM, plain, maximum),
	)
	serviceRows = []row{level("service_number_of_running_pods", metric.EKSServicePods, plain, average)}
	clusterRows = []row{
		level("cluster_node_count", metric.EKSNodes, plain, average),
		level("cluster_failed_node_count", metric.EKSFailedNodes, plain, maximum),
	}
	eksNodeRows = each(nodes,
		level("node_cpu_utilization", metric.EKSNodeCPU, percent, average, maximum),
		level("node_memory_utilization", metric.EKSNodeMemory, percent, average, maximum),
	)
)

// restarts is the row of a count that is that of the period, not of the pod's life.
func restarts(total metric.Definition, d detail) row {
	return row{name: "pod_number_of_container_restarts", stats: []string{sum}, unit: plain, empty: zero, total: total, detail: d}
}

// each makes rows of what comes and goes.
func each(d detail, rows ...row) []row {
	rows[0].probe = true
	for i := range rows {
		rows[i].detail = d
	}
	return rows
}

const insights = "ContainerInsights"

// cluster is what is known of EKS.
type cluster struct {
	Options
	workloads []string            // that report
	pods      map[string][]string // of workloads
	nodes     [][2]string         // instance and name, of those that report
	machines  machines
}

func newEKS(o Options) source {
	c := &cluster{Options: o, pods: map[string][]string{}, machines: machines{Options: o}}
	return source{metric.EKS, time.Duration(o.Config.Delay), c.discover}
}

func (c *cluster) discover(ctx context.Context, tell looks) plan {
	p := plan{sources: map[string]bool{}}
	err := c.list(ctx)
	tell("container_insights", err)
	p.sources["container_insights"] = err == nil && len(c.workloads)+len(c.nodes) > 0
	if len(c.workloads)+len(c.nodes) > 0 {
		c.planWorkloads(&p)
		c.planCluster(&p)
	}
	c.machines.plan(ctx, &p, tell)
	p.billed.cluster = true
	return p
}

// list finds out who has reported in the last hours.
func (c *cluster) list(ctx context.Context) error {
	of := dimension{"ClusterName", c.Config.EKS.Cluster}
	nodes, err := c.reporting(ctx, "node_cpu_utilization", of)
	if err != nil {
		return err
	}
	c.nodes = nil
	for _, dims := range nodes {
		if dims["NodeName"] != "" && dims["InstanceId"] != "" {
			c.nodes = append(c.nodes, [2]string{dims["InstanceId"], dims["NodeName"]})
		}
	}
	found, pods := []string{}, map[string][]string{}
	for _, name := range c.Config.EKS.Workloads {
		filter := []dimension{of, {"Namespace", c.Config.EKS.Namespace}, {"PodName", name}}
		if name == "*" {
			filter[2].value = ""
		}
		reported, err := c.reporting(ctx, "pod_cpu_utilization", filter...)
		if err != nil {
			return err
		}
		for _, dims := range reported {
			workload, pod := dims["PodName"], dims["FullPodName"]
			if !slices.Contains(found, workload) {
				found = append(found, workload)
			}
			if pod != "" && !slices.Contains(pods[workload], pod) {
				pods[workload] = append(pods[workload], pod)
			}
		}
	}
	slices.Sort(found)
	c.workloads, c.pods = found, pods
	return nil
}

// reporting returns the dimensions of a metric wherever it was published in
// the last three hours.
func (c *cluster) reporting(ctx context.Context, name string, filter ...dimension) ([]map[string]string, error) {
	in := &cloudwatch.ListMetricsInput{Namespace: aws.String(insights), MetricName: &name, RecentlyActive: types.RecentlyActivePt3h}
	for _, d := range filter {
		f := types.DimensionFilter{Name: aws.String(d.name)}
		if d.value != "" {
			f.Value = aws.String(d.value)
		}
		in.Dimensions = append(in.Dimensions, f)
	}
	var found []map[string]string
	for range mostPages {
		out, err := c.Calls.ListMetrics(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, m := range out.Metrics {
			dims := map[string]string{}
			for _, d := range m.Dimensions {
				dims[aws.ToString(d.Name)] = aws.ToString(d.Value)
			}
			found = append(found, dims)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	return found, nil
}

// mostPods bounds how many pods are known at a time, most of them ended.
const mostPods = 1000

func (c *cluster) planWorkloads(p *plan) {
	of := []dimension{{"ClusterName", c.Config.EKS.Cluster}, {"Namespace", c.Config.EKS.Namespace}}
	labels := []string{c.Connect.Region, c.Config.EKS.Cluster, c.Config.EKS.Namespace}
	left := mostPods
	for _, workload := range c.workloads {
		at := target{insights, append(slices.Clone(of), dimension{"PodName", workload}), append(slices.Clone(labels), workload)}
		p.queries = append(p.queries, at.queries(workloadRows)...)
		names := slices.Sorted(slices.Values(c.pods[workload]))
		if len(names) > 0 { // the enhanced variant
			p.queries = append(p.queries, at.queries(replicaCountRows)...)
		}
		for _, pod := range names[:min(left, len(names))] {
			one := target{insights, append(slices.Clone(at.dimensions), dimension{"FullPodName", pod}), append(slices.Clone(at.labels), pod)}
			p.queries = append(p.queries, one.queries(podRows)...)
			left--
		}
	}
	for _, service := range c.Config.EKS.Services {
		at := target{insights, append(slices.Clone(of), dimension{"Service", service}), append(slices.Clone(labels), service)}
		p.queries = append(p.queries, at.queries(serviceRows)...)
	}
}

func (c *cluster) planCluster(p *plan) {
	of := dimension{"ClusterName", c.Config.EKS.Cluster}
	labels := []string{c.Connect.Region, c.Config.EKS.Cluster}
	p.queries = append(p.queries, target{insights, []dimension{of}, labels}.queries(clusterRows)...)
	for _, node := range c.nodes {
		at := target{insights, []dimension{of, {"InstanceId", node[0]}, {"NodeName", node[1]}}, append(slices.Clone(labels), node[1])}
		p.queries = append(p.queries, at.queries(eksNodeRows)...)
	}
}
