package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/capacity"
	"opensaves-soak/load/desired"
)

// ramp is a load in simulated time on a target that answers up to a limit, and
// fails what is over it.
type ramp struct {
	*desired.Store
	registry *prometheus.Registry
	limit    float64 // requests a second
	holds    func(rps float64) desired.Limit
	lag      func(rps float64) time.Duration // of the tester
}

func (r *ramp) State() desired.State { return r.Get() }

func (r *ramp) WarmedUp() bool { return true }

func (r *ramp) Status() desired.Status {
	state, now := r.Get(), time.Now()
	return state.Status(now, desired.Live{LimitedBy: r.holds(state.At(now).From), Replica: desired.Replica{Count: 1}})
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
		Store: desired.NewStore(time.Now(), base, desired.Hooks{}), registry: prometheus.NewRegistry(), limit: limit,
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
				rate := r.Get().At(now).From
				arrivals.Add(rate / 10)
				requests.WithLabelValues("get_record", "read", "success", "OK").Add(min(rate, r.limit) / 10)
				requests.WithLabelValues("get_record", "read", "error", "Unavailable").Add(max(0, rate-r.limit) / 10)
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
		window:        window{account: account{gatherer: r.registry}}, load: r, leads: func() bool { return true }, start: 100,
		objectives: alerts.DefaultObjectives(), brake: 13 * time.Minute, log: slog.New(slog.NewTextHandler(t.Output(), nil)), proof: []outcome{},
	}
}

func flat() desired.Base { return desired.Base{RPS: 100, MaxRPS: 5000, DefaultTTL: time.Minute} }

// laddered is a search of half an hour from 100 requests a second, after a minute.
func laddered() desired.Base {
	base := flat()
	base.RPS = 50
	base.Stages = []desired.Stage{
		{RPS: 70, Duration: model.Duration(time.Minute)},
		{RPS: 100, Duration: model.Duration(90 * time.Minute), FindCapacity: true},
		{RPS: 60, Duration: model.Duration(time.Hour)},
	}
	return base
}

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
			"Held 100 requests a second for 10m0s; the tester itself was late at 141.4 requests a second: schedule lag p99: got 12ms",
		},
		"nothing arrives": {
			func(t *testing.T, r *ramp) { r.patch(t, `{"paused": true, "ttl": "0s"}`) },
			"Held no rate; the tester itself was late at 100 requests a second: arrivals: got none.",
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
			func(_ *testing.T, r *ramp) { r.limit = 1e6 },
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

func TestAReplicaThatDoesNotLeadSearchesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		var leads atomic.Bool
		s.leads = leads.Load
		time.AfterFunc(time.Hour, func() { leads.Store(true) })
		time.AfterFunc(time.Hour+4*time.Minute, func() { leads.Store(false) })
		s.run(t.Context())
		if got := s.result; len(got.Steps) != 1 || got.Ended != errFollow.Error() {
			t.Errorf("got %v, want one step and then: %v", got, errFollow)
		}
	})
}

// at holds that a rate is in force at some time after the start.
func (r *ramp) at(t *testing.T, start time.Time, after time.Duration, want float64) {
	t.Helper()
	time.Sleep(time.Until(start.Add(after)))
	if got := r.target(); got != want {
		t.Errorf("after %s: got %v requests a second, want %v", after, got, want)
	}
}

func TestAStageSearchesAndHoldsWhatItFoundUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, 59*time.Second, 70)
		r.at(t, start, 4*time.Minute-time.Second, 100)
		r.at(t, start, 5*time.Minute, 141.4)
		r.at(t, start, time.Hour, 321.8)
		if got, want := r.Get().Override.Reason, "capacity search: found 321.8"; got != want {
			t.Errorf("got the reason %q, want %q", got, want)
		}
		r.at(t, start, 91*time.Minute-time.Second, 321.8)
		r.at(t, start, 91*time.Minute+time.Second, 60)
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v after the stage, want none", got)
		}
	})
}

func TestAStageThatIsOverEndsItsSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, base := time.Now(), laddered()
		base.Stages[1].Duration = model.Duration(10 * time.Minute)
		r := rampUp(t, 330, base)
		go r.search(t).follow(t.Context())
		r.at(t, start, 11*time.Minute-time.Second, 282.7)
		r.at(t, start, 11*time.Minute+time.Second, 60)
	})
}

func TestAStageInWhichNothingHoldsGoesOnAtItsOwnRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 0, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, time.Hour, 100)
		r.at(t, start, 91*time.Minute+time.Second, 60)
	})
}

func TestAChangeBySomebodyElseStaysInForceAfterTheStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		time.Sleep(5 * time.Minute)
		r.patch(t, `{"rps": 33}`)
		for _, after := range []time.Duration{6 * time.Minute, time.Hour, 2 * time.Hour} {
			r.at(t, start, after, 33)
		}
	})
}

func TestAnotherLeaderSearchesAnewAndTakesAwayWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		var leader atomic.Int32
		for i := range int32(2) {
			s := r.search(t)
			s.leads = func() bool { return leader.Load() == i }
			go s.follow(t.Context())
		}
		r.at(t, start, 5*time.Minute, 141.4)
		leader.Store(1)
		r.at(t, start, 7*time.Minute, 100)
		r.at(t, start, 80*time.Minute, 321.8)
		leader.Store(0)
		r.at(t, start, 91*time.Minute-time.Second, 321.8)
		r.at(t, start, 91*time.Minute+2*time.Second, 60)
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
	golden(t, "capacity.txt", text.String())
	golden(t, "capacity.json", written(t, s, "capacity.json"))
	golden(t, "capacity.xml", written(t, s, "capacity.xml"))
}

// saturated starts a sandbox of its own that serves so many requests a second.
func saturated(t *testing.T, rps int) (url string) {
	t.Helper()
	box, err := launch(exec.Command(name, "sandbox", "--web.listen-address=127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.end(syscall.SIGKILL) })
	answer, err := ask(http.MethodPut, box.url+"/api/v1/sandbox/faults", fmt.Sprintf(`{"saturation": {"rps": %d, "component": "pods"}}`, rps))
	if err != nil || !strings.HasPrefix(answer, "200") {
		t.Fatalf("got %s, %v, want status 200", answer, err)
	}
	return box.url
}

// planted is the rate that the target of these tests serves.
const planted = 150

// readsAlone is a configuration of a load that a backlog of a quarter of a second is
// too much for: a machine that is busy has less.
const readsAlone = `
load: {rps: 80, operations: {get_record: 1}}
data: {records: 50, stores: 1, cleanup: false}
verify: {self_test: false}
objectives: {latency: [{class: read, threshold: 250ms, ratio: 0.99}]}
`

func TestTheProgramFindsWhereASandboxIsSaturated(t *testing.T) {
	directory := t.TempDir()
	config, output := filepath.Join(directory, "config.yml"), filepath.Join(directory, "summary.json")
	if err := os.WriteFile(config, []byte(readsAlone), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, "run", "--config.file="+config, "--target.address="+saturated(t, planted), "--web.listen-address=127.0.0.1:0",
		"--find-capacity", "--find-capacity.settle=6s", "--find-capacity.prove=10s", "--find-capacity.ignore-warm-up", "--summary.output="+output)
	said, failed := cmd.CombinedOutput()
	raw, err := os.ReadFile(output)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var summary struct{ Capacity capacity.Result }
	if err := json.Unmarshal(raw, &summary); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	got := summary.Capacity
	busy := strings.Contains(got.Ended, "the tester itself was late") // no test asserts speed
	if got.RPS > 1.03*planted || got.RPS < 0.9*planted && !busy {
		t.Errorf("got %v requests a second, want %d or up to 10 %% less", got.RPS, planted)
	}
	end := fmt.Sprintf("\nHeld %s requests a second for 10s; %s.\n", capacity.Rate(got.RPS), got.Ended)
	if got.Proven && (failed != nil || !strings.HasSuffix(string(said), end)) {
		t.Errorf("got %v, want exit status 0, and at the end: %s", failed, end)
	}
	t.Logf("%s", said)
}

func TestADaemonSearchesInAStage(t *testing.T) {
	t.Parallel()
	d, end := begin(t, `
load: {rps: 60, max_rps: 80, operations: {ping: 1}, stages: [{rps: 70, duration: 20s, find_capacity: true}, {rps: 50, duration: 1h}]}
data: {records: 1, stores: 1}
objectives: {latency: [{class: read, threshold: 30s, ratio: 0.01}]} # no test asserts speed
`, "--find-capacity.settle=3s", "--find-capacity.prove=3s")
	for _, want := range []string{`"rps":70,.*"source":"api"`, `"rps":50,.*"source":"stage","expires":null,"stage":1`} {
		if err := becomes("http://"+d.face[0].Addr().String()+"/api/v1/load", want); err != nil {
			t.Error(err)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestAFleetSearchesInAStageAndOutlivesItsLeader(t *testing.T) {
	t.Parallel()
	p := startPods(t, 60, 0)
	text := `
load: {rps: 60, max_rps: 80, operations: {ping: 1}, stages: [{rps: 70, duration: 45s, find_capacity: true}, {rps: 50, duration: 1h}]}
data: {stores: 1, records: 10, cleanup: false}
verify: {self_test: false}
`
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(i int) {
		p.all[i] = p.launch("run", "--config.file="+p.config, "--target.address="+p.target, "--web.listen-address=127.0.0.1:0", "--find-capacity.settle=5s",
			"--kubernetes", "--kubernetes.name=soak", "--kubernetes.namespace=soak", fmt.Sprintf("--kubernetes.replica=soak-%d", i), "--kubernetes.kubeconfig="+p.api.Kubeconfig())
	}
	add(0)
	if err := becomes(p.all[0].url+"/metrics", "^opensaves_soak_leader 1$"); err != nil {
		t.Fatal(err)
	}
	add(1)
	if err := becomes(p.all[1].url+"/api/v1/load", `"rps":(70|80),.*"source":"api"`); err != nil {
		t.Fatal(err)
	}
	p.end(0, syscall.SIGKILL)
	if err := becomes(p.all[1].url+"/api/v1/load", `"rps":50,.*"source":"stage","expires":null,"stage":1`); err != nil {
		t.Error(err)
	}
	p.end(1, syscall.SIGTERM)
}
