package trace

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/config"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/testing/protocmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/trace/otlptest"
	"opensaves-soak/opensaves"
)

func newTracer(t testing.TB, change func(*Options)) *Tracer {
	t.Helper()
	o := Options{
		Config: DefaultConfig(), Version: "1", Target: opensaves.Config{Address: "http://Target"},
		Metrics: metric.Factory{Registerer: prometheus.NewRegistry()}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	change(&o)
	tracer, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

// at points a tracer to a collector over one of the protocols.
func at(c *otlptest.Collector, protocol string) func(*Options) {
	return func(o *Options) {
		o.Config.Protocol, o.Config.Endpoint = protocol, c.Address
		if protocol == "http" {
			o.Config.Endpoint = c.URL
		}
	}
}

func both(t *testing.T, test func(t *testing.T, protocol string)) {
	t.Helper()
	for _, protocol := range []string{"grpc", "http"} {
		t.Run(protocol, func(t *testing.T) { test(t, protocol) })
	}
}

// fate is what became of spans.
type fate struct{ Exported, Dropped, Failed float64 }

func (t *Tracer) fate() fate {
	return fate{testutil.ToFloat64(t.exported), testutil.ToFloat64(t.dropped), testutil.ToFloat64(t.failed)}
}

var due = time.Unix(1_700_000_000, 0)

func read() Request {
	return Request{
		Context: Context{ID: [16]byte{1}, Arrival: [8]byte{2}, Attempt: [8]byte{3}}, For: Error,
		Operation: metric.GetRecord, Drawn: metric.UpdateRecord, Class: metric.Read, Outcome: metric.Failure, Code: metric.Unavailable,
		Checked: true, Check: metric.CheckRecord, Verdict: metric.Unjudged, Store: "s", Key: "k", Error: "503 no",
		Wire:     opensaves.Wire{Method: "GET", Route: "/api/stores/{record.store}/records{query}", Target: "/api/stores/s/records?limit=1", Status: 503},
		WireCode: metric.Unavailable, Written: true,
		Connection: "10.0.0.1:5→10.0.0.2:80", ConnectionWait: time.Millisecond,
		Due: due, Sent: due.Add(time.Second), Answered: due.Add(2 * time.Second), FirstByte: due.Add(1500 * time.Millisecond),
	}
}

func int1(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}

func mark(name string, after time.Duration) *tracepb.Span_Event {
	return &tracepb.Span_Event{Name: name, TimeUnixNano: uint64(due.Add(after).UnixNano())}
}

func TestARequestIsTheSpanOfAnArrivalAndOneBelowItOfEachAttempt(t *testing.T) {
	both(t, func(t *testing.T, protocol string) {
		collector := otlptest.Start(t)
		tracer, r := newTracer(t, at(collector, protocol)), read()
		r.Resent = []time.Time{due.Add(1200 * time.Millisecond)}
		end := tracer.Start()
		tracer.Send(r)
		end()
		want := []*tracepb.Span{{
			TraceId: []byte{1, 15: 0}, SpanId: []byte{2, 7: 0}, Flags: 0x100, Name: "get_record", Kind: tracepb.Span_SPAN_KIND_INTERNAL,
			StartTimeUnixNano: 1_700_000_000e9, EndTimeUnixNano: 1_700_000_002e9,
			Attributes: []*commonpb.KeyValue{
				text("opensaves_soak.kept_for", "error"), text("opensaves_soak.operation", "get_record"), text("opensaves_soak.class", "read"),
				text("opensaves_soak.outcome", "error"), text("opensaves_soak.code", "Unavailable"), text("opensaves_soak.drawn", "update_record"),
				text("opensaves_soak.check", "record"), text("opensaves_soak.verdict", "unjudged"), text("opensaves_soak.store", "s"),
				text("opensaves_soak.key", "k"), text("error.type", "Unavailable"),
			},
			Events: []*tracepb.Span_Event{mark("due", 0), mark("sent", time.Second), mark("answered", 2*time.Second)},
			Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "503 no"},
		}, {
			TraceId: []byte{1, 15: 0}, SpanId: []byte{3, 7: 0}, ParentSpanId: []byte{2, 7: 0}, Flags: 0x100,
			Name: "GET /api/stores/{store}/records", Kind: tracepb.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: 1_700_000_001_200e6, EndTimeUnixNano: 1_700_000_002e9,
			Attributes: []*commonpb.KeyValue{
				text("server.address", "Target"), int1("server.port", 80), text("network.peer.address", "10.0.0.2"), int1("network.peer.port", 80),
				text("http.request.method", "GET"), text("url.template", "/api/stores/{store}/records"),
				text("url.full", "http://Target/api/stores/s/records?limit=1"), text("network.protocol.version", "1.1"),
				int1("http.request.resend_count", 1), int1("http.response.status_code", 503), text("error.type", "503"),
			},
			Events: []*tracepb.Span_Event{mark("first_byte", 1500*time.Millisecond)},
			Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "503 no"},
		}, {
			TraceId: []byte{1, 15: 0}, ParentSpanId: []byte{2, 7: 0}, Flags: 0x100,
			Name: "GET /api/stores/{store}/records", Kind: tracepb.Span_SPAN_KIND_CLIENT,
			StartTimeUnixNano: 1_700_000_001e9, EndTimeUnixNano: 1_700_000_001_200e6,
			Attributes: []*commonpb.KeyValue{
				text("server.address", "Target"), int1("server.port", 80),
				text("http.request.method", "GET"), text("url.template", "/api/stores/{store}/records"),
				text("url.full", "http://Target/api/stores/s/records?limit=1"), text("network.protocol.version", "1.1"), text("error.type", "_OTHER"),
			},
			Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "sent again"},
		}}
		got := collector.Spans()
		if len(got) == 3 && len(got[2].GetSpanId()) == 8 { // drawn
			got[2].SpanId = nil
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
		if got, want := tracer.fate(), (fate{Exported: 3}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestASpanOfGRPCIsNamedByItsMethod(t *testing.T) {
	tracer := newTracer(t, func(o *Options) {
		o.Config.Endpoint, o.Target = "127.0.0.1:1", opensaves.Config{Address: "dns:///saves:6000"}
	})
	r := read()
	r.For, r.Sampled, r.WireCode, r.Outcome, r.Connection, r.Error = Head, true, metric.NotFound, metric.Success, "", "no record"
	r.FirstByte, r.Wire = time.Time{}, opensaves.Wire{Method: "/opensaves.OpenSaves/GetRecord"}
	want := &tracepb.Span{
		TraceId: []byte{1, 15: 0}, SpanId: []byte{3, 7: 0}, ParentSpanId: []byte{2, 7: 0}, Flags: 0x101,
		Name: "opensaves.OpenSaves/GetRecord", Kind: tracepb.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: 1_700_000_001e9, EndTimeUnixNano: 1_700_000_002e9,
		Attributes: []*commonpb.KeyValue{
			text("server.address", "saves"), int1("server.port", 6000), text("rpc.system.name", "grpc"), text("rpc.method", "opensaves.OpenSaves/GetRecord"),
			text("rpc.response.status_code", "NOT_FOUND"), text("error.type", "NOT_FOUND"),
		},
		Events: []*tracepb.Span_Event{mark("connected", 1001*time.Millisecond)},
		Status: &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: "no record"},
	}
	if diff := cmp.Diff(want, tracer.spans(&r)[1], protocmp.Transform()); diff != "" {
		t.Errorf("span (-want +got):\n%s", diff)
	}
}

func TestWhatNeverGotAConnectionHasNoSpanBelowIt(t *testing.T) {
	tracer := newTracer(t, func(o *Options) { o.Config.Endpoint = "127.0.0.1:1" })
	r := read()
	r.Written = false
	if got := tracer.spans(&r); len(got) != 1 || r.spans() != 1 {
		t.Errorf("got %d spans, and %d counted, want 1", len(got), r.spans())
	}
}

func TestHeaderFilesAreSentAndReadAgain(t *testing.T) {
	both(t, func(t *testing.T, protocol string) {
		collector, file := otlptest.Start(t), filepath.Join(t.TempDir(), "key")
		write := func(value string) {
			if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("one\n")
		tracer := newTracer(t, func(o *Options) {
			at(collector, protocol)(o)
			o.Config.HeaderFiles = map[string]string{"X-Key": file}
		})
		end := tracer.Start()
		write("two\n")
		tracer.Send(read())
		end()
		_, headers, _ := collector.Last()
		key := map[string]string{"grpc": "x-key", "http": "X-Key"}[protocol]
		if diff := cmp.Diff([]string{"two"}, headers[key]); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
	})
}

func TestACollectorWithTLSIsTrustedByItsCertificateAlone(t *testing.T) {
	both(t, func(t *testing.T, protocol string) {
		collector := otlptest.StartTLS(t)
		for name, test := range map[string]struct {
			ca   []byte
			want fate
		}{
			"its own":  {collector.CA, fate{Exported: 2}},
			"no other": {nil, fate{Failed: 2}},
		} {
			t.Run(name, func(t *testing.T) {
				tracer := newTracer(t, func(o *Options) {
					at(collector, protocol)(o)
					o.Config.TLS = &config.TLSConfig{CA: string(test.ca)}
				})
				end := tracer.Start()
				tracer.Send(read())
				end()
				if diff := cmp.Diff(test.want, tracer.fate()); diff != "" {
					t.Errorf("spans (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestAHeaderFileThatIsMissingIsAMistake(t *testing.T) {
	o := Options{Config: DefaultConfig()}
	o.Config.HeaderFiles = map[string]string{"X-Key": "/nowhere"}
	want := "reading tracing.header_files.X-Key: open /nowhere: no such file or directory"
	if _, err := New(o); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTheResourceIsWhatTheEnvironmentSays(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=prod,k8s.pod.uid=u-2")
	r, service, err := newResource("1.2", func(name string) string {
		return map[string]string{"POD_NAME": "soak-0", "POD_NAMESPACE": "saves", "POD_UID": "u-1", "NODE_NAME": "n"}[name]
	})
	if err != nil || service != "opensaves-soak" {
		t.Fatalf("got service %q and %v, want opensaves-soak", service, err)
	}
	got := map[string]string{}
	for _, a := range r.GetAttributes() {
		got[a.GetKey()] = a.GetValue().GetStringValue()
	}
	delete(got, "telemetry.sdk.version")
	want := map[string]string{
		"service.name": "opensaves-soak", "service.version": "1.2", "service.instance.id": "soak-0", "k8s.pod.name": "soak-0",
		"k8s.namespace.name": "saves", "k8s.pod.uid": "u-2", "k8s.node.name": "n", "k8s.cluster.name": "prod",
		"telemetry.sdk.language": "go", "telemetry.sdk.name": "opentelemetry",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// A collector that is in trouble must cost the load nothing: what finds no room
// is dropped at once, and counted.
func TestNothingWaitsForACollectorInTrouble(t *testing.T) {
	for name, trouble := range map[string]func(*otlptest.Collector){
		"it stalls": func(c *otlptest.Collector) {
			c.Answer(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		},
		"it refuses": func(c *otlptest.Collector) { c.Answer(func(context.Context) error { return errors.New("not now") }) },
		"it is gone": func(c *otlptest.Collector) { c.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, func(t *testing.T, protocol string) {
				collector := otlptest.Start(t)
				tracer := newTracer(t, func(o *Options) {
					at(collector, protocol)(o)
					o.Config.Queue = 1000
				})
				trouble(collector)
				end := tracer.Start()
				const requests = 20_000
				began := time.Now()
				for range requests {
					tracer.Send(read())
				}
				took := time.Since(began)
				if took > 5*time.Second { // a wait for the collector would be one of its timeouts for each batch
					t.Errorf("handing over took %s, want no wait", took)
				}
				if dropped := tracer.fate().Dropped; dropped < 2*(requests-1000-3*batch) {
					t.Errorf("got %v spans dropped, want all but those that there was room for", dropped)
				}
				end()
				got := tracer.fate()
				if sum := got.Dropped + got.Failed; sum != 2*requests || got.Exported > 0 {
					t.Errorf("got %+v, want all %d dropped or failed", got, 2*requests)
				}
			})
		})
	}
}

func TestSpansAreTakenAgainOnceTheCollectorIsBack(t *testing.T) {
	both(t, func(t *testing.T, protocol string) {
		collector := otlptest.Start(t)
		tracer := newTracer(t, at(collector, protocol))
		refused := make(chan struct{}, 1)
		collector.Answer(func(context.Context) error {
			select {
			case refused <- struct{}{}:
			default:
			}
			return errors.New("not now")
		})
		end := tracer.Start()
		tracer.Send(read())
		<-refused
		collector.Answer(func(context.Context) error { return nil })
		tracer.Send(read())
		end()
		if got := len(collector.Spans()); got < 2 {
			t.Errorf("got %d spans, want those of the second request at least", got)
		}
	})
}

func TestWhatXRayShowsIsNamedByTheServiceAndTheTarget(t *testing.T) {
	tracer, r := newTracer(t, func(o *Options) { o.Config.Endpoint = "127.0.0.1:1" }), read()
	r.xray = true
	var got []string
	for _, span := range tracer.spans(&r) {
		for _, a := range span.GetAttributes() {
			if strings.HasPrefix(a.GetKey(), "aws.") || strings.HasPrefix(a.GetKey(), "network.peer") {
				got = append(got, a.GetKey()+"="+a.GetValue().GetStringValue())
			}
		}
	}
	want := []string{"aws.span.kind=LOCAL_ROOT", "aws.local.service=opensaves-soak", "aws.remote.service=Target"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestATargetIsNamedByItsHostAndPort(t *testing.T) {
	for address, want := range map[string]server{
		"http://saves":          {host: "saves", port: 80, base: "http://saves"},
		"HTTPS://saves//":       {host: "saves", port: 443, base: "https://saves"},
		"http://[::1]":          {host: "::1", port: 80, base: "http://[::1]"},
		"http://[::1]:8080":     {host: "::1", port: 8080, base: "http://[::1]:8080"},
		"dns:///[::1]:6000":     {host: "::1", port: 6000},
		"saves.example.org:443": {host: "saves.example.org", port: 443},
	} {
		if got := serverOf(&opensaves.Config{Address: address}); got != want {
			t.Errorf("%s: got %+v, want %+v", address, got, want)
		}
	}
}

func TestOnlyBeingSentAgainIsNoFaultOfTheLastAttempt(t *testing.T) {
	tracer, r := newTracer(t, func(o *Options) { o.Config.Endpoint = "127.0.0.1:1" }), read()
	r.WireCode, r.Wire.Status, r.Error = metric.OK, 200, opensaves.ErrResent.Error()
	spans := tracer.spans(&r)
	if arrival, attempt := spans[0].GetStatus(), spans[1].GetStatus(); arrival.GetMessage() != r.Error || attempt != nil {
		t.Errorf("got %v and %v, want the arrival failed and its last attempt not", arrival, attempt)
	}
}
