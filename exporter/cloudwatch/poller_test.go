package cloudwatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

const (
	stores  = "open-saves-stores"
	records = "open-saves-records"
)

func nearly1e9() cmp.Option { return cmpopts.EquateApprox(0, 1e-9) }

func TestASettledMinuteIsShownWithItsOwnTime(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Put(ofTable("ConsumedReadCapacityUnits", stores), r.start, one(120))
		r.run()
		r.until(4*time.Minute - time.Second) // the minute is over since 3, and settles at 4
		if got := r.shown(metric.DynamoDBReadUnits); len(got) != 0 {
			t.Errorf("before the delay has passed: got %v, want nothing", got)
		}
		r.until(4*time.Minute + 10*time.Second)
		key := "index=,role=stores,table=" + stores
		if got := r.shown(metric.DynamoDBReadUnits)[key]; got != 2 {
			t.Errorf("got %v units a second, want the sum of the minute, 120, by 60 seconds", got)
		}
		if got := r.stamps(metric.DynamoDBReadUnits)[key]; got != time.Minute {
			t.Errorf("got the time %s after the start, want the end of the minute", got)
		}
	})
}

func TestNoEventsAreZeroAndNoLatencyIsAbsent(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Put(ofTable("SuccessfulRequestLatency", stores, "Operation", "GetItem"), r.start, aws.Value{Value: 4, Count: 30})
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		want := map[string]float64{}
		for _, op := range operations["stores"] {
			want["operation="+op+",role=stores,table="+stores] = 0
		}
		for _, role := range []string{"records", "metadata"} {
			for _, op := range operations[role] {
				want["operation="+op+",role="+role+",table=open-saves-"+role] = 0
			}
		}
		if diff := cmp.Diff(want, r.shown(metric.DynamoDBThrottledRequests)); diff != "" {
			t.Errorf("throttled requests: wanted -, got +\n%s", diff)
		}
		want["operation=GetItem,role=stores,table="+stores] = 0.5
		if diff := cmp.Diff(want, r.shown(metric.DynamoDBSuccessful)); diff != "" {
			t.Errorf("successful requests: wanted -, got +\n%s", diff)
		}
		latency := map[string]float64{}
		for _, stat := range []string{"p50", "p90", "p99", "avg"} {
			latency["operation=GetItem,role=stores,stat="+stat+",table="+stores] = 0.004
		}
		if diff := cmp.Diff(latency, r.shown(metric.DynamoDBLatency), nearly1e9()); diff != "" {
			t.Errorf("latency: wanted -, got +\n%s", diff)
		}
	})
}

func TestNothingIsZeroBeyondTheNewestMinuteThatAnythingIsKnownOf(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Put(ofTable("ConsumedReadCapacityUnits", stores), r.start, one(60))
		r.run()
		r.until(6*time.Minute + 10*time.Second) // two more minutes have settled, without a word from AWS
		key := "index=,role=stores,table=" + stores
		if got := r.shown(metric.DynamoDBReadUnits)[key]; got != 1 {
			t.Errorf("got %v units a second, want the 1 of the last minute that was published", got)
		}
	})
}

func TestALatePointIsFoundByTheNextPolls(t *testing.T) {
	simulate(t, only(metric.Redis), func(r *rig) {
		r.cloud.Put(ofNode("CurrItems"), r.start, one(7))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		if got := r.shown(metric.RedisCPU); len(got) != 0 {
			t.Errorf("got %v, want nothing before it was published", got)
		}
		r.cloud.Put(ofNode("CPUUtilization"), r.start, one(40))
		r.cloud.Put(ofNode("CurrItems"), r.start.Add(time.Minute), one(8))
		r.cloud.Put(ofNode("CPUUtilization"), r.start.Add(time.Minute), one(50))
		r.until(5*time.Minute + 10*time.Second)
		want := map[string]float64{"cache_cluster=open-saves-cache,cache_node=0001,stat=avg": 0.5, "cache_cluster=open-saves-cache,cache_node=0001,stat=max": 0.5}
		if diff := cmp.Diff(want, r.shown(metric.RedisCPU), nearly1e9()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if got := r.shown(metric.CloudWatchPublishDelay)["component=redis"]; got < 1 {
			t.Errorf("got %v publish delays, want that of the items' second value", got)
		}
	})
}

func TestARevisedValueCountsAndRaisesTheCounterOnce(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		m, key := ofTable("ConsumedWriteCapacityUnits", stores), "index=,role=stores,table="+stores
		r.cloud.Put(m, r.start, one(60))
		r.run()
		r.until(7*time.Minute + 10*time.Second) // read four times by now
		if got := r.shown(metric.DynamoDBWriteUnitsTotal)[key]; got != 60 {
			t.Errorf("got %v units in all, want 60 however often they were read", got)
		}
		r.cloud.Put(m, r.start, one(30)) // the sum is now 90
		r.until(8*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBWriteUnitsTotal)[key]; got != 90 {
			t.Errorf("got %v units in all, want the revised 90", got)
		}
		if got := r.shown(metric.CloudWatchRevised)["component=dynamodb"]; got != 1 {
			t.Errorf("got %v revised points, want 1", got)
		}
		if got := r.shown(metric.DynamoDBWriteUnits)[key]; got != 1 {
			t.Errorf("got %v units a second, want 1 as before: a sample with a time of its own is told once", got)
		}
	})
}

func TestACounterHoldsOnlyWhatHappenedSinceTheProgramBegan(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		for i := -8; i < 0; i++ {
			r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", stores), r.start.Add(time.Duration(i)*time.Minute), one(100))
		}
		r.cloud.Put(ofTable("ConsumedWriteCapacityUnits", stores), r.start, one(5))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBWriteUnitsTotal)["index=,role=stores,table="+stores]; got != 5 {
			t.Errorf("got %v units, want 5: a process before this one has counted the others", got)
		}
	})
}

func TestPagesAreMergedWhateverTheirOrder(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Page(20)
		for _, table := range []string{stores, records} {
			r.cloud.Put(ofTable("ConsumedReadCapacityUnits", table), r.start, one(60))
		}
		r.cloud.Put(ofTable("ConsumedReadCapacityUnits", records, "GlobalSecondaryIndexName", "OwnerIDIndex"), r.start, one(120))
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		want := map[string]float64{
			"index=,role=stores,table=" + stores:               1,
			"index=,role=records,table=" + records:             1,
			"index=OwnerIDIndex,role=records,table=" + records: 2,
			"index=GameIDIndex,role=records,table=" + records:  0,
			"index=,role=metadata,table=open-saves-metadata":   0,
		}
		if diff := cmp.Diff(want, r.shown(metric.DynamoDBReadUnits)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestAnAnswerThatIsNotCompleteNeitherZeroesNorPasses(t *testing.T) {
	key := "index=,role=stores,table=" + stores
	for status, want := range map[string]struct {
		value float64
		shown bool
	}{
		"InternalError": {1, true}, // what was before holds
		"PartialData":   {1, true}, // something may be missing, so that nothing is no zero
		"Forbidden":     {0, false},
	} {
		t.Run(status, func(t *testing.T) {
			simulate(t, only(metric.DynamoDB), func(r *rig) {
				reads := ofTable("ConsumedReadCapacityUnits", stores)
				r.cloud.Put(reads, r.start, one(60))
				r.run()
				r.until(4*time.Minute + 10*time.Second)
				r.cloud.Put(ofTable("ConsumedReadCapacityUnits", records), r.start.Add(time.Minute), one(60))
				r.cloud.Answer(reads, status, "")
				r.until(5*time.Minute + 10*time.Second)
				got, shown := r.shown(metric.DynamoDBReadUnits)[key]
				if got != want.value || shown != want.shown {
					t.Errorf("got %v, %t, want %v, %t", got, shown, want.value, want.shown)
				}
				if up := r.shown(metric.CloudWatchUp)["component=dynamodb"]; up != 0 {
					t.Errorf("got up %v, want 0", up)
				}
				r.cloud.Answer(reads, "", "")
				r.until(6*time.Minute + 10*time.Second)
				if up := r.shown(metric.CloudWatchUp)["component=dynamodb"]; up != 1 {
					t.Errorf("healed: got up %v, want 1", up)
				}
			})
		})
	}
}
