package report

import (
	"fmt"
	"strings"
	"testing"
	"time"
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

func TestLatenciesOfAPartOfTheAnswersAreTold(t *testing.T) {
	b := &block{T: t}
	half := phase{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: [4]float64{20, 40, 50, 50}}
	b.fill([]phase{half})
	got, err := b.report(b.serve())
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
