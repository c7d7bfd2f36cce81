package report

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"

	"opensaves-soak/alerts"
)

// replica writes ten minutes of a replica that makes 50 requests a second, of which
// each takes 20 ms, and that starts anew after a while.
func (b *block) replica(instance string, restart time.Duration) {
	read := `,operation="get_record",class="read"`
	for at := time.Duration(0); at < 10*time.Minute; at += scrape {
		if at >= restart && at < restart+2*scrape {
			continue // it is down
		}
		count := 50 * at.Seconds()
		if at >= restart {
			count = 50 * (at - restart - scrape).Seconds()
		}
		write := func(name, labels string, value float64) {
			fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=%q%s} %v %d\n", name, instance, labels, value, began.Add(at).Unix())
		}
		write("opensaves_soak_fleet_target_rps", "", 100)
		write("opensaves_soak_warmup", "", 0)
		write("opensaves_soak_requests_total", read+`,outcome="success",code="OK"`, count)
		for _, le := range []string{"0.025", "+Inf"} {
			write("opensaves_soak_response_time_seconds_bucket", read+`,outcome="success",le="`+le+`"`, count)
		}
		write("opensaves_soak_response_time_seconds_count", read+`,outcome="success"`, count)
		write("opensaves_soak_response_time_seconds_sum", read+`,outcome="success"`, 0.02*count)
		write("opensaves_soak_request_duration_seconds_sum", read, 0.02*count)
	}
}

// declare says what the families are.
func (b *block) declare() {
	for name, kind := range map[string]string{
		"fleet_target_rps": "gauge", "warmup": "gauge", "requests": "counter", "response_time_seconds": "histogram", "request_duration_seconds": "histogram",
	} {
		fmt.Fprintf(&b.text, "# TYPE opensaves_soak_%s %s\n", name, kind)
	}
}

func TestReplicasThatStartAnewMakeNoAverageWrong(t *testing.T) {
	b := &block{T: t}
	b.declare()
	b.replica("soak-0", 3*time.Minute)
	b.replica("soak-1", 6*time.Minute)
	b.text.WriteString("# EOF\n")
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Levels) != 1 || len(got.Levels[0].Operations) != 1 {
		t.Fatalf("got %+v, want a level with an operation", got.Levels)
	}
	l := got.Levels[0]
	if l.Success != 1 || l.Operations[0].Mean < 0.0199 || l.Operations[0].Mean > 0.0201 {
		t.Errorf("got success %v and a mean of %v s, want 1 and 0.02", l.Success, l.Operations[0].Mean)
	}
	// Each was away for half a minute of ten, and rates bridge that: no more is lost.
	if l.Achieved < 93 || l.Achieved > 101 {
		t.Errorf("got %v requests a second, want about 97", l.Achieved)
	}
}

// evenly writes a series that has a value every step.
func (b *block) evenly(name, labels string, from, to, step time.Duration, value func(time.Duration) float64) {
	for at := from; at <= to; at += step {
		fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=\"soak-0\"%s} %v %d\n", name, labels, value(at), began.Add(at).Unix())
	}
}

func constantly(v float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return v }
}

// more opens the block again.
func (b *block) more() { b.text.Truncate(b.text.Len() - len("# EOF\n")) }

func (b *block) close() { b.text.WriteString("# EOF\n") }

// healthy is a phase without trouble.
func healthy(rps float64, length time.Duration) phase {
	return phase{length: length, target: rps, answered: rps, inFlight: rps / 50, within: [4]float64{0, .9 * rps, rps, rps}}
}

// An outage within a scrape makes a counter that is at its height when it is first
// seen.
func TestErrorsWhoseSeriesBeginsWithThemCount(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 10*time.Minute), healthy(200, 10*time.Minute)})
	b.more()
	b.evenly("opensaves_soak_target_rps", "", 0, 20*time.Minute, scrape, constantly(100))
	b.evenly("opensaves_soak_requests_total", `,operation="get_record",class="read",outcome="error",code="DeadlineExceeded"`, 15*time.Minute, 20*time.Minute, scrape, constantly(1500))
	b.evenly("opensaves_soak_check_violations_total", `,check="record",kind="corrupt"`, 15*time.Minute, 20*time.Minute, scrape, constantly(1))
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	l := got.Levels[1]
	if l.Success < 0.985 || l.Success > 0.99 || l.Violations["corrupt"] != 1 || len(l.Missed) != 2 || got.Highest != 100 {
		t.Errorf("got success %v, violations %v, missed %q and highest %v, want 0.987, one corrupt, two objectives, and 100", l.Success, l.Violations, l.Missed, got.Highest)
	}
	if failed := l.Operations[0].Failed; failed < 0.01 || failed > 0.015 {
		t.Errorf("got %v failed of get_record, want 0.013", failed)
	}
}

func TestWhatNothingIsKnownOfIsNotMet(t *testing.T) {
	b := &block{T: t}
	b.family("gauge", "opensaves_soak_fleet_target_rps", "", func(p phase) float64 { return p.target }, []phase{healthy(5000, 10*time.Minute)})
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if got.Highest.Known() || got.enough().Value == "yes" || got.Levels[0].Invalid != "Nothing tells how requests ended." {
		t.Errorf("got highest %v, %v and %q, want none", got.Highest, got.enough(), got.Levels[0].Invalid)
	}
}

func TestLostUpdatesOverHTTPAreNoWrongAnswers(t *testing.T) {
	for protocol, want := range map[string]int{"http": 0, "grpc": 1} {
		b := &block{T: t}
		b.fill([]phase{healthy(100, 10*time.Minute)})
		b.more()
		b.evenly("opensaves_soak_target_info", `,name="x",protocol="`+protocol+`",backend="dynamodb"`, 0, 10*time.Minute, scrape, constantly(1))
		b.evenly("opensaves_soak_check_violations_total", `,check="list",kind="lost_update"`, 0, 10*time.Minute, scrape, func(at time.Duration) float64 { return at.Minutes() })
		b.close()
		got, err := b.report(b.serve())
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Levels[0].Missed) != want {
			t.Errorf("%s: got %q, want %d missed", protocol, got.Levels[0].Missed, want)
		}
	}
}

func TestWrongAnswersOnARampAreTold(t *testing.T) {
	b := &block{T: t}
	climb := []phase{healthy(100, 10*time.Minute)}
	for i := range 8 {
		climb = append(climb, healthy(150+50*float64(i), scrape))
	}
	climb[5].wrong = 7
	b.fill(append(climb, healthy(600, 10*time.Minute)))
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if n := got.Outside["stale"]; n < 6.5 || n > 7.5 || len(got.headline()) != 5 {
		t.Errorf("got %v outside of levels and %v, want 7 and a line for them", got.Outside, got.headline())
	}
}

func TestAMonthHasAllItsLevels(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 10*time.Minute), healthy(500, 10*time.Minute), healthy(1000, 16*time.Minute), healthy(0, 4*time.Minute), healthy(1000, 10*time.Minute)})
	client, err := api.NewClient(api.Config{Address: b.serve()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began.Add(-29 * 24 * time.Hour), End: began.Add(24 * time.Hour), Objectives: alerts.DefaultObjectives(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var rates []Figure
	for _, l := range got.Levels {
		rates = append(rates, l.RPS)
	}
	if diff := cmp.Diff([]Figure{100, 500, 1000, 1000}, rates); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAnAnswerWithoutEndIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		blanks := bytes.Repeat([]byte(" "), 1<<20)
		for range 2 * largestAnswer >> 20 {
			if _, err := w.Write(blanks); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	client, err := NewClient(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{Start: began, End: began.Add(time.Hour)})
	if err == nil || !strings.Contains(err.Error(), "request body too large") {
		t.Errorf("got %v, want that the answer is too large", err)
	}
}

func TestLatenciesOfAPartOfTheAnswersAreTold(t *testing.T) {
	b := &block{T: t}
	half := phase{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: [4]float64{20, 40, 50, 50}}
	b.fill([]phase{half})
	got, err := b.until(10*time.Minute, b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "50 % of its answers") {
		t.Errorf("got notes %q, want that latencies are those of half of the answers", got.Notes)
	}
}

func TestALevelThatTheTesterItselfWasLateInDoesNotCount(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: [4]float64{50, 90, 100, 100}}})
	b.text.Truncate(b.text.Len() - len("# EOF\n"))
	b.text.WriteString("# TYPE opensaves_soak_schedule_lag_seconds histogram\n")
	for _, le := range []string{"0.01", "0.025", "+Inf"} {
		b.count("opensaves_soak_schedule_lag_seconds_bucket", `,le="`+le+`"`, []phase{{length: 10 * time.Minute}}, func(phase) float64 {
			return map[string]float64{"0.01": 90, "0.025": 100, "+Inf": 100}[le]
		})
	}
	b.text.WriteString("# EOF\n")
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if got.Highest.Known() || !strings.Contains(got.Levels[0].Invalid, "late by 23.5 ms") {
		t.Errorf("got highest level %v and %q, want none, and that the tester was late by 23.5 ms", got.Highest, got.Levels[0].Invalid)
	}
}
