package cloudwatch

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

func TestWhatATableAndItsIndexesConsumeIsMeasuredApart(t *testing.T) {
	simulate(t, nil, func(r *rig) {
		for i := range 30 {
			minute := r.start.Add(time.Duration(i) * time.Minute)
			r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", records), minute, one(60))
			r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", records, "GlobalSecondaryIndexName", "OwnerIDIndex"), minute, one(30))
			r.cloud.Put(ofTable("SuccessfulRequestLatency", records, "Operation", "PutItem"), minute, aws.Value{Value: 4, Count: 60})
			r.cloud.Put(ofBucket("PutRequests", "FilterId", "EntireBucket"), minute, one(12))
			r.cloud.Put(ofBucket("HeadRequests", "FilterId", "EntireBucket"), minute, one(6))
		}
		r.cloud.Update(func(a *aws.Account) {
			for i := range a.Tables {
				if t := &a.Tables[i]; t.Name == stores {
					t.OnDemand, t.ReadUnits, t.WriteUnits = false, 5, 10
				}
			}
		})
		if _, ok := r.exporter.Measure(); ok {
			t.Error("got a measurement before the first poll, want none")
		}
		r.run()
		r.until(12*time.Minute + 10*time.Second)
		got, ok := r.exporter.Measure()
		if !ok {
			r.t.Fatal("got no measurement")
		}
		end := r.start.Add(7 * time.Minute) // S3 settles last: what ended at 7 is known at 12
		want := cost.Measurement{
			Start: end.Add(-5 * time.Minute), End: end, Cluster: true, Calls: 300, StoredBytes: math.NaN(),
			Nodes: []cost.Node{{InstanceType: "t3.medium"}, {InstanceType: "t3.medium"}},
			Tables: []cost.Table{
				{}, {WriteUnits: 300}, {WriteUnits: 150}, {}, // metadata; records, its indexes by owner and by game
				{Provisioned: true, ReadCapacity: 5, WriteCapacity: 10},
			},
			S3:     &cost.Requests{Tier1: 60, Tier2: 30},
			Caches: []cost.Cache{{Engine: "redis", NodeType: "cache.t4g.small", Nodes: 1}},
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.IgnoreFields(cost.Measurement{}, "PolledPerHour")); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		for _, p := range r.exporter.pollers {
			got.PolledPerHour -= float64(p.told[whole])
		}
		if got.PolledPerHour != 0 {
			t.Errorf("got %v billed metrics an hour more than the pollers foretold, want none", got.PolledPerHour)
		}
		r.cloud.Fail("*", &aws.Failure{Status: 503})
		r.until(45 * time.Minute)
		if _, ok := r.exporter.Measure(); ok {
			t.Error("got a measurement after half an hour without AWS, want none")
		}
	})
}

func TestAnIdleDeploymentConsumesNothingRatherThanIsUnknown(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", records), r.start, one(60))
		r.run()
		r.until(30 * time.Minute)
		got, ok := r.exporter.Measure()
		if !ok || got.Calls != 0 || got.Tables[1].WriteUnits != 0 {
			t.Errorf("got %+v, %t, want a measurement of nothing", got, ok)
		}
	})
}

func TestWhatIsMeasuredOutlastsASourceThatGoesOrFallsIdle(t *testing.T) {
	for name, end := range map[string]func(*rig){
		"goes":       func(r *rig) { r.cloud.Update(func(a *aws.Account) { a.Buckets[0].MetricsConfigurations = nil }) },
		"falls idle": func(*rig) {},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, only(metric.DynamoDB, metric.S3), func(r *rig) {
				for i := range 60 {
					at := r.start.Add(time.Duration(i) * time.Minute)
					r.cloud.Put(ofTable("ConsumedReadCapacityUnits", stores), at, one(60))
					if i < 12 {
						r.cloud.Put(ofBucket("AllRequests", "FilterId", "EntireBucket"), at, one(60))
					}
				}
				r.run()
				r.until(12 * time.Minute)
				end(r)
				for range 40 * 6 {
					r.wait(10 * time.Second)
					if _, ok := r.exporter.Measure(); !ok {
						r.t.Fatalf("got no measurement after %s", time.Since(r.start))
					}
				}
			})
		})
	}
}

func TestWhatIsNotAnsweredIsUnknownRatherThanNothing(t *testing.T) {
	simulate(t, only(metric.DynamoDB, metric.Redis), func(r *rig) {
		for i := range 60 {
			r.cloud.Put(ofNode("CPUUtilization"), r.start.Add(time.Duration(i)*time.Minute), one(40))
		}
		r.readsOfAll()
		r.run()
		r.until(10 * time.Minute)
		r.cloud.Answer(ofTable("ConsumedReadCapacityUnits", stores), "InternalError", "")
		r.until(13 * time.Minute)
		got, ok := r.exporter.Measure()
		if !ok || !math.IsNaN(got.Tables[4].ReadUnits) || got.Tables[4].WriteUnits != 300 {
			t.Errorf("got %+v, %t, want unknown reads and 300 writes", got.Tables, ok)
		}
	})
}

func TestALongDelayIsMeasuredToo(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.DynamoDB)(c)
		c.Delay = minutes(30)
	}, func(r *rig) {
		r.traffic()
		r.run()
		r.until(45 * time.Minute)
		if got, ok := r.exporter.Measure(); !ok || got.Tables[4].ReadUnits != 300 {
			t.Errorf("got %+v, %t, want 300 units", got, ok)
		}
	})
}

func TestAComponentWithoutConsumptionIsNotWaitedFor(t *testing.T) {
	simulate(t, only(metric.DynamoDB, metric.Redis), func(r *rig) {
		r.readsOfAll()
		for _, p := range r.exporter.pollers {
			if p.component == metric.Redis {
				p.get = func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
					return nil, errors.New("cut")
				}
			}
		}
		r.run()
		r.until(40 * time.Minute)
		if got, ok := r.exporter.Measure(); !ok || got.Tables[4].ReadUnits != 300 {
			t.Errorf("got %+v, %t, want 300 units", got, ok)
		}
	})
}
