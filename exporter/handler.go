// Package exporter is the HTTP face: metrics, health, profiles, the control
// API, and who may use it. What it shows and changes is handed in.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"opensaves-soak/exporter/page"
)

const (
	// maxScrapes is how many scrapes are answered at once; a Prometheus pair needs two.
	maxScrapes = 10
	// maxReaders is how many streams there are at once.
	maxReaders = 500
)

// Options are what the face shows and changes.
type Options struct {
	Gatherer         prometheus.Gatherer
	Ready            func() bool                 // our own readiness, nobody else's
	Reload           func(context.Context) error // reads the configuration file again
	Load             Load
	Live             http.Handler // the stream of /api/v1/live, until the reader has gone or it is told to end
	Sandbox          http.Handler // gets /api/v1/sandbox/ and below; nil: none
	Prefix           string       // of all paths, as RoutePrefix returns it
	ControlTokenFile string       // empty: mutating calls and profiles on loopback only
	Logger           *slog.Logger
}

// New returns the handler of all paths. It fails when there is a control
// token file without a token in it.
func New(o Options) (http.Handler, error) {
	access := access{tokenFile: o.ControlTokenFile, logger: o.Logger}
	if o.ControlTokenFile != "" {
		if _, err := access.token(); err != nil {
			return nil, err
		}
	}
	return mount(o.Prefix, o.routes(access)), nil
}

// routes are all paths.
func (o Options) routes(access access) []route {
	routes := append(probes(o.Ready), profiles(access)...)
	routes = append(
		routes,
		route{"/", page.Handler(), nil},
		route{"/metrics", metrics(o), reading},
		route{"/-/reload", access.control(reload(o.Reload)), []string{http.MethodPost, http.MethodPut}},
		route{"/api/v1/load", access.api(loadHandler{o.Load}), []string{http.MethodGet, http.MethodHead, http.MethodPatch}},
		route{"/api/v1/load/changes", access.api(changes(o.Load)), reading},
		route{"/api/v1/live", access.own(atMost(maxReaders, o.Live)), reading},
		route{"/api/v1/openapi.yaml", access.api(http.HandlerFunc(describe)), reading},
	)
	if o.Sandbox != nil {
		routes = append(routes, route{"/api/v1/sandbox/", access.api(o.Sandbox), nil})
	}
	return routes
}

// metrics answers OpenMetrics where it is asked for: exemplars exist only there.
func metrics(o Options) http.Handler {
	return promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{o.Logger},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

// scrapeLog says what is wrong with metrics, and nothing of scrapers that hung up:
// each family that they did not take would be a line.
type scrapeLog struct{ *slog.Logger }

// Println writes a line, unless an error in it is that of a connection.
func (l scrapeLog) Println(parts ...any) {
	for _, part := range parts {
		if err, ok := part.(error); ok && errors.As(err, new(*net.OpError)) {
			return
		}
	}
	l.Error("Metrics were not shown as they are", "err", strings.TrimSpace(fmt.Sprintln(parts...)))
}

func reload(do func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := do(r.Context()); err != nil {
			problem(w, http.StatusInternalServerError, "reloading: "+err.Error())
		}
	})
}

// profiles are guarded like mutating calls: they cost, and show the command line.
// Those that take long set a write deadline of their own.
func profiles(access access) (routes []route) {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		routes = append(routes, route{path, access.control(handler), reading})
	}
	return append(routes, route{"/debug/pprof/symbol", access.control(http.HandlerFunc(pprof.Symbol)), append([]string{http.MethodPost}, reading...)})
}

// Probes answers /-/healthy and /-/ready and nothing else, for an address
// outside TLS and authentication.
func Probes(ready func() bool) http.Handler { return mount("", probes(ready)) }

func probes(ready func() bool) []route {
	return []route{
		{"/-/healthy", say(func() bool { return true }, "healthy"), reading},
		{"/-/ready", say(ready, "ready"), reading},
	}
}

func say(is func() bool, what string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !is() {
			http.Error(w, "opensaves-soak is not "+what+".", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "opensaves-soak is %s.\n", what)
	})
}
