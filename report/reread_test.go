package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/metric"
)

// settled is a metric with the same value in every minute of the ladder.
func settled(d metric.Definition, value float64, labels ...string) cloudwatch.Series {
	s := cloudwatch.Series{Definition: d, Labels: labels}
	for at := minutely; at <= ladderLength; at += minutely {
		s.Points = append(s.Points, cloudwatch.Point{End: began.Add(at), Value: value})
	}
	return s
}

func TestWhatAWSSaysAfterwardsCountsMoreThanWhatWasScraped(t *testing.T) {
	b := ladder(t)
	client, err := api.NewClient(api.Config{Address: b.serve()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Make(b.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began, End: began.Add(2 * time.Hour), Objectives: alerts.DefaultObjectives(),
		AWS: []cloudwatch.Series{
			settled(metric.DynamoDBThrottleEvents, 2, "us-east-1", "records", "records", "", "read"),
			settled(metric.DynamoDBSuccessful, 98, "us-east-1", "records", "records", "GetItem"),
			settled(metric.DynamoDBThrottledRequests, 2, "us-east-1", "records", "records", "GetItem"),
			settled(metric.S3FirstByte, 0.03, "us-east-1", "b", "f", "avg"),
			settled(metric.RedisEngineCPU, 0.3, "us-east-1", "c", "1", "avg"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Figure{
		throttled: 0.02, "requests that succeeded": 98, firstByte: 0.03, engineCPU: 0.3, // by AWS
		ownLatency: 0.005, readUnits: 50, writeUnits: 20, hostCPU: 0.1, // which AWS did not tell: as they were scraped
	}
	readings := map[string]Figure{}
	for _, r := range got.Levels[0].Components {
		readings[r.Name] = r.Mean
	}
	if diff := cmp.Diff(want, readings, near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got.Bottleneck.Component != "dynamodb" || got.Bottleneck.Onsets[0].RPS != 100 || got.Bottleneck.Onsets[0].Cold {
		t.Errorf("got %+v, want DynamoDB throttled from the first level on, warm", got.Bottleneck)
	}
}
