package report

import (
	"context"
	"math"
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
)

// bucket is what lies above low, up to high.
type bucket struct{ low, high float64 }

// classic are the buckets of latencies where histograms are not native.
var classic = func() (all []bucket) {
	low := 0.
	for _, high := range append(slices.Clone(metric.LatencyBuckets), math.Inf(1)) {
		all, low = append(all, bucket{low, high}), high
	}
	return all
}()

// buckets asks for native histograms, and returns their buckets by operation, in
// order.
func (p Prometheus) buckets(ctx context.Context, at time.Time, expr string) (map[string][]bucket, error) {
	vector, err := p.instant(ctx, at, expr)
	by := map[string][]bucket{}
	for _, s := range vector {
		if s.Histogram == nil {
			continue
		}
		operation := string(s.Metric["operation"])
		for _, b := range s.Histogram.Buckets {
			by[operation] = append(by[operation], bucket{float64(b.Lower), float64(b.Upper)})
		}
	}
	return by, err
}

// resolution is how far the true quantile may be from the one that was read off a
// histogram, as a share of the latter: both lie in the same bucket, but how what is
// in it spreads there nobody knows. It is infinite in a last bucket that has no upper
// end, of which the lower one is read off. Without native buckets the classic ones count.
func resolution(quantile Figure, native []bucket) Figure {
	all := native
	if len(all) == 0 {
		all = classic
	}
	q := float64(quantile)
	i := slices.IndexFunc(all, func(b bucket) bool { return q <= b.high*(1+rounding) })
	if i < 0 || !(q > 0) {
		return none
	}
	if last := len(all) - 1; math.IsInf(all[last].high, 1) && q == all[last].low {
		i = last
	}
	return Figure(max(q-all[i].low, all[i].high-q) / q)
}
