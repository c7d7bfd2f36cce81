// Package exporter is the HTTP face: metrics, health, profiles, the control
// API, and who may use it. What it shows and changes is handed in.
package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/exporter-toolkit/web"
)

// maxScrapes is how many scrapes are answered at once; a Prometheus pair needs two.
const maxScrapes = 10

// Options are what the face shows and changes.
type Options struct {
	Gatherer         prometheus.Gatherer
	Ready            func() bool                 // our own readiness, nobody else's
	Reload           func(context.Context) error // reads the configuration file again
	Load             Load                        // nil: no /api/v1/load
	Sandbox          http.Handler                // gets /api/v1/sandbox/ and below, path unchanged; nil: none
	ControlTokenFile string                      // empty: mutating calls and profiles on loopback only
	Version          string
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
	landing, err := landingPage(o)
	if err != nil {
		return nil, fmt.Errorf("rendering the landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", landing)
	mux.Handle("/metrics", only(metrics(o), http.MethodGet, http.MethodHead))
	probes(mux, o.Ready)
	mux.Handle("/-/reload", only(access.control(reload(o.Reload)), http.MethodPost, http.MethodPut))
	profiles(mux, access)
	if o.Load != nil {
		mux.Handle("/api/v1/load", only(access.api(loadHandler{o.Load}), http.MethodGet, http.MethodHead, http.MethodPatch))
	}
	if o.Sandbox != nil {
		mux.Handle("/api/v1/sandbox/", access.api(o.Sandbox))
	}
	return nosniff(mux), nil
}

func landingPage(o Options) (http.Handler, error) {
	links := []web.LandingLinks{{Address: "/metrics", Text: "Metrics"}}
	if o.Load != nil {
		links = append(links, web.LandingLinks{Address: "/api/v1/load", Text: "Load", Description: "what is wanted, what is, and why they differ; PATCH changes it"})
	}
	if o.Sandbox != nil {
		links = append(links, web.LandingLinks{Address: "/api/v1/sandbox/requests", Text: "Sandbox", Description: "requests that the sandbox has seen"})
	}
	links = append(links,
		web.LandingLinks{Address: "/-/healthy", Text: "Healthy"},
		web.LandingLinks{Address: "/-/ready", Text: "Ready"})
	return web.NewLandingPage(web.LandingConfig{
		Name:        "opensaves-soak",
		Description: "Continuous soak tester and Prometheus exporter for Open Saves on AWS",
		Version:     o.Version,
		Links:       links,
	})
}

// metrics answers OpenMetrics where it is asked for: exemplars exist only there.
func metrics(o Options) http.Handler {
	return promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(o.Logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
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
func profiles(mux *http.ServeMux, access access) {
	for path, handler := range map[string]http.HandlerFunc{
		"/debug/pprof/":        pprof.Index,
		"/debug/pprof/cmdline": pprof.Cmdline,
		"/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol":  pprof.Symbol,
		"/debug/pprof/trace":   pprof.Trace,
	} {
		mux.Handle(path, access.control(handler))
	}
}

// Probes answers /-/healthy and /-/ready and nothing else, for an address
// outside TLS and authentication.
func Probes(ready func() bool) http.Handler {
	mux := http.NewServeMux()
	probes(mux, ready)
	return nosniff(mux)
}

func probes(mux *http.ServeMux, ready func() bool) {
	mux.Handle("/-/healthy", only(say(func() bool { return true }, "healthy"), http.MethodGet, http.MethodHead))
	mux.Handle("/-/ready", only(say(ready, "ready"), http.MethodGet, http.MethodHead))
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
