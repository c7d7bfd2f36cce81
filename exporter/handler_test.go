package exporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/live"
	"opensaves-soak/load/desired"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// wanted is a load whose clock stands still.
type wanted struct{ *desired.Store }

func (w wanted) Status() desired.Status { return w.Get().Status(start, desired.Live{}) }

func (w wanted) Patch(_ context.Context, ifMatch string, document []byte) (desired.Status, error) {
	state, err := w.Store.Patch(start, ifMatch, document)
	return state.Status(start, desired.Live{}), err
}

func (w wanted) Changes() []desired.Change {
	return []desired.Change{{Time: start, From: 50, To: 500, Source: desired.API, Reason: "launch rehearsal"}}
}

func newWanted() wanted {
	return wanted{desired.NewStore(start, desired.Base{
		RPS: 50, MaxRPS: 5000, Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.8, Known: []string{"crud", "mixed"},
	}, desired.Hooks{})}
}

func options(t *testing.T) Options {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "lag_seconds", Help: "Lag."})
	histogram.(prometheus.ExemplarObserver).ObserveWithExemplar(0.2, prometheus.Labels{"trace_id": "4bf92f35"})
	registry.MustRegister(histogram)
	return Options{
		Gatherer: registry,
		Ready:    func() bool { return true },
		Reload:   func(context.Context) error { return nil },
		Load:     newWanted(),
		Live:     newFeed(t),
		Sandbox: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "sandbox %s %s", r.Method, r.URL.Path)
		}),
		Logger: slog.New(slog.DiscardHandler),
	}
}

// newFeed is a feed of one moment that has ended, so that streams of it end.
func newFeed(t *testing.T) *live.Feed {
	t.Helper()
	feed := live.NewFeed()
	if err := feed.Add(live.Moment{Glance: live.Glance{Time: start, Started: start}}); err != nil {
		t.Fatal(err)
	}
	feed.End()
	return feed
}

// listen serves a handler until the test ends and returns its address.
func listen(t *testing.T, handler http.Handler, configFile string) string {
	t.Helper()
	listeners, err := ListenOn(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- Serve(ctx, listeners, handler, configFile, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return listeners[0].Addr().String()
}

// call is a request as it comes in.
type call struct {
	method, path, body string
	host               string // of the header; empty: the server's address
	peer               string // where it seems to come from; empty: where it does
	header             http.Header
}

// answered is what a test looks at in an answer.
type answered struct {
	status int
	header http.Header
	body   string
}

func (c call) to(t *testing.T, address string) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.header != nil {
		r.Header = c.header.Clone()
	}
	r.Host = c.host
	r.Header.Set("Test-Peer", c.peer)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(body)}
}

// fromPeer lets a request seem to come from elsewhere.
func fromPeer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer := r.Header.Get("Test-Peer"); peer != "" {
			r.RemoteAddr = peer
		}
		next.ServeHTTP(w, r)
	})
}

func face(t *testing.T, o Options) string {
	t.Helper()
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, fromPeer(handler), "")
}

func tokenFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEveryPathAnswers(t *testing.T) {
	address := face(t, options(t))
	for name, test := range map[string]struct {
		call   call
		status int
		kind   string
		text   string
	}{
		"the page":                  {call{method: "GET", path: "/"}, 200, "text/html; charset=utf-8", "<!DOCTYPE html>"},
		"what the page is drawn by": {call{method: "GET", path: "/page.js"}, 200, "text/javascript; charset=utf-8", ""},
		"the metrics":               {call{method: "GET", path: "/metrics"}, 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "lag_seconds_count 1"},
		"healthy":                   {call{method: "GET", path: "/-/healthy"}, 200, "text/plain; charset=utf-8", "opensaves-soak is healthy."},
		"ready":                     {call{method: "GET", path: "/-/ready"}, 200, "text/plain; charset=utf-8", "opensaves-soak is ready."},
		"a profile":                 {call{method: "GET", path: "/debug/pprof/goroutine?debug=1"}, 200, "text/plain; charset=utf-8", "goroutine profile"},
		"the symbols of profiles":   {call{method: "GET", path: "/debug/pprof/symbol"}, 200, "text/plain; charset=utf-8", "num_symbols"},
		"a reload":                  {call{method: "POST", path: "/-/reload"}, 200, "", ""},
		"the sandbox":               {call{method: "GET", path: "/api/v1/sandbox/requests"}, 200, "text/plain; charset=utf-8", "sandbox GET /api/v1/sandbox/requests"},
		"the sandbox's faults":      {call{method: "PUT", path: "/api/v1/sandbox/faults", body: "{}"}, 200, "text/plain; charset=utf-8", "sandbox PUT"},
		"the load":                  {call{method: "GET", path: "/api/v1/load"}, 200, "application/json", `{"rps":50,"max_rps":5000,`},
		"the changes of the load":   {call{method: "GET", path: "/api/v1/load/changes"}, 200, "application/json", `{"changes":[{"time":"2026-11-01T12:00:00Z","from":50,"to":500,"source":"api","reason":"launch rehearsal"}]}`},
		"the live stream":           {call{method: "GET", path: "/api/v1/live"}, 200, "text/event-stream", "event: history\ndata: {\"moments\":[{\"time\":\"2026-11-01T12:00:00Z\","},
		"the description":           {call{method: "GET", path: "/api/v1/openapi.yaml"}, 200, "application/yaml", "openapi: 3.1.0"},
		"a path of nobody":          {call{method: "GET", path: "/api/v2"}, 404, "text/plain; charset=utf-8", ""},
		"a reload by GET":           {call{method: "GET", path: "/-/reload"}, 405, "application/problem+json", "POST, PUT"},
		"a PUT of the load":         {call{method: "PUT", path: "/api/v1/load"}, 405, "application/problem+json", "GET, HEAD, PATCH"},
		"a POST of the changes":     {call{method: "POST", path: "/api/v1/load/changes"}, 405, "application/problem+json", "GET, HEAD"},
		"a POST of the live stream": {call{method: "POST", path: "/api/v1/live"}, 405, "application/problem+json", "GET, HEAD"},
		"a POST of the description": {call{method: "POST", path: "/api/v1/openapi.yaml"}, 405, "application/problem+json", "GET, HEAD"},
		"a POST of a profile":       {call{method: "POST", path: "/debug/pprof/heap"}, 405, "application/problem+json", "GET, HEAD"},
		"symbols by POST":           {call{method: "POST", path: "/debug/pprof/symbol"}, 200, "text/plain; charset=utf-8", "num_symbols"},
		"a POST of the metrics":     {call{method: "POST", path: "/metrics"}, 405, "application/problem+json", "GET, HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			got := test.call.to(t, address)
			if got.status != test.status || got.header.Get("Content-Type") != test.kind || !strings.Contains(got.body, test.text) {
				t.Errorf("got %d %q %s\nwant %d %q … %s", got.status, got.header.Get("Content-Type"), got.body, test.status, test.kind, test.text)
			}
			if allow := got.header.Get("Allow"); (got.status == 405) != (allow != "" && strings.Contains(got.body, allow)) {
				t.Errorf("got Allow %q with status %d", allow, got.status)
			}
			if got.header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("got no X-Content-Type-Options, want nosniff")
			}
		})
	}
}

func TestExemplarsAreShownAndCreatedSamplesAreNot(t *testing.T) {
	got := call{method: "GET", path: "/metrics", header: http.Header{"Accept": {"application/openmetrics-text; version=1.0.0"}}}.to(t, face(t, options(t)))
	if !strings.Contains(got.body, `trace_id="4bf92f35"`) || strings.Contains(got.body, "_created") {
		t.Errorf("got %s", got.body)
	}
}

func TestTroubleIsAnswered(t *testing.T) {
	o := options(t)
	o.Ready = func() bool { return false }
	o.Reload = func(context.Context) error { return errors.New("config.yml:2: load.rpz: unknown key") }
	address := face(t, o)
	if got := (call{method: "GET", path: "/-/ready"}).to(t, address); got.status != 503 || !strings.Contains(got.body, "not ready") {
		t.Errorf("got %d %s, want 503", got.status, got.body)
	}
	got := call{method: "POST", path: "/-/reload"}.to(t, address)
	want := `{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"reloading: config.yml:2: load.rpz: unknown key"}` + "\n"
	if diff := cmp.Diff(want, got.body); got.status != 500 || diff != "" {
		t.Errorf("got status %d, wanted -, got +\n%s", got.status, diff)
	}
}

func TestProbesAnswerNothingElse(t *testing.T) {
	address := listen(t, Probes(func() bool { return true }), "")
	for path, want := range map[string]int{"/-/healthy": 200, "/-/ready": 200, "/metrics": 404, "/api/v1/load": 404, "/debug/pprof/": 404, "/-/reload": 404} {
		if got := (call{method: "GET", path: path}).to(t, address).status; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	o := options(t)
	o.Sandbox = nil
	if got := (call{method: "GET", path: "/api/v1/sandbox/requests"}).to(t, face(t, o)).status; got != 404 {
		t.Errorf("got %d, want 404", got)
	}
}

func isProblem(a answered) bool {
	var p struct{ Title, Detail string }
	return a.header.Get("Content-Type") == "application/problem+json" && json.Unmarshal([]byte(a.body), &p) == nil && p.Title != "" && p.Detail != ""
}

func TestAScraperThatHangsUpIsNoErrorOfOurs(t *testing.T) {
	o, said := options(t), new(strings.Builder)
	many := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "many", Help: "Many."}, []string{"n"})
	for n := range 100_000 {
		many.WithLabelValues(fmt.Sprint(n)).Set(1)
	}
	o.Gatherer.(*prometheus.Registry).MustRegister(many)
	o.Logger = slog.New(slog.NewTextHandler(said, nil))
	face, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		face.ServeHTTP(w, r)
	}))
	defer server.Close()
	scraper, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(scraper, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := scraper.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := scraper.(*net.TCPConn).SetLinger(0); err != nil { // what it does not read is not wanted
		t.Fatal(err)
	}
	if err := scraper.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if said.String() != "" {
		t.Errorf("got %q in the log, want nothing", said)
	}
}
