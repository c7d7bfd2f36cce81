package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// counted is what a registry says after some requests, drops and checks.
func counted(t *testing.T, noClassic bool) snapshot {
	t.Helper()
	registry := prometheus.NewRegistry()
	f := metric.Factory{Registerer: registry, NoClassic: noClassic}
	requests, dropped, checks := f.Counter(metric.Requests), f.Counter(metric.ArrivalsDropped), f.Counter(metric.Checks)
	requests.WithLabelValues("get_record", "read", "success", "OK").Add(950)
	requests.WithLabelValues("get_record", "read", "success", "NotFound").Add(40)
	requests.WithLabelValues("get_record", "read", "error", "Unavailable").Add(5)
	requests.WithLabelValues("update_record", "write", "aborted", "Aborted").Add(100)
	dropped.WithLabelValues("max_in_flight", "read").Add(5)
	dropped.WithLabelValues("stall", "write").Add(50)
	for result, n := range map[string]float64{"ok": 970, "unjudged": 1000, "suspect": 20, "violation": 10} {
		checks.WithLabelValues("record", result).Add(n)
		checks.WithLabelValues("atomic", result).Add(n)
	}
	response, blob := f.Histogram(metric.ResponseTime), f.Histogram(metric.BlobDuration)
	stale := f.Histogram(metric.Staleness)
	for i := range 100 {
		seconds := 0.01
		if i < 3 {
			seconds = 0.4
		}
		response.WithLabelValues("get_record", "read", "success").Observe(seconds)
		response.WithLabelValues("get_record", "read", "error").Observe(5)
		response.WithLabelValues("get_blob", "small_blob", "success").Observe(5)
		blob.WithLabelValues("get_blob", "64KiB", "total").Observe(seconds)
		blob.WithLabelValues("create_blob", "1MiB", "total").Observe(seconds)
		blob.WithLabelValues("get_blob", "1MiB", "first_byte").Observe(5)
		blob.WithLabelValues("get_blob", "10MiB", "total").Observe(10 * seconds)
	}
	stale.WithLabelValues("get_record").Observe(2)
	s, err := gather(registry)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameNumber holds NaN for equal to itself.
var sameNumber = cmp.Comparer(func(a, b number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
})

func TestObjectivesAreSharesOfWhatWasCounted(t *testing.T) {
	threshold := func(class string, limit time.Duration) alerts.Latency {
		return alerts.Latency{Class: class, Threshold: model.Duration(limit), Ratio: 0.98}
	}
	wanted := alerts.Objectives{
		Availability: 0.99, AchievedRate: 0.99, StaleRatio: 0.001,
		Latency: []alerts.Latency{
			threshold("read", 100*time.Millisecond), threshold("read", 500*time.Millisecond), threshold("write", time.Second),
			threshold("small_blob", 500*time.Millisecond), threshold("large_blob", time.Second),
		},
	}
	want := []outcome{
		{Name: "availability", Status: met, Got: 0.99, Want: 0.99, Samples: 1000, Matched: 990},
		{Name: "achieved_rate", Status: missed, Got: 1095.0 / 1150, Want: 0.99, Samples: 1150, Matched: 1095},
		{Name: "stale_ratio", Status: met, Got: 0.001, Want: 0.001, AtMost: true, Samples: 1000, Matched: 1},
		{Name: "latency read 100ms", Status: missed, Got: 0.97, Want: 0.98, Samples: 100, Matched: 97},
		{Name: "latency read 500ms", Status: met, Got: 1, Want: 0.98, Samples: 100, Matched: 100},
		{Name: "latency write 1s", Status: noData, Got: number(math.NaN()), Want: 0.98},
		{Name: "latency small_blob 500ms", Status: met, Got: 1, Want: 0.98, Samples: 200, Matched: 200},
		{Name: "latency large_blob 1s", Status: missed, Got: 0.97, Want: 0.98, Samples: 100, Matched: 97},
	}
	for name, noClassic := range map[string]bool{"with classic histograms": false, "with native ones alone": true} {
		t.Run(name, func(t *testing.T) {
			got := evaluate(wanted, counted(t, noClassic))
			if diff := cmp.Diff(want, got, sameNumber); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestObjectivesWithoutDataAreNeitherMetNorMissed(t *testing.T) {
	for _, o := range evaluate(alerts.DefaultObjectives(), nil) {
		if o.Status != noData {
			t.Errorf("%s: got %s, want %s", o.Name, o.Status, noData)
		}
	}
}

func TestAnOutcomeIsReadAsASentence(t *testing.T) {
	got := []string{
		share{"availability", 998, 1000}.atLeast(0.999).String(),
		share{"stale_ratio", 1, 2000}.atMost(0.001).String(),
		share{"availability", 0, 0}.atLeast(0.999).String(),
	}
	want := []string{
		"got 99.8 % (998 of 1000), want at least 99.9 %",
		"got 0.05 % (1 of 2000), want at most 0.1 %",
		"got no data, want at least 99.9 %",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
