package opensaves_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
	gogrpc "google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/reflection"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

type pinging struct {
	api.UnimplementedOpenSavesServer
}

func serveGRPC(t *testing.T, reflectionOnly bool, options ...gogrpc.ServerOption) string {
	listener := listen(t)
	server := gogrpc.NewServer(options...)
	if reflectionOnly {
		reflection.Register(server)
	} else {
		api.RegisterOpenSavesServer(server, pinging{})
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestProbe(t *testing.T) {
	health := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	plain := httptest.NewServer(health(200))
	secure := httptest.NewTLSServer(health(200))
	broken := httptest.NewServer(health(404))
	for _, server := range []*httptest.Server{plain, secure, broken} {
		t.Cleanup(server.Close)
	}
	certificate := secure.TLS.Certificates[0]
	plainREST, secureREST := plain.Listener.Addr().String(), secure.Listener.Addr().String()
	plainGRPC := serveGRPC(t, true)
	secureGRPC := serveGRPC(t, true, gogrpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	closed := listen(t)
	closed.Close()
	nobody := closed.Addr().String()
	trusting := &config.TLSConfig{InsecureSkipVerify: true}

	for name, test := range map[string]struct {
		address string
		tls     *config.TLSConfig
		want    []string // parts of the error; none: no error
	}{
		"REST is found":                              {"http://" + plainREST, nil, nil},
		"REST behind TLS is found":                   {"https://" + secureREST, trusting, nil},
		"REST where nobody listens":                  {"http://" + nobody, nil, []string{nobody, "found nobody there", "refused"}},
		"gRPC where nobody listens":                  {nobody, nil, []string{nobody, "found nobody there", "refused"}},
		"REST where gRPC is":                         {"http://" + plainGRPC, nil, []string{"a gRPC port (HTTP/2) without TLS", "set target.address to " + plainGRPC + " and target.protocol to grpc"}},
		"REST where gRPC with TLS is":                {"https://" + secureGRPC, trusting, []string{"a gRPC port (HTTP/2) with TLS", "target.protocol to grpc, with target.tls"}},
		"gRPC where REST is":                         {plainREST, nil, []string{"a REST port (HTTP/1.1) without TLS", "set target.address to http://" + plainREST}},
		"gRPC where REST with TLS is":                {secureREST, trusting, []string{"a REST port (HTTP/1.1) with TLS", "set target.address to https://" + secureREST}},
		"gRPC without Open Saves":                    {plainGRPC, nil, []string{"no Open Saves method", "http://127.0.0.1:8080"}},
		"gRPC without Open Saves by name":            {"dns:///" + plainGRPC, nil, []string{"no Open Saves method", "http://127.0.0.1:8080"}},
		"http where https is":                        {"http://" + secureREST, nil, []string{"with TLS", "set target.address to https://" + secureREST}},
		"https where http is":                        {"https://" + plainREST, nil, []string{"without TLS", "set target.address to http://" + plainREST}},
		"https with a certificate that nobody knows": {"https://" + secureREST, nil, []string{"with TLS", "target.tls.ca_file", "certificate"}},
		"gRPC in the clear where TLS is":             {secureGRPC, nil, []string{"a gRPC port (HTTP/2) with TLS", "add target.tls"}},
		"gRPC with TLS where there is none":          {plainGRPC, trusting, []string{"a gRPC port (HTTP/2) without TLS", "remove target.tls"}},
		"gRPC with a certificate that nobody knows":  {secureGRPC, &config.TLSConfig{}, []string{"with TLS", "target.tls.ca_file", "certificate"}},
		"REST that is not Open Saves":                {broken.URL, nil, []string{"a REST port (HTTP/1.1) without TLS, but its health check failed", "NotFound"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := opensaves.DefaultConfig()
			cfg.Address, cfg.TLS, cfg.Timeout = test.address, test.tls, model.Duration(4*time.Second)
			if err := cfg.Validate(); err != nil {
				t.Fatal(err)
			}
			err := opensaves.Probe(t.Context(), cfg, connect(t, cfg))
			if test.want == nil {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got no error, want one with %q", test.want)
			}
			for _, part := range append(test.want, "checking the target "+test.address) {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %q, want one line with %q", err, part)
				}
			}
		})
	}
}

func connect(t *testing.T, cfg opensaves.Config) opensaves.Client {
	t.Helper()
	var client opensaves.Client
	var err error
	if cfg.Wire() == metric.HTTP {
		client, err = rest.New(cfg, opensaves.Options{})
	} else {
		client, err = grpc.New(cfg, opensaves.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
