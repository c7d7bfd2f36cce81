package report

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"opensaves-soak/exporter/metric"
)

// measuredOver is how long the time is that the exporter's cost is of.
const measuredOver = 5 * time.Minute

// price asks what a level cost. The figures that are of the level alone come when
// its data has, and are of the five minutes before; a level that is shorter than
// these has none.
func (p Prometheus) price(ctx context.Context, m *Measured, late time.Duration) error {
	window := m.End.Sub(m.Start) - measuredOver
	if window < minutely {
		return nil
	}
	hourly, err := p.by(ctx, m.End.Add(late), "component", "sum by (component) (avg_over_time((max by (component, kind) ("+
		p.series(metric.CostPerHour.Name)+"))"+"["+whole(window)+":1m]))")
	if err != nil {
		return err
	}
	m.CostAnHour = hourly
	for component, usd := range hourly {
		if m.Achieved > 0 {
			m.CostAMio[component] = usd / (float64(m.Achieved) * time.Hour.Seconds()) * 1e6
		}
	}
	shared, err := p.by(ctx, m.End.Add(late), "component", "max by (component) (max_over_time("+p.series(metric.CostShared.Name)+back(window)+")) > 0")
	for component := range shared {
		m.Shared = append(m.Shared, component)
	}
	slices.Sort(m.Shared)
	return err
}

// straightCost is how far a level may be from the line as a share of its cost.
const straightCost = 0.1

// line fits the cost of levels to their rate: linear or not.
func line(levels []Measured) CostLine {
	var rate, cost []float64
	for _, l := range levels {
		if usd := costs(l.CostAnHour); usd.Known() && l.Achieved > 0 {
			rate, cost = append(rate, float64(l.Achieved)), append(cost, float64(usd))
		}
	}
	c := CostLine{Fixed: none, PerMillion: none, Deviation: none}
	if len(rate) < 3 || slices.Max(rate) < 1.5*slices.Min(rate) {
		c.Sentence = fmt.Sprintf("Whether cost grows with the rate in a straight line cannot be said: %d levels have a cost, want 3 of different rates.", len(rate))
		return c
	}
	fixed, slope := stat.LinearRegression(rate, cost, nil, false)
	worst := 0.0
	for i, usd := range cost {
		worst = max(worst, math.Abs(usd-fixed-slope*rate[i])/usd)
	}
	c.Fixed, c.PerMillion, c.Deviation = Figure(fixed), Figure(slope/time.Hour.Seconds()*1e6), Figure(worst)
	verdict := "grows with the rate in a straight line"
	if worst > straightCost {
		verdict = "does not grow with the rate in a straight line"
	}
	c.Sentence = fmt.Sprintf("Cost %s: %.4g USD an hour and %.4g USD for a million requests; no level is further from that than %.2g %%.", verdict, fixed, float64(c.PerMillion), 100*worst)
	return c
}
