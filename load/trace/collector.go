package trace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"opensaves-soak/exporter/metric"
)

// timeout bounds one export, repetitions included, which come first after soonest
// and at the latest after longest.
const (
	timeout = 10 * time.Second
	soonest = time.Second / 2
	longest = 5 * time.Second
)

// connect makes the client of the collector, and what closes the connections
// that it leaves open. It connects when it first exports.
func connect(c *Config) (client otlptrace.Client, idle func(), err error) {
	headers := headerFiles(c.HeaderFiles)
	if _, err := headers.GetRequestMetadata(context.Background()); err != nil {
		return nil, nil, err
	}
	if c.Protocol == metric.HTTP.String() {
		return connectHTTP(c, headers)
	}
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithTimeout(timeout),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: soonest, MaxInterval: longest, MaxElapsedTime: timeout}),
		otlptracegrpc.WithDialOption(grpc.WithPerRPCCredentials(headers), grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 30 * time.Second}, MinConnectTimeout: timeout,
		})),
	}
	if c.TLS == nil {
		return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithInsecure())...), func() {}, nil
	}
	trust, err := config.NewTLSConfig(c.TLS)
	if err != nil {
		return nil, nil, fmt.Errorf("tracing.tls: %w", err)
	}
	return otlptracegrpc.NewClient(append(options, otlptracegrpc.WithTLSCredentials(credentials.NewTLS(trust)))...), func() {}, nil
}

func connectHTTP(c *Config, headers headerFiles) (otlptrace.Client, func(), error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.TLS != nil {
		trust, err := config.NewTLSConfig(c.TLS)
		if err != nil {
			return nil, nil, fmt.Errorf("tracing.tls: %w", err)
		}
		transport.TLSClientConfig = trust
	}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, nil, fmt.Errorf("tracing.endpoint: %w", err)
	}
	if strings.Trim(endpoint.Path, "/") == "" {
		endpoint.Path = "/v1/traces"
	}
	return otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(endpoint.String()), otlptracehttp.WithTimeout(timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: soonest, MaxInterval: longest, MaxElapsedTime: timeout}),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: authorized{transport, headers}, Timeout: timeout}),
	), transport.CloseIdleConnections, nil
}

// headerFiles are headers for the collector, by name, whose values are in files.
// They are read at each export: that is seldom, and a token may be renewed.
type headerFiles map[string]string

var _ credentials.PerRPCCredentials = headerFiles(nil)

const maxHeaderFile = 64 << 10

// GetRequestMetadata reads the files. No error holds a value.
func (h headerFiles) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	values := make(map[string]string, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value, err := readHeader(h[name])
		if err != nil {
			return nil, fmt.Errorf("reading tracing.header_files.%s: %w", name, err)
		}
		values[strings.ToLower(name)] = value
	}
	return values, nil
}

// RequireTransportSecurity leaves that to the operator: collectors are often in
// the same pod.
func (h headerFiles) RequireTransportSecurity() bool { return false }

func readHeader(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(file, maxHeaderFile+1))
	value := strings.TrimSpace(string(body))
	switch {
	case err != nil:
		return "", err
	case len(body) > maxHeaderFile:
		return "", fmt.Errorf("got more than %d bytes, want at most that", maxHeaderFile)
	case value == "" || !httpguts.ValidHeaderFieldValue(value):
		return "", errors.New("got no value that a header may hold")
	}
	return value, nil
}

// authorized adds the headers to each request to the collector.
type authorized struct {
	http.RoundTripper
	headers headerFiles
}

// RoundTrip sends a copy with the headers.
func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	values, err := a.headers.GetRequestMetadata(r.Context())
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	for name, value := range values {
		r.Header.Set(name, value)
	}
	return a.RoundTripper.RoundTrip(r)
}
