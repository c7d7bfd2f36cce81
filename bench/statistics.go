package bench

import (
	"math/rand/v2"
	"slices"
)

// median returns the middle of values, the mean of two where there is none; 0 of nothing.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// resamples is how often the bootstrap draws; its bounds then differ from draw
// to draw by less than the data's own grain.
const resamples = 10_000

// interval returns the bounds of the median's 95 % confidence, by the percentile
// bootstrap (Efron 1979).
func interval(values []float64, random *rand.Rand) (low, high float64) {
	if len(values) == 0 {
		return 0, 0
	}
	medians := make([]float64, resamples)
	again := make([]float64, len(values))
	for i := range medians {
		for j := range again {
			again[j] = values[random.IntN(len(values))]
		}
		medians[i] = median(again)
	}
	slices.Sort(medians)
	return medians[resamples*25/1000], medians[resamples*975/1000-1]
}

// slope returns the median slope between any two of values that are one step
// apart (Theil 1950, Sen 1968), which single jumps do not move; 0 of fewer than two.
func slope(values []float64) float64 {
	var slopes []float64
	for i, from := range values {
		for j, to := range values[i+1:] {
			slopes = append(slopes, (to-from)/float64(j+1))
		}
	}
	return median(slopes)
}
