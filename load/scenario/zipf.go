package scenario

import (
	"math"
	"math/rand/v2"
)

// zipf draws a rank below n, rank r with a probability proportional to
// (r+1)^−skew; skew 0 is uniform. n may differ from draw to draw. The method is
// rejection-inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to
// generate variates from monotone discrete distributions", ACM TOMACS 6 (1996).
func zipf(r *rand.Rand, skew float64, n int) int {
	if skew == 0 || n < 2 {
		return r.IntN(max(n, 1))
	}
	low, high := integral(1.5, skew)-1, integral(float64(n)+0.5, skew)
	near := 2 - inverse(integral(2.5, skew)-math.Pow(2, -skew), skew)
	for {
		u := high + r.Float64()*(low-high)
		x := inverse(u, skew)
		k := math.Min(math.Max(math.Round(x), 1), float64(n))
		if k-x <= near || u >= integral(k+0.5, skew)-math.Pow(k, -skew) {
			return int(k) - 1
		}
	}
}

// integral is ∫ x^−skew dx, up to a constant.
func integral(x, skew float64) float64 {
	log := math.Log(x)
	return expm1Over((1-skew)*log) * log
}

// inverse is the inverse function of integral.
func inverse(x, skew float64) float64 {
	t := math.Max(x*(1-skew), -1)
	return math.Exp(log1pOver(t) * x)
}

// expm1Over is (e^x − 1) / x, also around 0.
func expm1Over(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Expm1(x) / x
	}
	return 1 + x/2
}

// log1pOver is log(1 + x) / x, also around 0.
func log1pOver(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Log1p(x) / x
	}
	return 1 - x/2
}
