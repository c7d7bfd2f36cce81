package fault

import (
	"context"
	"hash/maphash"
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
	keys   maphash.Seed
	start  time.Time
	lies   [metric.Operations][]chance
	queue  queue
	slow   Component
	code   metric.Code
	draws  [sources]atomic.Uint64
}

type chance struct {
	lie   Lie
	ratio float64
}

// The faults other than lies have a sequence of draws each, too.
const (
	throttleDraws = lies + iota
	errorDraws
	cutDraws
	lateDraws

	sources
)

// NewPlan makes the plan of valid faults; now is when stalls begin. Without
// faults it returns nil.
func NewPlan(f Faults, seed uint64, now time.Time) *Plan {
	if f.empty() {
		return nil
	}
	p := &Plan{faults: f, seed: seed, keys: maphash.MakeSeed(), start: now}
	p.code, _ = metric.ParseCode(f.Error.Code)
	if f.Saturation.RPS > 0 {
		p.slow = parseComponent(f.Saturation.Component)
		p.queue.service = time.Duration(float64(time.Second) / f.Saturation.RPS)
	}
	for lie := range lieTable {
		for _, op := range lieTable[lie].on {
			if ratio := f.Kinds[Lie(lie).String()]; ratio > 0 {
				p.lies[op] = append(p.lies[op], chance{Lie(lie), ratio})
			}
		}
	}
	return p
}

func (f Faults) empty() bool {
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
	return sleep(ctx, p.stalled(time.Now())+time.Duration(p.faults.Latency))
}

// stalled returns how long the stall lasts that covers now.
func (p *Plan) stalled(now time.Time) time.Duration {
	s := p.faults.Stall
	if s.For == 0 {
		return 0
	}
	return max(0, time.Duration(s.For)-now.Sub(p.start)%time.Duration(s.Every))
}

// Queue waits for the saturated component, if the request touches it, or until
// ctx ends, whose error it returns then: the component did not serve it.
func (p *Plan) Queue(ctx context.Context, touched Component) error {
	if p == nil || (touched|Pods)&p.slow == 0 {
		return nil
	}
	return p.queue.wait(ctx, time.Since(p.start))
}

// Throttled says whether the next call to the database is refused.
func (p *Plan) Throttled() bool { return p != nil && p.draw(throttleDraws, p.faults.DynamoDBThrottle) }

// Refused says whether a request ends with the returned code although nothing
// is wrong with it, and whether it has its effect all the same.
func (p *Plan) Refused() (code metric.Code, effect, refused bool) {
	if p == nil || !p.draw(errorDraws, p.faults.Error.Ratio) {
		return metric.OK, true, false
	}
	return p.code, p.faults.Error.Apply == after, true
}

// Cut says whether an answer's connection is cut.
func (p *Plan) Cut() bool { return p != nil && p.draw(cutDraws, p.faults.Cut) }

// Late says whether a write is applied late and never answered, and by how much.
func (p *Plan) Late() (by time.Duration, late bool) {
	if p == nil || !p.draw(lateDraws, p.faults.ApplyLate.Ratio) {
		return 0, false
	}
	return time.Duration(p.faults.ApplyLate.By), true
}

// Lie returns the lie that a request is answered with: None for most.
func (p *Plan) Lie(op metric.Operation) Lie {
	if p == nil {
		return None
	}
	for _, c := range p.lies[op] {
		if p.draw(int(c.lie), c.ratio) {
			return c.lie
		}
	}
	return None
}

// Missing says whether queries leave the record out: the same ones for as long
// as the plan is in force.
func (p *Plan) Missing(store, record string) bool {
	if p == nil || p.faults.Kinds[QueryMissing.String()] == 0 {
		return false
	}
	key := [2]string{store, record}
	return share(maphash.Comparable(p.keys, key)) < p.faults.Kinds[QueryMissing.String()]
}

// IndexLag is how much later indexes see a write.
func (p *Plan) IndexLag() time.Duration { return time.Duration(p.Faults().IndexLag) }

// CacheTTL is how long the cache holds an entry that writes do not refresh; 0:
// the cache works.
func (p *Plan) CacheTTL() time.Duration { return time.Duration(p.Faults().CacheTTL) }

// KeepsPrevious says whether answers may need the version before the last.
func (p *Plan) KeepsPrevious() bool { return p != nil && len(p.lies[metric.GetRecord]) > 0 }

func (p *Plan) draw(source int, ratio float64) bool {
	if ratio <= 0 {
		return false
	}
	n := p.draws[source].Add(1)
	return share(mix(p.seed+uint64(source)<<48+n*0x9e3779b97f4a7c15)) < ratio
}

// share maps the upper 53 bits to [0, 1).
func share(x uint64) float64 { return float64(x>>11) * 0x1p-53 }

// mix is the finalizer of SplitMix64, https://prng.di.unimi.it/splitmix64.c.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

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
