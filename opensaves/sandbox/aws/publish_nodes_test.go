package aws_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/opensaves/sandbox/aws"
)

func TestRedisShowsItsNodeAlsoWhenIdle(t *testing.T) {
	publish(t, aws.Holdings{Cache: aws.Amount{Items: 10, Bytes: 1000}, Expired: 2}, func(t *testing.T, p *published) {
		start := time.Now()
		p.Hit(100)
		p.Miss()
		p.Set(200)
		p.Unset()
		p.OccupyRedis(59 * time.Second)
		time.Sleep(5*time.Minute + time.Second)
		node := " CacheClusterId=open-saves-cache CacheNodeId=0001"
		first := map[string]float64{
			"CPUUtilization": 98.333, "EngineCPUUtilization": 98.333, "DatabaseMemoryUsagePercentage": 0.57,
			"BytesUsedForCache": 8_390_568, "FreeableMemory": 1_740_634_200, "SwapUsage": 0,
			"CacheHits": 1, "CacheMisses": 1, "GetTypeCmds": 2, "SetTypeCmds": 1, "CurrItems": 10, "Evictions": 0, "Reclaimed": 2,
			"CurrConnections": 24, "NewConnections": 0, "NetworkBytesIn": 456, "NetworkBytesOut": 356,
			"NetworkBandwidthInAllowanceExceeded": 0, "NetworkBandwidthOutAllowanceExceeded": 0,
			"NetworkPacketsPerSecondAllowanceExceeded": 0, "NetworkConntrackAllowanceExceeded": 0, "CPUCreditBalance": 575.913,
		}
		wanted := map[string]float64{}
		for name, value := range first {
			wanted[name+node] = value
		}
		want(t, p.values(t, "AWS/ElastiCache", "Average", start), wanted)
		idle := p.values(t, "AWS/ElastiCache", "Average", start.Add(time.Minute))
		if got := []float64{idle["CPUUtilization"+node], idle["EngineCPUUtilization"+node], idle["CacheHits"+node]}; !cmp.Equal(got, []float64{1.5, 0, 0}) {
			t.Errorf("idle: got %v of host, engine and hits, want 1.5, 0 and 0", got)
		}
	})
}

func TestContainerInsightsShowPodsInEverySetOfTheirDimensions(t *testing.T) {
	publish(t, aws.Holdings{}, func(t *testing.T, p *published) {
		start := time.Now()
		for range 6000 {
			p.Serve()
		}
		p.Receive(60_000)
		p.Transmit(600_000)
		p.Restart()
		time.Sleep(time.Minute + time.Second)
		got := p.values(t, "ContainerInsights", "Sum", start)
		sets := map[string]int{}
		for name := range got {
			sets[strings.TrimPrefix(name[strings.IndexByte(name, ' '):], " ")]++
		}
		cluster, inside := "ClusterName=open-saves-cluster", " Namespace=open-saves"
		wanted := map[string]int{
			cluster: 11, cluster + inside: 7, cluster + inside + " PodName=open-saves": 16, cluster + inside + " Service=open-saves": 15,
			cluster + " FullPodName=open-saves-6d5f8b7c9d-4xk2p" + inside + " PodName=open-saves":        14,
			cluster + " FullPodName=open-saves-6d5f8b7c9d-q7wzn" + inside + " PodName=open-saves":        14,
			cluster + " InstanceId=i-00000000000000001 NodeName=ip-10-0-1-10.us-east-1.compute.internal": 2,
			cluster + " InstanceId=i-00000000000000002 NodeName=ip-10-0-2-10.us-east-1.compute.internal": 2,
		}
		if diff := cmp.Diff(wanted, sets); diff != "" {
			t.Errorf("metrics in each set (-want +got):\n%s", diff)
		}
		workload := " " + cluster + inside + " PodName=open-saves"
		some := map[string]float64{}
		for _, name := range []string{"pod_cpu_utilization_over_pod_limit", "pod_network_rx_bytes", "pod_number_of_container_restarts", "pod_status_ready", "replicas_ready"} {
			some[name] = got[name+workload]
		}
		want(t, some, map[string]float64{
			"pod_cpu_utilization_over_pod_limit": 5.609, "pod_network_rx_bytes": 1000, "pod_number_of_container_restarts": 2,
			"pod_status_ready": 2, "replicas_ready": 2,
		})
		p.OccupyPods(time.Hour)
		time.Sleep(time.Minute)
		saturated := p.values(t, "ContainerInsights", "Minimum", start.Add(time.Minute))
		want(t, map[string]float64{"limit": saturated["pod_cpu_utilization_over_pod_limit"+workload]}, map[string]float64{"limit": 100})
	})
}

func TestNodesLoseAndEarnCredits(t *testing.T) {
	publish(t, aws.Holdings{}, func(t *testing.T, p *published) {
		p.OccupyPods(time.Minute)
		time.Sleep(10*time.Minute + time.Second)
		for _, n := range []string{"1", "2"} {
			first := p.values(t, "AWS/EC2", "Average", time.Now().Truncate(time.Hour))
			second := p.values(t, "AWS/EC2", "Average", time.Now().Truncate(time.Hour).Add(5*time.Minute))
			id := " InstanceId=i-0000000000000000" + n
			want(t, map[string]float64{"used": first["CPUCreditBalance"+id], "earned": second["CPUCreditBalance"+id], "surplus": second["CPUSurplusCreditBalance"+id]},
				map[string]float64{"used": 576, "earned": 576, "surplus": 0})
		}
	})
}

func TestTheAccountShowsWhatTablesHold(t *testing.T) {
	var held aws.Holdings
	held.Tables[aws.Records][aws.Base] = aws.Amount{Items: 3, Bytes: 300}
	held.Tables[aws.Records][aws.GameIDIndex] = aws.Amount{Items: 2, Bytes: 200}
	publish(t, held, func(t *testing.T, p *published) {
		time.Sleep(time.Minute + time.Second)
		p.cloud.Update(func(a *aws.Account) {
			wanted := aws.Table{Name: "open-saves-records", OnDemand: true, Items: 3, SizeBytes: 300, Indexes: []aws.Index{{Name: "OwnerIDIndex"}, {Name: "GameIDIndex", Items: 2, SizeBytes: 200}}}
			if diff := cmp.Diff(wanted, a.Tables[1]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	})
}

func TestOfSeveralPublishersOnePublishesAndAnotherTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud, meter := aws.New(aws.Stock("us-east-1")), &aws.Meter{}
		times := 0
		publisher := aws.NewPublisher(cloud, meter, func() aws.Holdings {
			times++
			return aws.Holdings{}
		})
		first, stopFirst := context.WithCancel(t.Context())
		second, stopSecond := context.WithCancel(t.Context())
		go publisher.Run(first)
		synctest.Wait()
		go publisher.Run(second)
		time.Sleep(3*time.Minute + time.Second)
		stopFirst()
		time.Sleep(2 * time.Minute)
		stopSecond()
		synctest.Wait()
		if times != 5 {
			t.Errorf("got %d minutes published, want 5", times)
		}
	})
}
