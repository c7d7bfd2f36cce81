package load

import (
	"cmp"
	"context"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
)

// drop takes an arrival into account that is not sent.
func (r *Runner) drop(d scenario.Draw, reason metric.DropReason) {
	r.arrived()
	r.metrics.dropped[reason][d.Op.Class(d.Size)].Inc()
	if reason == metric.MaxInFlight {
		r.tally.full.Add(1)
	}
}

func (r *Runner) arrived() {
	r.metrics.arrivals.Inc()
	r.tally.arrivals.Add(1)
}

// start sends an arrival.
func (r *Runner) start(d scenario.Draw, due time.Duration) {
	r.arrived()
	r.pending.Add(1)
	go r.send(d, due)
}

// send is the life of one arrival: prepared, sent, measured, judged. A request
// outlives the load, within its own timeout; it gets the background as context,
// because one that could be cancelled would be a lock that all requests share.
func (r *Runner) send(d scenario.Draw, due time.Duration) {
	defer r.pending.Done()
	defer r.inFlight.Add(-1)
	t := r.tasks.Get().(*scenario.Task)
	defer func() {
		t.Release()
		r.tasks.Put(t)
	}()
	t.Trace = r.Trace.Begin()
	r.world.Prepare(t, d, r.now())
	t.Call.Header = r.Trace.Header(t.Trace)
	sent := r.now()
	err := r.client.Do(context.Background(), &t.Call, &t.Answer)
	answered := r.now()
	if !t.Answer.Answered.IsZero() {
		answered = t.Answer.Answered.Sub(r.origin)
	}
	r.world.Settle(t, err, answered)
	a := arrival{task: t, due: due, sent: sent, answered: answered, origin: r.origin}
	a.exemplar = r.trace(&a, err)
	r.metrics.observe(a)
	r.count(t)
}

// violated counts and logs a wrong answer.
func (r *Runner) violated(v scenario.Violation) {
	count(r.metrics.violationsOf(v.Check, v.Kind), cmp.Or(v.Trace, v.Suspected))
	r.report.tell(v)
}

// count takes an answer into the tally that guards go by.
func (r *Runner) count(t *scenario.Task) {
	r.tally.answered.Add(1)
	if t.Result.Outcome == metric.Failure {
		r.tally.failed.Add(1)
	}
	r.tally.nanoUSD.Add(int64(r.Price(t.Op, r.recordBytes, t.Size) * 1e9))
	if t.Call.Content != nil {
		r.tally.uploaded.Add(t.Call.Content.Size())
		r.uploaded.Add(t.Call.Content.Size())
	}
}
