package report

import (
	"context"
	"math"
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
)

// Bucket is that of a histogram: what is more than Low, up to High, in seconds.
type Bucket struct {
	Low  Figure `json:"low"`
	High Figure `json:"high"` // null: without an end, or not known
}

// classic are the buckets of latencies where histograms are not native.
var classic = func() (all []Bucket) {
	low := 0.
	for _, high := range append(slices.Clone(metric.LatencyBuckets), math.Inf(1)) {
		all, low = append(all, Bucket{Figure(low), Figure(high)}), high
	}
	return all
}()

// buckets asks for native histograms, and returns their buckets by operation, in
// order.
func (p Prometheus) buckets(ctx context.Context, at time.Time, expr string) (map[string][]Bucket, error) {
	vector, err := p.instant(ctx, at, expr)
	by := map[string][]Bucket{}
	for _, s := range vector {
		if s.Histogram == nil {
			continue
		}
		operation := string(s.Metric["operation"])
		for _, b := range s.Histogram.Buckets {
			by[operation] = append(by[operation], Bucket{Figure(b.Lower), Figure(b.Upper)})
		}
	}
	return by, err
}

// bucketOf is the bucket that a quantile was read off: the true one lies in it too, but
// how what is in it spreads there nobody knows. Of a last bucket that has no end the
// lower end is read off. Without native buckets the classic ones count.
func bucketOf(quantile Figure, native []Bucket) Bucket {
	all := native
	if len(all) == 0 {
		all = classic
	}
	i := slices.IndexFunc(all, func(b Bucket) bool { return quantile <= b.High*(1+rounding) })
	if i < 0 || !(quantile > 0) {
		return Bucket{none, none}
	}
	if last := len(all) - 1; math.IsInf(float64(all[last].High), 1) && quantile == all[last].Low {
		i = last
	}
	return all[i]
}

// resolution is how far the true value may be from the one that was read off, at the
// most, as a share of the latter.
func (b Bucket) resolution(read Figure) Figure { return max(read-b.Low, b.High-read) / read }
