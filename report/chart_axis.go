package report

import (
	"math"
	"time"
)

// axis is where values stand between its ends, 0 and 1. The ticks are evenly spaced,
// the first and the last at its ends.
type axis struct {
	ticks []string
	at    func(float64) float64
}

// intervals is how many there are between the ticks of an axis of numbers that begins with 0.
const intervals = 4

// top is the lowest round end of such an axis that is not below a value.
func top(highest float64) float64 {
	if !(highest > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(highest/intervals)))
	for _, round := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8} {
		if end := intervals * round * power; end >= highest {
			return end
		}
	}
	return intervals * 10 * power
}

// bottom is the highest of 1, 2 and 5, times a power of ten, that is not above a value.
func bottom(lowest float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(lowest)+rounding))
	for _, round := range []float64{5, 2} {
		if round*power <= lowest {
			return round * power
		}
	}
	return power
}

// numbers is the axis of positive numbers. Where they are far apart each tick is
// twice, four or eight times, or more, the one before.
func numbers(lowest, highest float64) axis {
	const far, most = 20, 8
	end := top(highest)
	if highest < far*lowest {
		a := axis{at: func(v float64) float64 { return v / end }}
		for i := range intervals + 1 {
			a.ticks = append(a.ticks, figures(float64(i)*end/intervals))
		}
		return a
	}
	lowest, factor := bottom(lowest), 2.0
	for lowest*math.Pow(factor, most) < highest {
		factor *= 2
	}
	count := math.Ceil(math.Log(highest/lowest)/math.Log(factor) - rounding)
	a := axis{at: func(v float64) float64 { return math.Log(v/lowest) / math.Log(factor) / count }}
	for i := range int(count) + 1 {
		a.ticks = append(a.ticks, figures(lowest*math.Pow(factor, float64(i))))
	}
	return a
}

// clock is the axis of times, in Unix seconds.
func clock(start, end time.Time) axis {
	const most, day = 8, 24 * time.Hour
	step := day
	for _, round := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if end.Sub(start) <= most*round {
			step = round
			break
		}
	}
	if span := end.Sub(start); span > most*step {
		step = (span/most/day + 1) * day
	}
	form := "15:04"
	if end.Sub(start) > day {
		form = "2 Jan 15:04"
	}
	first := start.Truncate(step)
	a := axis{ticks: []string{first.Format(form)}}
	last := first
	for last.Before(end) || len(a.ticks) < 2 {
		last = last.Add(step)
		a.ticks = append(a.ticks, last.Format(form))
	}
	length := last.Sub(first).Seconds()
	a.at = func(v float64) float64 { return (v - float64(first.Unix())) / length }
	return a
}
