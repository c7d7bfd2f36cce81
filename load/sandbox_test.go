package load

import (
	"context"
	"log/slog"
	"net"
	"testing"
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
	"opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/rest"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

// against runs a load on a sandbox over loopback until enough has happened, for
// a minute at most, and returns it after its end. A timeout of a minute is never
// reached, however busy the machine.
func against(t *testing.T, protocol metric.Protocol, box *sandbox.Sandbox, timeout time.Duration, enough func(*soak) bool, change func(*Options)) *soak {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- box.Serve(serving, listener) }()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	s := &soak{registry: prometheus.NewRegistry()}
	data := scenario.DefaultConfig()
	data.Records, data.Stores = 300, 3
	verify := ledger.DefaultConfig()
	verify.StaleLimit, verify.IndexLimit = model.Duration(time.Second), model.Duration(2*time.Second)
	verify.BlobQuiet, verify.UnknownTTL = model.Duration(300*time.Millisecond), model.Duration(2*time.Second)
	config := DefaultConfig()
	config.RPS = 600
	target := opensaves.DefaultConfig()
	target.Address = listener.Addr().String()
	target.Timeout, target.BlobTimeout = model.Duration(timeout), model.Duration(timeout)
	connect := func(o opensaves.Options) (opensaves.Client, error) { return grpc.New(target, o) }
	if protocol == metric.HTTP {
		target.Address = "http://" + target.Address
		connect = func(o opensaves.Options) (opensaves.Client, error) { return rest.New(target, o) }
	}
	o := Options{
		Config: config, Data: data, Embedded: true, Slowest: timeout, Protocol: protocol, Connect: connect,
		Price: cost.Operation, Metrics: metric.Factory{Registerer: s.registry}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if change != nil {
		change(&o)
	}
	o.World = func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
		return scenario.NewWorld(scenario.Config{Data: o.Data, Verify: verify, Protocol: protocol, Identity: ledger.NewIdentity(), OnViolation: tell}, mix)
	}
	if s.Runner, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		defer cancel()
		for beat := time.Tick(50 * time.Millisecond); ctx.Err() == nil && !enough(s); {
			<-beat
		}
	}()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
	return s
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
			test(t, protocol)
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

func TestATroubledServerIsNotAccused(t *testing.T) {
	for name, faults := range map[string]fault.Faults{
		"fails before or after the effect": {Error: fault.Error{Ratio: 0.1, Code: "Unavailable", Apply: "after"}},
		"cuts connections":                 {Cut: 0.05},
		"applies late":                     {ApplyLate: fault.ApplyLate{Ratio: 0.02, By: fault.Duration(1500 * time.Millisecond)}},
		"has indexes that lag":             {IndexLag: fault.Duration(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			protocols(t, func(t *testing.T, protocol metric.Protocol) {
				box := sandbox.New(sandbox.Config{Seed: 7})
				box.SetFaults(faults)
				s := against(t, protocol, box, time.Second, requests(t, 500), func(o *Options) { everyScenario(o); o.Config.RPS, o.Data.Records = 200, 100 })
				if found := s.verdicts(t); found["violation"] > 0 || found["ok"] < 50 {
					t.Errorf("verdicts: got %v, want at least 50 ok and no violation", found)
				}
			})
		})
	}
}

// lies are the faults of a server that the oracle must find, each with the
// violation that it is found as; by protocol where it exists on one alone, and in
// a scenario where it takes one.
var lies = map[string]struct {
	kind     string
	grpc     bool
	scenario string
}{
	"corrupt":       {kind: "corrupt"},
	"lost_write":    {kind: "lost_write"},
	"query_missing": {kind: "query_missing"},

	"not_linearizable": {kind: "not_linearizable", grpc: true},
}

func TestALyingServerIsFoundOut(t *testing.T) {
	for lie, test := range lies {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			protocols(t, func(t *testing.T, protocol metric.Protocol) {
				if test.grpc && protocol == metric.HTTP {
					return // which has no such operation
				}
				box := sandbox.New(sandbox.Config{Seed: 7})
				box.SetFaults(fault.Faults{Kinds: map[string]float64{lie: 0.05}})
				found := func(s *soak) bool { return s.value(t, metric.CheckViolations, "kind", test.kind) > 0 }
				s := against(t, protocol, box, time.Minute, found, func(o *Options) {
					o.Config.RPS, o.Data.Records = 100, 100
					if test.scenario != "" {
						o.Config.Scenarios = map[string]float64{test.scenario: 1}
						return
					}
					o.Config.Operations = map[string]float64{
						"get_record": 4, "update_record": 2, "create_record": 1, "delete_record": 1, "query_by_owner": 2,
					}
					more := []string{"list_records"}
					if protocol == metric.GRPC {
						more = []string{"get_records", "compare_and_swap", "atomic_inc", "atomic_add", "atomic_sub"}
					}
					for _, op := range more {
						o.Config.Operations[op] = 1
					}
				})
				if !found(s) {
					t.Errorf("%s: got none, want some; verdicts %v", test.kind, s.verdicts(t))
				}
			})
		})
	}
}
