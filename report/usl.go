package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
)

// Point is what was measured at a load.
type Point struct {
	N      float64 // requests in flight, the mean
	X      float64 // throughput, requests a second
	Weight float64 // how much its squared residual counts, relative to the others; 0 counts as 1
}

// Estimate is a value and its 95 % confidence interval, whose ends may be infinite.
type Estimate struct {
	Value, Low, High float64
}

// USL is the Universal Scalability Law (Gunther, Guerrilla Capacity Planning,
// 2007) with the parameters that fit best:
//
//	X(N) = λN / (1 + σ(N−1) + κN(N−1)),  λ > 0, 0 ≤ σ < 1, κ ≥ 0
//
// N is a mean here and may be below 1. The formula holds there as it stands:
// a single queue (M/M/1) of service rate μ has X = μN/(1+N) for every mean N,
// which is the law with λ = μ/2, σ = ½, κ = 0. So λ is the throughput at one
// request in flight on average, and the slope at the origin is λ/(1−σ).
// Parameters that make the denominator negative at a point are no solution.
type USL struct {
	Lambda Estimate // λ, throughput at N = 1, requests a second
	Sigma  Estimate // σ, contention, no unit
	Kappa  Estimate // κ, coherency (crosstalk), no unit
	PeakN  Estimate // N* = sqrt((1−σ)/κ), requests in flight; infinite: no peak
	PeakX  Estimate // X(N*), requests a second; λ/σ where there is no peak
	R2     float64  // share of the variance of X that the fit explains
}

// Throughput is X(n), requests a second.
func (u USL) Throughput(n float64) float64 {
	return u.Lambda.Value * n / (1 + u.Sigma.Value*(n-1) + u.Kappa.Value*n*(n-1))
}

// Refusal is why points do not support a fit.
type Refusal string

// The refusals.
const (
	TooFewLevels   Refusal = "too few levels"
	NoSaturation   Refusal = "no saturation"
	TooMuchScatter Refusal = "too much scatter"
)

// FitError is returned for points that are valid but do not support a fit.
type FitError struct {
	Refusal  Refusal
	Sentence string // for the reader of the report
}

func (e *FitError) Error() string { return "fitting the scalability law: " + e.Sentence }

const (
	// levelSpread is by how much N of different levels differs at least.
	levelSpread = 0.05
	// assumedError is the error of X, as a share, where three points leave nothing to tell it by.
	assumedError = 0.01
	// mostError is the residual error, as a share of X (root mean squares), above which a fit says nothing.
	mostError = 0.1
	// confidence is that of every interval, and of the test for curvature.
	confidence = 0.95
)

// FitUSL fits the law to the points by (weighted) least squares of X. For a
// relative error of X, weigh by 1/X².
//
// An interval is what a quantity takes over all parameters within the bounds
// whose sum of squares exceeds the least by no more than the residual variance
// times the 95 % quantile of F(1, n−3): its profile likelihood interval
// (Bates and Watts, Nonlinear Regression Analysis and Its Applications, 1988,
// chapter 6). It is searched for with a fixed seed. With three points nothing
// is left to tell the error by, and the intervals are unbounded.
//
// It returns a *FitError if N does not differ by 5 % between at least three
// points; if the law fits not significantly better (F-test, 5 %) than X = λN;
// or if the residual error exceeds 10 % of X. Values that are not positive and
// finite are another error.
func FitUSL(points []Point) (USL, error) {
	if err := validate(points); err != nil {
		return USL{}, err
	}
	if levels := countLevels(points); levels < 3 {
		return USL{}, &FitError{TooFewLevels, fmt.Sprintf("The scalability law needs at least three different loads; got %d.", levels)}
	}
	c := newCurve(points)
	optima := c.optima()
	best := c.best(optima)
	e := c.judge(best)
	if e.share > mostError {
		return USL{}, &FitError{TooMuchScatter, fmt.Sprintf("Throughput does not follow the scalability law: it is off by %.0f %%, too much to predict a peak.", 100*e.share)}
	}
	if !e.curved {
		return USL{}, &FitError{NoSaturation, fmt.Sprintf("No saturation seen up to %s requests in flight (%s requests a second).", figures(c.maxN), figures(c.maxX))}
	}
	u := c.estimate(best, c.region(optima, e, c.sse(best)))
	u.R2 = e.r2
	return u, nil
}

// validate wants what a measurement can be, within what can be squared.
func validate(points []Point) error {
	measurable := func(v float64) bool { return v > 1e-30 && v < 1e30 }
	for i, p := range points {
		if !measurable(p.N) || !measurable(p.X) || p.Weight != 0 && !measurable(p.Weight) {
			return fmt.Errorf("fitting the scalability law: got N %v, X %v, weight %v in point %d, want positive numbers", p.N, p.X, p.Weight, i+1)
		}
	}
	return nil
}

// countLevels counts those whose N differ.
func countLevels(points []Point) (levels int) {
	ns := make([]float64, len(points))
	for i, p := range points {
		ns[i] = p.N
	}
	slices.Sort(ns)
	last := 0.0
	for _, n := range ns {
		if n > last*(1+levelSpread) {
			levels, last = levels+1, n
		}
	}
	return levels
}

// figures writes the first three figures of a number, without an exponent.
func figures(v float64) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return strconv.FormatFloat(short, 'f', -1, 64)
}

// judgement is what the residuals tell.
type judgement struct {
	variance float64 // of a scaled residual
	df       int     // degrees of freedom
	share    float64 // residual error as a share of X
	r2       float64
	curved   bool // the law fits better than a straight line through the origin
}

// judge compares the fit with a straight line.
func (c *curve) judge(best theta) judgement {
	n := float64(len(c.x))
	sse, total := c.sse(best), 0.0
	for i := range c.y {
		total += c.w[i] * c.y[i] * c.y[i]
	}
	e := judgement{df: len(c.x) - 3, r2: 1 - sse/max(c.spread(), rounding*rounding*total)}
	e.share = math.Sqrt(sse / float64(max(1, e.df)) / (total / n))
	e.variance = max(sse/float64(max(1, e.df)), rounding*rounding*total/n)
	critical := distuv.F{D1: 2, D2: float64(max(1, e.df))}.Quantile(confidence)
	if e.df == 0 {
		e.variance = assumedError * assumedError * total / n
		critical = distuv.ChiSquared{K: 2}.Quantile(confidence) / 2
	}
	line := c.line()
	e.curved = (line-sse)/2 > critical*e.variance && line > rounding*rounding*total
	return e
}

// estimate gives the coefficients their meaning, and the intervals what those
// of the region mean; without a region they are unbounded.
func (c *curve) estimate(best theta, region []theta) USL {
	var list [5]Estimate
	for k, value := range c.meaning(best) {
		list[k] = Estimate{value, value, value}
		if len(region) == 0 {
			list[k] = Estimate{value, 0, math.Inf(1)}
		}
	}
	for _, t := range region {
		for k, value := range c.meaning(t) {
			list[k].Low, list[k].High = min(list[k].Low, value), max(list[k].High, value)
		}
	}
	return USL{Lambda: list[0], Sigma: list[1], Kappa: list[2], PeakN: list[3], PeakX: list[4]}
}
