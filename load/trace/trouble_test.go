package trace

import (
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/trace/otlptest"
)

// secret writes a header's value to a file, and returns the section that names it.
func secret(t *testing.T, value string) map[string]string {
	t.Helper()
	return map[string]string{"Authorization": file(t, []byte(value))}
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sendOne exports one request to whoever serves, and returns what became of it and
// what was logged.
func sendOne(t *testing.T, serve http.HandlerFunc, header string) (got fate, log string) {
	t.Helper()
	server := httptest.NewServer(serve)
	defer server.Close()
	said := new(strings.Builder)
	tracer := newTracer(t, func(o *Options) {
		o.Config.Protocol, o.Config.Endpoint, o.Config.HeaderFiles = "http", server.URL, secret(t, header)
		o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(said, t.Output()), nil))
	})
	end := tracer.Start()
	tracer.Send(read())
	end()
	return tracer.fate(), said.String()
}

func TestARedirectIsNotFollowed(t *testing.T) {
	for name, status := range map[string]int{"that keeps the method": http.StatusTemporaryRedirect, "to a page to log in": http.StatusFound} {
		t.Run(name, func(t *testing.T) {
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("got %s with %q at another place, want nothing", r.Method, r.Header.Get("Authorization"))
			}))
			defer elsewhere.Close()
			got, _ := sendOne(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }, "Bearer hush")
			if want := (fate{Failed: 2}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestNoHeadersValueReachesTheLog(t *testing.T) {
	for _, scheme := range []string{"", "Bearer "} { // which a collector may repeat or not
		_, log := sendOne(t, func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "who is "+strings.TrimPrefix(r.Header.Get("Authorization"), scheme), http.StatusUnauthorized)
		}, "Bearer hush")
		if strings.Contains(log, "hush") || !strings.Contains(log, "who is <redacted>") {
			t.Errorf("got %q, want what the collector said without the token", log)
		}
	}
}

func TestAnExportThatIsTakenInPartIsCountedInParts(t *testing.T) {
	both(t, func(t *testing.T, protocol string) {
		for name, test := range map[string]struct {
			rejected int64
			want     fate
		}{
			"with a warning alone": {0, fate{Exported: 2}},
			"one of two":           {1, fate{Exported: 1, Failed: 1}},
		} {
			t.Run(name, func(t *testing.T) {
				collector := otlptest.Start(t)
				collector.Partly(test.rejected, "too\nold (3 spans rejected)")
				tracer := newTracer(t, at(collector, protocol))
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

// Variables for programs that leave all to OpenTelemetry must not send the spans
// elsewhere, in another form or with another's credentials.
func TestTheEnvironmentChangesNoExport(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	server.Close()
	certificate := file(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for name, value := range map[string]string{
		"ENDPOINT": "https://127.0.0.1:1", "HEADERS": "api-key=hush", "COMPRESSION": "gzip", "PROTOCOL": "http/json", "TIMEOUT": "1", "CERTIFICATE": certificate,
	} {
		t.Setenv("OTEL_EXPORTER_OTLP_"+name, value)
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_"+name, value)
	}
	both(t, func(t *testing.T, protocol string) {
		collector := otlptest.Start(t)
		tracer := newTracer(t, at(collector, protocol))
		end := tracer.Start()
		tracer.Send(read())
		end()
		_, headers, _ := collector.Last()
		kind := map[string]string{"grpc": "application/grpc", "http": "application/x-protobuf"}[protocol]
		for _, name := range []string{"api-key", "Api-Key", "Content-Encoding", "grpc-encoding"} {
			if headers[name] != nil {
				t.Errorf("got %s: %s, want none", name, headers[name])
			}
		}
		got := append(headers["content-type"], headers["Content-Type"]...)
		if diff := cmp.Diff([]string{kind}, got); diff != "" || tracer.fate() != (fate{Exported: 2}) {
			t.Errorf("%+v exported as (-want +got):\n%s", tracer.fate(), diff)
		}
	})
}

func TestWhatIsLessThanABatchWaitsForTheTick(t *testing.T) {
	collector := otlptest.Start(t)
	slow := make(chan struct{})
	collector.Answer(func(context.Context) error { <-slow; return nil })
	tracer := newTracer(t, at(collector, "grpc"))
	end := tracer.Start()
	tracer.Send(read())
	for _, _, exports := collector.Last(); exports == 0; _, _, exports = collector.Last() {
		time.Sleep(time.Millisecond)
	}
	for range batch + 2 { // while the first export is under way
		tracer.Send(read())
	}
	close(slow)
	for len(collector.Spans()) < 2*(batch+1) {
		time.Sleep(time.Millisecond)
	}
	end()
	if _, _, exports := collector.Last(); exports != 3 {
		t.Errorf("got %d exports, want one of one request, one of a batch and one at the end", exports)
	}
}

func TestFailuresCannotCrowdOutWrongAnswers(t *testing.T) {
	tracer := newTracer(t, func(o *Options) { o.Config.Endpoint, o.Config.Queue = "127.0.0.1:1", 8 })
	failed, wrong, suspect := read(), read(), read()
	wrong.For, wrong.Verdict, suspect.Verdict = Head, metric.Violation, metric.Suspect // which the target answered with an error
	var got []bool
	for range 7 {
		got = append(got, tracer.Send(failed))
	}
	got = append(got, tracer.Send(wrong), tracer.Send(suspect), tracer.Send(wrong))
	want := []bool{true, true, true, true, true, true, false, true, true, false}
	if diff := cmp.Diff(want, got); diff != "" || tracer.fate().Dropped != 4 {
		t.Errorf("taken (-want +got):\n%s, %+v", diff, tracer.fate())
	}
}

// relay passes connections on to an address. Those made before gone is closed are
// then left open, and nothing that comes on them is passed on any more.
func relay(t *testing.T, to string, gone <-chan struct{}) (address string, connections *atomic.Int32) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	var open sync.WaitGroup
	pass := func(to, from net.Conn, lost <-chan struct{}) {
		defer open.Done()
		defer to.Close()
		for piece := make([]byte, 32<<10); ; {
			n, err := from.Read(piece)
			if err != nil {
				return
			}
			select {
			case <-lost:
			default:
				_, _ = to.Write(piece[:n]) // the next read tells
			}
		}
	}
	open.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(t.Context(), "tcp", to)
			if err != nil { // the collector was stopped
				_ = near.Close()
				continue
			}
			lost := gone
			if connections.Add(1) > 1 {
				lost = nil
			}
			open.Add(2)
			go pass(far, near, lost)
			go pass(near, far, lost)
		}
	})
	t.Cleanup(func() { _ = listener.Close(); open.Wait() })
	return listener.Addr().String(), connections
}

// A host that is gone sends no end of its connections.
func TestACollectorThatVanishedIsConnectedToAgain(t *testing.T) {
	t.Parallel()
	collector, gone := otlptest.Start(t), make(chan struct{})
	address, connections := relay(t, collector.Address, gone)
	tracer := newTracer(t, func(o *Options) { o.Config.Endpoint = address })
	end := tracer.Start()
	tracer.Send(read())
	for len(collector.Spans()) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	close(gone)
	for deadline := time.Now().Add(time.Minute); len(collector.Spans()) == 2 && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		tracer.Send(read())
	}
	if len(collector.Spans()) == 2 || connections.Load() < 2 {
		t.Errorf("got %d spans over %d connections, want more over another one", len(collector.Spans()), connections.Load())
	}
	collector.Stop()
	end()
}

// An export is given up in time though each of its tries has as much.
func TestAnExportIsGivenUpAfterItsTimeout(t *testing.T) {
	t.Parallel()
	began := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if time.Since(began) < timeout/2 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	tracer := newTracer(t, func(o *Options) { o.Config.Protocol, o.Config.Endpoint = "http", server.URL })
	defer tracer.Start()()
	tracer.Send(read())
	for tracer.fate().Failed == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(began); took > timeout+4*time.Second {
		t.Errorf("got the export given up after %s, want %s", took, timeout)
	}
}
