package alerts

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

func TestTheDefaultObjectivesAreValid(t *testing.T) {
	if err := DefaultObjectives().Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeOfTheObjectivesIsNamedWithItsPath(t *testing.T) {
	o := Objectives{
		Availability: 1, AchievedRate: 0, StaleRatio: math.NaN(),
		Latency: []Latency{
			{Class: "read", Threshold: model.Duration(2500 * time.Microsecond), Ratio: 0.99},
			{Class: "blob", Threshold: model.Duration(200 * time.Millisecond), Ratio: 1},
			{Class: "read", Threshold: model.Duration(2500 * time.Microsecond), Ratio: 0.9},
		},
	}
	want := []string{
		"objectives.window: got 0s, want 1h or more",
		"objectives.availability: got 1, want above 0, below 1",
		"objectives.achieved_rate: got 0, want above 0, at most 1",
		"objectives.stale_ratio: got NaN, want above 0, below 1",
		`objectives.latency[1].class: got "blob", want one of read, write, small_blob, large_blob`,
		"objectives.latency[1].threshold: got 200ms, want a bucket boundary in seconds, one of [0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30]",
		"objectives.latency[1].ratio: got 1, want above 0, below 1",
		"objectives.latency[2]: got class read with threshold 2.5ms twice, want it once",
	}
	if diff := cmp.Diff(want, strings.Split(o.Validate().Error(), "\n")); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
