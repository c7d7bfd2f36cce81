package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// Prometheus is where a report's figures come from.
type Prometheus struct {
	api v1.API
	alerts.Settings
	zone   *time.Location  // of all times
	warned map[string]bool // what the server remarked, or would not answer
}

// largestAnswer bounds what a server may answer, in bytes.
const largestAnswer = 64 << 20

// bounded refuses answers that do not end.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, largestAnswer)
	}
	return response, err
}

// NewClient returns a client of the Prometheus at an address, which may hold a user
// and a password.
func NewClient(address string) (api.Client, error) {
	return api.NewClient(api.Config{Address: address, RoundTripper: bounded{api.DefaultRoundTripper}})
}

// NewPrometheus asks a server about the tester and the pods that match the
// selectors of settings; the rest of these is of no use here.
func NewPrometheus(client api.Client, settings alerts.Settings) Prometheus {
	return Prometheus{api: v1.NewAPI(client), Settings: settings, zone: time.UTC, warned: map[string]bool{}}
}

const (
	// askTimeout bounds one question, as Prometheus itself does unless it is told
	// otherwise.
	askTimeout = 2 * time.Minute
	// mostPoints is how many points of a series are asked for at the most; Prometheus
	// itself refuses more than 11,000.
	mostPoints = 5000
	// longest is how much time is asked for at once, or one step where that is longer.
	longest = 24 * time.Hour
	// finest is the shortest step between them.
	finest = 15 * time.Second
)

// series selects what the tester exports.
func (p Prometheus) series(name string, matchers ...string) string {
	return name + "{" + strings.Join(append([]string{p.Selector}, matchers...), ",") + "}"
}

// rate is the increase a second of a counter over a window that ends with the question.
func (p Prometheus) rate(d metric.Definition, window time.Duration, matchers ...string) string {
	return "rate(" + p.series(d.Name, matchers...) + back(window) + ")"
}

// moved is how far counters came in a window. Those of errors and wrong answers
// are made by the first thing that they count: such a one counts from 0 if the
// tester was known before or its process is younger than the window, to where it
// stood last, and to where it stood before each restart.
func (p Prometheus) moved(d metric.Definition, window time.Duration, matchers ...string) string {
	counter, before := p.series(d.Name, matchers...), back(window)+" offset "+whole(window)
	at := func(ago time.Duration) string {
		return "last_over_time(" + counter + back(max(finest, window-ago)) + " offset " + whole(ago) + ")"
	}
	step := max(finest, window/1000) // of a longer one what came last before a restart is lost
	last := at(0)
	restarts := "sum_over_time((" + at(step) + " > " + at(0) + ")[" + whole(window) + ":" + whole(step) + "])"
	known := "last_over_time(" + p.series(metric.TargetRPS.Name) + before + ")"
	young := "last_over_time(" + p.series("process_start_time_seconds") + back(window) + ") > time() - " + inSeconds(window)
	return "((" + last + " + " + restarts + " or " + last + ") unless last_over_time(" + counter + before + ") and on (job, instance) (" + known + " or " + young +
		") or increase(" + counter + back(window) + "))"
}

// movedRate is moved a second.
func (p Prometheus) movedRate(d metric.Definition, window time.Duration, matchers ...string) string {
	return p.moved(d, window, matchers...) + " / " + inSeconds(window)
}

func back(window time.Duration) string { return "[" + whole(window) + "]" }

// whole writes a time in whole seconds.
func whole(d time.Duration) string { return inSeconds(d) + "s" }

func inSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// by asks for one instant, and returns the values by a label; "" is the key of
// those without it. What is no number is left out.
func (p Prometheus) by(ctx context.Context, at time.Time, label, expr string) (map[string]float64, error) {
	vector, err := p.instant(ctx, at, expr)
	values := map[string]float64{}
	for _, s := range vector {
		if v := float64(s.Value); Figure(v).Known() {
			values[string(s.Metric[model.LabelName(label)])] = v
		}
	}
	return values, err
}

// instant asks for one instant.
func (p Prometheus) instant(ctx context.Context, at time.Time, expr string) (model.Vector, error) {
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
	return vector, nil
}

func (p Prometheus) warn(warnings v1.Warnings) {
	for _, w := range warnings {
		p.warned[w] = true
	}
}

// history returns the samples of a gauge, the highest of all replicas. Replicas are
// scraped one after the other, and around a change the one shows what was and the
// other what is: a sample has the time of the oldest scrape in it, so that a level is
// over, with the last of its samples, before it changes. Prometheus repeats the last
// sample for minutes after it; what is repeated is left out, so that a level does not
// last longer than its tester.
func (p Prometheus) history(ctx context.Context, start, end time.Time, d metric.Definition) ([]Sample, error) {
	values, err := p.every(ctx, start, end, finest, "max("+p.series(d.Name)+")")
	if err != nil {
		return nil, err
	}
	scraped := "timestamp(" + p.series(d.Name) + ")"
	newest := "scalar(max(" + scraped + "))" // a replica that has not been scraped for a minute is gone
	times, err := p.every(ctx, start, end, finest, "min("+scraped+" > "+newest+" - 60)")
	if err != nil {
		return nil, err
	}
	written := map[time.Time]float64{}
	for _, t := range times {
		written[t.At] = t.Value
	}
	var samples []Sample
	last := 0.0
	for _, v := range values {
		if written[v.At] <= last {
			continue
		}
		last = written[v.At]
		samples = append(samples, Sample{At: time.UnixMilli(int64(1000 * last)).In(p.zone), Value: v.Value})
	}
	return samples, nil
}

// some is every for what a report can be made without: what the server will not
// answer, because it would have to load too much, is noted and left out.
func (p Prometheus) some(ctx context.Context, start, end time.Time, step time.Duration, expr string) ([]Sample, error) {
	samples, err := p.every(ctx, start, end, step, expr)
	if refusal := (*v1.Error)(nil); errors.As(err, &refusal) && (refusal.Type == v1.ErrExec || refusal.Type == v1.ErrTimeout) {
		p.warned["it did not answer, so the report goes without: "+refusal.Msg+": "+expr] = true
		return nil, nil
	}
	return samples, err
}

// every asks for an expression without labels once in a step, piece by piece: what a
// server loads for one answer is bounded.
func (p Prometheus) every(ctx context.Context, start, end time.Time, step time.Duration, expr string) ([]Sample, error) {
	var all []Sample
	length := max(1, min(mostPoints, longest/step)) * step
	for !start.After(end) {
		last := start.Add(length - step)
		if last.After(end) {
			last = end
		}
		piece, err := p.piece(ctx, v1.Range{Start: start, End: last, Step: step}, expr)
		if err != nil {
			return nil, err
		}
		all, start = append(all, piece...), start.Add(length)
	}
	return all, nil
}

// piece asks for a range that Prometheus does not refuse as too long.
func (p Prometheus) piece(ctx context.Context, r v1.Range, expr string) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, warnings, _, err := p.api.QueryRange(ctx, expr, r)
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
			if value := float64(v.Value); Figure(value).Known() {
				samples = append(samples, Sample{v.Timestamp.Time().In(p.zone), value})
			}
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
