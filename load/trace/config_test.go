package trace

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
)

func TestEveryMistakeIsNamedWithItsPath(t *testing.T) {
	c := Config{
		Endpoint: "http://collector:4317", Protocol: "udp", Propagator: "b3", SampleRatio: 1.5, Slow: -1,
		TLS: &config.TLSConfig{CA: "x", CAFile: "y"}, HeaderFiles: map[string]string{"a b": "f", "X-Key": ""},
	}
	want := []string{
		`tracing.endpoint: got "http://collector:4317", want host:port with protocol grpc`,
		`tracing.protocol: got "udp", want grpc or http`,
		`tracing.propagator: got "b3", want w3c or xray`,
		`tracing.sample_ratio: got 1.5, want 0 to 1`,
		`tracing.slow: got -1ns, want 0s (none) or more`,
		`tracing.queue: got 0, want 1 to 100000`,
		`tracing.tls: at most one of ca, ca_file & ca_ref must be configured`,
		`tracing.header_files.X-Key: got no path, want a file`,
		`tracing.header_files.a b: got no header name`,
	}
	if diff := cmp.Diff(want, strings.Split(c.Validate().Error(), "\n")); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestAnEndpointSuitsItsProtocol(t *testing.T) {
	for name, test := range map[string]struct {
		protocol, endpoint string
		fits               bool
	}{
		"grpc":                 {"grpc", "collector:4317", true},
		"grpc, an IPv6":        {"grpc", "[::1]:4317", true},
		"grpc without a port":  {"grpc", "collector", false},
		"grpc, a port's name":  {"grpc", "collector:otlp", false},
		"grpc, two of them":    {"grpc", "a,b:4317", false},
		"http, no such port":   {"http", "http://collector:99999", false},
		"grpc with a user":     {"grpc", "me@collector:4317", false},
		"http":                 {"http", "http://collector:4318", true},
		"http with a path":     {"http", "https://collector/otlp/v1/traces", true},
		"http without scheme":  {"http", "collector:4318", false},
		"http with a password": {"http", "http://me:hush@collector:4318", false},
		"http with a query":    {"http", "http://collector:4318?key=hush", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			c.Protocol, c.Endpoint = test.protocol, test.endpoint
			err := c.Validate()
			if (err == nil) != test.fits || err != nil && strings.Contains(err.Error(), "me:") {
				t.Errorf("got %v, want it to fit: %t, and no password", err, test.fits)
			}
		})
	}
}

func FuzzAClientIsMadeOfWhatIsTaken(f *testing.F) {
	f.Add("http", "http://collector:4318/v1/traces")
	f.Add("grpc", "[::1]:4317")
	f.Fuzz(func(t *testing.T, protocol, endpoint string) {
		c := DefaultConfig()
		c.Protocol, c.Endpoint = protocol, endpoint
		if c.Validate() != nil {
			return
		}
		client, idle, err := connect(&c, &headers{})
		if err != nil || client == nil {
			t.Errorf("got %v for %s %q, want a client", err, protocol, endpoint)
			return
		}
		idle()
	})
}
