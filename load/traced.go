package load

import (
	"errors"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/trace"
	"opensaves-soak/opensaves"
)

// exemplar leads from a measurement to the trace of the request that was measured.
type exemplar struct {
	labels  prometheus.Labels
	sampled bool  // the target's side of the trace exists too
	at      int64 // Unix nanoseconds
}

// traced is a histogram's child that prefers, as exemplars, traces that have the
// target's side too.
type traced struct {
	prometheus.Observer
	bounds  []float64
	sampled []atomic.Int64 // when a bucket last got such a one; Unix nanoseconds
}

// preferred is how long an exemplar with both sides keeps off others: a few scrapes.
const preferred = time.Minute

func newTraced(o prometheus.Observer, bounds []float64) *traced {
	return &traced{Observer: o, bounds: bounds, sampled: make([]atomic.Int64, len(bounds)+1)}
}

// observe takes a measurement in; a nil exemplar is none.
func (h *traced) observe(took time.Duration, x *exemplar) {
	seconds := took.Seconds()
	if x == nil || !h.takes(seconds, x) {
		h.Observe(seconds)
		return
	}
	h.Observer.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, x.labels)
}

func (h *traced) takes(seconds float64, x *exemplar) bool {
	last := &h.sampled[sort.SearchFloat64s(h.bounds, seconds)]
	if x.sampled {
		last.Store(x.at)
		return true
	}
	return x.at-last.Load() > int64(preferred)
}

// count counts one, with a trace as exemplar if it has one.
func count(c prometheus.Counter, trace string) {
	if trace == "" {
		c.Inc()
		return
	}
	c.(prometheus.ExemplarAdder).AddWithExemplar(1, labels(trace))
}

func labels(trace string) prometheus.Labels { return prometheus.Labels{"trace_id": trace} }

// trace sends the spans of an arrival if they are kept, and returns what leads to
// them; nil: nothing does. Clocks of the wall are set now and then, so that only
// the distance to now is taken from the arrival.
func (r *Runner) trace(a *arrival, err error) *exemplar {
	t, result := a.task, &a.task.Result
	reason := r.Trace.Keeps(t.Trace, result.Outcome, result.Verdict, a.answered-a.due)
	if reason == "" {
		return nil
	}
	now := time.Now()
	wall := func(at time.Duration) time.Time { return now.Add(at - now.Sub(a.origin)) }
	request := trace.Request{
		Context: t.Trace, For: reason, Operation: t.Op, Drawn: t.Drawn.Op, Class: t.Op.Class(t.Size),
		Outcome: result.Outcome, Code: result.Code, Checked: result.Checked, Check: result.Check, Verdict: result.Verdict,
		Store: strings.Clone(t.Call.Store), Key: strings.Clone(t.Call.Key), // the task's memory is used again
		Wire: t.Answer.Wire, WireCode: result.Code, Connection: t.Answer.Connection, ConnectionWait: t.Answer.ConnectionWait,
		Written: t.Answer.Attempts > 0, Due: wall(a.due), Sent: wall(a.sent), Answered: wall(a.answered),
	}
	if first := t.Answer.FirstByte; !first.IsZero() {
		request.FirstByte = wall(first.Sub(a.origin))
	}
	for _, at := range t.Answer.Resent {
		request.Resent = append(request.Resent, wall(at.Sub(a.origin)))
	}
	if errors.Is(err, opensaves.ErrResent) {
		request.WireCode = metric.OK
	}
	if result.Verdict == metric.Violation {
		request.Violation = result.Kind.String()
	}
	if record := t.Call.Record; record != nil {
		request.Store, request.Key = strings.Clone(record.Store), strings.Clone(record.Key)
	}
	if err != nil {
		request.Error = err.Error()
	}
	if !r.Trace.Send(request) {
		return nil
	}
	return &exemplar{labels: labels(t.Trace.String()), sampled: t.Trace.Sampled, at: now.UnixNano()}
}
