package trace

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// Reason is why a request's spans are kept; the value of the attribute
// opensaves_soak.kept_for. Traces of any other than Head have the client's side
// alone, because the target was told not to join.
type Reason string

// The reasons, the strongest first.
const (
	Head      Reason = "head"      // it is of the sampled share
	Violation Reason = "violation" // its answer was wrong
	Error     Reason = "error"     // it failed
	Suspect   Reason = "suspect"   // its answer may turn out to be wrong
	Slow      Reason = "slow"      // its response time was over tracing.slow
)

// Request is an arrival that was answered and is kept.
type Request struct {
	Context
	For            Reason
	Operation      metric.Operation
	Drawn          metric.Operation // what it was before it was converted
	Class          metric.Class
	Outcome        metric.Outcome
	Code           metric.Code
	Checked        bool
	Check          metric.Check
	Verdict        metric.Result
	Violation      string // what was wrong with the answer; empty: it was not
	Store, Key     string // of what it was about
	Error          string // what the target or the transport said
	Wire           opensaves.Wire
	WireCode       metric.Code // of the last answer; OK too where only being sent again made the call fail
	Connection     string
	ConnectionWait time.Duration
	Written        bool        // to a connection, at all
	Resent         []time.Time // when it was written again

	Due, Sent, Answered time.Time // the three clocks
	FirstByte           time.Time // of a blob; zero: none
}

// spans is how many the request has: one for the arrival, and one for each attempt.
func (r *Request) spans() int {
	if !r.Written {
		return 1
	}
	return 2 + len(r.Resent)
}
