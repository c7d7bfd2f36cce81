package trace

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/config"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/keepalive"

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
// that it leaves open. It connects when it first exports. All settings are given
// that it would take from the environment, where they may be another program's.
func connect(c *Config, headers *headers) (client otlptrace.Client, idle func(), err error) {
	if _, err := headers.GetRequestMetadata(context.Background()); err != nil {
		return nil, nil, err
	}
	var trust *tls.Config
	if c.TLS != nil {
		if trust, err = config.NewTLSConfig(c.TLS); err != nil {
			return nil, nil, fmt.Errorf("tracing.tls: %w", err)
		}
	}
	if c.Protocol == metric.HTTP.String() {
		return connectHTTP(c, trust, headers)
	}
	secure := insecure.NewCredentials()
	if trust != nil {
		secure = credentials.NewTLS(trust)
	}
	return otlptracegrpc.NewClient(
		otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithTimeout(timeout), otlptracegrpc.WithHeaders(nil),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: soonest, MaxInterval: longest, MaxElapsedTime: timeout}),
		otlptracegrpc.WithDialOption(
			grpc.WithTransportCredentials(secure), grpc.WithPerRPCCredentials(headers), grpc.WithDefaultCallOptions(grpc.UseCompressor(encoding.Identity)),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: timeout, Timeout: timeout}), // a host that vanished says nothing
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff: backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 30 * time.Second}, MinConnectTimeout: timeout,
			})),
	), func() {}, nil
}

func connectHTTP(c *Config, trust *tls.Config, headers *headers) (otlptrace.Client, func(), error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = trust
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: timeout, PingTimeout: timeout}
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil {
		return nil, nil, fmt.Errorf("tracing.endpoint: %w", err)
	}
	if strings.Trim(endpoint.Path, "/") == "" {
		endpoint.Path = "/v1/traces"
	}
	return otlptracehttp.NewClient(
		otlptracehttp.WithEndpointURL(endpoint.String()), otlptracehttp.WithTimeout(timeout), otlptracehttp.WithHeaders(nil),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression), otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf), otlptracehttp.WithTLSClientConfig(nil),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: soonest, MaxInterval: longest, MaxElapsedTime: timeout}),
		otlptracehttp.WithHTTPClient(&http.Client{
			Transport: authorized{transport, headers}, Timeout: timeout,
			// Whoever redirects is no collector, and must not have the headers sent on.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}),
	), transport.CloseIdleConnections, nil
}

// headers are those of the collector, whose values are in files, by name. They are
// read at each export: that is seldom, and a token may be renewed.
type headers struct {
	files map[string]string
	last  atomic.Pointer[map[string]string]
}

var _ credentials.PerRPCCredentials = (*headers)(nil)

const maxHeaderFile = 64 << 10

// GetRequestMetadata reads the files. No error holds a value.
func (h *headers) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	values := make(map[string]string, len(h.files))
	for _, name := range slices.Sorted(maps.Keys(h.files)) {
		value, err := readHeader(h.files[name])
		if err != nil {
			return nil, fmt.Errorf("reading tracing.header_files.%s: %w", name, err)
		}
		values[strings.ToLower(name)] = value
	}
	h.last.Store(&values)
	return values, nil
}

// sent are those of the last export, which its answer may hold.
func (h *headers) sent() map[string]string {
	if last := h.last.Load(); last != nil {
		return *last
	}
	return nil
}

// RequireTransportSecurity leaves that to the operator: collectors are often in
// the same pod.
func (h *headers) RequireTransportSecurity() bool { return false }

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
	case value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", errors.New("got no value that a header may hold")
	}
	return value, nil
}

// authorized adds the headers to each request to the collector.
type authorized struct {
	http.RoundTripper
	headers *headers
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
