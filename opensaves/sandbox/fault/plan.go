package fault

import (
	"cmp"
	"context"
	"reflect"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
)

// Plan draws faults for requests. Its draws depend on the seed and on how many
// were made before, never on timing. It is safe for concurrent use; a nil Plan
// has no faults.
type Plan struct {
	faults Faults
	seed   uint64
	start  time.Time
	lies   [metric.Operations][]chance
	keeps  bool // a lie may need the version before
	hides  bool // queries leave records out
	queue  queue
	slow   Component
	code   metric.Code
	draws  [sources]atomic.Uint64
	told   [lies]atomic.Uint64
}

type chance struct {
	lie   Lie
	ratio float64
}

// NewPlan makes the plan of valid faults; seed is for those that name none, now is
// when stalls begin. Without faults it returns nil.
func NewPlan(f Faults, seed uint64, now time.Time) *Plan {
	if f.empty() {
		return nil
	}
	p := &Plan{faults: f, seed: cmp.Or(f.Seed, seed), start: now}
	p.hides = f.Kinds[QueryMissing.String()]+f.Kinds[IndexRot.String()] > 0
	p.code, _ = metric.ParseCode(f.Error.Code)
	if f.Saturation.RPS > 0 {
		p.slow = parseComponent(f.Saturation.Component)
		p.queue.service = time.Duration(float64(time.Second) / f.Saturation.RPS)
	}
	for lie := range lieTable {
		for _, op := range lieTable[lie].on {
			if ratio := f.Kinds[Lie(lie).String()]; ratio > 0 {
				p.lies[op] = append(p.lies[op], chance{Lie(lie), ratio})
				p.keeps = p.keeps || Lie(lie).needsPrevious()
			}
		}
	}
	return p
}

func (f Faults) empty() bool {
	f.Seed = 0
	if len(f.Kinds) == 0 {
		f.Kinds = nil
	}
	return reflect.DeepEqual(f, Faults{})
}

// Faults returns what the plan was made of.
func (p *Plan) Faults() Faults {
	if p == nil {
		return Faults{}
	}
	return p.faults
}

// Arrive holds a request up as long as a stall and the latency say, or until
// ctx ends, whose error it returns then.
func (p *Plan) Arrive(ctx context.Context) error {
	if p == nil {
		return nil
	}
	return sleep(ctx, p.faults.Stall.left(p.start)+time.Duration(p.faults.Latency))
}

// left returns how long the one still lasts that covers now; start is when the
// fault was set.
func (s Stall) left(start time.Time) time.Duration {
	if s.For == 0 {
		return 0
	}
	return max(0, time.Duration(s.For)-time.Since(start)%time.Duration(s.Every))
}

// Down says whether the database cannot be reached now.
func (p *Plan) Down() bool { return p != nil && p.faults.BackendDown.left(p.start) > 0 }

// Saturated returns the component that is saturated and how long it serves a
// request, 0 where the request does not touch it.
func (p *Plan) Saturated(touched Component) (Component, time.Duration) {
	if p == nil || (touched|Pods)&p.slow == 0 {
		return 0, 0
	}
	return p.slow, p.queue.service
}

// Queue waits for the saturated component, if the request touches it, or until
// ctx ends, whose error it returns then: the component did not serve it.
func (p *Plan) Queue(ctx context.Context, touched Component) error {
	if slow, _ := p.Saturated(touched); slow == 0 {
		return nil
	}
	return p.queue.wait(ctx, time.Since(p.start))
}

// IndexLag is how much later indexes see a write.
func (p *Plan) IndexLag() time.Duration { return time.Duration(p.Faults().IndexLag) }

// CacheTTL is how long the cache holds an entry that writes do not refresh; 0:
// the cache works.
func (p *Plan) CacheTTL() time.Duration { return time.Duration(p.Faults().CacheTTL) }

// ReadLag is how long reads may show an object as it was before a change; 0:
// they do not.
func (p *Plan) ReadLag() time.Duration {
	if p == nil || p.faults.ReadLag.Ratio == 0 {
		return 0
	}
	return time.Duration(p.faults.ReadLag.By)
}

// RestartEvery is how often the server restarts; 0: never.
func (p *Plan) RestartEvery() time.Duration { return time.Duration(p.Faults().Restart.Every) }

// EarlyAckBy is how long after its answer a write has its effect that was
// acknowledged too early.
func (p *Plan) EarlyAckBy() time.Duration {
	return time.Duration(cmp.Or(p.Faults().EarlyAckBy, earlyAckBy))
}

// ExpireAfter is how long after its creation a record vanishes that must not.
func (p *Plan) ExpireAfter() time.Duration {
	return time.Duration(cmp.Or(p.Faults().ExpireAfter, expireAfter))
}

// Defaults.
const (
	earlyAckBy  = Duration(3 * time.Second)
	expireAfter = Duration(24 * time.Hour)
	rotAfter    = Duration(10 * time.Minute)
)

// KeepsPrevious says whether answers may need the version before the last.
func (p *Plan) KeepsPrevious() bool { return p != nil && p.keeps }

// sleep waits for d, or until ctx ends, whose error it returns then.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
