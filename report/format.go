package report

import (
	"fmt"
	"math"
	"time"
)

// unknown stands for a number that is not there.
const unknown = "–"

func figure(f Figure, digits int) string {
	if !f.Known() {
		return unknown
	}
	return fmt.Sprintf("%.*f", digits, float64(f))
}

// short writes a number with three figures, without an exponent unless it is tiny.
func short(f Figure) string {
	switch {
	case !f.Known():
		return unknown
	case f != 0 && math.Abs(float64(f)) < 1e-4:
		return fmt.Sprintf("%.3g", float64(f))
	}
	return figures(float64(f))
}

// rate writes requests a second: whole from 100 on, below with three figures.
func rate(f Figure) string {
	if f < 100 {
		return short(f)
	}
	return figure(f, 0)
}

func percent(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return fmt.Sprintf("%.3f %%", 100*float64(f))
}

// roughly is a share as a percentage with three figures.
func roughly(f Figure) string {
	if !f.Known() {
		return unknown
	}
	return figures(100*float64(f)) + " %"
}

// seconds writes a time with three figures.
func seconds(f Figure) string {
	switch {
	case !f.Known():
		return unknown
	case math.Abs(float64(f)) >= 1:
		return figures(float64(f)) + " s"
	}
	return figures(1000*float64(f)) + " ms"
}

// instant writes a time as a report has it, in the zone of the report.
func instant(t time.Time) string { return t.Format(time.DateTime) }

// zoned is instant with the name of the zone.
func zoned(t time.Time) string { return t.Format(time.DateTime + " MST") }

// text writes an estimate with what is known of its interval.
func (e Bounds) text(write func(Figure) string) string {
	switch value := write(e.Value); {
	case !e.Value.Known(), !e.Low.Known() && !e.High.Known():
		return value
	case !e.High.Known():
		return fmt.Sprintf("%s (%s or more)", value, write(e.Low))
	case !e.Low.Known():
		return fmt.Sprintf("%s (%s or less)", value, write(e.High))
	default:
		return fmt.Sprintf("%s (%s to %s)", value, write(e.Low), write(e.High))
	}
}

func total(values map[string]float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// costs is the sum over components, none where nothing is known.
func costs(values map[string]float64) Figure {
	if len(values) == 0 {
		return none
	}
	return Figure(total(values))
}
