package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"opensaves-soak/exporter/metric"
)

// screen is where progress and log lines meet: a terminal has one line that is
// written again and again, and log lines must not run into it.
type screen struct {
	stdout, stderr io.Writer

	mu    sync.Mutex
	drawn bool
}

// eraseLine wipes the line that the cursor is on, see ECMA-48, EL.
const eraseLine = "\r\x1b[2K"

// Write writes to the log.
func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
	return s.stderr.Write(text)
}

// line shows a line, in the place of the last one where stdout is a terminal.
func (s *screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	columns, refreshes := s.terminal()
	if !refreshes {
		fmt.Fprintln(s.stdout, text)
		return
	}
	s.wipe()
	fmt.Fprintf(s.stdout, "%.*s", max(columns-1, 1), text) // a line that wraps could not be wiped
	s.drawn = true
}

// finish wipes the line, for good.
func (s *screen) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wipe()
}

func (s *screen) wipe() {
	if s.drawn {
		fmt.Fprint(s.stdout, eraseLine)
		s.drawn = false
	}
}

// terminal returns how wide stdout is, and whether it is a terminal at all.
func (s *screen) terminal() (columns int, ok bool) {
	file, ok := s.stdout.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	return columns, err == nil
}

// How often progress is shown.
const (
	refreshEvery = time.Second      // on a terminal
	lineEvery    = 10 * time.Second // elsewhere
)

// progress shows how a run goes.
type progress struct {
	screen  *screen
	records int // that make the working set warm
	last    time.Time
}

// sight is what there is to show.
type sight struct {
	recent, total snapshot // since the last line, and of the whole run
	warm          bool     // the working set
	phase         string   // of the run, then
}

// due says whether it is time to show something.
func (p *progress) due(now time.Time) bool {
	every := lineEvery
	if _, refreshes := p.screen.terminal(); refreshes {
		every = refreshEvery
	}
	return now.Sub(p.last) >= every
}

// show shows a line of what happened since the last one.
func (p *progress) show(now time.Time, s sight) {
	seconds := now.Sub(p.last).Seconds()
	p.last = now
	phase := s.phase
	if !s.warm {
		live := s.total.sum(metric.WorkingSetObjects, labels{"kind": "record"})
		phase = fmt.Sprintf("warming up: %.0f of %d records", live, p.records)
	}
	p.screen.line(strings.Join([]string{
		phase,
		fmt.Sprintf("%.1f requests/s", s.recent.sum(metric.Requests, nil)/seconds),
		"p99 " + shortly(s.recent.histogram(metric.ResponseTime, nil).quantile(0.99)),
		fmt.Sprintf("violations %.0f", s.total.sum(metric.CheckViolations, nil)),
		fmt.Sprintf("dropped %.0f", s.total.sum(metric.ArrivalsDropped, nil)),
		fmt.Sprintf("in flight %.0f", s.total.sum(metric.InFlight, nil)),
	}, " | "))
}
