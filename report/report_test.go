package report

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"

	"opensaves-soak/alerts"
	"opensaves-soak/tools"
)

// block is a fixed piece of history that a real Prometheus answers from.
type block struct {
	*testing.T
	text bytes.Buffer
}

var began = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const scrape = 15 * time.Second

// phase is a stretch of the block in which everything goes at the same rates.
type phase struct {
	length   time.Duration
	target   float64 // requests a second that were asked for
	answered float64
	failed   float64
	inFlight float64
	within   [4]float64 // successes a second up to 10 ms, 25 ms, 50 ms and all
	wrong    float64    // in all
}

// family writes a family's samples, by the sums of what every phase adds a second.
func (b *block) family(kind, name, labels string, value func(phase) float64, phases []phase) {
	family := strings.TrimSuffix(name, "_total")
	if kind == "gauge" || !strings.Contains(b.text.String(), "# TYPE "+family+" ") {
		fmt.Fprintf(&b.text, "# TYPE %s %s\n", family, kind)
	}
	at, sum := began, 0.0
	for _, p := range phases {
		for end := at.Add(p.length); at.Before(end); at = at.Add(scrape) {
			v := value(p)
			if kind == "counter" {
				v, sum = sum, sum+v*scrape.Seconds()
			}
			if p.target >= 0 {
				fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=\"soak-0\"%s} %v %d\n", name, labels, v, at.Unix())
			}
		}
	}
}

// fill writes what the tester would have exported.
func (b *block) fill(phases []phase) {
	counter := func(name, labels string, value func(phase) float64) { b.family("counter", name, labels, value, phases) }
	b.family("gauge", "opensaves_soak_fleet_target_rps", "", func(p phase) float64 { return p.target }, phases)
	b.family("gauge", "opensaves_soak_warmup", "", func(phase) float64 { return 0 }, phases)
	read := `,operation="get_record",class="read"`
	counter("opensaves_soak_requests_total", read+`,outcome="success",code="OK"`, func(p phase) float64 { return p.answered - p.failed })
	counter("opensaves_soak_requests_total", read+`,outcome="error",code="Unavailable"`, func(p phase) float64 { return p.failed })
	counter("opensaves_soak_arrivals_dropped_total", `,reason="max_in_flight",class="read"`, func(p phase) float64 { return max(0, p.target-p.answered) })
	counter("opensaves_soak_check_violations_total", `,check="record",kind="stale"`, func(p phase) float64 { return p.wrong / p.length.Seconds() })
	histogram := func(name, labels string, sum func(phase) float64) {
		fmt.Fprintf(&b.text, "# TYPE %s histogram\n", name)
		for i, le := range []string{"0.01", "0.025", "0.05", "+Inf"} {
			b.count(name+"_bucket", labels+`,le="`+le+`"`, phases, func(p phase) float64 { return p.within[i] })
		}
		b.count(name+"_count", labels, phases, func(p phase) float64 { return p.within[3] })
		b.count(name+"_sum", labels, phases, sum)
	}
	histogram("opensaves_soak_response_time_seconds", read+`,outcome="success"`, func(p phase) float64 { return 0.02 * p.within[3] })
	histogram("opensaves_soak_request_duration_seconds", read, func(p phase) float64 { return p.inFlight })
	b.text.WriteString("# EOF\n")
}

// count writes the samples of a counter whose family was named before.
func (b *block) count(name, labels string, phases []phase, value func(phase) float64) {
	at, sum := began, 0.0
	for _, p := range phases {
		for end := at.Add(p.length); at.Before(end); at = at.Add(scrape) {
			if p.target >= 0 {
				fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=\"soak-0\"%s} %v %d\n", name, labels, sum, at.Unix())
			}
			sum += value(p) * scrape.Seconds()
		}
	}
}

// serve starts a Prometheus that has the block, and returns its address.
func (b *block) serve() string {
	b.Helper()
	directory := b.TempDir()
	file := filepath.Join(directory, "block.txt")
	if err := os.WriteFile(file, b.text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	data := filepath.Join(directory, "data")
	if out, err := exec.CommandContext(b.Context(), tools.Path(b, "promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", file, data).CombinedOutput(); err != nil {
		b.Fatalf("making the block: %v\n%s", err, out)
	}
	config := filepath.Join(directory, "prometheus.yml")
	if err := os.WriteFile(config, []byte("global: {scrape_interval: 15s}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return tools.Prometheus(b, "--config.file="+config, "--storage.tsdb.path="+data, "--storage.tsdb.retention.time=10y")
}

func (b *block) report(address string) (*Report, error) {
	b.Helper()
	return b.until(2*time.Hour, address)
}

// until is a report of everything up to so long after the beginning.
func (b *block) until(end time.Duration, address string) (*Report, error) {
	b.Helper()
	client, err := api.NewClient(api.Config{Address: address})
	if err != nil {
		b.Fatal(err)
	}
	return Make(b.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began, End: began.Add(end), Objectives: alerts.DefaultObjectives(),
	})
}

func TestTheFiguresOfAReportAreThoseOfAHandCalculation(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{
		{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: [4]float64{50, 90, 100, 100}},
		{length: 10 * time.Minute, target: 500, answered: 500, failed: 0.25, inFlight: 10, within: [4]float64{249.75, 449.75, 499.75, 499.75}},
		{length: 10 * time.Minute, target: 1000, answered: 900, failed: 9, inFlight: 40, within: [4]float64{0, 445.5, 801.9, 891}, wrong: 4},
	})
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := []Measured{
		{
			RPS: 100, Achieved: 100, Success: 1, Served: 100, Dropped: 0, InFlight: 2, Covered: 1,
			Operations: []Operation{{Name: "get_record", RPS: 100, Failed: 0, Mean: 0.02, P50: 0.01, P95: 0.0375, P99: 0.0475, Ends50: Bucket{0.005, 0.01}, Ends95: Bucket{0.025, 0.05}, Ends99: Bucket{0.025, 0.05}, Error: 0.47368}},
		},
		{
			RPS: 500, Achieved: 500, Success: 0.9995, Served: 499.75, Dropped: 0, InFlight: 10, Covered: 1, Errors: map[string]float64{"Unavailable": 0.25},
			Operations: []Operation{{Name: "get_record", RPS: 500, Failed: 0.0005, Mean: 0.02, P50: 0.010009, P95: 0.037506, P99: 0.047501, Ends50: Bucket{0.01, 0.025}, Ends95: Bucket{0.025, 0.05}, Ends99: Bucket{0.025, 0.05}, Error: 0.47370}},
		},
		{
			RPS: 1000, Achieved: 900, Success: 0.891, Served: 891, Dropped: 100, Crowded: 100, InFlight: 40, Covered: 1, Errors: map[string]float64{"Unavailable": 9}, Violations: map[string]float64{"stale": 3.9},
			Operations: []Operation{{Name: "get_record", RPS: 900, Failed: 0.01, Mean: 0.02, P50: 0.025, P95: 0.05, P99: 0.05, Ends50: Bucket{0.01, 0.025}, Ends95: Bucket{0.025, 0.05}, Ends99: Bucket{0.025, 0.05}, Error: 0.5}},
			Missed: []string{
				"availability: got 89.1 %, want at least 99.9 %", "achieved rate: got 90 %, want at least 99 %", "wrong answers: got 4, want none",
			},
		},
	}
	roughly := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 0.05*math.Abs(b) })
	for i, m := range got.Levels {
		if length := m.End.Sub(m.Start); length < 9*time.Minute || length > 10*time.Minute {
			t.Errorf("level %d: got %s to %s, want nearly ten minutes", i, m.Start, m.End)
		}
		got.Levels[i].Start, got.Levels[i].End, got.Levels[i].Lag = time.Time{}, time.Time{}, 0
		for _, empty := range []*map[string]float64{&got.Levels[i].Errors, &got.Levels[i].Violations, &got.Levels[i].CostAnHour, &got.Levels[i].CostAMio} {
			if len(*empty) == 0 {
				*empty = nil
			}
		}
	}
	if diff := cmp.Diff(want, got.Levels, near, roughly); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got.Highest != 500 || got.Ceiling < 890 || got.Ceiling > 892 {
		t.Errorf("got highest level %v and ceiling %v, want 500 and 891", got.Highest, got.Ceiling)
	}
	if got.Scaling.Refusal == "" && !got.Scaling.PeakRPS.Value.Known() {
		t.Errorf("got scaling %+v, want a peak or a sentence", got.Scaling)
	}
}

func TestAGapInTheMiddleIsToldAndEndsALevel(t *testing.T) {
	b := &block{T: t}
	steady := phase{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: [4]float64{50, 90, 100, 100}}
	silent := steady
	silent.target = -1
	b.fill([]phase{steady, silent, steady})
	got, err := b.until(30*time.Minute, b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Levels) != 2 || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "There are no samples from") {
		t.Errorf("got %d levels and notes %q, want two and the gap", len(got.Levels), got.Notes)
	}
}

func TestNoTesterInTheRangeIsAnError(t *testing.T) {
	b := &block{T: t}
	b.family("gauge", "other", "", func(phase) float64 { return 1 }, []phase{{length: time.Hour, target: 1}})
	b.text.WriteString("# EOF\n")
	if _, err := b.report(b.serve()); err == nil || !strings.Contains(err.Error(), ErrNoData.Error()) {
		t.Errorf("got %v, want ErrNoData", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	client, err := api.NewClient(api.Config{Address: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Make(ctx, NewPrometheus(client, alerts.DefaultSettings()), Question{Start: began, End: began.Add(time.Hour)}); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want that nobody answers", err)
	}
}

// near takes figures for equal that differ by a thousandth, as rates do that begin
// and end between scrapes.
var near = cmp.Comparer(func(a, b Figure) bool {
	return a == b || !a.Known() && !b.Known() || math.Abs(float64(a-b)) < 1e-3*math.Abs(float64(b))
})

func TestALevelBeginsWithTheFirstScrapeThatItKeeps(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{
		{length: 5 * time.Minute, target: 100, answered: 100, within: [4]float64{50, 90, 100, 100}},
		{length: scrape, target: 500, answered: 500, within: [4]float64{250, 450, 500, 500}}, // settles
		{length: scrape, target: 500, answered: 450, within: [4]float64{225, 405, 450, 450}},
		{length: 3 * time.Minute, target: 500, answered: 500, within: [4]float64{250, 450, 500, 500}},
	})
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	level := got.Levels[len(got.Levels)-1]
	// The last sample is a scrape before the end of the block.
	if want := 50 * scrape.Seconds() / level.End.Sub(level.Start).Seconds(); math.Abs(float64(level.Dropped)-want) > 0.05*want {
		t.Errorf("got %v dropped a second from %s to %s, want %v", level.Dropped, level.Start, level.End, want)
	}
}
