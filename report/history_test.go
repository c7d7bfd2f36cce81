package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/alerts"
)

// scraped writes what a replica of two shows, which does half of 5,000 requests a
// second until the step, and of 5 from then on, in scrapes of 30 seconds.
func (b *block) scraped(replica int, offset, step time.Duration) {
	at := func(name, labels string, value func(rps, count float64) float64) {
		for since := offset; since < 15*time.Minute; since += 30 * time.Second {
			rps, count := 5000., 2500*min(since, step).Seconds()+2.5*max(0, since-step).Seconds()
			if since > step {
				rps = 5
			}
			fmt.Fprintf(&b.text, "opensaves_soak_%s{job=\"opensaves-soak\",instance=\"soak-%d\"%s} %v %d\n", name, replica, labels, value(rps, count), began.Add(since).Unix())
		}
	}
	answers := func(_, count float64) float64 { return count }
	read := `,operation="get_record",class="read",outcome="success"`
	at("fleet_target_rps", "", func(rps, _ float64) float64 { return rps })
	at("warmup", "", func(float64, float64) float64 { return 0 })
	at("requests_total", read+`,code="OK"`, answers)
	at("response_time_seconds_bucket", read+`,le="0.025"`, answers)
	at("response_time_seconds_bucket", read+`,le="+Inf"`, answers)
	at("response_time_seconds_count", read, answers)
	at("response_time_seconds_sum", read, func(_, count float64) float64 { return 0.02 * count })
}

// Of two replicas the one is scraped last four seconds before the load goes down,
// the other first a second after: what either shows alone is no level.
func TestALevelEndsWithTheLastScrapeThatAllReplicasAgreeIn(t *testing.T) {
	b := &block{T: t}
	b.declare()
	b.scraped(0, 2*time.Second, 603*time.Second)
	b.scraped(1, 28*time.Second, 603*time.Second)
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	type level struct {
		rps, achieved Figure
		missed        int
	}
	var levels []level
	for _, l := range got.Levels {
		levels = append(levels, level{l.RPS, l.Achieved, len(l.Missed)})
	}
	if diff := cmp.Diff([]level{{5000, 5000, 0}, {5, 5, 0}}, levels, cmp.AllowUnexported(level{}), near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if want := got.enough(); want.Value != "yes" {
		t.Errorf("got %q, want that 5,000 were held", want.Value)
	}
}

func TestLevelsThatAreKnownAreNotLookedFor(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 10*time.Minute), healthy(200, 10*time.Minute)})
	client, err := NewClient(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	known := Level{RPS: 200, Start: began.Add(14 * time.Minute), End: began.Add(15 * time.Minute)}
	got, err := Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began, End: began.Add(20 * time.Minute), Objectives: alerts.DefaultObjectives(), Levels: []Level{known},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Levels) != 1 || cmp.Diff(known, Level{float64(got.Levels[0].RPS), got.Levels[0].Start, got.Levels[0].End}) != "" || cmp.Diff(Figure(200), got.Levels[0].Achieved, near) != "" {
		t.Errorf("got %+v, want the level that is known alone", got.Levels)
	}
}

// The counter of an error begins with 1,500, and its process ends after that.
func TestErrorsBeforeARestartCount(t *testing.T) {
	for name, after := range map[string]float64{"none came after it": 0, "one came after it": 1, "half as many came after it": 750} {
		t.Run(name, func(t *testing.T) {
			b := &block{T: t}
			b.fill([]phase{healthy(100, 10*time.Minute), healthy(200, 10*time.Minute)})
			b.more()
			b.evenly("opensaves_soak_target_rps", "", 0, 20*time.Minute, scrape, constantly(100))
			of := func(from, to time.Duration, errors float64) {
				b.evenly("opensaves_soak_requests_total", `,operation="get_record",class="read",outcome="error",code="DeadlineExceeded"`, from, to, scrape, constantly(errors))
			}
			of(11*time.Minute, 12*time.Minute, 1500)
			if after > 0 {
				of(18*time.Minute, 20*time.Minute, after)
			}
			b.close()
			got, err := b.report(b.serve())
			if err != nil {
				t.Fatal(err)
			}
			l := got.Levels[1]
			seconds := l.End.Sub(l.Start).Seconds() + 1
			if diff := cmp.Diff(map[string]float64{"DeadlineExceeded": (1500 + after) / seconds}, l.Errors, near); diff != "" {
				t.Errorf("errors a second: wanted -, got +\n%s", diff)
			}
			if len(l.Missed) != 1 || got.Highest != 100 {
				t.Errorf("got %q missed and the highest level %v, want the availability, and 100", l.Missed, got.Highest)
			}
		})
	}
}

// What a process that has ended counted before the level is none of the level's.
func TestErrorsFromBeforeALevelAreNoneOfIts(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 8*time.Minute), healthy(200, 195*time.Second)})
	b.more()
	b.evenly("opensaves_soak_target_rps", "", 0, 20*time.Minute, scrape, constantly(100))
	for from, errors := range map[time.Duration]float64{4 * time.Minute: 1500, 9 * time.Minute: 1} {
		b.evenly("opensaves_soak_requests_total", `,operation="get_record",class="read",outcome="error",code="DeadlineExceeded"`, from, from+time.Minute, scrape, constantly(errors))
	}
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	l := got.Levels[1]
	if diff := cmp.Diff(map[string]float64{"DeadlineExceeded": 1 / (l.End.Sub(l.Start).Seconds() + 1)}, l.Errors, near); diff != "" {
		t.Errorf("errors a second: wanted -, got +\n%s", diff)
	}
}

// The brake of one replica, which sees errors, is no other load for the fleet.
func TestALevelGoesOnWhileOneReplicaBrakes(t *testing.T) {
	b := &block{T: t}
	b.text.WriteString("# TYPE opensaves_soak_fleet_target_rps gauge\n")
	for replica := range 2 {
		for since := time.Duration(0); since <= 12*time.Minute; since += scrape {
			rps := 5000
			if replica == 1 && since > 4*time.Minute && since < 8*time.Minute {
				rps = 5
			}
			fmt.Fprintf(&b.text, "opensaves_soak_fleet_target_rps{job=\"opensaves-soak\",instance=\"soak-%d\"} %d %d\n", replica, rps, began.Add(since).Unix())
		}
	}
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Levels) != 1 || got.Levels[0].End.Sub(got.Levels[0].Start) != 12*time.Minute-scrape {
		t.Errorf("got %+v, want one level", got.Levels)
	}
}
