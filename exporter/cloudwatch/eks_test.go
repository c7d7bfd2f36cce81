package cloudwatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

func TestWithoutContainerInsightsNothingIsDrawn(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		r.run()
		r.until(5 * time.Minute)
		got := map[string]map[string]float64{
			"cpu": r.shown(metric.EKSWorkloadCPU), "source": r.shown(metric.CloudWatchSource), "age": r.shown(metric.CloudWatchDataAge),
		}
		want := map[string]map[string]float64{
			"cpu": {}, "age": {}, "source": {"component=eks,source=container_insights": 0, "component=eks,source=nodes": 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestPodsAndTheirWorkloadStandInFamiliesOfTheirOwn(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		r.insightsOf("open-saves-1", "open-saves-2")
		dims := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "open-saves", "PodName": "open-saves"}
		put := func(name string, values ...aws.Value) {
			r.cloud.Put(aws.Metric{Namespace: insights, Name: name, Dimensions: dims}, r.start, values...)
		}
		put("pod_network_rx_bytes", one(100), one(300))
		put("pod_number_of_container_restarts", one(0), one(2))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		workload := "eks_cluster=open-saves-cluster,"
		of := ",workload=open-saves,workload_namespace=open-saves"
		pod := func(name, stat string) string {
			return workload + "stat=" + stat + ",workload=open-saves,workload_namespace=open-saves,workload_pod=" + name
		}
		got := map[string]map[string]float64{
			"pods": r.shown(metric.EKSPodCPU), "workload": r.shown(metric.EKSWorkloadCPU),
			"network": r.shown(metric.EKSWorkloadReceive), "restarts": r.shown(metric.EKSWorkloadRestarts),
		}
		want := map[string]map[string]float64{
			"pods": {
				pod("open-saves-1", "avg"): 0.1, pod("open-saves-1", "max"): 0.1,
				pod("open-saves-2", "avg"): 0.1, pod("open-saves-2", "max"): 0.1,
			},
			"workload": {workload + "stat=avg" + of: 0.1, workload + "stat=max" + of: 0.1},
			"network":  {workload + "stat=avg" + of: 200, workload + "stat=sum" + of: 400},
			"restarts": {workload[:len(workload)-1] + of: 2},
		}
		if diff := cmp.Diff(want, got, nearly1e9()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestAPodThatEndedIsNoLongerAskedForAndNoMoreThanAllowedAre(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.EKS)(c)
		c.MaxPods = 2
	}, func(r *rig) {
		of := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "open-saves", "PodName": "open-saves", "FullPodName": ""}
		for i := range 3 {
			of["FullPodName"] = fmt.Sprintf("pod-%d", i)
			for minute := -5; minute < 40*(1-i); minute++ { // pod 0 lives on, pod 1 has just ended, pod 2 is one too many
				r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: of}, r.start.Add(time.Duration(minute)*time.Minute), one(10))
			}
		}
		r.run()
		asked := func(from, to time.Duration) int64 {
			r.until(from)
			before := r.cloud.Billed()[insights]
			r.until(to)
			return r.cloud.Billed()[insights] - before
		}
		const each, others = 14, 12 // metrics of a pod, and of workload, service and cluster
		got := []int64{
			asked(2*time.Minute+30*time.Second, 3*time.Minute+30*time.Second),   // both pods that are allowed
			asked(24*time.Minute+30*time.Second, 25*time.Minute+30*time.Second), // one has been silent
		}
		if diff := cmp.Diff([]int64{2*each + others, each + others}, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if got := len(r.shown(metric.EKSPodCPU)); got != 2 {
			t.Errorf("got %d series, want average and maximum of the one pod that is left", got)
		}
	})
}

func TestAStarFindsAllWorkloadsOfTheNamespace(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.EKS)(c)
		c.EKS.Workloads = []string{"*"}
	}, func(r *rig) {
		for _, workload := range []string{"open-saves", "worker"} {
			dims := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "open-saves", "PodName": workload}
			r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: dims}, r.start, one(10), one(20), one(30))
		}
		dims := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "kube-system", "PodName": "coredns"}
		r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: dims}, r.start, one(10))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		want := map[string]float64{
			"eks_cluster=open-saves-cluster,workload=open-saves,workload_namespace=open-saves": 3,
			"eks_cluster=open-saves-cluster,workload=worker,workload_namespace=open-saves":     3,
		}
		if diff := cmp.Diff(want, r.shown(metric.EKSWorkloadPods)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestNodesAreFoundByTheTagOfTheirCluster(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		r.cloud.Update(func(a *aws.Account) {
			a.Instances = []aws.Instance{
				{ID: "i-1", Type: "t3.medium", PrivateDNSName: "node-1", Zone: "us-east-1a", Credits: "standard", Tags: map[string]string{clusterTag + "open-saves-cluster": "owned"}},
				{ID: "i-2", Type: "m7g.large", PrivateDNSName: "node-2", Zone: "us-east-1b", Spot: true, Tags: map[string]string{clusterTag + "open-saves-cluster": "owned"}},
				{ID: "i-3", Type: "t3.medium", PrivateDNSName: "other", Zone: "us-east-1b", Tags: map[string]string{clusterTag + "another": "owned"}},
			}
			a.SpotPrices = []aws.SpotPrice{{Type: "m7g.large", Zone: "us-east-1b", USD: 0.03}}
		})
		r.cloud.Put(aws.Metric{Namespace: "AWS/EC2", Name: "CPUCreditBalance", Dimensions: map[string]string{"InstanceId": "i-1"}}, r.start, one(100))
		r.run()
		r.until(9*time.Minute + 10*time.Second)
		want := map[string]float64{"eks_cluster=open-saves-cluster,eks_node=node-1,mode=standard": 100}
		if diff := cmp.Diff(want, r.shown(metric.EKSNodeCredits)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		nodes := r.exporter.pollers[0].published.Load().resources.nodes
		if got := fmt.Sprint(nodes); got != "[{t3.medium 0} {m7g.large 0.03}]" {
			t.Errorf("got the nodes %s, want one on demand and one on the spot market", got)
		}
	})
}
