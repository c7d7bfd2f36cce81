package load

import (
	"cmp"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/units"
	gocmp "github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

// verdicts are how many answers the oracle found to be what.
func (s *soak) verdicts(t *testing.T) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	s.each(t, metric.Checks, nil, func(m *dto.Metric) {
		for _, l := range m.GetLabel() {
			if l.GetName() == "result" {
				found[l.GetValue()] += m.GetCounter().GetValue()
			}
		}
	})
	return found
}

// byOperation are the values of a counter by its label of that name.
func (s *soak) byOperation(t *testing.T, d metric.Definition) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	s.each(t, d, nil, func(m *dto.Metric) {
		for _, l := range m.GetLabel() {
			if n := int64(m.GetCounter().GetValue()); l.GetName() == "operation" && n > 0 {
				found[l.GetValue()] += n
			}
		}
	})
	return found
}

func everyScenario(o *Options) {
	o.Config.Scenarios = map[string]float64{}
	for _, name := range scenario.Names() {
		o.Config.Scenarios[name] = 1
	}
}

func protocols(t *testing.T, test func(*testing.T, metric.Protocol)) {
	t.Helper()
	for _, protocol := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, protocol) })
		})
	}
}

func TestAnHonestServerIsFoundRightAndCountsWhatWeCount(t *testing.T) {
	protocols(t, func(t *testing.T, protocol metric.Protocol) {
		box := sandbox.New(sandbox.Config{})
		sim := simulate(t, protocol, box)
		defer sim.end()
		s := sim.live(t, "", everyScenario)
		s.until(func() bool { return s.WarmedUp() && s.value(t, metric.Requests) >= 3000 })
		s.stop()
		found := s.verdicts(t)
		if found["violation"]+found["suspect"] > 0 || found["ok"] < 500 {
			t.Errorf("verdicts: got %v, want over 500 ok, no suspect and no violation", found)
		}
		if diff := gocmp.Diff(served(box), s.byOperation(t, metric.WireAttempts)); diff != "" {
			t.Errorf("requests by operation (-server +client):\n%s", diff)
		}
		arrivals, requests := s.value(t, metric.Arrivals), s.value(t, metric.Requests)
		if dropped := s.value(t, metric.ArrivalsDropped); arrivals != requests+dropped {
			t.Errorf("got %v arrivals, want %v requests and %v dropped to be all", arrivals, requests, dropped)
		}
		s.each(t, metric.Requests, []string{"outcome", "error"}, func(m *dto.Metric) {
			if m.GetCounter().GetValue() > 0 {
				t.Errorf("got %v, want no request to fail", m)
			}
		})
		if warm := s.value(t, metric.Warmup); warm != 0 {
			t.Errorf("warmup: got %v, want 0", warm)
		}
	})
}

// served is what the server counts, operations that it never saw left out.
func served(box *sandbox.Sandbox) map[string]int64 {
	counts := box.Requests()
	for op, n := range counts {
		if n == 0 {
			delete(counts, op)
		}
	}
	return counts
}

func TestTheSelfTestWaitsForATargetThatIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := sandbox.New(sandbox.Config{})
		s := simulate(t, metric.HTTP, box)
		defer s.end()
		l := s.live(t, "", func(o *Options) { o.Config.RPS = 10 })
		for l.value(t, metric.SelfTestInjected) == 0 {
			time.Sleep(time.Second)
		}
		box.SetFaults(fault.Faults{Error: fault.Error{Ratio: 1, Code: "Unavailable"}})
		time.Sleep(10 * time.Minute)
		box.SetFaults(fault.Faults{})
		time.Sleep(5 * time.Minute)
		l.stop()
		if missed := l.value(t, metric.SelfTestMissed); missed > 0 {
			t.Errorf("got %v missed, want none: nothing can be found while nothing is answered", missed)
		}
		if caught := l.value(t, metric.SelfTestCaught); caught == 0 {
			t.Error("got none caught, want those that were injected before the outage")
		}
	})
}

func TestAHealthyServerIsJudgedAndTheSelfTestCatchesEveryKind(t *testing.T) {
	every := []string{"corrupt", "lost_write", "phantom_write", "query_mismatch", "query_missing", "query_shape", "resurrected"}
	calls := append([]string{"atomic_total", "double_applied", "lost_update", "not_linearizable"}, every...)
	for name, test := range map[string]struct {
		protocol metric.Protocol
		strong   bool
		kinds    []string
	}{
		"http":        {metric.HTTP, false, every},
		"grpc":        {metric.GRPC, false, append([]string{"stale"}, calls...)},
		"grpc strong": {metric.GRPC, true, append([]string{"non_monotonic"}, calls...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := simulate(t, test.protocol, sandbox.New(sandbox.Config{}))
				defer s.end()
				if test.strong {
					s.verify.Consistency = ledger.Strong
				}
				l := s.live(t, "", func(o *Options) {
					o.Config.RPS = 10 // so slow that the mix itself asks for little
					o.Config.Scenarios = map[string]float64{"mixed": 1}
					if test.protocol == metric.GRPC {
						o.Config.Scenarios = map[string]float64{"mixed": 4, "atomics": 1, "contended": 1}
					}
				})
				time.Sleep(15 * time.Minute)
				l.stop()
				caught := map[string]bool{}
				l.each(t, metric.SelfTestCaught, nil, func(m *dto.Metric) {
					caught[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue() > 0
				})
				want := map[string]bool{}
				for _, kind := range test.kinds {
					want[kind] = true
				}
				if diff := gocmp.Diff(want, caught); diff != "" {
					t.Errorf("kinds caught by the self-test (-want +got):\n%s", diff)
				}
				if missed := l.value(t, metric.SelfTestMissed); missed > 0 {
					t.Errorf("self-test: got %v missed, want none", missed)
				}
				v := l.verdicts(t)
				if judged := v["ok"] / (v["ok"] + v["unjudged"] + v["suspect"] + v["violation"]); judged < 0.95 || v["violation"] > 0 {
					t.Errorf("got %.4f judged of %v, want 0.95 at least and no violation", judged, v)
				}
				t.Logf("verdicts: %v", v)
			})
		})
	}
}

// lie is a fault of a server that the oracle must find.
type lie struct {
	kind  string // of the violation that it must be found as
	only  string // the API that has such an operation, or cache, or order; empty: both
	ratio float64
	rps   float64
	more  fault.Faults // beside it
	load  map[string]float64
	blobs scenario.Spread

	strong bool // the load wants strong consistency
}

var lies = map[string]lie{
	"corrupt":           {kind: "corrupt"},
	"torn":              {kind: "corrupt"},
	"phantom_write":     {kind: "phantom_write"},
	"lost_write":        {kind: "lost_write"},
	"resurrected":       {kind: "resurrected"},
	"stale_cache":       {kind: "stale", only: "grpc"},
	"non_monotonic":     {kind: "non_monotonic", only: "grpc", strong: true},
	"query_missing":     {kind: "query_missing"},
	"query_mismatch":    {kind: "query_mismatch"},
	"query_shape":       {kind: "query_shape"},
	"query_order":       {kind: "query_shape", only: "http"},
	"query_gap":         {kind: "query_shape", only: "grpc", ratio: 1, rps: 20},
	"lost_update":       {kind: "lost_update", load: map[string]float64{"contended": 1}},
	"atomic_total":      {kind: "atomic_total", only: "grpc"},
	"lost_increment":    {kind: "double_applied", only: "grpc"},
	"doubled_increment": {kind: "atomic_total", only: "grpc"},
	"double_applied":    {kind: "double_applied", only: "grpc"},
	"not_linearizable":  {kind: "not_linearizable", only: "grpc"},
	"swap_mismatch":     {kind: "not_linearizable", only: "grpc"},
	"threshold":         {kind: "corrupt", ratio: 1, load: map[string]float64{"blobs": 1}, blobs: scenario.Spread{65 * units.KiB: 1}},
	"expired":           {kind: "lost_write", ratio: 0.5, rps: 10, more: fault.Faults{ExpireAfter: fault.Duration(5 * time.Minute)}},
	"index_rot":         {kind: "query_missing", ratio: 0.1, rps: 30, more: fault.Faults{RotAfter: fault.Duration(time.Minute)}},
}

func TestALyingServerIsFoundOut(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, protocol metric.Protocol) {
				if lie.only == "" || lie.only == protocol.String() {
					lie.mustBeFound(t, name, protocol)
				}
			})
		})
	}
}

func TestLiesOfOnePodAreFoundOut(t *testing.T) {
	for _, kind := range []string{"corrupt", "lost_write", "resurrected"} {
		t.Run(kind, func(t *testing.T) {
			protocols(t, func(t *testing.T, protocol metric.Protocol) {
				bad := lie{kind: kind, ratio: 0.05, more: fault.Faults{BadPod: fault.Share{Ratio: 0.2}}}
				bad.mustBeFound(t, kind, protocol)
			})
		})
	}
}

func (l lie) mustBeFound(t *testing.T, name string, protocol metric.Protocol) {
	t.Helper()
	faults := l.more
	faults.Kinds = map[string]float64{name: cmp.Or(l.ratio, 0.02)}
	faults.Error, faults.IndexLag = fault.Error{Ratio: 0.01, Code: "Unavailable", Apply: "after"}, fault.Duration(time.Second)
	box := sandbox.New(sandbox.Config{Seed: 7})
	box.SetFaults(faults)
	s := simulate(t, protocol, box)
	defer s.end()
	var found atomic.Bool // asked every second, where gathering all metrics takes longer than the load itself
	s.told = func(v scenario.Violation) {
		if v.Kind.String() == l.kind {
			found.Store(true)
		}
	}
	if l.strong {
		s.verify.Consistency = ledger.Strong
	}
	lived := s.live(t, "", func(o *Options) {
		o.Config.RPS, o.Data.Records = cmp.Or(l.rps, 100), 200
		if everyScenario(o); l.load != nil {
			o.Config.Scenarios = l.load
		}
		if l.blobs != nil {
			o.Data.BlobSizes = l.blobs
		}
	})
	lived.until(found.Load)
	lived.stop()
	if lived.value(t, metric.CheckViolations, "kind", l.kind) == 0 {
		t.Errorf("%s: got none, want some; verdicts %v", l.kind, lived.verdicts(t))
	}
	t.Logf("%s: found after %s", l.kind, lived.now().Round(time.Second))
}
