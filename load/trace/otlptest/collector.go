// Package otlptest is a collector for tests: it receives spans over both
// protocols of OTLP, on real sockets, and answers as it is told.
package otlptest

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// Collector keeps what it received.
type Collector struct {
	collectorpb.UnimplementedTraceServiceServer

	Address string // host:port, of gRPC
	URL     string // http(s)://host:port, of HTTP
	CA      []byte // in PEM, of the certificate for 127.0.0.1; nil: it speaks without TLS
	Stop    func() // ends it at once; the test's end does so too

	mu       sync.Mutex
	answer   func(context.Context) error
	partly   *collectorpb.ExportTracePartialSuccess
	spans    []*tracepb.Span
	resource *resourcepb.Resource
	headers  map[string][]string
	exports  int
}

// Start serves a collector that takes everything, until the test ends.
func Start(t testing.TB) *Collector {
	t.Helper()
	return start(t, false)
}

// StartTLS is the same with TLS on both protocols.
func StartTLS(t testing.TB) *Collector {
	t.Helper()
	return start(t, true)
}

func start(t testing.TB, secure bool) *Collector {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{Address: listener.Addr().String(), answer: func(context.Context) error { return nil }}
	web := httptest.NewUnstartedServer(c)
	web.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // of clients that refuse the certificate
	calls := grpc.NewServer()
	if secure {
		web.StartTLS()
		c.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
		calls = grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])))
	} else {
		web.Start()
	}
	collectorpb.RegisterTraceServiceServer(calls, c)
	served := make(chan error, 1)
	go func() { served <- calls.Serve(listener) }()
	c.URL = web.URL
	c.Stop = sync.OnceFunc(func() {
		calls.Stop()
		web.CloseClientConnections()
		web.Close()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Errorf("serving the collector: %v", err)
		}
	})
	t.Cleanup(c.Stop)
	return c
}

// Answer has the collector answer from now on as do returns; nothing is kept
// where that is an error.
func (c *Collector) Answer(do func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = do
}

// Partly has the collector say from now on that it took an export but for some spans.
func (c *Collector) Partly(rejected int64, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partly = &collectorpb.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: why}
}

func (c *Collector) response() *collectorpb.ExportTraceServiceResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &collectorpb.ExportTraceServiceResponse{PartialSuccess: c.partly}
}

// Spans returns those that came so far.
func (c *Collector) Spans() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*tracepb.Span(nil), c.spans...)
}

// Last returns the resource and the headers of the last export, by names in lower
// case for gRPC, and how many there were.
func (c *Collector) Last() (resource *resourcepb.Resource, headers map[string][]string, exports int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resource, c.headers, c.exports
}

// Export is the call of gRPC.
func (c *Collector) Export(ctx context.Context, request *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	if err := c.take(ctx, request, headers); err != nil {
		return nil, err
	}
	return c.response(), nil
}

const maxBody = 64 << 20

// ServeHTTP is the same over HTTP.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request collectorpb.ExportTraceServiceRequest
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = proto.Unmarshal(body, &request)
	}
	switch {
	case r.URL.Path != "/v1/traces" || r.Method != http.MethodPost:
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case c.take(r.Context(), &request, r.Header) != nil:
		http.Error(w, "not now", http.StatusServiceUnavailable)
	default:
		c.respond(w)
	}
}

func (c *Collector) respond(w http.ResponseWriter) {
	body, err := proto.Marshal(c.response())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(body) // who left does not want it
}

func (c *Collector) take(ctx context.Context, request *collectorpb.ExportTraceServiceRequest, headers map[string][]string) error {
	c.mu.Lock()
	c.exports++
	answer := c.answer
	c.mu.Unlock()
	if err := answer(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.headers = headers
	for _, of := range request.GetResourceSpans() {
		c.resource = of.GetResource()
		for _, scope := range of.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return nil
}
