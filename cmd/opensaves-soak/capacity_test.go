package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/capacity"
	"opensaves-soak/load/desired"
	"opensaves-soak/tools"
)

// ramp is a load in simulated time on a target that answers up to a limit, and
// fails what is over it.
type ramp struct {
	*desired.Store
	registry *prometheus.Registry
	limit    func(now time.Time) float64 // requests a second
	holds    func(rps float64) desired.Limit
	lag      func(rps float64) time.Duration // of the tester
	replicas int
	fleet    float64 // share of the rate that all replicas make
	mute     bool    // this one sends nothing
}

func (r *ramp) State() desired.State { return r.Get() }

func (r *ramp) WarmedUp() bool { return true }

func (r *ramp) Status() desired.Status {
	state, now := r.Get(), time.Now()
	rps := state.At(now).From
	return state.Status(now, desired.Live{AchievedRPS: r.fleet * rps, LimitedBy: r.holds(rps), Replica: desired.Replica{Count: r.replicas}})
}

func (r *ramp) Patch(_ context.Context, ifMatch string, document []byte) (desired.Status, error) {
	_, err := r.Store.Patch(time.Now(), ifMatch, document)
	return r.Status(), err
}

// patch is a change by somebody else.
func (r *ramp) patch(t *testing.T, document string) {
	t.Helper()
	if _, err := r.Patch(t.Context(), "", []byte(document)); err != nil {
		t.Fatal(err)
	}
}

func (r *ramp) target() float64 { return r.Get().At(time.Now()).Target }

// rampUp begins a load that ends with the test.
func rampUp(t *testing.T, limit float64, base desired.Base) *ramp {
	r := &ramp{
		Store: desired.NewStore(time.Now(), base, desired.Hooks{}), registry: prometheus.NewRegistry(), replicas: 1,
		limit: func(time.Time) float64 { return limit },
		holds: func(float64) desired.Limit { return desired.Unlimited }, lag: func(float64) time.Duration { return time.Millisecond },
	}
	f := metric.Factory{Registerer: r.registry}
	arrivals, lag := f.Counter(metric.Arrivals).WithLabelValues(), f.Histogram(metric.ScheduleLag).WithLabelValues()
	requests, times := f.Counter(metric.Requests), f.Histogram(metric.ResponseTime).WithLabelValues("get_record", "read", "success")
	f.Gauge(metric.InFlight).WithLabelValues().Set(3)
	go func() {
		beat := time.NewTicker(100 * time.Millisecond)
		defer beat.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case now := <-beat.C:
				r.Advance(now)
				rate, limit := r.Get().At(now).From/float64(r.replicas), r.limit(now)/float64(r.replicas)
				if r.mute {
					rate = 0
				}
				arrivals.Add(rate / 10)
				requests.WithLabelValues("get_record", "read", "success", "OK").Add(min(rate, limit) / 10)
				requests.WithLabelValues("get_record", "read", "error", "Unavailable").Add(max(0, rate-limit) / 10)
				times.Observe(0.01)
				lag.Observe(r.lag(rate).Seconds())
			}
		}
	}()
	return r
}

func (r *ramp) search(t *testing.T) *search {
	return &search{
		capacityFlags: capacityFlags{on: true, settle: 3 * time.Minute, prove: 10 * time.Minute, ignoreWarmUp: true},
		window:        window{account: account{gatherer: r.registry}}, load: r, leads: func() bool { return true },
		objectives: alerts.DefaultObjectives(), brake: 13 * time.Minute, log: slog.New(slog.NewTextHandler(t.Output(), nil)), proof: []outcome{},
	}
}

func flat() desired.Base { return desired.Base{RPS: 100, MaxRPS: 5000, DefaultTTL: time.Minute} }

func TestASearchFindsTheRateThatATargetHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		s.run(t.Context())
		want := "Held 321.8 requests a second for 10m0s; 336.1 broke availability: got 98.1851 % (39600 of 40332), want at least 99.9 %."
		if got := s.result.String(); got != want || !s.complete {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		last := s.result.Steps[len(s.result.Steps)-1]
		if got, want := last.Seen, (capacity.Seen{Achieved: 321.8, P99: last.P99, InFlight: 3}); !cmp.Equal(got, want, near(0.1)) || last.P99 < 0.009 || last.P99 > 0.011 {
			t.Errorf("got %v, want %v with a p99 of 10 ms", got, want)
		}
		if s.proof[0].Status != met {
			t.Errorf("got the proof %v, want it met", s.proof)
		}
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v afterwards, want none", got)
		}
	})
}

// near compares numbers with a tolerance.
func near(by float64) cmp.Option {
	return cmp.Comparer(func(a, b float64) bool { return a-b <= by && b-a <= by })
}

func TestASearchEndsForReasonsOfItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testing.T, *ramp)
		want   string // the beginning
	}{
		"the tester is late": {
			func(_ *testing.T, r *ramp) {
				r.lag = func(rps float64) time.Duration { return time.Duration(rps*80) * time.Microsecond }
			},
			"Held 100 requests a second for 10m0s; the tester itself fell short at 141.4 requests a second: schedule lag p99: got 12ms",
		},
		"nothing arrives": {
			func(_ *testing.T, r *ramp) { r.mute = true },
			"Held no rate; the tester itself fell short at 100 requests a second: arrivals: got none.",
		},
		"money buys no more": {
			func(_ *testing.T, r *ramp) {
				r.holds = func(rps float64) desired.Limit {
					return map[bool]desired.Limit{true: desired.ByCost}[rps > 150]
				}
			},
			"Held 147.6 requests a second for 10m0s; 154.1 broke the rate: guard_cost held it down.",
		},
		"a guard never lets go": {
			func(_ *testing.T, r *ramp) {
				r.holds = func(float64) desired.Limit { return desired.ByBytes }
			},
			"Held no rate; guard_bytes held the load down for 13m0s.",
		},
		"the cap is reached": {
			func(_ *testing.T, r *ramp) { r.limit = func(time.Time) float64 { return 1e6 } },
			"Held 5000 requests a second for 10m0s; the cap of 5000 requests a second (load.max_rps) was reached.",
		},
		"somebody else changes the load": {
			func(t *testing.T, r *ramp) { time.AfterFunc(5*time.Minute, func() { r.patch(t, `{"rps": 77}`) }) },
			"Held 100 requests a second, which is not proven; somebody else changed the load.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rampUp(t, 330, flat())
				test.change(t, r)
				s := r.search(t)
				s.run(t.Context())
				if got := s.result.String(); !strings.HasPrefix(got, test.want) || !s.complete {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
			})
		})
	}
}

func TestASearchThatIsEndedEarlyIsNotComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		s.run(ctx)
		if got := s.result; s.complete || got.RPS != 100 || got.Proven {
			t.Errorf("got %v, complete: %t, want 100 that is not proven", got, s.complete)
		}
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v afterwards, want none", got)
		}
	})
}

func TestASearchIsPartOfTheSummary(t *testing.T) {
	began := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	s := example()
	s.Violations = nil
	s.Objectives = nil
	s.Capacity = &capacity.Result{
		RPS: 812, BrokeAt: 853, Broke: []string{"availability: got 98 %"}, Ended: "853 broke availability: got 98 %",
		Steps: []capacity.Done{{
			Step:  capacity.Step{RPS: 853, For: 3 * time.Minute, Phase: capacity.Bisect},
			Start: began, End: began.Add(3 * time.Minute), Verdict: capacity.Verdict{Missed: []string{"availability: got 98 %"}},
		}, {
			Step:  capacity.Step{RPS: 812, For: 10 * time.Minute, Phase: capacity.Prove},
			Start: began, End: began.Add(10 * time.Minute), Verdict: capacity.Verdict{Seen: capacity.Seen{Achieved: 811.94, P99: 0.0456789, InFlight: 37}},
		}},
	}
	const failed = "testing the target: no capacity is proven: Held 812 requests a second, which is not proven; 853 broke availability: got 98 %."
	if err := s.verdict(); err == nil || err.Error() != failed {
		t.Errorf("got %v, want %s", err, failed)
	}
	s.Complete = false
	if err := s.verdict(); err != nil {
		t.Errorf("got %v of a search that was ended early, want no error", err)
	}
	s.Complete, s.Capacity.Proven = true, true
	if err := s.verdict(); err != nil {
		t.Errorf("got %v of a rate that is proven, want no error", err)
	}
	var text strings.Builder
	printCapacity(&text, *s.Capacity)
	tools.Golden(t, "testdata/capacity.txt", text.String())
	tools.Golden(t, "testdata/capacity.json", written(t, s, "capacity.json"))
	tools.Golden(t, "testdata/capacity.xml", written(t, s, "capacity.xml"))
}
