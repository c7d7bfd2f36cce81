package load

import (
	"log/slog"
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
)

// reporter writes a line for a wrong answer, with all that is needed to look
// into it, at most one a second: a broken target must not flood the log.
type reporter struct {
	log *slog.Logger

	mu      sync.Mutex
	last    time.Time
	skipped int
}

// look reports a task's answer if it was a violation.
func (r *reporter) look(t *scenario.Task) {
	if t.Result.Verdict != metric.Violation {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.last) < time.Second {
		r.skipped++
		return
	}
	r.last = now
	result := &t.Result
	r.log.Error("The target gave a wrong answer",
		"kind", result.Reading.Kind.String(), "operation", t.Op.String(), "key", result.Key,
		"seen_version", result.Seen.Version, "seen_absent", result.Seen.Absent, "fault", result.Seen.Fault,
		"lowest_version", result.Reading.Low, "highest_version", result.Reading.High,
		"connection", t.Answer.Connection, "left_out", r.skipped)
	r.skipped = 0
}

// flush says how many lines were left out since the last one.
func (r *reporter) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.skipped > 0 {
		r.log.Error("Wrong answers were left out of the log", "left_out", r.skipped)
	}
}
