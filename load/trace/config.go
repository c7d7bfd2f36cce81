package trace

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// How a trace's context travels with a request.
const (
	W3C  = "w3c"  // the header traceparent
	XRay = "xray" // the header X-Amzn-Trace-Id; ids carry the time, as X-Ray wants them
)

// Config is the section "tracing" of the configuration file.
type Config struct {
	Endpoint    string            `yaml:"endpoint" help:"OTLP receiver of the collector, host:port (grpc) or http(s)://host[:port][/path] (http; /v1/traces where the path is empty); empty: no tracing"`
	Protocol    string            `yaml:"protocol" help:"grpc or http"`
	Propagator  string            `yaml:"propagator" help:"w3c (traceparent) or xray (X-Amzn-Trace-Id, with ids that X-Ray takes)"`
	SampleRatio float64           `yaml:"sample_ratio" help:"share of requests whose trace the target is asked to join; errors, wrong answers and slow requests are kept beside them, from the client's side alone"`
	Slow        model.Duration    `yaml:"slow" help:"a request whose response time is longer is kept; 0s: none for that"`
	Queue       int               `yaml:"queue" help:"kept requests, of two spans each, that wait for the collector at the most; those over it are dropped"`
	TLS         *config.TLSConfig `yaml:"tls" help:"TLSConfig of prometheus/common; for grpc its presence turns TLS on"`
	HeaderFiles map[string]string `yaml:"header_files" help:"headers for the collector whose values are in files, which are read at each export: {Authorization: /path}"`
}

// DefaultConfig returns what holds where the file is silent: no tracing.
func DefaultConfig() Config {
	return Config{
		Protocol: metric.GRPC.String(), Propagator: W3C, SampleRatio: 0.01,
		Slow: model.Duration(time.Second), Queue: 4096,
	}
}

const maxQueue = 100_000 // about 60 MB

// Header is the name of the header that carries a trace's context.
func (c *Config) Header() string {
	if c.Propagator == XRay {
		return "X-Amzn-Trace-Id"
	}
	return "traceparent"
}

// Validate joins every mistake, each with its path in the file.
func (c *Config) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("tracing."+format, args...))
		}
	}
	if c.Endpoint != "" {
		err := c.checkEndpoint()
		want(err == nil, "endpoint: %w", err)
	}
	want(c.Protocol == metric.GRPC.String() || c.Protocol == metric.HTTP.String(), "protocol: got %q, want grpc or http", c.Protocol)
	want(c.Propagator == W3C || c.Propagator == XRay, "propagator: got %q, want %s or %s", c.Propagator, W3C, XRay)
	want(c.SampleRatio >= 0 && c.SampleRatio <= 1, "sample_ratio: got %v, want 0 to 1", c.SampleRatio)
	want(c.Slow >= 0, "slow: got %s, want 0s (none) or more", time.Duration(c.Slow))
	want(c.Queue >= 1 && c.Queue <= maxQueue, "queue: got %d, want 1 to %d", c.Queue, maxQueue)
	if c.TLS != nil {
		err := c.TLS.Validate()
		want(err == nil, "tls: %w", err)
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.HeaderFiles)) {
		lower := strings.ToLower(name)
		problem := opensaves.HeaderProblem(lower, metric.GRPC) // what one protocol sets itself is odd on the other
		want(problem == "", "header_files.%s: %s", name, problem)
		want(!seen[lower], "header_files.%s: got the header a second time", name)
		want(c.HeaderFiles[name] != "", "header_files.%s: got no path, want a file", name)
		seen[lower] = true
	}
	return errors.Join(errs...)
}

// checkEndpoint keeps an endpoint with a password out of its error.
func (c *Config) checkEndpoint() error {
	if strings.Contains(c.Endpoint, "@") {
		return errors.New("got a user in the endpoint, want the credentials in tracing.header_files")
	}
	if c.Protocol == metric.HTTP.String() {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return errors.New("got no http(s)://host[:port][/path], want that with protocol http")
		}
		if u.Port() == "" && !strings.HasSuffix(u.Host, ":") {
			return nil
		}
		return opensaves.CheckPort(c.Endpoint, u.Port())
	}
	host, port, err := net.SplitHostPort(c.Endpoint)
	if err != nil || host == "" || strings.ContainsAny(host, "/, ") {
		return fmt.Errorf("got %q, want host:port with protocol grpc", c.Endpoint)
	}
	return opensaves.CheckPort(c.Endpoint, port)
}
