package report

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// charts are those that have two points at least.
func (r *Report) charts() (list []chart) {
	all := []chart{r.timeline(), r.throughput()}
	all = append(all, r.latencies()...)
	for _, c := range append(all, r.saturation(), r.costs()) {
		c.lines = slices.DeleteFunc(c.lines, func(l trace) bool { return !l.enough() })
		if len(c.lines) > 0 {
			list = append(list, c)
		}
	}
	return list
}

// timeline is what was asked for and what came of it, as long as something was.
func (r *Report) timeline() chart {
	c := chart{
		Title: "Requests a second and p99 in ms over time", Wide: true,
		write: func(v float64) string { return instant(time.Unix(int64(v), 0).In(r.Start.Location())) },
		lines: []trace{
			{name: "asked", unit: "requests a second", look: smooth},
			{name: "achieved", unit: "requests a second", look: smooth},
			{name: "p99, on the right", unit: "ms", look: smooth, right: true},
		},
	}
	known := slices.DeleteFunc(slices.Clone(r.Timeline), func(m Moment) bool { return !m.Asked.Known() && !m.Achieved.Known() && !m.P99.Known() })
	if len(known) > 0 {
		c.x = clock(known[0].At, known[len(known)-1].At)
	}
	for _, m := range r.Timeline {
		for i, v := range []Figure{m.Asked, m.Achieved, 1000 * m.P99} {
			c.lines[i].points = append(c.lines[i].points, spot{float64(m.At.Unix()), float64(v)})
		}
	}
	return c
}

// against is a chart of levels by some figure of theirs.
func (r *Report) against(title, xName string, x func(Measured) Figure) (chart, []Measured) {
	levels := slices.DeleteFunc(slices.Clone(r.Levels), func(m Measured) bool { return !drawable(float64(x(m))) || x(m) <= 0 || m.Invalid != "" })
	slices.SortStableFunc(levels, func(a, b Measured) int { return cmp.Compare(x(a), x(b)) })
	c := chart{Title: title, xName: xName, write: func(v float64) string { return figures(v) + " " + xName }}
	if len(levels) > 0 {
		c.x = numbers(float64(x(levels[0])), float64(x(levels[len(levels)-1])))
	}
	return c, levels
}

func askedFor(m Measured) Figure { return m.RPS }

const asked = "requests a second asked for"

// throughput is that of levels, and the law that was fitted to it.
func (r *Report) throughput() chart {
	inFlight := func(m Measured) Figure { return m.InFlight }
	c, levels := r.against("Throughput (requests a second) by requests in flight", "requests in flight", inFlight)
	measured := trace{name: "measured", unit: "requests a second", look: apart}
	for _, m := range levels {
		measured.points = append(measured.points, spot{float64(m.InFlight), float64(m.Served)})
	}
	if s := r.Scaling; s.Refusal == "" && len(levels) > 1 {
		value := func(b Bounds) Estimate { return Estimate{Value: float64(b.Value)} }
		law := USL{Lambda: value(s.Lambda), Sigma: value(s.Sigma), Kappa: value(s.Kappa)}
		c.lines = append(c.lines, curveOf(levels, inFlight, trace{name: "fitted law", unit: measured.unit}, law.Throughput))
	}
	c.lines = append(c.lines, measured)
	return c
}

// curveOf draws a formula from the first level to the last.
func curveOf(levels []Measured, x func(Measured) Figure, l trace, formula func(float64) float64) trace {
	const steps = 100
	l.look = smooth
	first, last := float64(x(levels[0])), float64(x(levels[len(levels)-1]))
	for i := range steps + 1 {
		at := first * math.Pow(last/first, float64(i)/steps)
		l.points = append(l.points, spot{at, formula(at)})
	}
	return l
}

// latencies are p50 and p99 of the slowest operations.
func (r *Report) latencies() []chart {
	slowest := map[string]Figure{}
	for _, m := range r.Levels {
		for _, o := range m.Operations {
			if o.P99.Known() {
				slowest[o.Name] = max(slowest[o.Name], o.P99)
			}
		}
	}
	names := leading(slowest, mostLines)
	draw := func(title string, of func(Operation) Figure) chart {
		c, levels := r.against(title, asked, askedFor)
		for _, name := range names {
			l := trace{name: name, unit: "ms"}
			for _, m := range levels {
				for _, o := range m.Operations {
					if o.Name == name {
						l.points = append(l.points, spot{float64(m.RPS), 1000 * float64(of(o))})
					}
				}
			}
			c.lines = append(c.lines, l)
		}
		return c
	}
	return []chart{
		draw("p99 of response times (ms) by rate", func(o Operation) Figure { return o.P99 }),
		draw("p50 of response times (ms) by rate", func(o Operation) Figure { return o.P50 }),
	}
}

// leading are the names of so many of the highest values, by name.
func leading(values map[string]Figure, most int) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b)) })
	names = names[:min(len(names), most)]
	slices.Sort(names)
	return names
}

const percentOfLimit = "% of the limit"

// saturation is how near components were to their limits.
func (r *Report) saturation() chart {
	const most = 2 // times the limit, drawn
	c, levels := r.against("Components (% of the limit) by rate", asked, askedFor)
	c.Note = "Over the limit a component is saturated. What is over twice the limit is drawn there."
	points, worst := map[string][]spot{}, map[string]Figure{}
	for _, m := range levels {
		for _, reading := range m.Components {
			if !(reading.Limit > 0) || !reading.Limit.Known() || !reading.Mean.Known() {
				continue
			}
			name := title(reading.Component) + ": " + reading.Name
			used := min(reading.Mean/reading.Limit, most)
			points[name] = append(points[name], spot{float64(m.RPS), 100 * float64(used)})
			worst[name] = max(worst[name], used)
		}
	}
	limit := trace{name: "limit", unit: percentOfLimit, look: smooth}
	for _, name := range leading(worst, mostLines-1) {
		l := trace{name: name, unit: percentOfLimit, points: points[name]}
		if c.lines = append(c.lines, l); l.enough() {
			limit.points = []spot{{l.points[0].x, 100}, {l.points[len(l.points)-1].x, 100}}
		}
	}
	c.lines = append(c.lines, limit)
	return c
}

// costs are what levels cost, and the line through them.
func (r *Report) costs() chart {
	achieved := func(m Measured) Figure { return m.Achieved }
	c, levels := r.against("Cost (USD an hour) by rate", "requests a second achieved", achieved)
	measured := trace{name: "measured", unit: "USD an hour", look: apart}
	for _, m := range levels {
		measured.points = append(measured.points, spot{float64(m.Achieved), float64(costs(m.CostAnHour))})
	}
	if len(levels) > 0 { // A straight line is to be seen as one.
		highest := float64(levels[len(levels)-1].Achieved)
		c.x = numbers(highest, highest)
	}
	if r.Cost.Fixed.Known() && r.Cost.PerMillion.Known() && measured.enough() {
		const millionAnHour = 3600 / 1e6 // of one request a second
		c.lines = append(c.lines, curveOf(levels, achieved, trace{name: "fixed, and by request", unit: measured.unit}, func(rps float64) float64 {
			return float64(r.Cost.Fixed) + float64(r.Cost.PerMillion)*millionAnHour*rps
		}))
	}
	c.lines = append(c.lines, measured)
	return c
}
