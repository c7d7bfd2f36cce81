package load

import (
	"encoding/hex"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/load/trace"
	"opensaves-soak/load/trace/otlptest"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

func TestExemplarsPreferTracesThatHaveTheTargetsSide(t *testing.T) {
	vec := metric.Factory{Registerer: prometheus.NewRegistry()}.Histogram(metric.ResponseTime)
	h := newTraced(vec.WithLabelValues("ping", "read", "success"), metric.LatencyBuckets)
	start := time.Now().UnixNano()
	var shown []string
	for _, step := range []struct {
		trace   string
		sampled bool
		after   time.Duration
	}{
		{"a", false, 0}, {"b", true, time.Second}, {"c", false, 2 * time.Second}, {"d", false, 2 * time.Minute}, {"e", true, 3 * time.Minute},
	} {
		h.observe(20*time.Millisecond, &exemplar{labels: labels(step.trace), sampled: step.sampled, at: start + int64(step.after)})
		var m dto.Metric
		if err := h.Observer.(prometheus.Metric).Write(&m); err != nil {
			t.Fatal(err)
		}
		for _, b := range m.GetHistogram().GetBucket() {
			for _, l := range b.GetExemplar().GetLabel() {
				shown = append(shown, l.GetValue())
			}
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "b", "d", "e"}, shown); diff != "" {
		t.Errorf("exemplars (-want +got):\n%s", diff)
	}
}

// What no arrival asked for has no trace.
func TestEveryWrongAnswerLeadsToTracesThatWereReceived(t *testing.T) {
	for _, protocol := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			box, collector := sandbox.New(sandbox.Config{}), otlptest.Start(t)
			sim := simulate(t, protocol, box) // in real time, as a real collector is there
			defer sim.end()
			told := make(chan scenario.Violation, 10_000)
			sim.told = func(v scenario.Violation) { told <- v }
			box.SetFaults(fault.Faults{Kinds: map[string]float64{"corrupt": 0.02, "lost_write": 0.02}})
			l := sim.live(t, "", func(o *Options) { o.Trace = tracer(t, collector, 0, manyTraces, o) })
			wrong, suspected := map[string]bool{}, map[string]bool{}
			for end := time.After(3 * time.Minute); len(wrong) < 10 || len(suspected) < 3; {
				select {
				case v := <-told:
					wrong[v.Trace], suspected[v.Suspected] = true, true
				case <-end:
					t.Fatalf("got traces %v of wrong answers, %v of suspicions, want ten and two", wrong, suspected)
				}
			}
			l.stop()
			received := map[string]bool{"": true}
			for _, span := range collector.Spans() {
				received[hex.EncodeToString(span.GetTraceId())] = true
			}
			for _, ids := range []map[string]bool{wrong, suspected} {
				for id := range ids {
					if !received[id] {
						t.Errorf("got no trace %q, want that of a wrong answer or its suspicion", id)
					}
				}
			}
		})
	}
}

const manyTraces = 4096

func tracer(t testing.TB, collector *otlptest.Collector, ratio float64, queue int, o *Options) *trace.Tracer {
	t.Helper()
	config := trace.DefaultConfig()
	config.Endpoint, config.SampleRatio, config.Queue = collector.Address, ratio, queue
	tracer, err := trace.New(trace.Options{Config: config, Target: opensaves.Config{Address: "http://target"}, Metrics: o.Metrics, Log: o.Log})
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func TestAMeasurementWithoutATraceAllocatesNothing(t *testing.T) {
	vec := metric.Factory{Registerer: prometheus.NewRegistry()}.Histogram(metric.ResponseTime)
	h := newTraced(vec.WithLabelValues("ping", "read", "success"), metric.LatencyBuckets)
	if allocated := testing.AllocsPerRun(1000, func() { h.observe(time.Millisecond, nil) }); allocated > 0 {
		t.Errorf("got %v allocations, want none", allocated)
	}
}

// BenchmarkArrival compares the life of an arrival, but for the wire: without
// tracing, with it where nothing is kept, at the default ratio, and where all is.
func BenchmarkArrival(b *testing.B) {
	for _, side := range []struct {
		name  string
		ratio float64 // below 0: there is no tracing
	}{{"off", -1}, {"none", 0}, {"hundredth", 0.01}, {"all", 1}} {
		b.Run(side.name, func(b *testing.B) {
			r := pinger(b, otlptest.Start(b), side.ratio, manyTraces)
			b.Cleanup(r.Trace.Start())
			b.ReportAllocs()
			for b.Loop() {
				r.ping()
			}
		})
	}
}

func (r *Runner) ping() {
	r.pending.Add(1)
	r.inFlight.Add(1)
	r.send(scenario.Draw{Op: metric.Ping}, r.now())
}

// An exemplar would lead nowhere, and keep others off.
func TestWhatFindsNoRoomIsNoExemplar(t *testing.T) {
	collector := otlptest.Start(t)
	r := pinger(t, collector, 1, 64)
	for range 200 {
		r.ping()
	}
	r.Trace.Start()() // exports what found room
	received := map[string]bool{}
	for _, span := range collector.Spans() {
		received[hex.EncodeToString(span.GetTraceId())] = true
	}
	shown := 0
	s := soak{registry: r.Metrics.Registerer.(*prometheus.Registry)}
	s.each(t, metric.ResponseTime, nil, func(m *dto.Metric) {
		for _, b := range m.GetHistogram().GetBucket() {
			for _, l := range b.GetExemplar().GetLabel() {
				if shown++; !received[l.GetValue()] {
					t.Errorf("got the exemplar %s, want none that was not received", l.GetValue())
				}
			}
		}
	})
	if shown == 0 {
		t.Error("got no exemplar, want some")
	}
}

// pinger is a runner whose requests are answered at once. A ratio below 0 is no tracing.
func pinger(b testing.TB, collector *otlptest.Collector, ratio float64, queue int) *Runner {
	b.Helper()
	o := Options{
		Config: DefaultConfig(), Data: scenario.DefaultConfig(), Slowest: time.Second, Embedded: true,
		Price: func(metric.Operation, int64, int64) float64 { return 0 },
		Connect: func(o opensaves.Options) (opensaves.Client, error) {
			return &target{attempts: o.OnAttempt}, nil
		},
		Metrics: metric.Factory{Registerer: prometheus.NewRegistry()}, Log: slog.New(slog.DiscardHandler),
	}
	o.Config.Operations = map[string]float64{"ping": 1}
	o.World = func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
		return scenario.NewWorld(scenario.Config{Data: o.Data, Verify: ledger.DefaultConfig(), Identity: ledger.NewIdentity(), OnViolation: tell}, mix)
	}
	if ratio >= 0 {
		o.Trace = tracer(b, collector, ratio, queue, &o)
	}
	r, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	return r
}
