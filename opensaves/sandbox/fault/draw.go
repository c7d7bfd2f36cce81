package fault

import (
	"cmp"
	"time"

	"opensaves-soak/exporter/metric"
)

// Every fault that is drawn has a sequence of its own: the lies first, then the
// others.
const (
	throttleDraws = lies + iota
	errorDraws
	cutDraws
	lateDraws
	delayDraws
	lagDraws
	retryDraws
	refillDraws
	podDraws // by the connection, not one after the other

	sources
)

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
	return time.Duration(p.next(delayDraws) * float64(p.faults.ApplyLate.By)), true
}

// Lags says whether a request looks at the objects as they were a while ago.
func (p *Plan) Lags() bool { return p != nil && p.draw(lagDraws, p.faults.ReadLag.Ratio) }

// Retried says whether the server made a write twice.
func (p *Plan) Retried() bool { return p != nil && p.draw(retryDraws, p.faults.Retry.Ratio) }

// Refills says whether a slow reader fills the cache after a write with what was
// there before.
func (p *Plan) Refills() bool { return p != nil && p.draw(refillDraws, p.faults.CacheRefill.Ratio) }

// Lie returns the lie that a request is answered with: None for most.
func (p *Plan) Lie(op metric.Operation) Lie {
	if p == nil {
		return None
	}
	for _, c := range p.lies[op] {
		if p.draw(int(c.lie), c.ratio) {
			p.told[c.lie].Add(1)
			return c.lie
		}
	}
	return None
}

// Missing says whether queries leave a record out that was last changed then:
// the same ones for as long as the fault is on, whatever else is set meanwhile.
func (p *Plan) Missing(store, record string, changed, now time.Time) bool {
	if p == nil || !p.hides {
		return false
	}
	return p.chosen(QueryMissing, store, record) ||
		now.Sub(changed) >= time.Duration(cmp.Or(p.faults.RotAfter, rotAfter)) && p.chosen(IndexRot, store, record)
}

// chosen says whether a record is one of those that a lie is always told of.
func (p *Plan) chosen(l Lie, store, record string) bool {
	ratio := p.faults.Kinds[l.String()]
	if ratio == 0 || share(mix(hash(hash(p.seed+uint64(l), store), record))) >= ratio {
		return false
	}
	p.told[l].Add(1)
	return true
}

// Told returns how many answers each lie was drawn for, of those that were.
func (p *Plan) Told() map[string]uint64 {
	counts := map[string]uint64{}
	if p == nil {
		return counts
	}
	for l := range p.told {
		if n := p.told[l].Load(); n > 0 {
			counts[Lie(l).String()] = n
		}
	}
	return counts
}

// Bad says whether lies are told over a connection. It depends on when that was
// accepted among the others, 1 for the first: the answer is the same for as long
// as it is open, also when it was open before the fault was set. 0 is none that
// is known, which is good.
func (p *Plan) Bad(connection uint64) bool {
	if p == nil {
		return false
	}
	ratio := p.faults.BadPod.Ratio
	return ratio == 0 || connection > 0 && p.nth(podDraws, connection) < ratio
}

func (p *Plan) draw(source int, ratio float64) bool { return ratio > 0 && p.next(source) < ratio }

// next returns the next number of a sequence, of [0, 1).
func (p *Plan) next(source int) float64 { return p.nth(source, p.draws[source].Add(1)) }

// nth returns a number of a sequence by its place.
func (p *Plan) nth(source int, n uint64) float64 {
	return share(mix(p.seed + uint64(source)<<48 + n*0x9e3779b97f4a7c15))
}

// share maps the upper 53 bits to [0, 1).
func share(x uint64) float64 { return float64(x>>11) * 0x1p-53 }

// mix is the finalizer of SplitMix64, https://prng.di.unimi.it/splitmix64.c.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hash continues h by a string and its length, as FNV-1a does by bytes.
func hash(h uint64, s string) uint64 {
	const prime = 0x100000001b3
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return (h ^ uint64(len(s))) * prime
}
