package fault

import (
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
			return c.lie
		}
	}
	return None
}

// Missing says whether queries leave the record out: the same ones for as long
// as the fault is on, whatever else is set meanwhile.
func (p *Plan) Missing(store, record string) bool {
	if p == nil || p.faults.Kinds[QueryMissing.String()] == 0 {
		return false
	}
	h := hash(hash(p.seed, store), record)
	return share(mix(h)) < p.faults.Kinds[QueryMissing.String()]
}

func (p *Plan) draw(source int, ratio float64) bool { return ratio > 0 && p.next(source) < ratio }

// next returns the next number of a sequence, of [0, 1).
func (p *Plan) next(source int) float64 {
	n := p.draws[source].Add(1)
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
