// Package alerts is what the deployment should reach, and who is told when
// it does not.
package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
)

// Objectives is the section "objectives" of the configuration file: one
// place for exit code, rules, panels and report.
type Objectives struct {
	Window       model.Duration `yaml:"window" help:"over which the error budgets are counted"`
	Availability float64        `yaml:"availability" help:"share of requests that succeed"`
	AchievedRate float64        `yaml:"achieved_rate" help:"share of the wanted rate that is answered"`
	StaleRatio   float64        `yaml:"stale_ratio" help:"share of judged reads that may be stale"`
	Latency      []Latency      `yaml:"latency" help:"response times by class of operation"`
}

// Latency is an objective for the response times of a class.
type Latency struct {
	Class     string         `yaml:"class" help:"read, write, small_blob or large_blob"`
	Threshold model.Duration `yaml:"threshold" help:"a bucket boundary: 0.5ms, 1ms, 2.5ms, 5ms, … 10s, 30s"`
	Ratio     float64        `yaml:"ratio" help:"share of successes that stay within threshold"`
}

// DefaultObjectives returns what holds where the file is silent.
func DefaultObjectives() Objectives {
	latency := func(class metric.Class, threshold time.Duration) Latency {
		return Latency{Class: class.String(), Threshold: model.Duration(threshold), Ratio: 0.99}
	}
	return Objectives{
		Window:       model.Duration(30 * 24 * time.Hour),
		Availability: 0.999,
		AchievedRate: 0.99,
		StaleRatio:   0.001,
		Latency: []Latency{
			latency(metric.Read, 100*time.Millisecond),
			latency(metric.Write, 250*time.Millisecond),
			latency(metric.SmallBlob, time.Second),
			latency(metric.LargeBlob, 5*time.Second),
		},
	}
}

// Validate joins every mistake, each with its path in the file. Ratios of 0
// or 1 are refused where they would leave no error budget to burn.
func (o Objectives) Validate() error {
	var mistakes []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	want(time.Duration(o.Window) >= time.Hour, "objectives.window: got %s, want 1h or more", time.Duration(o.Window))
	want(budgeted(o.Availability), "objectives.availability: got %v, want above 0, below 1", o.Availability)
	want(o.AchievedRate > 0 && o.AchievedRate <= 1, "objectives.achieved_rate: got %v, want above 0, at most 1", o.AchievedRate)
	want(budgeted(o.StaleRatio), "objectives.stale_ratio: got %v, want above 0, below 1", o.StaleRatio)
	seen := map[Latency]bool{}
	for i, l := range o.Latency {
		path := fmt.Sprintf("objectives.latency[%d]", i)
		want(slices.Contains(classes(), l.Class), "%s.class: got %q, want one of %s", path, l.Class, strings.Join(classes(), ", "))
		want(slices.Contains(metric.LatencyBuckets, time.Duration(l.Threshold).Seconds()),
			"%s.threshold: got %s, want a bucket boundary in seconds, one of %v", path, time.Duration(l.Threshold), metric.LatencyBuckets)
		want(budgeted(l.Ratio), "%s.ratio: got %v, want above 0, below 1", path, l.Ratio)
		same := Latency{Class: l.Class, Threshold: l.Threshold}
		want(!seen[same], "%s: got class %s with threshold %s twice, want it once", path, l.Class, time.Duration(l.Threshold))
		seen[same] = true
	}
	return errors.Join(mistakes...)
}

func budgeted(ratio float64) bool { return ratio > 0 && ratio < 1 }

func classes() []string {
	names := make([]string, metric.Classes)
	for i := range names {
		names[i] = metric.Class(i).String()
	}
	return names
}
