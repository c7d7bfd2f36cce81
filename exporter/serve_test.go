package exporter

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

func TestAPortInUseFailsTheStart(t *testing.T) {
	busy, err := ListenOn(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy[0].Close()
	none := ""
	addresses := []string{"127.0.0.1:0", busy[0].Addr().String()}
	if _, err := Listen(t.Context(), &web.FlagConfig{WebListenAddresses: &addresses, WebConfigFile: &none}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v, want … in use", err)
	}
}

func TestAWrongWebConfigurationFailsTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, []byte("tls: 5"), 0o600); err != nil {
		t.Fatal(err)
	}
	addresses := []string{"127.0.0.1:0"}
	if _, err := Listen(t.Context(), &web.FlagConfig{WebListenAddresses: &addresses, WebConfigFile: &file}); err == nil || !strings.Contains(err.Error(), "web.yml") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestSocketsOfSystemdThatAreNotThereFailTheStart(t *testing.T) {
	none, systemd := "", true
	if _, err := Listen(t.Context(), &web.FlagConfig{WebSystemdSocket: &systemd, WebConfigFile: &none}); err == nil {
		t.Error("got no error, want one")
	}
}

func TestBasicAuthenticationStandsBeforeEverything(t *testing.T) {
	file := filepath.Join(t.TempDir(), "web.yml")
	// The hash of "secret".
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  ops: $2a$04$rudPBgiP32uQsLbDP1a0C.LOu4zS.e6i4m6Vjm44Ju6PsGL8/qFxq\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	handler, err := New(options(t))
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, handler, file)
	if got := (call{method: "GET", path: "/metrics"}).to(t, address); got.status != 401 {
		t.Errorf("got %d without a password, want 401", got.status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://"+address+"/api/v1/load", strings.NewReader(`{"rps": 60}`))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("ops", "secret")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("got %d with the password, want 200", response.StatusCode)
	}
}

func TestHeadersAreBounded(t *testing.T) {
	address := face(t, options(t))
	got := call{method: "GET", path: "/metrics", header: http.Header{"X-Large": {strings.Repeat("a", 64<<10)}}}.to(t, address)
	if got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d, want 431", got.status)
	}
}

func TestAHostThatIsNotOneIsRefused(t *testing.T) {
	address := face(t, options(t))
	for name, text := range map[string]string{
		"two hosts":           "GET /api/v1/load HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
		"no host":             "GET /api/v1/load HTTP/1.1\r\n\r\n",
		"a folded header":     "GET /api/v1/load HTTP/1.1\r\nHost: local\rhost\r\n\r\n",
		"a foreign URL":       "GET http://evil.example/api/v1/load HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/1.0 by no name": "PATCH /api/v1/load HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
	} {
		if got := raw(t, address, text); got != 400 && got != 403 {
			t.Errorf("%s: got %d, want 400 or 403", name, got)
		}
	}
}

// raw sends what no client library would and returns the status.
func raw(t *testing.T, address, text string) int {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// pipes is a listener in memory, so that time can be a test's own.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9842} }

func TestASlowClientIsCutOff(t *testing.T) {
	handler, err := New(options(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		text    string
		within  time.Duration
		answers string
	}{
		"in its header": {"PATCH /api/v1/load HTTP/1.1\r\nHost: loc", readHeaderTimeout, ""},
		"in its body":   {"PATCH /api/v1/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{\"rps\"", readTimeout, "HTTP/1.1 408"},
		"before it":     {"", readHeaderTimeout, ""},
		"between two":   {"GET /-/ready HTTP/1.1\r\nHost: localhost\r\n\r\n", idleTimeout, "HTTP/1.1 200"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := pipes{make(chan net.Conn), make(chan struct{})}
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error)
				go func() {
					served <- Serve(ctx, []net.Listener{listener}, loopback(handler), "", slog.New(slog.DiscardHandler))
				}()
				client, server := net.Pipe()
				listener.connections <- server
				begin := time.Now()
				go func() { _, _ = io.WriteString(client, test.text) }() // ends when the server cuts it off
				answer, _ := io.ReadAll(client)
				if !strings.HasPrefix(string(answer), test.answers) {
					t.Errorf("got %q, want %s…", answer, test.answers)
				}
				if took := time.Since(begin); took < test.within || took > test.within+time.Second {
					t.Errorf("got cut off after %s, want %s", took, test.within)
				}
				client.Close()
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// loopback lets a pipe seem to come from this machine.
func loopback(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "127.0.0.1:40000"
		next.ServeHTTP(w, r)
	})
}
