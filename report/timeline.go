package report

import (
	"context"
	"time"

	"opensaves-soak/exporter/metric"
)

// moments is how many points of time are shown.
const moments = 300

// timeline is what went on in the whole range, where samples are so far apart.
func (p Prometheus) timeline(ctx context.Context, start, end time.Time, scrapes time.Duration) ([]Moment, error) {
	step := max(finest, end.Sub(start)/moments).Round(time.Second)
	start = aligned(start, step)
	window := max(2*step, 4*finest, 3*scrapes)
	success := `outcome="` + metric.Success.String() + `"`
	asked := map[string]string{
		"asked":    "max(" + p.series(metric.FleetTargetRPS.Name) + ")",
		"achieved": "sum(" + p.rate(metric.Requests, window) + ")",
		"p99": "histogram_quantile(0.99, sum(" + p.rate(metric.ResponseTime, window, success) + ")) or histogram_quantile(0.99, sum by (le) (" +
			p.rate(part(metric.ResponseTime, "_bucket"), window, success) + "))",
	}
	at := map[string]map[time.Time]float64{}
	for name, expr := range asked {
		samples, err := p.some(ctx, start, end, step, expr)
		if err != nil {
			return nil, err
		}
		at[name] = map[time.Time]float64{}
		for _, s := range samples {
			at[name][s.At] = s.Value
		}
	}
	figure := func(name string, t time.Time) Figure {
		if v, ok := at[name][t]; ok {
			return Figure(v)
		}
		return none
	}
	var line []Moment
	for t := start; !t.After(end); t = t.Add(step) {
		line = append(line, Moment{t, figure("asked", t), figure("achieved", t), figure("p99", t)})
	}
	return line, nil
}

// aligned is the last multiple of a step of whole seconds, up to a time: query
// frontends answer for these, whatever they are asked.
func aligned(t time.Time, step time.Duration) time.Time {
	return t.Add(-time.Duration(t.Unix()%int64(step/time.Second)) * time.Second)
}
