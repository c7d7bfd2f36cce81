//go:build unix

package store

import (
	"os"
	"os/exec"
	ossignal "os/signal"
	"syscall"
	"testing"
)

// limitedEnv makes the test binary a process that may limit the size of its files.
const limitedEnv = "LEDGER_STORE_LIMITED"

// A limit of the size of files is as good as a full disk, and needs no privilege.
// It holds for a whole process, hence one of its own.
func TestWhatAFullDiskRefusesIsWrittenWhenThereIsRoomAgain(t *testing.T) {
	if os.Getenv(limitedEnv) == "" {
		limited := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		limited.Env = append(os.Environ(), limitedEnv+"=1")
		if out, err := limited.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	ossignal.Ignore(syscall.SIGXFSZ) // so that writing fails instead
	cases := map[string]func(size int64) uint64{
		"the file may not grow":        func(size int64) uint64 { return uint64(size) },
		"some of it may be written":    func(size int64) uint64 { return uint64(size)/2 + 100 },
		"nothing but its first page":   func(int64) uint64 { return uint64(os.Getpagesize()) },
		"nothing of it may be written": func(int64) uint64 { return 0 },
	}
	for name, limit := range cases {
		t.Run(name, func(t *testing.T) { fillAndHeal(t, limit) })
	}
}

func fillAndHeal(t *testing.T, limit func(size int64) uint64) {
	const step, attempts = 2000, 3
	dir := left(t, step)
	s := opened(t, dir)
	told := 0
	s.OnError = func(error) { told++ }
	free := limitFiles(t, limit(fileBytes(t, dir)))

	var ticket uint64
	for attempt := range uint64(attempts) {
		s.Note(Entry{Kind: 'r', Epoch: 1, Number: step, Doomed: true}) // a state that a newer one replaces
		for n := step * (attempt + 1); n < step*(attempt+2); n++ {
			ticket = s.Note(nth(n))
		}
		if attempt > 0 {
			ticket = s.Note(nth(step))
		}
		if err := s.flush(); err == nil {
			t.Error("got a flush on a full disk, want an error")
		}
		if !s.Failed() || s.Synced() >= ticket {
			t.Errorf("got failed %t, synced %d, want a failure and less than %d", s.Failed(), s.Synced(), ticket)
		}
	}
	if told != attempts {
		t.Errorf("got %d failures told, want %d", told, attempts)
	}

	free()
	flushed(t, s)
	if s.Failed() || s.Synced() < ticket {
		t.Errorf("got failed %t, synced %d, want no failure and %d", s.Failed(), s.Synced(), ticket)
	}
	sound(t, s)
	s.Close()
	if got := readAll(t, opened(t, dir)); got != step*(attempts+1) {
		t.Errorf("got %d entries, want %d", got, step*(attempts+1))
	}
}

// limitFiles limits the size that files may be written to; free lifts it.
func limitFiles(t *testing.T, bytes uint64) (free func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	set(syscall.Rlimit{Cur: bytes, Max: before.Max})
	return func() { set(before) }
}
