package bench

import (
	"math/rand/v2"
	"testing"
)

func TestMedian(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   float64
	}{
		"of nothing is 0":                {nil, 0},
		"of one is that one":             {[]float64{3}, 3},
		"of an odd count is the middle":  {[]float64{9, 1, 5}, 5},
		"of an even count is their mean": {[]float64{4, 1, 2, 100}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := median(test.values); got != test.want {
				t.Errorf("median(%v): got %v, want %v", test.values, got, test.want)
			}
		})
	}
}

func TestIntervalOfEqualValuesIsThatValue(t *testing.T) {
	low, high := interval([]float64{1.1, 1.1, 1.1}, rand.New(rand.NewPCG(1, 2)))
	if low != 1.1 || high != 1.1 {
		t.Errorf("got %v to %v, want 1.1 to 1.1", low, high)
	}
}

// The promise of an interval is how often it holds the truth. The percentile
// bootstrap keeps its 95 % only roughly at nine values.
func TestIntervalHoldsTheTrueMedianAboutAsOftenAsPromised(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const runs = 100
	held := 0
	for range runs {
		values := make([]float64, 9)
		for i := range values {
			values[i] = 1.2 + 0.05*random.NormFloat64()
		}
		low, high := interval(values, random)
		if low > high {
			t.Fatalf("got %v to %v, want them in order", low, high)
		}
		if low <= 1.2 && 1.2 <= high {
			held++
		}
	}
	if held < 88 {
		t.Errorf("got the truth within %d of %d intervals, want at least 88", held, runs)
	}
}

func TestSlope(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   float64
	}{
		"of nothing is 0":               {nil, 0},
		"of one value is 0":             {[]float64{7}, 0},
		"of a line is its own":          {[]float64{1, 3, 5, 7}, 2},
		"is not moved by a single jump": {[]float64{5, 5, 5, 500, 5, 5, 5}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := slope(test.values); got != test.want {
				t.Errorf("slope(%v): got %v, want %v", test.values, got, test.want)
			}
		})
	}
}
