package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal of some columns: what the
// program writes to, and what its user sees.
func openTerminal(t *testing.T, columns uint16) (program, user *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return program, user
}

func TestATerminalShowsOneLineThatLogLinesDoNotRunInto(t *testing.T) {
	program, user := openTerminal(t, 12)
	s := &screen{stdout: program, stderr: program}
	s.line("one line")
	s.line("a line that is too wide")
	fmt.Fprintln(s, "a log line")
	s.line("µs, µs, µs, µs")
	s.finish()
	want := "one line" + eraseLine + "a line that" + eraseLine + "a log line\r\n" + "µs, µs, µs," + eraseLine
	got := make([]byte, len(want))
	if _, err := io.ReadFull(user, got); err != nil || string(got) != want {
		t.Errorf("got %q, want %q (%v)", got, want, err)
	}
}

func TestWhatIsNoTerminalGetsPlainLines(t *testing.T) {
	var stdout, stderr strings.Builder
	s := &screen{stdout: &stdout, stderr: &stderr}
	s.line("one line")
	fmt.Fprintln(s, "a log line")
	s.line("another line")
	s.finish()
	if got, want := stdout.String()+stderr.String(), "one line\nanother line\na log line\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
