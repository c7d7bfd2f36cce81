package report

import (
	"context"
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
)

// soak is how long a level must last for its drift to be looked for.
const soak = 3 * time.Hour

// trended is a figure whose drift is looked for.
type trended struct {
	name string
	unit Unit
	expr string
}

// trends looks for drift in the longest level, if it was held for hours.
func (p Prometheus) trends(ctx context.Context, levels []Measured) ([]Trend, error) {
	length := func(l Measured) time.Duration { return l.End.Sub(l.Start) }
	if len(levels) == 0 {
		return nil, nil
	}
	longest := slices.MaxFunc(levels, func(a, b Measured) int { return int(length(a) - length(b)) })
	if length(longest) < soak {
		return nil, nil
	}
	var found []Trend
	for _, t := range p.trended() {
		samples, err := p.some(ctx, longest.Start.Add(trendWindow), longest.End, trendWindow, t.expr)
		if err != nil {
			return nil, err
		}
		d, err := FindDrift(samples)
		if err != nil { // there are too few: nobody exports it
			continue
		}
		found = append(found, Trend{t.name, t.unit, bounds(d.PerDay), bounds(d.Relative), d.N, d.Significant, d.Caveat})
	}
	return found, nil
}

// trendWindow is what a point of a trend is taken over.
const trendWindow = 5 * time.Minute

func (p Prometheus) trended() []trended {
	success, failure := `outcome="`+metric.Success.String()+`"`, `outcome="`+metric.Failure.String()+`"`
	p99 := func(class metric.Class) trended {
		of := `class="` + class.String() + `"`
		native := p.rate(metric.ResponseTime, trendWindow, success, of)
		classic := p.rate(part(metric.ResponseTime, "_bucket"), trendWindow, success, of)
		return trended{
			"p99 of class " + class.String(), Seconds,
			"histogram_quantile(0.99, sum(" + native + ")) or histogram_quantile(0.99, sum by (le) (" + classic + "))",
		}
	}
	return []trended{
		p99(metric.Read), p99(metric.Write),
		{"requests that failed, of all", Share, "(sum(" + p.movedRate(metric.Requests, trendWindow, failure) + ") or vector(0)) / sum(" + p.rate(metric.Requests, trendWindow) + ")"},
		{"stale reads, of all requests", Share, "(" + p.stale(trendWindow) + ") / scalar(sum(" + p.rate(metric.Requests, trendWindow) + "))"},
		{"requests in flight", Count, inFlight(p, trendWindow)},
		{"memory of the fullest pod", Bytes, "max(sum by (pod) (container_memory_working_set_bytes{" + p.Pods + `,container!="",container!="POD"}))`},
		{"memory of the fullest pod, of its limit", Share, "max(" + p.aws(metric.EKSWorkloadMemoryLimit, `stat="max"`) + ")"},
		{"resident memory of the tester", Bytes, "max(" + p.series("process_resident_memory_bytes") + ")"},
	}
}

// part is one of the series that a classic histogram is made of.
func part(d metric.Definition, name string) metric.Definition {
	d.Name += name
	return d
}

// inFlight is how many requests there are at once, by Little's law: the sum of
// what they take, a second.
func inFlight(p Prometheus, window time.Duration) string {
	return "histogram_sum(sum(" + p.rate(metric.RequestDuration, window) + ")) or sum(" + p.rate(part(metric.RequestDuration, "_sum"), window) + ")"
}
