package sandbox_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox"
)

// The contract is what the public servers were seen to do. By default it is held
// against a sandbox; OPENSAVES_REST=http://host:port and OPENSAVES_GRPC=host:port
// hold it against a server, whose data it leaves alone.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is the server under test.
type target struct {
	url      string // REST
	http     *http.Client
	calls    api.OpenSavesClient
	conn     *grpc.ClientConn
	patience time.Duration // of eventually consistent reads
}

func newTarget(t *testing.T) *target {
	t.Helper()
	rest, calls := os.Getenv("OPENSAVES_REST"), os.Getenv("OPENSAVES_GRPC")
	patience := 5 * time.Second
	if rest == "" && calls == "" {
		calls, patience = start(t, sandbox.New(sandbox.Config{})), 0
		rest = "http://" + calls
	}
	return dial(t, rest, calls, patience)
}

// start serves a sandbox on loopback until the test ends, and returns its address.
func start(t *testing.T, s *sandbox.Sandbox) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving: %v", err)
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, rest, calls string, patience time.Duration) *target {
	t.Helper()
	transport := &http.Transport{}
	noRedirects := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	x := &target{url: rest, http: &http.Client{Transport: transport, CheckRedirect: noRedirects, Timeout: 30 * time.Second}, patience: patience}
	t.Cleanup(transport.CloseIdleConnections)
	if calls != "" {
		conn, err := grpc.NewClient(calls, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		x.conn, x.calls = conn, api.NewOpenSavesClient(conn)
	}
	return x
}

// unique returns a key that nobody used before.
func unique(t *testing.T) string {
	t.Helper()
	return "contract-" + strings.ReplaceAll(uuid.NewString(), "-", "")
}

func (x *target) hasREST() bool { return x.url != "" }
func (x *target) hasGRPC() bool { return x.calls != nil }
