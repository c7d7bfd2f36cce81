package sandbox

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	stopTimeout = 5 * time.Second // upstream's shutdown_grace_period
	maxHeader   = 64 << 10
)

// AWSPath is the path at and below which Serve answers for AWS, where there is an account.
const AWSPath = "/aws"

// Serve answers REST, gRPC (without TLS), the control API and the AWS account on
// one listener, which it closes, until ctx ends; it returns when all connections
// are closed. An error is the listener's.
func (s *Sandbox) Serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	split := newSplitter(listener, &s.open)
	calls, health := s.grpcServer()
	// Requests outlive ctx by the grace; what still hangs then is cut off.
	base, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	web := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 30 * time.Second,
		ReadTimeout:       5 * time.Minute,
		WriteTimeout:      10 * time.Minute,
		IdleTimeout:       10 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext:       withConnection,
		ErrorLog:          log.New(io.Discard, "", 0), // cut connections are asked for
	}
	var servers sync.WaitGroup
	servers.Go(func() { _ = calls.Serve(split.calls) }) // ends when stopped
	servers.Go(func() { _ = web.Serve(split.web) })     // the same
	if s.publish != nil {
		servers.Go(func() { s.publish.Run(ctx) })
	}
	servers.Go(func() {
		<-ctx.Done()
		health.SetServingStatus(healthName, healthpb.HealthCheckResponse_NOT_SERVING)
		split.close()
		stop(calls, web)
		abandon()
		_ = web.Close()
	})
	err := split.run()
	cancel()
	servers.Wait()
	return err
}

func (s *Sandbox) handler() http.Handler {
	control := s.Control()
	if s.config.Guard != nil {
		control = s.config.Guard(control)
	}
	cloud := http.StripPrefix(AWSPath, s.cloud)
	mux := http.NewServeMux()
	mux.Handle(ControlPath, control)
	mux.HandleFunc("GET "+chunkPath, s.serveChunk)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, ControlPath):
			notToPods(r.Context())
			mux.ServeHTTP(w, r)
		case strings.HasPrefix(path, chunkRoot):
			mux.ServeHTTP(w, r)
		case s.cloud != nil && (path == AWSPath || strings.HasPrefix(path, AWSPath+"/")):
			notToPods(r.Context())
			cloud.ServeHTTP(w, r)
		default:
			s.serveREST(w, r)
		}
	})
}

// stop lets both servers answer what they have, for a while.
func stop(calls *grpc.Server, web *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { _ = web.Shutdown(ctx) }) // Close follows
	both.Go(func() {
		timer := time.AfterFunc(stopTimeout, calls.Stop)
		defer timer.Stop()
		calls.GracefulStop()
	})
	both.Wait()
}
