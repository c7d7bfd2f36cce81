package cloudwatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

// pod lets a pod report from one minute to another.
func (r *rig) pod(name string, from, to int) {
	dims := map[string]string{"ClusterName": "open-saves-cluster", "Namespace": "open-saves", "PodName": "open-saves", "FullPodName": name}
	for minute := from; minute < to; minute++ {
		r.cloud.Put(aws.Metric{Namespace: insights, Name: "pod_cpu_utilization", Dimensions: dims}, r.start.Add(time.Duration(minute)*time.Minute), one(10))
	}
}

func TestPodsThatEndedDoNotTakeThePlacesOfOthers(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.EKS)(c)
		c.MaxPods = 3
	}, func(r *rig) {
		for i := range 3 {
			r.pod(fmt.Sprintf("before-%d", i), -10, 0)
			r.pod(fmt.Sprintf("since-%d", i), -1, 100)
		}
		r.run()
		r.until(30*time.Minute + 10*time.Second)
		if got := len(r.shown(metric.EKSPodCPU)); got != 6 {
			t.Errorf("got %d series, want average and maximum of the three pods that live", got)
		}
	})
}

func TestTheCounterOfAPodEndsWithIt(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		r.pod("live", -10, 60)
		r.pod("dead", -10, 3)
		r.run()
		r.until(45*time.Minute + 10*time.Second)
		for labels := range r.shown(metric.EKSPodRestarts) {
			if strings.HasSuffix(labels, "workload_pod=dead") {
				t.Errorf("got %s 40 minutes after its end, want none", labels)
			}
		}
	})
}

// Looks that fail are repeated each minute, which must not wake what has ended.
func TestAMissingPermissionDoesNotMakePodsThatEndedCost(t *testing.T) {
	billed := map[bool]int64{}
	for _, denied := range []bool{false, true} {
		simulate(t, only(metric.EKS), func(r *rig) {
			r.pod("live", -10, 60)
			for i := range 10 {
				r.pod(fmt.Sprintf("dead-%d", i), -1, 0)
			}
			if denied {
				r.cloud.Fail("DescribeInstances", &aws.Failure{Status: 403, Code: "UnauthorizedOperation"})
			}
			r.run()
			r.until(30*time.Minute + 30*time.Second)
			before := r.cloud.Billed()[insights]
			r.until(40*time.Minute + 30*time.Second)
			billed[denied] = r.cloud.Billed()[insights] - before
		})
	}
	const oneTry = 10 // for each pod that ended
	if billed[true] > billed[false]+oneTry {
		t.Errorf("got %d billed metrics in ten minutes without the permission, want no more than the %d with it and one try more", billed[true], billed[false])
	}
}

func TestManyPodsThatEndedDoNotUseUpTheCeiling(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		for i := range 30 {
			r.pod(fmt.Sprintf("dead-%d", i), -10, 0)
		}
		r.pod("live-1", -10, 60)
		r.pod("live-2", -10, 60)
		r.run()
		for minute := 16; minute < 60; minute += 6 { // until then they count as living
			r.until(time.Duration(minute)*time.Minute + 10*time.Second)
			pods, level := r.shown(metric.EKSPodCPU), r.shown(metric.CloudWatchDegraded)["reason=cost"]
			if len(pods) < 4 || level != 0 {
				r.t.Fatalf("after %d minutes: got %d series at level %v, want the two pods that live and no degradation", minute, len(pods), level)
			}
		}
	})
}

func TestNodesThatEndedAreNoLongerAskedFor(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		for i := range 100 {
			dims := map[string]string{"ClusterName": "open-saves-cluster", "InstanceId": fmt.Sprintf("i-%d", i), "NodeName": fmt.Sprintf("node-%d", i)}
			for minute := -10; minute < 0 || i == 0 && minute < 60; minute++ {
				r.cloud.Put(aws.Metric{Namespace: insights, Name: "node_cpu_utilization", Dimensions: dims}, r.start.Add(time.Duration(minute)*time.Minute), one(10))
			}
		}
		r.run()
		r.until(24*time.Minute + 30*time.Second)
		before := r.cloud.Billed()[insights]
		r.until(25*time.Minute + 30*time.Second)
		if got := r.cloud.Billed()[insights] - before; got != 5 { // two of the node, one of the service, two of the cluster
			t.Errorf("got %d billed metrics in a minute, want 5", got)
		}
	})
}

func TestAnOutageOfAWSEndsNoPod(t *testing.T) {
	simulate(t, only(metric.EKS), func(r *rig) {
		r.pod("live", -10, 60)
		r.run()
		r.until(10*time.Minute + 30*time.Second)
		r.cloud.Fail("*", &aws.Failure{Status: 503})
		r.until(35*time.Minute + 30*time.Second)
		r.cloud.Fail("*", nil)
		r.until(36*time.Minute + 30*time.Second)
		if got := len(r.shown(metric.EKSPodCPU)); got != 2 {
			t.Errorf("got %d series a minute after the outage, want average and maximum of the pod", got)
		}
	})
}
