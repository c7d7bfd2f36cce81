package main

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// trial is a finite run of a load that answers one request every 100 ms and is
// warm after some time.
type trial struct {
	*finite
	stdout strings.Builder
}

func newTrial(t *testing.T, length, warmup time.Duration) *trial {
	registry := prometheus.NewRegistry()
	f := metric.Factory{Registerer: registry}
	requests := f.Counter(metric.Requests).WithLabelValues("get_record", "read", "success", "OK")
	times := f.Histogram(metric.ResponseTime).WithLabelValues("get_record", "read", "success")
	records := f.Gauge(metric.WorkingSetObjects).WithLabelValues("record")
	f.Gauge(metric.InFlight).WithLabelValues().Set(3)
	f.Counter(metric.ArrivalsDropped).WithLabelValues("max_in_flight", "read").Add(2)
	f.Counter(metric.CheckViolations).WithLabelValues("record", "corrupt").Add(1)
	start := time.Now()
	var warm atomic.Bool
	go func() { // ends with the test
		beat := time.NewTimer(20 * time.Millisecond) // off the clock: no beat falls on the instant of a glance
		defer beat.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case now := <-beat.C:
				beat.Reset(100 * time.Millisecond)
				requests.Inc()
				times.Observe(0.01)
				records.Inc()
				warm.Store(now.Sub(start) >= warmup)
			}
		}
	}()
	trial := &trial{}
	trial.finite = &finite{
		account: account{gatherer: registry}, length: length, warm: warm.Load,
		progress: &progress{screen: &screen{stdout: &trial.stdout}, records: 250},
	}
	return trial
}

func TestARunLastsItsLengthFromWhenTheWorkingSetIsWarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trial := newTrial(t, 20*time.Second, 25*time.Second)
		if err := trial.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if warmup := trial.began.Sub(trial.started); warmup != 25*time.Second+glance {
			t.Errorf("got a warm-up of %s, want 25s and a glance", warmup)
		}
		if length := trial.ended.Sub(trial.began); length != 20*time.Second || !trial.complete {
			t.Errorf("got a run of %s, complete: %t, want one of 20s", length, trial.complete)
		}
		if err := trial.count(); err != nil {
			t.Fatal(err)
		}
		got := trial.measured.sum(metric.Requests, nil)
		if times := trial.measured.histogram(metric.ResponseTime, nil).count(); got != 200 || times != got {
			t.Errorf("got %v requests and %v response times of the time measured, want 200 of each", got, times)
		}
		if got := trial.total.sum(metric.Requests, nil); got != 451 {
			t.Errorf("got %v requests of the whole run, want 451", got)
		}
	})
}

func TestProgressIsALineEveryTenSecondsWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trial := newTrial(t, 20*time.Second, 25*time.Second)
		if err := trial.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"warming up: 100 of 250 records | 10.0 requests/s | p99 10.1ms | violations 1 | dropped 2 | in flight 3",
			"warming up: 200 of 250 records | 10.0 requests/s | p99 10.1ms | violations 1 | dropped 2 | in flight 3",
			"15s left | 10.0 requests/s | p99 10.1ms | violations 1 | dropped 2 | in flight 3",
			"5s left | 10.0 requests/s | p99 10.1ms | violations 1 | dropped 2 | in flight 3",
		}
		got := strings.Split(strings.TrimSuffix(trial.stdout.String(), "\n"), "\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestARunThatIsEndedEarlyIsNotComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trial := newTrial(t, time.Hour, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := trial.run(ctx); err != nil {
			t.Fatal(err)
		}
		s, err := trial.sumUp(DefaultConfig())
		if err != nil {
			t.Fatal(err)
		}
		got := []any{s.Complete, s.Duration, s.Warmup, len(s.Operations), s.Totals.Answered}
		if diff := cmp.Diff([]any{false, number(0), number(30), 0, number(0)}, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}
