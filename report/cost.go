package report

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"opensaves-soak/exporter/metric"
)

// costWindow is what the exporter takes cost over.
const costWindow = 5 * time.Minute

// unpriced says why a level has no cost of its own.
const unpriced = "Levels of less than six minutes have no cost of their own, nor have those of which it has not come yet."

// price asks what a level cost. The figures that are of the level alone come when
// the data has that they wait for, and are of the five minutes before; a level that
// is shorter than these has none, nor has one whose figures have not come yet: came
// is false then.
func (p Prometheus) price(ctx context.Context, m *Measured, late time.Duration) (came bool, err error) {
	window, at := m.End.Sub(m.Start)-costWindow, m.End.Add(late)
	if window < minutely {
		return true, nil
	}
	last, err := p.by(ctx, at, "", "max(timestamp("+p.series(metric.CostPerHour.Name)+"))")
	if err != nil {
		return true, err
	}
	if newest, told := last[""]; !told || float64(at.Unix())-newest > minutely.Seconds() {
		before, err := p.by(ctx, at, "", "count(last_over_time("+p.series(metric.CostPerHour.Name)+back(m.End.Sub(m.Start)+late)+"))")
		return len(before) == 0, err
	}
	m.CostAnHour, err = p.by(ctx, at, "component", "sum by (component) (avg_over_time((max by (component, kind) ("+
		p.series(metric.CostPerHour.Name)+"))["+whole(window)+":1m]))")
	if err != nil {
		return true, err
	}
	for component, usd := range m.CostAnHour {
		if m.Achieved > 0 {
			m.CostAMio[component] = usd / (float64(m.Achieved) * time.Hour.Seconds()) * 1e6
		}
	}
	shared, err := p.by(ctx, at, "component", "max by (component) (max_over_time("+p.series(metric.CostShared.Name)+back(window)+")) > 0")
	m.Shared = slices.Sorted(maps.Keys(shared))
	return true, err
}

// costLateness is how long after a time its cost is known: cost waits for the
// components whose bill depends on the load.
func (p Prometheus) costLateness(ctx context.Context, start, end time.Time, all []watched) (time.Duration, error) {
	waits := []metric.Component{metric.DynamoDB}
	if slices.ContainsFunc(all, func(w watched) bool { return w.late.Name == metric.S3AllRequests.Name }) {
		waits = append(waits, metric.S3)
	}
	serverless, err := p.by(ctx, end, "", "count(last_over_time("+p.series(metric.RedisECPU.Name)+back(end.Sub(start))+"))")
	if len(serverless) > 0 {
		waits = append(waits, metric.Redis)
	}
	if err != nil {
		return 0, err
	}
	return p.age(ctx, start, end, waits...)
}

// straightCost is how far a level may be from the line as a share of its cost.
const straightCost = 0.1

// line fits the cost of levels to their rate: linear or not.
func line(levels []Measured) CostLine {
	var rate, cost []float64
	for _, l := range levels {
		if usd := costs(l.CostAnHour); usd.Known() && l.Achieved > 0 && l.Invalid == "" {
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
	if worst < rounding {
		worst = 0
	}
	c.Fixed, c.PerMillion, c.Deviation = Figure(fixed), Figure(slope/time.Hour.Seconds()*1e6), Figure(worst)
	verdict := "grows with the rate in a straight line"
	if worst > straightCost {
		verdict = "does not grow with the rate in a straight line"
	}
	c.Sentence = fmt.Sprintf("Cost %s: %.4g USD an hour and %.4g USD for a million requests; no level is further from that than %s.", verdict, fixed, float64(c.PerMillion), roughly(c.Deviation))
	return c
}
