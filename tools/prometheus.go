package tools

import (
	"bytes"
	"net"
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Prometheus starts a real one with some arguments, and returns its address once it
// is ready. It ends with the test.
func Prometheus(t testing.TB, args ...string) (url string) {
	t.Helper()
	address := freeAddress(t)
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), Path(t, "prometheus"), append(args, "--web.listen-address="+address)...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // with the test
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Prometheus: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it ends by that signal
		if t.Failed() {
			t.Logf("Prometheus said:\n%s", said.String())
		}
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ready(t, "http://"+address+"/-/ready") {
			return "http://" + address
		}
	}
	t.Fatal("got a Prometheus that is not ready for a minute")
	return ""
}

func ready(t testing.TB, url string) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// freeAddress is one of loopback that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
