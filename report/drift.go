package report

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// CycleCaveat is what a drift says that was found in less than two days.
const CycleCaveat = "a daily cycle cannot be told from drift"

// Drift is how much a series rises with time.
type Drift struct {
	PerDay      Estimate // in units of the series a day; the interval's ends may be infinite
	Relative    Estimate // share of the median a day; NaN where the median is 0
	N           int      // hourly medians that it was found in
	Significant bool     // there is a drift: the interval excludes 0, and there is no caveat
	Caveat      string   // CycleCaveat, or empty
}

// FindDrift returns the median slope of a series and its 95 % confidence
// interval.
//
// The samples are thinned to the medians of clock hours. If
// these cover two days, only those of the same hour of the day are compared, so
// that a daily cycle does no harm: the seasonal Kendall slope (Hirsch, Slack
// and Smith, Techniques of Trend Analysis for Monthly Water Quality Data, Water
// Resources Research 18, 1982). Below that, or where no hour of the day comes
// twice, it is the median slope of all pairs (Sen, Estimates of the Regression
// Coefficient Based on Kendall's Tau, Journal of the American Statistical
// Association 63, 1968), with a caveat, and never significant. The interval is
// Sen's, from the normal approximation of Kendall's score, corrected for ties.
//
// Hours that follow each other are seldom independent: the variance of the
// score is multiplied by (1+r)/(1−r), where r ≥ 0 is the correlation of the
// residuals of adjacent hours, taken a standard error high; and at most by the
// hours of the day, which count as one where they all move together. What days do
// to each other is not accounted for.
//
// Tests by rank ask whether later values are higher, not how they became so. A
// single step is a drift only if noise hides its edge, that is, if the hourly
// medians scatter by an eighth of it or more, and if enough pairs of days
// straddle it: in seven days, if it lies at least a day from either end. A step
// that stands out makes r large, and is none.
//
// It returns an error if there are samples in fewer than two hours.
func FindDrift(samples []Sample) (Drift, error) {
	hours := hourly(tidy(samples))
	if len(hours) < 2 {
		return Drift{}, errors.New("finding a drift: got samples in fewer than two hours")
	}
	d := Drift{N: len(hours)}
	seasons, ok := byHourOfDay(hours)
	if !ok {
		seasons, d.Caveat = [][]hour{hours}, CycleCaveat
	}
	d.PerDay = sen(seasons)
	middle := math.Abs(median(medians(hours)))
	d.Relative = Estimate{d.PerDay.Value / middle, d.PerDay.Low / middle, d.PerDay.High / middle}
	if middle == 0 {
		d.Relative = Estimate{math.NaN(), math.NaN(), math.NaN()}
	}
	d.Significant = ok && (d.PerDay.Low > 0 || d.PerDay.High < 0)
	return d, nil
}

const hoursOfDay = 24

// hour is the median of an hour.
type hour struct {
	index int // since the first
	value float64
}

// hourly thins tidy samples.
func hourly(samples []Sample) (hours []hour) {
	if len(samples) == 0 {
		return nil
	}
	origin := samples[0].At.Truncate(time.Hour)
	index := 0
	var members []float64
	for _, s := range samples {
		if now := int(s.At.Sub(origin) / time.Hour); now != index {
			hours = append(hours, hour{index, median(members)})
			index, members = now, members[:0]
		}
		members = append(members, s.Value)
	}
	return append(hours, hour{index, median(members)})
}

// byHourOfDay sorts hours into seasons, those that are whole days apart. It
// reports whether drift can be told from a daily cycle by them.
func byHourOfDay(hours []hour) (seasons [][]hour, ok bool) {
	all := make([][]hour, hoursOfDay)
	for _, h := range hours {
		all[h.index%hoursOfDay] = append(all[h.index%hoursOfDay], h)
	}
	for _, season := range all {
		if len(season) > 1 {
			seasons = append(seasons, season)
		}
	}
	return seasons, hours[len(hours)-1].index+1 >= 2*hoursOfDay && len(seasons) > 0
}

// sen returns the median slope a day of the pairs within the seasons, and its interval.
func sen(seasons [][]hour) Estimate {
	var slopes []float64
	variance := 0.0
	for _, season := range seasons {
		variance += kendall(season)
		for i, h := range season {
			for _, later := range season[i+1:] {
				days := float64(later.index-h.index) / hoursOfDay
				slopes = append(slopes, (later.value-h.value)/days)
			}
		}
	}
	e := Estimate{median(slopes), math.Inf(-1), math.Inf(1)} // sorts the slopes
	half := distuv.UnitNormal.Quantile((1+confidence)/2) * math.Sqrt(variance*inflation(seasons, e.Value))
	n := float64(len(slopes))
	if low := math.Floor((n-half)/2) - 1; low >= 0 {
		e.Low = slopes[int(low)]
	}
	if high := math.Ceil((n + half) / 2); high < n {
		e.High = slopes[int(high)]
	}
	return e
}

// kendall is the variance of Kendall's score of a series without a trend.
func kendall(season []hour) float64 {
	term := func(n int) float64 { return float64(n) * float64(n-1) * float64(2*n+5) / 18 }
	ties := map[float64]int{}
	for _, h := range season {
		ties[h.value]++
	}
	variance := term(len(season))
	for _, n := range ties {
		variance -= term(n)
	}
	return variance
}

// inflation is what the variance of the score grows by, for hours that go with
// those before them.
func inflation(seasons [][]hour, slope float64) float64 {
	left, size := residuals(seasons, slope)
	var squares, products, pairs float64
	for i, h := range left {
		squares += h.value * h.value
		if i > 0 && left[i-1].index+1 == h.index {
			products, pairs = products+left[i-1].value*h.value, pairs+1
		}
	}
	n := float64(len(left))
	if pairs == 0 || !(math.Sqrt(squares/n) > rounding*size) {
		return 1
	}
	r := min(1, max(0, products/pairs/(squares/n))+1/math.Sqrt(n))
	most := float64(len(seasons))
	if len(seasons) == 1 {
		most = n
	}
	return min(most, (1+r)/(1-r))
}

// residuals are what slope and season leave, by time; size is the largest value.
func residuals(seasons [][]hour, slope float64) (left []hour, size float64) {
	for _, season := range seasons {
		level := make([]float64, len(season))
		for i, h := range season {
			level[i] = h.value - slope*float64(h.index)/hoursOfDay
			size = max(size, math.Abs(h.value))
		}
		middle := median(slices.Clone(level))
		for i, h := range season {
			left = append(left, hour{h.index, level[i] - middle})
		}
	}
	slices.SortFunc(left, func(a, b hour) int { return cmp.Compare(a.index, b.index) })
	return left, size
}

func medians(hours []hour) []float64 {
	list := make([]float64, len(hours))
	for i, h := range hours {
		list[i] = h.value
	}
	return list
}
