package cloudwatch

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

const ofStores = "index=,role=stores,table=" + stores

// readsOfAll puts an hour of reads of all tables, 60 units a minute.
func (r *rig) readsOfAll() {
	for i := range 60 {
		for _, table := range []string{stores, records, "open-saves-metadata"} {
			r.cloud.Put(ofTable("ConsumedReadCapacityUnits", table), r.start.Add(time.Duration(i)*time.Minute), one(60))
			r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", table), r.start.Add(time.Duration(i)*time.Minute), one(60))
		}
	}
}

func TestASeriesThatWasForbiddenForAWhileIsNotCountedTwice(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.traffic()
		reads := ofTable("ConsumedReadCapacityUnits", stores)
		r.run()
		r.until(15*time.Minute + 10*time.Second)
		before := r.shown(metric.DynamoDBReadUnitsTotal)[ofStores]
		r.cloud.Answer(reads, "Forbidden", "")
		r.until(16*time.Minute + 10*time.Second)
		r.cloud.Answer(reads, "", "")
		r.until(17*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBReadUnitsTotal)[ofStores] - before; got != 120 {
			t.Errorf("got %v units in two minutes, want 120", got)
		}
	})
}

func TestASeriesThatAWSOwesIsCaughtUpAndNotShownMeanwhile(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.readsOfAll()
		reads := ofTable("ConsumedReadCapacityUnits", stores)
		r.run()
		r.until(10*time.Minute + 10*time.Second)
		r.cloud.Answer(reads, "InternalError", "")
		r.until(30*time.Minute + 10*time.Second)
		if got, shown := r.shown(metric.DynamoDBReadUnitsTotal)[ofStores]; shown {
			t.Errorf("got a counter of %v after 20 minutes, want none", got)
		}
		if _, shown := r.shown(metric.DynamoDBReadUnitsTotal)["index=,role=records,table="+records]; !shown {
			t.Error("got no counter of another table")
		}
		r.cloud.Answer(reads, "", "")
		r.until(31*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBReadUnitsTotal)[ofStores]; got != 28*60 {
			t.Errorf("got %v units, want all %d", got, 28*60)
		}
	})
}

func TestWhatWasOnAPageThatFailedIsNoZero(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.readsOfAll()
		var cut atomic.Bool
		p := r.exporter.pollers[0]
		get := p.get
		p.get = func(ctx context.Context, in *cloudwatch.GetMetricDataInput, o ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
			if cut.Load() && in.NextToken != nil {
				return nil, errors.New("cut")
			}
			return get(ctx, in, o...)
		}
		r.run()
		r.until(6*time.Minute + 10*time.Second)
		before := r.shown(metric.DynamoDBWriteUnits)
		cut.Store(true)
		r.cloud.Page(12)
		r.until(7*time.Minute + 10*time.Second)
		if diff := cmp.Diff(before, r.shown(metric.DynamoDBWriteUnits)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestALookThatHangsLeavesTheMetrics(t *testing.T) {
	for name, failure := range map[string]*aws.Failure{
		"hangs": {Hang: true}, "fails": {Status: 500}, "is throttled": {Status: 400, Code: "ThrottlingException"},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, only(metric.DynamoDB), func(r *rig) {
				r.traffic()
				r.cloud.Fail("DescribeTable", failure)
				r.run()
				r.until(20*time.Minute + 45*time.Second)
				if got := r.shown(metric.DynamoDBReadUnits)[ofStores]; got != 1 {
					t.Errorf("got %v units a second, want 1", got)
				}
			})
		})
	}
}

func TestUpTellsOfAllCalls(t *testing.T) {
	up := func(r *rig, component string) float64 { return r.shown(metric.CloudWatchUp)["component="+component] }
	t.Run("with nothing to ask", func(t *testing.T) {
		simulate(t, only(metric.EKS), func(r *rig) {
			r.cloud.Update(func(a *aws.Account) { a.Instances = nil })
			r.run()
			r.until(5 * time.Minute)
			if up(r, "eks") != 1 {
				t.Error("got 0, want 1: all that was asked was answered")
			}
		})
	})
	t.Run("with nothing but looks", func(t *testing.T) {
		simulate(t, only(metric.S3), func(r *rig) {
			r.cloud.Update(func(a *aws.Account) { a.Buckets[0].MetricsConfigurations = nil })
			r.run()
			r.until(5 * time.Minute)
			r.cloud.Fail("*", &aws.Failure{Status: 403, Code: "UnrecognizedClientException"})
			r.until(7 * time.Minute)
			if up(r, "s3") != 0 {
				t.Error("got 1, want 0: AWS answers nothing")
			}
		})
	})
}

func TestMinutesReadEveryFiveDoNotComeAndGo(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.DynamoDB)(c)
		c.MaxUSDPerHour = 0.02
	}, func(r *rig) {
		r.traffic()
		r.cloud.Delay(dynamoNamespace, 4*time.Minute) // a minute later than hoped
		r.run()
		r.until(20 * time.Minute)
		for range 120 {
			r.wait(10 * time.Second)
			if _, shown := r.shown(metric.DynamoDBReadUnits)[ofStores]; !shown {
				r.t.Fatalf("got nothing after %s", time.Since(r.start))
			}
		}
	})
}

func TestAMetricThatIsPublishedLaterThanOthersIsShown(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		r.run()
		for i := range 30 {
			r.cloud.Put(ofNode("CurrItems"), r.start.Add(time.Duration(i)*time.Minute), one(7))
			r.cloud.Put(ofNode("CPUUtilization"), r.start.Add(time.Duration(i-4)*time.Minute), one(40)) // a minute after it had settled
			r.cloud.Put(ofNode("Evictions"), r.start.Add(time.Duration(i-4)*time.Minute), one(60))
			r.wait(time.Minute)
			if i < 10 {
				continue
			}
			cpu, evictions := r.shown(metric.RedisCPU), r.shown(metric.RedisEvictions)["cache_cluster=open-saves-cache,cache_node=0001"]
			if len(cpu) != 2 || evictions != 1 {
				r.t.Fatalf("after %d minutes: got %v and %v evictions a second, want both statistics and 1", i, cpu, evictions)
			}
		}
	})
}

func TestAResourceThatIsNamedTwiceIsShownOnce(t *testing.T) {
	simulate(t, func(c *Config) {
		c.Redis.ReplicationGroups, c.S3.Buckets = []string{"saves"}, append(c.S3.Buckets, "open-saves-blobs-123456789012")
	}, func(r *rig) {
		r.cloud.Update(func(a *aws.Account) {
			a.ReplicationGroups = []aws.ReplicationGroup{{ID: "saves", Members: []string{"open-saves-cache"}}}
		})
		r.cloud.Put(ofNode("CPUUtilization"), r.start, one(40))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		if got := len(r.shown(metric.RedisCPU)); got != 2 {
			t.Errorf("got %d series, want average and maximum of one node", got)
		}
	})
}

func TestWithNothingToPollItRunsOn(t *testing.T) {
	simulate(t, only(), func(r *rig) {
		ended := make(chan struct{})
		ctx, cancel := context.WithCancel(r.t.Context())
		go func() {
			defer close(ended)
			r.exporter.Run(ctx)
		}()
		r.wait(time.Second)
		select {
		case <-ended:
			t.Error("it ended, which ends the program")
		default:
		}
		cancel()
		<-ended
	})
}

func TestASeriesThatAWSOwesDoesNotQuickenTheRhythm(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.DynamoDB)(c)
		c.MaxUSDPerHour = 0.02
	}, func(r *rig) {
		r.readsOfAll()
		r.run()
		billed := func(from, to time.Duration) int64 {
			r.until(from*time.Minute + 30*time.Second)
			before := r.cloud.Billed()[dynamoNamespace]
			r.until(to*time.Minute + 30*time.Second)
			return r.cloud.Billed()[dynamoNamespace] - before
		}
		healthy := billed(10, 20)
		r.cloud.Answer(ofTable("ConsumedReadCapacityUnits", stores), "InternalError", "")
		if ill := billed(20, 30); ill != healthy {
			t.Errorf("got %d billed metrics in ten minutes, want %d as before", ill, healthy)
		}
	})
}

func TestWhoBeginsInAnOutageCountsFromItsBeginning(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.traffic()
		r.cloud.Fail("*", &aws.Failure{Status: 503})
		r.run()
		r.until(30*time.Minute + 10*time.Second)
		r.cloud.Fail("*", nil)
		r.until(32*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBReadUnitsTotal)[ofStores]; got != 29*60 {
			t.Errorf("got %v units, want %d", got, 29*60)
		}
	})
}

func TestAnIdleComponentIsZeroAgainInTheEnd(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		for i := range 10 {
			r.cloud.Put(ofTable("ConsumedReadCapacityUnits", stores), r.start.Add(time.Duration(i)*time.Minute), one(60))
		}
		r.run()
		r.until(30*time.Minute + 10*time.Second)
		if got, shown := r.shown(metric.DynamoDBReadUnits)[ofStores]; got != 0 || !shown {
			t.Errorf("got %v, %t, want 0 after 20 minutes without anything", got, shown)
		}
	})
}

func TestAPollThatOverrunsSkipsTheNext(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.DynamoDB)(c)
		c.Delay = 0
	}, func(r *rig) {
		r.cloud.Fail("*", &aws.Failure{Hang: true})
		r.until(50 * time.Second)
		r.run()
		r.until(100 * time.Second) // 45 of them took the first poll, over the next one's time
		if got := r.shown(metric.CloudWatchSkipped)["component=dynamodb"]; got != 1 {
			t.Errorf("got %v skipped polls, want 1", got)
		}
	})
}
