package main

import (
	"maps"
	"math"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// histogram is a histogram of durations in the forms that it is there in.
type histogram struct {
	created time.Time           // of its last reset
	classic map[float64]float64 // observations by upper bound in seconds, not cumulative; nil: no classic form
	native  *native             // nil: no native form
}

// native is a histogram whose bucket i reaches from base^(i-1) to base^i, with
// base 2^(2^-schema), see https://prometheus.io/docs/specs/native_histograms/.
// What is below its zero bucket counts as in it: durations are not negative.
type native struct {
	schema    int32
	counts    map[int32]float64 // observations by index
	zero      float64           // observations in the zero bucket
	threshold float64           // upper bound of the zero bucket, in seconds
}

// decode reads a histogram of a registry.
func decode(d *dto.Histogram) histogram {
	h := histogram{created: d.GetCreatedTimestamp().AsTime()}
	if d.Schema != nil {
		h.native = decodeNative(d)
	}
	if len(d.Bucket) == 0 {
		return h
	}
	h.classic = map[float64]float64{}
	below := uint64(0)
	for _, b := range d.Bucket {
		h.classic[b.GetUpperBound()] += float64(b.GetCumulativeCount() - below)
		below = b.GetCumulativeCount()
	}
	h.classic[math.Inf(1)] += float64(d.GetSampleCount() - below)
	return h
}

func decodeNative(d *dto.Histogram) *native {
	n := &native{schema: d.GetSchema(), counts: map[int32]float64{}, zero: float64(d.GetZeroCount()), threshold: d.GetZeroThreshold()}
	negative := spread(d.NegativeSpan, d.NegativeDelta)
	for _, count := range negative {
		n.zero += count
	}
	n.counts = spread(d.PositiveSpan, d.PositiveDelta)
	return n
}

// spread undoes the compression of buckets: spans name indexes, each relative
// to the end of the last one, and each count is a difference to the one before.
func spread(spans []*dto.BucketSpan, deltas []int64) map[int32]float64 {
	counts := map[int32]float64{}
	index, count, next := int32(0), int64(0), 0
	for _, span := range spans {
		index += span.GetOffset()
		for range span.GetLength() {
			count += deltas[next]
			counts[index] += float64(count)
			index++
			next++
		}
	}
	return counts
}

// since is what was observed after an earlier state of the same histogram. A
// native one that got too many buckets may have begun again in between.
func (h histogram) since(before histogram) histogram {
	if !h.created.Equal(before.created) {
		return h
	}
	return h.plus(before, -1)
}

// plus adds a number of times what another one observed.
func (h histogram) plus(other histogram, times float64) histogram {
	sum := histogram{created: h.created, classic: maps.Clone(h.classic)}
	if sum.classic == nil && other.classic != nil {
		sum.classic = map[float64]float64{}
	}
	for bound, count := range other.classic {
		sum.classic[bound] += times * count
	}
	switch {
	case other.native == nil:
		sum.native = h.native
	case h.native == nil:
		sum.native = (&native{schema: other.native.schema}).plus(other.native, times)
	default:
		sum.native = h.native.plus(other.native, times)
	}
	return sum
}

// plus brings both to the coarser form, as a histogram with too many buckets
// does to itself.
func (n *native) plus(other *native, times float64) *native {
	schema, threshold := min(n.schema, other.schema), max(n.threshold, other.threshold)
	sum, more := n.coarse(schema, threshold), other.coarse(schema, threshold)
	sum.zero += times * more.zero
	for index, count := range more.counts {
		sum.counts[index] += times * count
	}
	return sum
}

// coarse is a copy with larger buckets and a larger zero bucket.
func (n *native) coarse(schema int32, threshold float64) *native {
	c := &native{schema: schema, counts: map[int32]float64{}, zero: n.zero, threshold: threshold}
	for index, count := range n.counts {
		if threshold > n.threshold && n.bound(index) <= threshold {
			c.zero += count
			continue
		}
		c.counts[(index-1)>>(n.schema-schema)+1] += count
	}
	return c
}

// bound is the upper bound of a bucket, in seconds.
func (n *native) bound(index int32) float64 {
	return math.Exp2(math.Ldexp(float64(index), -int(n.schema)))
}

// bucket is observations between two bounds in seconds.
type bucket struct {
	lower, upper, count float64
	geometric           bool // how observations are taken to lie in it: else evenly
}

// buckets lists those that hold something, the lowest first: the native ones,
// which are narrower, where they are there.
func (h histogram) buckets() []bucket {
	var list []bucket
	add := func(b bucket) {
		if b.count > 0 {
			list = append(list, b)
		}
	}
	if n := h.native; n != nil {
		add(bucket{upper: n.threshold, count: n.zero})
		for _, index := range slices.Sorted(maps.Keys(n.counts)) {
			add(bucket{lower: max(n.bound(index-1), n.threshold), upper: n.bound(index), count: n.counts[index], geometric: true})
		}
		return list
	}
	lower := 0.0
	for _, bound := range slices.Sorted(maps.Keys(h.classic)) {
		add(bucket{lower: lower, upper: bound, count: h.classic[bound]})
		lower = bound
	}
	return list
}

// at is the duration below which a share of the bucket lies. Like Prometheus,
// it takes the last finite bound for what is beyond it.
func (b bucket) at(share float64) float64 {
	switch {
	case math.IsInf(b.upper, 1):
		return b.lower
	case b.geometric:
		return b.lower * math.Pow(b.upper/b.lower, share)
	}
	return b.lower + (b.upper-b.lower)*share
}

// below is the share of the bucket that lies below a duration.
func (b bucket) below(limit float64) float64 {
	switch {
	case limit >= b.upper:
		return 1
	case limit <= b.lower || math.IsInf(b.upper, 1):
		return 0
	case b.geometric:
		return math.Log(limit/b.lower) / math.Log(b.upper/b.lower)
	}
	return (limit - b.lower) / (b.upper - b.lower)
}

// count is how many observations there are.
func (h histogram) count() (sum float64) {
	for _, b := range h.buckets() {
		sum += b.count
	}
	return sum
}

// quantile is the duration in seconds that a share of the observations does
// not exceed, as histogram_quantile of PromQL has it; NaN where there are none.
func (h histogram) quantile(share float64) float64 {
	buckets := h.buckets()
	if len(buckets) == 0 {
		return math.NaN()
	}
	rank := share * h.count()
	for _, b := range buckets {
		if rank <= b.count {
			return b.at(rank / b.count)
		}
		rank -= b.count
	}
	return buckets[len(buckets)-1].at(1)
}

// most is a duration in seconds that no observation exceeds; NaN where there
// are none.
func (h histogram) most() float64 {
	buckets := h.buckets()
	if len(buckets) == 0 {
		return math.NaN()
	}
	return buckets[len(buckets)-1].upper
}

// within is how many observations do not exceed a duration in seconds: exactly
// where it is a bound of the classic form, else by interpolation.
func (h histogram) within(limit float64) (count float64) {
	if _, exact := h.classic[limit]; exact {
		h.native = nil
	}
	for _, b := range h.buckets() {
		count += b.count * b.below(limit)
	}
	return count
}
