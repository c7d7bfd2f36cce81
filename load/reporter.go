package load

import (
	"log/slog"
	"sync"
	"time"

	"opensaves-soak/load/scenario"
)

// reporter writes a line for a wrong answer, with all that is needed to look
// into it, at most one a second: a broken target must not flood the log.
type reporter struct {
	log *slog.Logger

	mu      sync.Mutex
	last    time.Time
	skipped int
	brought map[string]int // violations by connection, so that one bad pod shows
}

// connectionsTold bounds how many connections are told apart.
const connectionsTold = 1000

// tell reports a violation.
func (r *reporter) tell(v scenario.Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	brought := r.count(v.Connection)
	now := time.Now()
	if now.Sub(r.last) < time.Second {
		r.skipped++
		return
	}
	r.last = now
	traced := r.log
	if v.Trace != "" {
		traced = traced.With("trace_id", v.Trace)
	}
	if v.Suspected != "" {
		traced = traced.With("suspected_trace_id", v.Suspected)
	}
	traced.Error("The target gave a wrong answer",
		"kind", v.Kind.String(), "check", v.Check.String(), "operation", v.Op.String(), "store", v.Store, "key", v.Key,
		"seen_version", v.Seen.Version, "seen_absent", v.Seen.Absent, "fault", v.Seen.Fault, "detail", v.Detail,
		"lowest_version", v.Low, "highest_version", v.High, "age", v.Age, "writes", v.Past,
		"connection", v.Connection, "by_connection", brought, "left_out", r.skipped)
	r.skipped = 0
}

// count returns how many violations a connection has brought.
func (r *reporter) count(connection string) int {
	if r.brought == nil || len(r.brought) >= connectionsTold {
		r.brought = map[string]int{}
	}
	r.brought[connection]++
	return r.brought[connection]
}

// flush says how many lines were left out since the last one.
func (r *reporter) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.skipped > 0 {
		r.log.Error("Wrong answers were left out of the log", "left_out", r.skipped)
	}
}
