package report

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
)

// Prometheus is where a report's figures come from.
type Prometheus struct {
	api      v1.API
	selector string
	warned   map[string]bool // what the server remarked
}

// NewPrometheus asks a server about the tester whose series match a selector,
// matchers as PromQL has them.
func NewPrometheus(client api.Client, selector string) Prometheus {
	return Prometheus{api: v1.NewAPI(client), selector: selector, warned: map[string]bool{}}
}

const (
	// askTimeout bounds one question.
	askTimeout = time.Minute
	// mostPoints is how many points of a series are asked for at the most; Prometheus
	// itself refuses more than 11,000.
	mostPoints = 5000
	// finest is the shortest step between them.
	finest = 15 * time.Second
)

// series selects what the tester exports.
func (p Prometheus) series(name string, matchers ...string) string {
	return name + "{" + strings.Join(append([]string{p.selector}, matchers...), ",") + "}"
}

// rate is the increase a second of a counter over a window that ends with the question.
func (p Prometheus) rate(d metric.Definition, window time.Duration, matchers ...string) string {
	return "rate(" + p.series(d.Name, matchers...) + back(window) + ")"
}

func back(window time.Duration) string {
	return "[" + strconv.FormatInt(int64(window/time.Second), 10) + "s]"
}

// by asks for one instant, and returns the values by a label; "" is the key of
// those without it. What is no number is left out.
func (p Prometheus) by(ctx context.Context, at time.Time, label, expr string) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, warnings, _, err := p.api.Query(ctx, expr, at)
	p.warn(warnings)
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", expr, err)
	}
	vector, ok := answer.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("asking Prometheus for %s: got a %s, want a vector", expr, answer.Type())
	}
	values := map[string]float64{}
	for _, s := range vector {
		if v := float64(s.Value); !math.IsNaN(v) && !math.IsInf(v, 0) {
			values[string(s.Metric[model.LabelName(label)])] = v
		}
	}
	return values, nil
}

func (p Prometheus) warn(warnings v1.Warnings) {
	for _, w := range warnings {
		p.warned[w] = true
	}
}

// history returns the samples of a gauge, the highest of all replicas. Prometheus
// repeats the last sample for minutes after it; what is repeated is left out, so that
// a level does not last longer than its tester.
func (p Prometheus) history(ctx context.Context, start, end time.Time, d metric.Definition) ([]Sample, error) {
	values, err := p.over(ctx, start, end, "max("+p.series(d.Name)+")")
	if err != nil {
		return nil, err
	}
	times, err := p.over(ctx, start, end, "max(timestamp("+p.series(d.Name)+"))")
	if err != nil {
		return nil, err
	}
	var samples []Sample
	last := 0.0
	for i, v := range values {
		if i >= len(times) || times[i].Value <= last {
			continue
		}
		last = times[i].Value
		samples = append(samples, Sample{At: time.UnixMilli(int64(1000 * last)).UTC(), Value: v.Value})
	}
	return samples, nil
}

// over asks for an expression without labels over time.
func (p Prometheus) over(ctx context.Context, start, end time.Time, expr string) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	step := max(finest, end.Sub(start)/mostPoints).Round(time.Second)
	answer, warnings, _, err := p.api.QueryRange(ctx, expr, v1.Range{Start: start, End: end, Step: step})
	p.warn(warnings)
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", expr, err)
	}
	matrix, ok := answer.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("asking Prometheus for %s: got a %s, want a matrix", expr, answer.Type())
	}
	var samples []Sample
	for _, series := range matrix {
		for _, v := range series.Values {
			samples = append(samples, Sample{v.Timestamp.Time().UTC(), float64(v.Value)})
		}
	}
	return samples, nil
}

// Figure is a number that may not be there: it is null in JSON then, as it is
// where it is infinite.
type Figure float64

var none = Figure(math.NaN())

// Known says whether there is a number.
func (f Figure) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// MarshalJSON writes the number, or null.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Known() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(f), 'g', -1, 64), nil
}
