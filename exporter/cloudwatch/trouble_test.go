package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
)

// traffic puts an hour of it, 60 units a minute.
func (r *rig) traffic() {
	for i := range 60 {
		r.cloud.Put(ofTable("ConsumedReadCapacityUnits", stores), r.start.Add(time.Duration(i)*time.Minute), one(60))
	}
}

func TestAnOutageOfTwentyMinutesHoldsThenDropsAndLosesNothing(t *testing.T) {
	for name, failure := range map[string]*aws.Failure{
		"answers without a body": {Status: 503},
		"no answer at all":       {Hang: true},
		"no credentials":         {Status: 403, Code: "UnrecognizedClientException"},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, only(metric.DynamoDB), func(r *rig) {
				key := "index=,role=stores,table=" + stores
				state := func() map[string]float64 {
					s := map[string]float64{"up": r.shown(metric.CloudWatchUp)["component=dynamodb"], "units": -1, "total": -1}
					if units, ok := r.shown(metric.DynamoDBReadUnits)[key]; ok {
						s["units"] = units
					}
					if total, ok := r.shown(metric.DynamoDBReadUnitsTotal)[key]; ok {
						s["total"] = total
					}
					s["age"] = float64(int(r.shown(metric.CloudWatchDataAge)["component=dynamodb"]) / 60)
					return s
				}
				r.traffic()
				r.run()
				r.until(10*time.Minute + 45*time.Second)
				r.cloud.Fail("*", failure)
				states := []map[string]float64{state()}
				for _, at := range []time.Duration{12, 16, 30} {
					r.until(at*time.Minute + 45*time.Second)
					states = append(states, state())
				}
				r.cloud.Fail("*", nil)
				r.until(31*time.Minute + 45*time.Second)
				states = append(states, state())
				want := []map[string]float64{
					{"up": 1, "units": 1, "total": 420, "age": 3},
					{"up": 0, "units": 1, "total": 420, "age": 5},     // held
					{"up": 0, "units": -1, "total": -1, "age": 9},     // dropped
					{"up": 0, "units": -1, "total": -1, "age": 23},    // the age rises
					{"up": 1, "units": 1, "total": 28 * 60, "age": 3}, // every minute counted, once
				}
				if diff := cmp.Diff(want, states); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
				if n := r.log.count("what=GetMetricData code="); n != 1 {
					t.Errorf("got %d lines in the log, want one for the whole outage", n)
				}
				if n := r.log.count("AWS answers again"); n == 0 {
					t.Error("the log does not say that it is over")
				}
			})
		})
	}
}

func TestOneDeniedActionLeavesTheRest(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Fail("DescribeTable", &aws.Failure{Status: 400, Code: "AccessDeniedException"})
		r.traffic()
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		got := map[string]map[string]float64{
			"up": r.shown(metric.CloudWatchUp), "source": r.shown(metric.CloudWatchSource),
			"size": r.shown(metric.DynamoDBTableSize), "errors": r.shown(metric.CloudWatchErrors),
		}
		want := map[string]map[string]float64{
			"up": {"component=dynamodb": 1}, "size": {},
			"source": {"component=dynamodb,source=describe_table": 0},
			"errors": {"api=DescribeTable,code=AccessDeniedException": 15}, // three tables, five looks
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if units := r.shown(metric.DynamoDBReadUnits)["index=,role=stores,table="+stores]; units != 1 {
			t.Errorf("got %v units a second, want 1", units)
		}
		r.cloud.Fail("DescribeTable", nil)
		r.until(5*time.Minute + 10*time.Second)
		if got := r.shown(metric.CloudWatchSource)["component=dynamodb,source=describe_table"]; got != 1 {
			t.Error("the source is not back")
		}
		if n := r.log.count("AWS does not answer"); n != 3 {
			t.Errorf("got %d lines in the log, want one for each table", n)
		}
	})
}

func TestThrottlingIsRetriedAndShown(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.traffic()
		r.run()
		r.cloud.Fail("GetMetricData", &aws.Failure{Status: 400, Code: "ThrottlingException", Times: 2})
		r.until(4*time.Minute + 40*time.Second)
		if got := r.shown(metric.CloudWatchRetries)["api=GetMetricData"]; got != 2 {
			t.Errorf("got %v retries, want 2", got)
		}
		if got := r.shown(metric.DynamoDBReadUnits)["index=,role=stores,table="+stores]; got != 1 {
			t.Errorf("got %v units a second, want 1 after the retries", got)
		}
		r.cloud.Fail("GetMetricData", &aws.Failure{Status: 400, Code: "ThrottlingException"})
		r.until(7 * time.Minute)
		if got := r.shown(metric.CloudWatchDegraded); !cmp.Equal(got, map[string]float64{"reason=cost": 0, "reason=throttle": 1}) {
			t.Errorf("got %v, want degraded by throttling", got)
		}
	})
}

func TestPercentilesThatAreNotThereAreSaid(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		// A publisher of sums: whoever asks for a percentile gets nothing, which a negative value makes AWS do too.
		m := ofTable("SuccessfulRequestLatency", stores, "Operation", "GetItem")
		for i := range 30 {
			r.cloud.Put(m, r.start.Add(time.Duration(i)*time.Minute), one(-1), one(5))
		}
		r.run()
		r.until(12*time.Minute + 10*time.Second)
		if got, ok := r.shown(metric.CloudWatchSource)["component=dynamodb,source=latency_percentiles"]; ok {
			t.Errorf("got %v, want no verdict yet", got)
		}
		r.until(15*time.Minute + 10*time.Second)
		if got, ok := r.shown(metric.CloudWatchSource)["component=dynamodb,source=latency_percentiles"]; !ok || got != 0 {
			t.Errorf("got %v, %t, want 0", got, ok)
		}
	})
}

func TestAHangingAWSIsGivenUpBeforeTheNextPoll(t *testing.T) {
	simulate(t, only(metric.DynamoDB), func(r *rig) {
		r.cloud.Fail("*", &aws.Failure{Hang: true})
		r.run()
		r.until(3 * time.Minute)
		if got, want := r.shown(metric.CloudWatchPollDuration)["component=dynamodb"], (lookTimeout + askTimeout).Seconds(); got != want {
			t.Errorf("got a poll of %v s, want one of %v", got, want)
		}
		if got := r.shown(metric.CloudWatchSkipped)["component=dynamodb"]; got != 0 {
			t.Errorf("got %v skipped polls, want none", got)
		}
		if got := r.shown(metric.CloudWatchErrors)["api=DescribeTable,code=timeout"]; got == 0 {
			t.Error("got no error with the code timeout")
		}
	})
}

func TestErrorsHaveCodesOfAClosedSet(t *testing.T) {
	for want, err := range map[string]error{
		"http_503":    &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: 503}}, Err: errors.New("empty")},
		"network":     &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{}}, Err: errors.New("reset")},
		"timeout":     fmt.Errorf("calling: %w", context.DeadlineExceeded),
		"canceled":    fmt.Errorf("calling: %w", context.Canceled),
		"credentials": &credentialsError{errors.New("none")},
		"Throttling":  &smithy.GenericAPIError{Code: "Throttling"},
	} {
		if got := errorCode(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestARoleOfAnotherAccountIsTakenOnWithItsExternalID(t *testing.T) {
	simulate(t, func(c *Config) {
		only(metric.DynamoDB)(c)
		c.RoleARN, c.ExternalID = "arn:aws:iam::123456789012:role/soak", "secret"
	}, func(r *rig) {
		r.traffic()
		r.run()
		r.until(4*time.Minute + 10*time.Second)
		if got := r.shown(metric.DynamoDBReadUnits)["index=,role=stores,table="+stores]; got != 1 {
			t.Errorf("got %v units a second, want 1", got)
		}
		if got := r.cloud.Calls()["AssumeRole"]; got != 1 {
			t.Errorf("got %d calls of AssumeRole, want 1: credentials are kept", got)
		}
		if r.log.count("secret") != 0 {
			t.Error("the external ID is in the log")
		}
	})
}

func TestNamesWithoutAMeaningAreRefusedWithTheirPaths(t *testing.T) {
	c := DefaultConfig()
	c.Region, c.RoleARN, c.ExternalID, c.Timestamps = "mars", "me", "", "sometimes"
	c.Delay, c.Lookback, c.MaxUSDPerHour, c.MaxPods = minutes(-1), minutes(0), 0, -1
	c.EKS.Workloads = []string{"*", "b*"}
	c.DynamoDB.Tables = map[string]string{"stores": "a*", "saves": "b"}
	c.DynamoDB.Indexes = map[string][]string{"records": {"I", "I"}}
	c.S3.Buckets = []string{""}
	want := `cloudwatch.region: got "mars", want an AWS region such as us-east-1
cloudwatch.role_arn: got "me", want arn:aws:iam::ACCOUNT:role/NAME
cloudwatch.timestamps: got "sometimes", want auto, never or always
cloudwatch.delay: got -1m0s, want whole minutes from 0s to 1h0m0s
cloudwatch.lookback: got 0s, want whole minutes from 2m0s to 3h0m0s
cloudwatch.max_usd_per_hour: got 0, want more than 0
cloudwatch.max_pods: got -1, want 0 or more
cloudwatch.eks.workloads[0]: got "*", want a name without *: only cloudwatch.eks.workloads: ["*"] is looked up
cloudwatch.eks.workloads[1]: got "b*", want a name without *: only cloudwatch.eks.workloads: ["*"] is looked up
cloudwatch.dynamodb.tables.saves: got an unknown role, want stores, records or metadata
cloudwatch.dynamodb.tables.stores: got "a*", want a name without *: only cloudwatch.eks.workloads: ["*"] is looked up
cloudwatch.dynamodb.indexes.records: got indexes of a role without a table, want one in cloudwatch.dynamodb.tables
cloudwatch.dynamodb.indexes.records[1]: got "I" twice, want each once
cloudwatch.s3.buckets[0]: got nothing, want a name`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(c.Validate().Error(), "\n")); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
