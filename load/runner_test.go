package load

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves"
)

// target answers every call as do says; nil: at once, with success.
type target struct {
	do       func(ctx context.Context, op metric.Operation) metric.Code
	attempts func(metric.Operation)
	calls    atomic.Int64
}

func (t *target) Do(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
	t.calls.Add(1)
	t.attempts(call.Op)
	answer.Attempts, answer.Responded = 1, true
	code := metric.OK
	if t.do != nil {
		code = t.do(ctx, call.Op)
	}
	answer.Answered = time.Now()
	if code != metric.OK {
		return &opensaves.Error{Op: call.Op, Code: code, Text: "as the test asked"}
	}
	return nil
}

func (t *target) Close() error { return nil }

// soak is a runner under test with its registry.
type soak struct {
	*Runner
	registry *prometheus.Registry
	end      context.CancelFunc
	ended    chan struct{}
}

// begin starts a load of pings on a target, inside a bubble of synctest.
func begin(t *testing.T, to *target, change func(*Options)) *soak {
	t.Helper()
	s := &soak{registry: prometheus.NewRegistry(), ended: make(chan struct{})}
	config := DefaultConfig()
	config.Operations = map[string]float64{"ping": 1}
	data := scenario.DefaultConfig()
	data.Records, data.Stores = 1, 1
	o := Options{
		Config: config, Safety: DefaultSafetyConfig(), Data: data, Slowest: 5 * time.Second,
		Protocol: metric.HTTP,
		Connect: func(o opensaves.Options) (opensaves.Client, error) {
			to.attempts = o.OnAttempt
			return to, nil
		},
		Price:   func(metric.Operation, int64, int64) float64 { return 0 },
		Metrics: metric.Factory{Registerer: s.registry},
		Log:     slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	verify := ledger.DefaultConfig()
	verify.SelfTest = false // its pings are no arrivals
	o.World = func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
		return scenario.NewWorld(scenario.Config{Data: o.Data, Verify: verify, Identity: ledger.NewIdentity(), OnViolation: tell}, mix)
	}
	var err error
	if s.Runner, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.end = cancel
	go func() {
		defer close(s.ended)
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	return s
}

// stop ends the load and waits until the last request is over.
func (s *soak) stop() {
	s.end()
	<-s.ended
}

// value adds up the children of a counter or gauge whose labels match.
func (s *soak) value(t *testing.T, d metric.Definition, labels ...string) (sum float64) {
	t.Helper()
	s.each(t, d, labels, func(m *dto.Metric) { sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() })
	return sum
}

func (s *soak) each(t *testing.T, d metric.Definition, labels []string, do func(*dto.Metric)) {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == d.Name && matches(m, labels) {
				do(m)
			}
		}
	}
}

// matches looks for label pairs, name and value in turn.
func matches(m *dto.Metric, labels []string) bool {
	found := 0
	for _, l := range m.GetLabel() {
		for i := 0; i < len(labels); i += 2 {
			if l.GetName() == labels[i] && l.GetValue() == labels[i+1] {
				found++
			}
		}
	}
	return found == len(labels)/2
}

// over is how many observations of a histogram lie above a bucket's bound.
func (s *soak) over(t *testing.T, d metric.Definition, bound float64) (over, count float64) {
	t.Helper()
	s.each(t, d, nil, func(m *dto.Metric) {
		h := m.GetHistogram()
		count += float64(h.GetSampleCount())
		for _, b := range h.GetBucket() {
			if b.GetUpperBound() == bound {
				over += float64(h.GetSampleCount() - b.GetCumulativeCount())
			}
		}
	})
	return over, count
}

func (s *soak) patch(t *testing.T, document string) {
	t.Helper()
	if _, err := s.Patch(t.Context(), "", []byte(document)); err != nil {
		t.Fatal(err)
	}
}

func TestAChangeOfRateLeavesNoBacklogAndNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sent []time.Time
		to := &target{do: func(_ context.Context, op metric.Operation) metric.Code {
			mu.Lock()
			defer mu.Unlock()
			if op != metric.GetRecord { // which verifies the one record, in the background
				sent = append(sent, time.Now())
			}
			return metric.OK
		}}
		s := begin(t, to, func(o *Options) { o.Config.RPS, o.Config.MaxRPS = 100, 5000; o.Embedded = true })
		time.Sleep(time.Minute)
		s.patch(t, `{"rps": 5000}`)
		fast := time.Now()
		time.Sleep(time.Minute)
		s.patch(t, `{"rps": 100}`)
		slow := time.Now()
		time.Sleep(time.Minute)
		s.stop()
		counts := map[string]int{}
		var last time.Time
		for _, at := range sent {
			part, gap := "slow again", 10*time.Millisecond
			switch {
			case at.Before(fast):
				part = "slow"
			case at.Before(slow):
				part, gap = "fast", 200*time.Microsecond
			}
			counts[part]++
			if g := at.Sub(last); !last.IsZero() && counts[part] > 4 && (g > gap+time.Microsecond || g < gap-time.Microsecond) {
				t.Fatalf("%s: request %d came %v after the one before, want %v", part, counts[part], g, gap)
			}
			last = at
		}
		want := map[string]int{"slow": 6_000, "fast": 300_000, "slow again": 6_000}
		near := cmp.Comparer(func(a, b int) bool { return a-b <= 3 && b-a <= 3 })
		if diff := cmp.Diff(want, counts, near); diff != "" {
			t.Errorf("requests in a minute each (-want +got):\n%s", diff)
		}
		if dropped := s.value(t, metric.ArrivalsDropped); dropped != 0 {
			t.Errorf("dropped: got %v, want 0", dropped)
		}
	})
}

// stalling answers at once, but stalls in the last second of every five.
func stalling(start time.Time) func(context.Context, metric.Operation) metric.Code {
	return func(context.Context, metric.Operation) metric.Code {
		if in := time.Since(start) % (5 * time.Second); in >= 4*time.Second {
			time.Sleep(5*time.Second - in)
		}
		return metric.OK
	}
}

func TestAServerThatStallsIsMeasuredAsItIs(t *testing.T) {
	for name, test := range map[string]struct {
		maxInFlight int
		late        bool // of the arrivals over 0.25 s alone; else with the dropped ones
		want        float64
	}{
		"with room for all, three quarters of a stall are late":           {0, true, 0.15},
		"with room for 50, those and the dropped ones make up the stalls": {50, false, 0.20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begin(t, &target{do: stalling(time.Now())}, func(o *Options) {
					o.Config.RPS, o.Config.MaxInFlight, o.Embedded = 500, test.maxInFlight, true
				})
				time.Sleep(50*time.Second - time.Millisecond)
				s.stop()
				late, _ := s.over(t, metric.ResponseTime, 0.25)
				dropped, arrivals := s.value(t, metric.ArrivalsDropped), s.value(t, metric.Arrivals)
				if test.late && dropped > 0 {
					t.Errorf("dropped: got %v, want 0", dropped)
				}
				if got := (late + dropped) / arrivals; math.Abs(got-test.want) > 0.005 {
					t.Errorf("late or dropped of %v arrivals: got %.4f, want %.2f ± 0.005", arrivals, got, test.want)
				}
			})
		})
	}
}

func TestAfterACleanEndEveryArrivalIsAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &target{do: func(_ context.Context, op metric.Operation) metric.Code {
			time.Sleep(700 * time.Millisecond)
			if op == metric.Ping {
				return metric.Unavailable
			}
			return metric.OK
		}}
		s := begin(t, to, func(o *Options) { o.Config.RPS, o.Config.MaxInFlight, o.Embedded = 50, 30, true })
		time.Sleep(10 * time.Second)
		s.stop()
		arrivals, requests := s.value(t, metric.Arrivals), s.value(t, metric.Requests)
		if dropped := s.value(t, metric.ArrivalsDropped); arrivals != requests+dropped || dropped == 0 {
			t.Errorf("got %v arrivals, %v requests, %v dropped, want the first to be the sum of two that are not 0", arrivals, requests, dropped)
		}
		if attempts := s.value(t, metric.WireAttempts); attempts != float64(to.calls.Load()) {
			t.Errorf("attempts: got %v, want the %d calls of the target", attempts, to.calls.Load())
		}
	})
}

func TestARateOf0SendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &target{}, func(o *Options) { o.Config.RPS, o.Embedded = 0, true })
		time.Sleep(time.Hour)
		s.patch(t, `{"rps": 0.1}`)
		time.Sleep(time.Minute + time.Millisecond)
		if got := s.value(t, metric.Requests); got != 6 {
			t.Errorf("requests in a minute at 0.1 a second: got %v, want 6", got)
		}
		s.patch(t, `{"paused": true}`)
		time.Sleep(time.Hour)
		if got := s.value(t, metric.Requests); got != 6 {
			t.Errorf("requests after a pause of an hour: got %v, want the 6 before it", got)
		}
		s.stop()
	})
}

func TestAStageLadderIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &target{}, func(o *Options) {
			o.Embedded = true
			o.Config.RPS = 10
			o.Config.Stages = stages(t, `[{rps: 100, duration: 10s}, {rps: 300, duration: 10s, ramp: 10s}, {rps: 50, duration: 10s}]`)
		})
		time.Sleep(10 * time.Second)
		first := s.value(t, metric.Arrivals)
		time.Sleep(10 * time.Second)
		second := s.value(t, metric.Arrivals)
		time.Sleep(20 * time.Second)
		third := s.value(t, metric.Arrivals)
		s.stop()
		got := []float64{first, second - first, third - second}
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 3 })
		if diff := cmp.Diff([]float64{1000, 2000, 1000}, got, near); diff != "" {
			t.Errorf("arrivals by stage (-want +got):\n%s", diff)
		}
		if changes := s.value(t, metric.LoadChanges, "source", "stage"); changes != 2 {
			t.Errorf("changes by stage: got %v, want 2", changes)
		}
	})
}

func TestAFailingTargetIsSparedAndGetsItsLoadBackInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		var n atomic.Int64
		to := &target{do: func(_ context.Context, op metric.Operation) metric.Code {
			if op == metric.Ping && broken.Load() && n.Add(1)%10 < 6 {
				return metric.Unavailable
			}
			return metric.OK
		}}
		s := begin(t, to, func(o *Options) {
			o.Config.RPS = 100
			o.Safety.Window, o.Safety.Cooldown = model.Duration(30*time.Second), model.Duration(100*time.Second)
			o.Safety.MaxUSDPerHour = 0
		})
		time.Sleep(time.Minute)
		broken.Store(true)
		time.Sleep(30 * time.Second)
		checkRate(t, s, "tripped", 5, "guard_errors")
		if got := s.value(t, metric.GuardActive, "reason", "errors"); got != 1 {
			t.Errorf("guard_active: got %v, want 1", got)
		}
		broken.Store(false)
		var rates []float64
		for last := 5.0; last < 100; time.Sleep(time.Second) {
			if rate := s.value(t, metric.TargetRPS); rate != last {
				rates = append(rates, rate)
				last = rate
			}
		}
		if diff := cmp.Diff([]float64{14.5, 24, 33.5, 43, 52.5, 62, 71.5, 81, 90.5, 100}, rates); diff != "" {
			t.Errorf("rates of the climb (-want +got):\n%s", diff)
		}
		time.Sleep(20 * time.Second)
		checkRate(t, s, "over", 100, "")
		if got := s.value(t, metric.GuardTrips, "reason", "errors"); got != 1 {
			t.Errorf("guard_trips_total: got %v, want 1", got)
		}
		s.stop()
	})
}

func checkRate(t *testing.T, s *soak, when string, want float64, limit string) {
	t.Helper()
	synctest.Wait()
	status := s.Status()
	got, by := status.Replica.ShareRPS, ""
	if status.LimitedBy != nil {
		by = string(*status.LimitedBy)
	}
	// What an arrival costs is known when it is answered, which may be after the
	// second in which it is counted.
	if math.Abs(got-want) > 1e-3*want || by != limit {
		t.Errorf("%s: got %v by %q, want %v by %q", when, got, by, want, limit)
	}
}

func TestMoneyCapsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &target{}, func(o *Options) {
			o.Config.RPS, o.Config.MaxRPS = 50, 5000
			o.Config.Operations = map[string]float64{"ping": 1}
			o.Safety.MaxUSDPerHour = 3.6
			o.Price = func(metric.Operation, int64, int64) float64 { return 1e-6 } // so 1,000 a second
		})
		s.patch(t, `{"rps": 4000}`)
		time.Sleep(10 * time.Second)
		checkRate(t, s, "over the money", 1000, "guard_cost")
		s.patch(t, `{"rps": 900}`)
		time.Sleep(2 * time.Second)
		checkRate(t, s, "within the money", 900, "")
		s.stop()
	})
}

func TestTheDefaultsCostLessThanTheirLimit(t *testing.T) {
	mix := scenario.NewMix(scenario.Want{Scenarios: DefaultConfig().Scenarios, ReadRatio: 0.8}, metric.HTTP, scenario.DefaultConfig().BlobSizes)
	var usd float64
	for op := range metric.Operation(metric.Operations) {
		usd += mix.Share(op) * cost.NewPrices("us-east-1", nil).Operation(op, 1024, 230<<10)
	}
	if hour := usd * 50 * 3600; hour > DefaultSafetyConfig().MaxUSDPerHour {
		t.Errorf("50 requests a second: got $%.2f an hour, want at most the $%.2f of the guard", hour, DefaultSafetyConfig().MaxUSDPerHour)
	}
}

func TestTheLoadIsInTransitionForAWhileAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &target{}, func(o *Options) { o.Embedded = true })
		check := func(when string, want float64) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if got := s.value(t, metric.LoadTransition); got != want {
				t.Errorf("%s: got %v, want %v", when, got, want)
			}
		}
		check("at the start", 0)
		s.patch(t, `{"rps": 20, "ttl": "1h"}`)
		check("after a change", 1)
		time.Sleep(10 * time.Minute)
		check("ten minutes after it", 0)
		time.Sleep(50 * time.Minute)
		check("when the override has ended", 1)
		s.patch(t, `{"paused": true}`)
		time.Sleep(time.Hour)
		check("while paused", 1)
		s.stop()
	})
}
