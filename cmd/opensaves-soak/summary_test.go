package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/tools"
)

// example is the summary of a run in which much went wrong.
func example() *summary {
	none := number(math.NaN())
	return &summary{
		Version: "1.2.3", Target: tested{"saves & more", "http", "dynamodb"},
		Started: time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC), Ended: time.Date(2026, 11, 23, 20, 10, 30, 0, time.UTC),
		Warmup: 30, Duration: 600, Complete: true,
		Operations: []operation{
			{"get_record", 29_950, 49.9166, 10, 0, 0.00123456, 0.0456789, 0.1, 0.12},
			{"ping", 50, 0.08333, 50, 0, none, none, none, number(math.Inf(1))},
		},
		Totals: totals{
			Scheduled: 30_100, Answered: 30_000, Dropped: map[string]number{"max_in_flight": 90, "stall": 7, "shutdown": 3},
			Converted: 12, UnknownWrites: 4, Checks: map[string]number{"ok": 29_000, "unjudged": 900, "suspect": 8, "violation": 2},
		},
		Violations: []violation{{"record", "corrupt", 2}, {"record", "phantom_write", 0}},
		Objectives: []outcome{
			share{"availability", 29_940, 30_090}.atLeast(0.999),
			share{"stale_ratio", 8, 29_010}.atMost(0.001),
			share{"latency large_blob 5s", 0, 0}.atLeast(0.99),
		},
	}
}

// written is what the summary's file of some name holds.
func written(t *testing.T, s *summary, name string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := s.write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPeopleReadATable(t *testing.T) {
	var text strings.Builder
	example().print(&text)
	tools.Golden(t, "testdata/summary.txt", text.String())
}

func TestAFileThatEndsInXMLIsJUnit(t *testing.T) {
	tools.Golden(t, "testdata/summary.xml", written(t, example(), "summary.xml"))
}

func TestAnyOtherFileIsJSON(t *testing.T) {
	text := written(t, example(), "summary.out")
	if !json.Valid([]byte(text)) {
		t.Error("got no JSON")
	}
	tools.Golden(t, "testdata/summary.json", text)
}

func TestTheVerdictNamesWhatWasWrong(t *testing.T) {
	const wrong = "testing the target: 2 wrong answers (record: corrupt)"
	const missed = "; objective availability missed: got 99.5015 % (29940 of 30090), want at least 99.9 %"
	for name, test := range map[string]struct {
		change func(*summary)
		want   string
	}{
		"wrong answers and missed objectives":                   {func(*summary) {}, wrong + missed},
		"wrong answers in a run that was ended early":           {func(s *summary) { s.Complete = false }, wrong},
		"missed objectives in a run that was ended early":       {func(s *summary) { s.Complete, s.Violations = false, nil }, ""},
		"objectives that are met or have no data and no others": {func(s *summary) { s.Objectives, s.Violations = s.Objectives[1:], nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := example()
			test.change(s)
			got := ""
			if err := s.verdict(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTimesAreShownWithThreeDigits(t *testing.T) {
	got := []string{}
	for _, seconds := range []float64{0, 0.0000012345, 0.00098765, 0.0123456, 1.23456, 9.9999, 123.456, 5025} {
		got = append(got, shortly(seconds))
	}
	want := []string{"0s", "1.23µs", "988µs", "12.3ms", "1.23s", "10s", "2m3s", "1h23m45s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
