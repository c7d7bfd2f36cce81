//go:build unix

package store

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// noterEnv makes the test binary a process that notes in the directory it names,
// until it is killed or whoever holds its standard input is gone.
const noterEnv = "LEDGER_STORE_NOTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(noterEnv); dir != "" {
		log.Fatal(noteForEver(dir))
	}
	goleak.VerifyTestMain(m)
}

// A noter gives an object the versions 1 to last, each when the one before is
// durable, and then forgets it, which counts as one version more.
const (
	noters = 4
	last   = 5
)

// acknowledged is the file, beside the ledger, of what a noter knows to be durable.
const acknowledged = "acknowledged"

// object is what a line of it is about.
type object struct {
	epoch  int
	number uint64
}

func noteForEver(dir string) error {
	s, err := Open(dir, us)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(dir, acknowledged), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	ended := make(chan error)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		ended <- err
	}()
	go func() { ended <- s.Run(context.Background()) }()
	for i := range uint64(noters) {
		go func() {
			for number := i; ; number += noters {
				if err := noteLife(s, out, number); err != nil {
					ended <- err
				}
			}
		}()
	}
	return <-ended
}

func noteLife(s *Store, out *os.File, number uint64) error {
	e := Entry{Kind: 'r', Epoch: s.Identity().Epoch, Number: number}
	for e.Acked = 1; e.Acked <= last+1; e.Acked++ {
		if err := s.Sync(context.Background(), noteVersion(s, e)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%d %d %d\n", e.Epoch, e.Number, e.Acked); err != nil {
			return err
		}
	}
	return nil
}

func noteVersion(s *Store, e Entry) (ticket uint64) {
	if e.Acked > last {
		return s.Forget(e.Kind, e.Epoch, e.Number)
	}
	return s.Note(e)
}

// A stopped process has done exactly what one that is killed at that instant has;
// so one process gives many instants. Each process is killed at last, and the next
// goes on with what it left.
func TestWhatWasSyncedSurvivesAKillAtAnyInstant(t *testing.T) {
	const processes, instants = 4, 15
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range processes {
		noter := startNoter(t, dir)
		for range instants {
			<-time.After(time.Duration(random.IntN(20_000)) * time.Microsecond) // the instant is the point
			stopProcess(t, noter.Process)
			survives(t, copied(t, dir))
			signal(t, noter.Process, syscall.SIGCONT)
		}
		signal(t, noter.Process, syscall.SIGKILL)
		if err := noter.Wait(); noter.ProcessState.Exited() {
			t.Fatalf("got a noter that ended by itself: %v", err)
		}
		survives(t, copied(t, dir))
	}
	if got := len(acknowledgedIn(t, dir)); got < processes*noters {
		t.Errorf("got %d objects acknowledged, want %d at least", got, processes*noters)
	}
}

func startNoter(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	noter := exec.Command(os.Args[0])
	noter.Env = append(os.Environ(), noterEnv+"="+dir)
	noter.Stderr = t.Output()
	if _, err := noter.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := noter.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = noter.Process.Kill() }) // it is dead, unless the test failed
	return noter
}

func signal(t *testing.T, p *os.Process, s os.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func stopProcess(t *testing.T, p *os.Process) {
	t.Helper()
	signal(t, p, syscall.SIGSTOP)
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(p.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("stopping the noter: got status %#x, %v, want it stopped", status, err)
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// acknowledgedIn returns the highest version that was acknowledged of each object.
func acknowledgedIn(t *testing.T, dir string) map[object]uint32 {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, acknowledged))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	all := map[object]uint32{}
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		var key object
		var v uint32
		if _, err := fmt.Sscanf(lines.Text(), "%d %d %d", &key.epoch, &key.number, &v); err != nil {
			t.Fatalf("reading %q: %v", lines.Text(), err)
		}
		all[key] = v
	}
	return all
}

// survives says that what was acknowledged is in the file, or what may have come
// after it.
func survives(t *testing.T, dir string) {
	t.Helper()
	s := opened(t, dir)
	defer s.Close()
	sound(t, s)
	found := map[object]uint32{}
	for _, e := range earlier(t, s) {
		found[object{e.Epoch, e.Number}] = e.Acked
	}
	for key, v := range acknowledgedIn(t, dir) {
		got, there := found[key]
		switch {
		case v > last && there:
			t.Errorf("object %d of epoch %d: got version %d, want it forgotten", key.number, key.epoch, got)
		case v < last && (got < v || got > v+1), v == last && there && got != last:
			t.Errorf("object %d of epoch %d: got version %d, want %d or the next", key.number, key.epoch, got, v)
		}
	}
}
