package kube

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// readiness is how long a process may take to be ready: seconds, more on a busy machine.
const readiness = 2 * time.Minute

// grace is how long a process may take to end before it is killed.
const grace = 10 * time.Second

// process is a program that runs until it is told to end, at the latest with its test.
type process struct {
	*exec.Cmd
	t    testing.TB
	log  string // path of what it says
	stop context.CancelFunc
	done chan struct{} // closed once it has ended
}

func launch(t testing.TB, path string, args ...string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(path)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the process has one of its own
	// What a test cleans up may need the process after the test's own context is done.
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{Cmd: exec.CommandContext(ctx, path, args...), t: t, log: log.Name(), stop: stop, done: make(chan struct{})}
	p.Stdout, p.Stderr = log, log
	p.Cancel, p.WaitDelay = p.terminate, grace
	if err := p.Cmd.Start(); err != nil {
		stop()
		t.Fatalf("starting %s: %v", path, err)
	}
	go func() {
		defer close(p.done)
		_ = p.Wait() // it ends by a signal, or await shows what it said
	}()
	t.Cleanup(p.end)
	return p
}

// terminate also wakes the process where it was stopped, for it would not hear.
func (p *process) terminate() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Process.Signal(syscall.SIGCONT)
}

// stopped returns once a process that was told to stop has done so.
func (p *process) stopped() error {
	for {
		if err := unix.Waitid(unix.P_PID, p.Process.Pid, nil, unix.WSTOPPED, nil); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// end ends the process where it still runs, and returns once it has ended.
func (p *process) end() {
	p.stop()
	<-p.done
}

// await asks a URL again and again until it answers 200. It fails the test with what
// the process said where that ends or the time is over.
func (p *process) await(client *http.Client, url string) {
	p.t.Helper()
	deadline := time.After(readiness)
	for !p.answers(client, url) {
		select {
		case <-p.done:
			p.t.Fatalf("running %s: got %v before it was ready; it said: %s", p.Path, p.ProcessState, p.said())
		case <-deadline:
			p.t.Fatalf("running %s: not ready within %v; it said: %s", p.Path, readiness, p.said())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *process) answers(client *http.Client, url string) bool {
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// said is the last of what the process said, 4 KiB at most.
func (p *process) said() []byte {
	said, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return said[max(0, len(said)-4<<10):]
}

// hold binds a port of loopback until the test has ended and does not listen: nobody
// else gets that port before a server listens there, or while that is down, and
// connections are refused. The server must set SO_REUSEPORT.
func hold(t testing.TB) int {
	t.Helper()
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatalf("making a socket: %v", err)
	}
	unix.CloseOnExec(socket)
	t.Cleanup(func() { _ = unix.Close(socket) }) // nothing was written
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		t.Fatalf("sharing a port: %v", err)
	}
	if err := unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatalf("binding a port: %v", err)
	}
	address, err := unix.Getsockname(socket)
	if err != nil {
		t.Fatalf("asking for the port: %v", err)
	}
	return address.(*unix.SockaddrInet4).Port
}
