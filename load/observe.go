package load

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
)

// arrival is one that was answered, as the metrics see it.
type arrival struct {
	task                *scenario.Task
	due, sent, answered time.Duration
	origin              time.Time
	exemplar            *exemplar // nil: it has no trace that can be looked at
}

// observe takes an arrival into all metrics.
func (m *metrics) observe(a arrival) {
	t := a.task
	r, op, class := &t.Result, t.Op, t.Op.Class(t.Size)
	m.requestsOf(op, class, r.Outcome, r.Code).Inc()
	m.lag.Observe((a.sent - a.due).Seconds())
	m.wait.Observe(t.Answer.ConnectionWait.Seconds())
	if t.Answer.Responded {
		m.durationOf(op, class).observe(a.answered-a.sent, a.exemplar)
	}
	m.responseOf(op, class, r.Outcome).observe(a.answered-a.due, a.exemplar)
	m.payloadOf(op, 0).Add(float64(t.Answer.Sent))
	m.payloadOf(op, 1).Add(float64(t.Answer.Received))
	if op != t.Drawn.Op {
		m.convertedOf(t.Drawn.Op, op).Inc()
	}
	if r.Unknown {
		m.unknown.Inc()
	}
	m.observeBlob(a)
	m.observeCache(a)
	m.observeCheck(a)
}

func (m *metrics) observeBlob(a arrival) {
	t := a.task
	if !t.Op.Transfers() || t.Result.Outcome != metric.Success {
		return
	}
	size := metric.BlobSizeOf(max(t.Answer.Size, 0))
	reads := t.Op == metric.GetBlob || t.Op == metric.GetBlobChunk
	if !reads {
		size = metric.BlobSizeOf(t.Size)
	}
	m.blobOf(t.Op, size, 0).observe(a.answered-a.due, a.exemplar)
	if first := t.Answer.FirstByte; reads && !first.IsZero() {
		m.blobOf(t.Op, size, 1).observe(first.Sub(a.origin)-a.due, a.exemplar)
	}
}

// observeCache compares reads that may come from a cache; only the scenario
// made for it gives comparable ones.
func (m *metrics) observeCache(a arrival) {
	t := a.task
	if !t.Drawn.Hot || t.Result.Code != metric.OK {
		return
	}
	access := 0
	if t.Result.First {
		access = 1
	}
	switch t.Op {
	case metric.GetRecord, metric.GetBlob:
		m.cacheOf(t.Op, hintOf(t), access).observe(a.answered-a.sent, a.exemplar)
	case metric.GetStore:
		m.cacheOf(t.Op, hintNone, access).observe(a.answered-a.sent, a.exemplar)
	}
}

func hintOf(t *scenario.Task) int {
	switch {
	case !t.Hinted:
		return hintNone
	case t.Call.Hint.SkipCache:
		return hintSkip
	}
	return hintDefault
}

// observeCheck takes what the oracle made of an answer.
func (m *metrics) observeCheck(a arrival) {
	r := &a.task.Result
	if !r.Checked {
		return
	}
	m.checks[r.Check][r.Verdict].Inc()
	if r.Verdict == metric.Suspect {
		m.stalenessOf(a.task.Op).observe(max(0, r.Age), a.exemplar)
	}
	if r.Backwards {
		m.nonMonotonic.Inc()
	}
}
