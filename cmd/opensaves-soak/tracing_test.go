package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/trace/otlptest"
	"opensaves-soak/opensaves/sandbox"
	faults "opensaves-soak/opensaves/sandbox/fault"
)

// contexts are the traces that came with requests: sampled or not, by
// "trace/parent" in hexadecimal.
type contexts struct {
	mu     sync.Mutex
	all    map[string]bool
	broken []string
}

var (
	traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$`)
	amazon      = regexp.MustCompile(`^Root=1-([0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])$`)
)

// take reads the one header that a propagator prescribes.
func (c *contexts) take(w3c, xray []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	form, values := traceparent, w3c
	if len(w3c) == 0 {
		form, values = amazon, xray
	}
	if len(w3c)+len(xray) == 0 {
		return // no arrival made it
	}
	match := form.FindStringSubmatch(values[0])
	if len(w3c)+len(xray) > 1 || match == nil {
		c.broken = append(c.broken, fmt.Sprint(w3c, xray))
		return
	}
	c.all[strings.ReplaceAll(match[1], "-", "")+"/"+match[2]] = match[3] == "1"
}

// watched serves a sandbox over one of its protocols, and keeps what contexts
// its requests carry.
func watched(t *testing.T, protocol string) (box *sandbox.Sandbox, address string, seen *contexts) {
	t.Helper()
	box, seen = sandbox.New(sandbox.Config{}), &contexts{all: map[string]bool{}}
	if protocol == "http" {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen.take(r.Header.Values("traceparent"), r.Header.Values("X-Amzn-Trace-Id"))
			box.REST().ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		return box, server.URL, seen
	}
	take := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen.take(md.Get("traceparent"), md.Get("x-amzn-trace-id"))
	}
	server := box.GRPCServer(
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			take(ctx)
			return handle(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			take(stream.Context())
			return handle(srv, stream)
		}))
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }() // ends when stopped
	t.Cleanup(server.Stop)
	return box, listener.Addr().String(), seen
}

// scrape gets /metrics in a form of its own.
func (d *daemon) scrape(t *testing.T, accept string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+d.face[0].Addr().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var inText = regexp.MustCompile(`(?m)^(\w+?)(?:_bucket|_total)?\{.* # \{trace_id="([^"]+)"\}`)

// exemplars returns the traces that /metrics leads to, by metric: in OpenMetrics,
// and in protobuf those of classic buckets, of native histograms and of counters.
func (d *daemon) exemplars(t *testing.T) (byText, classic, native map[string][]string) {
	t.Helper()
	byText, classic, native = map[string][]string{}, map[string][]string{}, map[string][]string{}
	text := d.scrape(t, "application/openmetrics-text; version=1.0.0")
	for _, match := range inText.FindAllStringSubmatch(string(text), -1) {
		byText[match[1]] = append(byText[match[1]], match[2])
	}
	form := "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
	decoder := expfmt.NewDecoder(bytes.NewReader(d.scrape(t, form)), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			return byText, classic, native
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(family.GetName(), "_total")
		note := func(into map[string][]string, x *dto.Exemplar) {
			for _, l := range x.GetLabel() {
				into[name] = append(into[name], l.GetValue())
			}
		}
		for _, m := range family.GetMetric() {
			note(classic, m.GetCounter().GetExemplar())
			for _, b := range m.GetHistogram().GetBucket() {
				note(classic, b.GetExemplar())
			}
			for _, x := range m.GetHistogram().GetExemplars() {
				note(native, x)
			}
		}
	}
}

// received are the spans of a collector by trace.
type received map[string][]*tracepb.Span

func collected(c *otlptest.Collector) received {
	r := received{}
	for _, s := range c.Spans() {
		id := hex.EncodeToString(s.GetTraceId())
		r[id] = append(r[id], s)
	}
	return r
}

// plainID is an id without the signs that X-Ray puts into it.
func plainID(id string) string { return strings.ReplaceAll(strings.TrimPrefix(id, "1-"), "-", "") }

// mustLead wants each of some exemplars to lead to a trace that was received.
func (r received) mustLead(t *testing.T, form string, exemplars map[string][]string) {
	t.Helper()
	for name, ids := range exemplars {
		for _, id := range ids {
			if r[plainID(id)] == nil {
				t.Errorf("%s in %s: got an exemplar with trace %s, which was never received", name, form, id)
			}
		}
	}
}

// attribute is a text of a span.
func attribute(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// arrivals are the spans without a parent that have an attribute.
func (r received) arrivals(key, value string) (found []*tracepb.Span) {
	for _, spans := range r {
		for _, s := range spans {
			if len(s.GetParentSpanId()) == 0 && (key == "" || attribute(s, key) == value) {
				found = append(found, s)
			}
		}
	}
	return found
}

func tracing(c *otlptest.Collector, protocol, more string) string {
	endpoint := c.Address
	if protocol == "http" {
		endpoint = c.URL
	}
	return fmt.Sprintf(`
load: {rps: 200, max_rps: 200}
data: {records: 200, stores: 2, blob_sizes: {1KiB: 1}}
safety: {error_ratio: 0}
tracing: {endpoint: "%s", protocol: %s, %s}
`, endpoint, protocol, more)
}

// requests waits until there were so many requests.
func (d *daemon) requests(t *testing.T, n float64) {
	t.Helper()
	d.eventually(t, func(s snapshot) []string {
		if s.sum(metric.Requests, nil) < n {
			return []string{fmt.Sprintf("%v requests", n)}
		}
		return nil
	})
}

func TestATraceLeadsFromAnExemplarToTheTargetsSide(t *testing.T) {
	for name, test := range map[string]struct{ protocol, otlp, propagator string }{
		"REST, w3c":  {"http", "grpc", "w3c"},
		"REST, xray": {"http", "http", "xray"},
		"gRPC, w3c":  {"grpc", "http", "w3c"},
		"gRPC, xray": {"grpc", "grpc", "xray"},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			t.Run("run", func(t *testing.T) {
				collector := otlptest.Start(t)
				_, address, seen := watched(t, test.protocol)
				d, end := begin(t, tracing(collector, test.otlp, "sample_ratio: 0.3, slow: 0s, propagator: "+test.propagator), "--target.address="+address)
				d.requests(t, 600)
				byText, classic, native := d.exemplars(t)
				if err := end(); err != nil {
					t.Fatal(err)
				}
				traces := collected(collector)
				for form, exemplars := range map[string]map[string][]string{"OpenMetrics": byText, "protobuf, classic": classic, "protobuf, native": native} {
					traces.mustLead(t, form, exemplars)
					for _, of := range []metric.Definition{metric.ResponseTime, metric.RequestDuration} {
						if len(exemplars[of.Name]) == 0 {
							t.Errorf("%s in %s: got no exemplar, want some", of.Name, form)
						}
					}
				}
				traces.mustBeWhole(t, seen)
				if len(seen.broken) > 0 {
					t.Errorf("got headers %q, want one of the form %s", seen.broken[0], test.propagator)
				}
			})
		})
	}
}

// mustBeWhole wants of each trace a span of an arrival and one below it whose id
// the target was told, and all that the target was told are sampled.
func (r received) mustBeWhole(t *testing.T, seen *contexts) {
	t.Helper()
	told := map[string]bool{}
	for id, spans := range r {
		parents := map[string]bool{}
		for _, s := range spans {
			parents[string(s.GetSpanId())] = len(s.GetParentSpanId()) == 0
		}
		for _, s := range spans {
			parent := s.GetParentSpanId()
			if len(parent) == 0 {
				continue
			}
			if !parents[string(parent)] {
				t.Errorf("trace %s: got the parent %x, want that of the arrival", id, parent)
			}
			told[id+"/"+hex.EncodeToString(s.GetSpanId())] = s.GetFlags()&1 == 1
		}
		if len(spans) > 2 || len(spans) == 2 && len(parents) != 2 {
			t.Errorf("trace %s: got %d spans, want two", id, len(spans))
		}
	}
	sampled := map[string]bool{}
	for context, is := range seen.all {
		if is || told[context] {
			sampled[context] = is
		}
	}
	for context, is := range told {
		if !is {
			delete(told, context)
		}
	}
	if diff := gocmp.Diff(sampled, told); diff != "" || len(told) < 50 {
		t.Errorf("contexts of at least 50 sampled requests (-at the target +received):\n%s", diff)
	}
}

func TestSlowAndWrongAndFailedRequestsAreKeptAtARatioOfNothing(t *testing.T) {
	inTurn(t)
	for _, protocol := range []string{"http", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			collector := otlptest.Start(t)
			box, address, seen := watched(t, protocol)
			d, end := begin(t, tracing(collector, "grpc", "sample_ratio: 0, slow: 100ms"), "--target.address="+address)
			d.requests(t, 300)
			box.SetFaults(faults.Faults{
				Error: faults.Error{Ratio: 0.05, Code: "Unavailable"}, Kinds: map[string]float64{"corrupt": 0.2},
				Stall: faults.Stall{Every: faults.Duration(time.Second), For: faults.Duration(300 * time.Millisecond)},
			})
			d.eventually(t, func(s snapshot) (lacks []string) {
				for of, n := range map[string]float64{"errors": s.sum(metric.Requests, labels{"outcome": "error"}), "violations": s.sum(metric.CheckViolations, nil)} {
					if n < 5 {
						lacks = append(lacks, of)
					}
				}
				return lacks
			})
			byText, classic, native := d.exemplars(t)
			if err := end(); err != nil {
				t.Fatal(err)
			}
			s, err := gather(d.registry)
			if err != nil {
				t.Fatal(err)
			}
			traces := collected(collector)
			if got, want := float64(len(traces.arrivals("opensaves_soak.outcome", "error"))), s.sum(metric.Requests, labels{"outcome": "error"}); got != want {
				t.Errorf("got %v traces of failed requests, want %v", got, want)
			}
			slow := 0
			for _, arrival := range traces.arrivals("", "") {
				if arrival.GetEndTimeUnixNano()-arrival.GetStartTimeUnixNano() > 100_000_000 {
					slow++
				}
			}
			if want := d.slower(t, 0.1); float64(slow) != want || slow == 0 {
				t.Errorf("got %d traces of slow requests, want %v", slow, want)
			}
			// Some wrong answers were no arrival's.
			wrong := float64(len(traces.arrivals("opensaves_soak.verdict", "violation")))
			if most := s.sum(metric.Checks, labels{"result": "violation"}); wrong == 0 || wrong > most {
				t.Errorf("got %v traces of wrong answers, want some and %v at most", wrong, most)
			}
			for context, sampled := range seen.all {
				if sampled {
					t.Errorf("the target was told that %s is sampled, want none", context)
				}
			}
			for form, exemplars := range map[string]map[string][]string{"OpenMetrics": byText, "protobuf": classic} {
				traces.mustLead(t, form, exemplars)
				if len(exemplars["opensaves_soak_check_violations"]) == 0 || len(exemplars[metric.ResponseTime.Name]) == 0 {
					t.Errorf("%s: got exemplars of %v, want some of violations and response times", form, exemplars)
				}
			}
			traces.mustLead(t, "native", native)
			logged := regexp.MustCompile(`wrong answer".*trace_id=(\w+)`).FindAllStringSubmatch(d.stderr.(*strings.Builder).String(), -1)
			for _, match := range logged {
				if traces[match[1]] == nil {
					t.Errorf("got %s in the log, want a trace that was received", match[0])
				}
			}
			if logged == nil {
				t.Error("got no trace in the log, want one")
			}
		})
	}
}

// slower is how many requests took longer than a bound of a bucket, in seconds.
func (d *daemon) slower(t *testing.T, bound float64) (n float64) {
	t.Helper()
	families, err := d.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != metric.ResponseTime.Name {
			continue
		}
		for _, m := range family.GetMetric() {
			n += float64(m.GetHistogram().GetSampleCount())
			for _, b := range m.GetHistogram().GetBucket() {
				if b.GetUpperBound() == bound {
					n -= float64(b.GetCumulativeCount())
				}
			}
		}
	}
	return n
}

func TestALoadIsNotHeldUpByItsCollector(t *testing.T) {
	inTurn(t)
	for name, trouble := range map[string]func(*otlptest.Collector){
		"that stalls": func(c *otlptest.Collector) {
			c.Answer(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		},
		"that refuses": func(c *otlptest.Collector) { c.Answer(func(context.Context) error { return errors.New("not now") }) },
		"that is gone": func(c *otlptest.Collector) { c.Stop() },
	} {
		t.Run(name, func(t *testing.T) {
			collector := otlptest.Start(t)
			trouble(collector)
			d, end := begin(t, tracing(collector, "grpc", "sample_ratio: 1, queue: 20"))
			d.eventually(t, func(s snapshot) (lacks []string) {
				if s.sum(metric.Spans, labels{"result": "dropped"}) < 100 {
					lacks = append(lacks, "dropped spans")
				}
				if s.sum(metric.Requests, nil) < 500 {
					lacks = append(lacks, "requests")
				}
				return lacks
			})
			if err := end(); err != nil {
				t.Fatal(err)
			}
			s, err := gather(d.registry)
			if err != nil {
				t.Fatal(err)
			}
			// A request that waits for the collector would stay in flight. What a busy
			// machine leaves no time for is dropped for another reason.
			got := map[string]float64{
				"arrivals dropped": s.sum(metric.ArrivalsDropped, labels{"reason": "max_in_flight"}),
				"spans exported":   s.sum(metric.Spans, labels{"result": "exported"}),
				"spans":            s.sum(metric.Spans, nil),
			}
			want := map[string]float64{"arrivals dropped": 0, "spans exported": 0, "spans": 2 * s.sum(metric.Requests, nil)}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("what a load with that collector did (-want +got):\n%s", diff)
			}
		})
	}
}
