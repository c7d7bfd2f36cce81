// Package report makes the report of a load test of what a Prometheus has: which
// loads were held and what each showed, which component gave way first, how
// throughput and cost grow, and what drifts. It knows no clock and no files.
package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
)

// Sample is a point of a time series. One whose value is NaN, infinite or
// beyond ±1e150, which nothing measures, counts as absent everywhere.
type Sample struct {
	At    time.Time
	Value float64
}

// Level is a stretch of time in which the same load was asked for.
type Level struct {
	RPS        float64 // the median rate that was asked for, requests a second
	Start, End time.Time
}

// Gap is a time without samples: from the last one before it to the first after it.
type Gap struct {
	Start, End time.Time
}

// LevelRules says what FindLevels takes for a level; negative times count as none.
type LevelRules struct {
	Shortest time.Duration // what a level must last after all cuts; default: 2 minutes
	Settle   time.Duration // cut off its front; default: the median step of the rate's samples
}

const (
	shortestLevel = 2 * time.Minute
	// constancy is how far apart the rates of a level may be, as a share of the highest.
	constancy = 0.005
	// straight is how much of a stretch's variance a straight line explains if
	// the stretch is part of a ramp that is too slow to leave the constancy.
	straight = 0.9
	// rounding is the share of a value below which differences are the arithmetic's own.
	rounding = 1e-9
	// largest is what can be squared and summed.
	largest = 1e150
	// gapSteps is how many median steps without a sample are a gap.
	gapSteps = 5
)

// FindLevels returns the load levels in the fleet's target rate, in requests
// a second, and the gaps in its samples: times between two of them that are
// longer than 5 median steps. Both are in order of time.
//
// A level is a stretch of samples whose rates are within 0.5 % of each other,
// without a pause (rate 0), a gap, or warm-up between them. Warm-up is any
// sample of warmup above 0, those of all replicas together: it spoils the
// rate less than a step from it, so that clocks that are not aligned do no
// harm. Of several samples at one time the highest counts. A ramp so slow that
// parts of it stay within 0.5 % is told by its straightness (R² above 0.9)
// and is no level.
func FindLevels(rate, warmup []Sample, rules LevelRules) ([]Level, []Gap) {
	rate, warmup = tidy(rate), tidy(warmup)
	step := medianStep(rate)
	f := finder{shortest: max(0, cmp.Or(rules.Shortest, shortestLevel)), settle: max(0, cmp.Or(rules.Settle, step))}
	cold := warmth{max(step, medianStep(warmup)), warmup}
	var gaps []Gap
	for i, s := range rate {
		if i > 0 && s.At.Sub(rate[i-1].At)/gapSteps > step {
			f.end()
			gaps = append(gaps, Gap{rate[i-1].At, s.At})
		}
		if s.Value <= 0 || cold.at(s.At) {
			f.end()
			continue
		}
		f.add(s)
	}
	f.end()
	return f.levels, gaps
}

// tidy returns the samples that have a value, by time, one at a time.
func tidy(samples []Sample) []Sample {
	present := make([]Sample, 0, len(samples))
	for _, s := range samples {
		if math.Abs(s.Value) <= largest {
			present = append(present, s)
		}
	}
	slices.SortFunc(present, func(a, b Sample) int {
		if order := a.At.Compare(b.At); order != 0 {
			return order
		}
		return cmp.Compare(b.Value, a.Value)
	})
	return slices.CompactFunc(present, func(a, b Sample) bool { return a.At.Equal(b.At) })
}

// medianStep returns the median time between tidy samples; 0 for fewer than two.
func medianStep(samples []Sample) time.Duration {
	if len(samples) < 2 {
		return 0
	}
	steps := make([]time.Duration, len(samples)-1)
	for i := range steps {
		steps[i] = samples[i+1].At.Sub(samples[i].At)
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// warmth knows when any replica was warming up.
type warmth struct {
	reach   time.Duration // how far a sample tells
	samples []Sample      // tidy
}

func (w warmth) at(t time.Time) bool {
	i, _ := slices.BinarySearchFunc(w.samples, t.Add(-w.reach), func(s Sample, t time.Time) int { return s.At.Compare(t) })
	for ; i < len(w.samples) && w.samples[i].At.Before(t.Add(w.reach)); i++ {
		if w.samples[i].Value > 0 && w.samples[i].At.Sub(t).Abs() < w.reach {
			return true
		}
	}
	return false
}

// finder grows a stretch of constant rate, sample by sample.
type finder struct {
	shortest, settle time.Duration
	stretch          []Sample
	low, high        float64 // of the stretch
	levels           []Level
}

// add grows the stretch. One that the sample does not fit into ends if it is
// long enough, else it loses its oldest samples: what comes up to a level is not held against it.
func (f *finder) add(s Sample) {
	if len(f.stretch) > 0 && !constant(min(f.low, s.Value), max(f.high, s.Value)) && f.long() {
		f.end()
	}
	if len(f.stretch) == 0 {
		f.low, f.high = s.Value, s.Value
	}
	f.stretch = append(f.stretch, s)
	f.low, f.high = min(f.low, s.Value), max(f.high, s.Value)
	for !constant(f.low, f.high) {
		f.stretch = f.stretch[1:]
		f.low, f.high = extremes(f.stretch)
	}
}

func constant(low, high float64) bool { return high-low <= constancy*high }

func extremes(samples []Sample) (low, high float64) {
	byValue := func(a, b Sample) int { return cmp.Compare(a.Value, b.Value) }
	return slices.MinFunc(samples, byValue).Value, slices.MaxFunc(samples, byValue).Value
}

// long says whether the stretch is a level by its length.
func (f *finder) long() bool {
	return len(f.stretch) > 1 && f.stretch[len(f.stretch)-1].At.Sub(f.stretch[0].At)-f.settle >= f.shortest
}

// end ends the stretch, which is a level if it is long enough and no ramp.
func (f *finder) end() {
	if f.long() && !f.ramps() {
		start, end := f.stretch[0].At.Add(f.settle), f.stretch[len(f.stretch)-1].At
		f.levels = append(f.levels, Level{median(values(f.stretch)), start, end})
	}
	f.stretch = nil
}

// ramps says whether the stretch is a piece of a slow ramp.
func (f *finder) ramps() bool {
	if f.high-f.low <= rounding*f.high {
		return false
	}
	seconds := make([]float64, len(f.stretch))
	for i, s := range f.stretch {
		seconds[i] = s.At.Sub(f.stretch[0].At).Seconds()
	}
	r := stat.Correlation(seconds, values(f.stretch), nil)
	return r*r > straight
}

func values(samples []Sample) []float64 {
	list := make([]float64, len(samples))
	for i, s := range samples {
		list[i] = s.Value
	}
	return list
}

// median sorts the list, which must not be empty, and returns its middle.
func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return list[(n-1)/2] + (list[n/2]-list[(n-1)/2])/2
}
