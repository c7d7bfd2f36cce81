package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

// against runs a load on a sandbox in simulated time until enough has happened,
// for an hour at most, and returns it after its end.
func against(t *testing.T, protocol metric.Protocol, box *sandbox.Sandbox, timeout time.Duration, enough func(*soak) bool, change func(*Options)) *soak {
	t.Helper()
	s := simulate(t, protocol, box)
	defer s.end()
	s.timeout = timeout
	l := s.live(t, "", change)
	l.until(func() bool { return enough(l.soak) })
	l.stop()
	return l.soak
}

// requests is enough for a test that needs so many of arrivals.
func requests(t *testing.T, n float64) func(*soak) bool {
	return func(s *soak) bool { return s.WarmedUp() && s.value(t, metric.Requests) >= n }
}

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
		s := against(t, protocol, box, time.Minute, requests(t, 3000), everyScenario)
		found := s.verdicts(t)
		if found["violation"]+found["suspect"] > 0 || found["ok"] < 500 {
			t.Errorf("verdicts: got %v, want over 500 ok, no suspect and no violation", found)
		}
		if diff := cmp.Diff(served(box), s.byOperation(t, metric.WireAttempts)); diff != "" {
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

// lies are the faults of a server that the oracle must find, each with the
// violation that it is found as; by protocol where it exists on one alone, and in
// a scenario where it takes one.
var lies = map[string]struct {
	kind     string
	grpc     bool
	scenario string
}{
	"corrupt":           {kind: "corrupt"},
	"torn":              {kind: "corrupt"},
	"phantom_write":     {kind: "phantom_write"},
	"lost_write":        {kind: "lost_write"},
	"resurrected":       {kind: "resurrected"},
	"stale_cache":       {kind: "stale", grpc: true},
	"query_missing":     {kind: "query_missing"},
	"query_mismatch":    {kind: "query_mismatch"},
	"query_shape":       {kind: "query_shape"},
	"lost_update":       {kind: "lost_update", scenario: "contended"},
	"atomic_total":      {kind: "atomic_total", grpc: true},
	"lost_increment":    {kind: "double_applied", grpc: true},
	"doubled_increment": {kind: "atomic_total", grpc: true},
	"double_applied":    {kind: "double_applied", grpc: true},
	"not_linearizable":  {kind: "not_linearizable", grpc: true},
	"swap_mismatch":     {kind: "not_linearizable", grpc: true},
}

func TestALyingServerIsFoundOut(t *testing.T) {
	for lie, test := range lies {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, protocol metric.Protocol) {
				if test.grpc && protocol == metric.HTTP {
					return // which has no such operation, or no cache
				}
				box := sandbox.New(sandbox.Config{Seed: 7})
				box.SetFaults(fault.Faults{
					Kinds: map[string]float64{lie: 0.01},
					Error: fault.Error{Ratio: 0.01, Code: "Unavailable", Apply: "after"}, IndexLag: fault.Duration(time.Second),
				})
				found := func(s *soak) bool { return s.value(t, metric.CheckViolations, "kind", test.kind) > 0 }
				s := against(t, protocol, box, time.Minute, found, func(o *Options) {
					o.Config.RPS, o.Data.Records = 300, 500
					everyScenario(o)
					if test.scenario != "" {
						o.Config.Scenarios = map[string]float64{test.scenario: 1}
					}
				})
				if !found(s) {
					t.Errorf("%s: got none, want some; verdicts %v", test.kind, s.verdicts(t))
				}
				t.Logf("%s: found after %s", test.kind, s.now().Round(time.Second))
			})
		})
	}
}
