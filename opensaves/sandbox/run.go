package sandbox

import (
	"context"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/fault"
)

// arrive counts a request and holds it up as the faults say.
func (s *Sandbox) arrive(ctx context.Context, op metric.Operation) error {
	s.counts[op].Add(1)
	s.meter.Serve()
	return s.plan.Load().Arrive(ctx)
}

// call is what the faults need to know of a request.
type call struct {
	op       metric.Operation
	touches  fault.Component
	failures *failures // nil: the database is not asked
	hint     hint
	cache    bool // the wire has a cache
	eventual bool // the wire reads without asking for consistency
}

// failures are what a request is answered with when the database does not serve it.
type failures struct {
	throttled []error // each of its calls to the database, in turn, when that is refused
	down      error   // when the database cannot be reached
	again     error   // a write that the server made a second time; nil: as the first
}

// injected is an answer that only a fault made.
type injected metric.Code

func (e injected) Error() string { return "injected fault: " + metric.Code(e).String() }

// manner is how a request reads and writes.
type manner struct {
	now       time.Time
	plan      *fault.Plan
	lie       fault.Lie
	hint      hint
	cache     bool      // the wire has a cache
	lags      bool      // what is looked at is seen as it was before
	refills   bool      // a slow reader puts the version before into the cache
	signature *[16]byte // of the version that is made, if it was answered already
	honest    bool      // over the connection that this came on no lies are told

	usage
}

// applies says whether a write has its effect.
func (m manner) applies() bool {
	return m.lie != fault.LostWrite && m.lie != fault.Resurrected && m.lie != fault.EarlyAck
}

// misses says whether a query leaves the record out.
func (m manner) misses(r *record) bool {
	return m.plan != nil && !m.honest && m.plan.Missing(r.store, r.key, r.updated, m.now)
}

// sign returns the signature of the version that is made.
func (m manner) sign() [16]byte {
	if m.signature != nil {
		return *m.signature
	}
	return newSignature()
}

// run lets a request have its effect, and lets the faults have theirs.
func run[T any](ctx context.Context, s *Sandbox, c *call, effect func(manner) (T, error)) (T, error) {
	plan := s.plan.Load()
	how := manner{now: time.Now(), plan: plan, hint: c.hint, cache: c.cache, usage: usage{meter: &s.meter}}
	if plan == nil {
		return effect(how)
	}
	how.honest = !plan.Bad(connectionOf(ctx))
	var none T
	code, applied, refused := plan.Refused()
	if refused && !applied {
		return none, injected(code)
	}
	if err := how.obstruct(ctx, c); err != nil {
		return none, err
	}
	how.draw(c)
	if writes(c.op) {
		if by, late := plan.Late(); late {
			postpone(s, by, how, effect)
			<-ctx.Done()
			return none, ctx.Err()
		}
	}
	answer, err := effect(how)
	switch {
	case refused:
		return none, injected(code)
	case err != nil:
		return answer, err
	case how.lie == fault.PhantomWrite:
		return none, injected(metric.InvalidArgument)
	case how.lie == fault.EarlyAck:
		how.lie, how.usage = fault.None, usage{} // metered already
		postpone(s, plan.EarlyAckBy(), how, effect)
	case c.failures != nil && c.failures.again != nil && plan.Retried():
		return none, c.failures.again
	}
	return answer, nil
}

// obstruct is what a busy or absent component does to a request.
func (m *manner) obstruct(ctx context.Context, c *call) error {
	if err := m.queue(ctx, c); err != nil || c.failures == nil {
		return err
	}
	if c.failures.down != nil && m.plan.Down() {
		return c.failures.down
	}
	for i, refusal := range c.failures.throttled {
		if m.plan.Throttled() {
			m.throttle(c.op, len(c.failures.throttled)-i)
			return refusal
		}
	}
	return nil
}

// queue waits for the component that is saturated, if the request touches it.
func (m *manner) queue(ctx context.Context, c *call) error {
	slow, service := m.plan.Saturated(c.touches)
	if slow == 0 {
		return nil
	}
	start := time.Now()
	if err := m.plan.Queue(ctx, c.touches); err != nil {
		return err
	}
	m.pass(slow, service, time.Since(start))
	return nil
}

// draw decides how a request reads and writes that no component holds up.
func (m *manner) draw(c *call) {
	m.now = time.Now()
	if !m.honest {
		m.lie = m.plan.Lie(c.op)
	}
	m.lags = c.eventual && m.plan.Lags()
	m.refills = c.cache && writes(c.op) && m.plan.Refills()
	if m.lie == fault.EarlyAck {
		signature := newSignature()
		m.signature = &signature
	}
}

// postpone lets an effect happen later, under the faults of then; nobody is told
// what comes of it.
func postpone[T any](s *Sandbox, by time.Duration, how manner, effect func(manner) (T, error)) {
	time.AfterFunc(by, func() {
		how.now, how.plan = time.Now(), s.plan.Load()
		_, _ = effect(how) // nobody is there to be told
	})
}

// writes says whether an operation changes anything.
func writes(op metric.Operation) bool {
	switch op {
	case metric.CreateBlob, metric.CreateChunkedBlob, metric.UploadChunk, metric.CommitChunkedUpload, metric.AbortChunkedUpload:
		return true
	}
	return op.Class(0) == metric.Write
}
