package report

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/metric"
)

// Question is what a report is about.
type Question struct {
	Start, End time.Time
	Zone       *time.Location // of all times in the report; nil: UTC
	Objectives alerts.Objectives
	Rules      LevelRules
	Levels     []Level             // that are known; empty: those in the rate that was asked for
	AWS        []cloudwatch.Series // read once more from AWS; empty: what Prometheus scraped counts
	Notes      []string            // that the report begins its own with
}

// schema is the version of a report's form as JSON.
const schema = 1

// Report is what a time range of a tester shows.
type Report struct {
	Schema     int        `json:"schema"` // of this form; another one is not read
	Start      time.Time  `json:"start"`
	End        time.Time  `json:"end"`
	Levels     []Measured `json:"levels"`
	Highest    Figure     `json:"highest_rps"` // rate of the highest level that met all objectives, as all of that rate did; null: none did
	Ceiling    Figure     `json:"ceiling_rps"` // successes a second where more was asked for than served; null: nowhere
	Scaling    Scaling    `json:"scaling"`
	Bottleneck Bottleneck `json:"bottleneck"`
	Cost       CostLine   `json:"cost"`
	Drift      []Trend    `json:"drift"` // of the longest level
	Advice     []Advice   `json:"advice"`
	Timeline   []Moment   `json:"timeline"` // at most a few hundred

	Outside map[string]float64 `json:"violations_outside_levels"` // wrong answers, by kind
	Notes   []string           `json:"notes"`                     // what could not be told, and why
}

// ErrNoData is a range in which there was no tester.
var ErrNoData = errors.New("got no series of the tester in the range")

// Make asks Prometheus and makes the report. What it could not be told it notes; an
// error is that of a server that does not answer, or ErrNoData.
func Make(ctx context.Context, p Prometheus, q Question) (*Report, error) {
	if q.Zone != nil {
		p.zone = q.Zone
	}
	q.Start, q.End = q.Start.In(p.zone).Truncate(time.Second), q.End.In(p.zone).Truncate(time.Second)
	rate, err := p.history(ctx, q.Start, q.End, metric.FleetTargetRPS)
	if err != nil {
		return nil, err
	}
	if len(rate) == 0 {
		return nil, fmt.Errorf("%w: %s to %s, %s", ErrNoData, q.Start.Format(time.RFC3339), q.End.Format(time.RFC3339), p.Selector)
	}
	warmup, err := p.history(ctx, q.Start, q.End, metric.Warmup)
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: schema, Start: q.Start, End: q.End, Highest: none, Ceiling: none, Notes: q.Notes}
	levels, gaps := FindLevels(rate, warmup, q.Rules)
	for _, g := range gaps {
		r.note("There are no samples from %s to %s: levels end there.", g.Start.Format(time.RFC3339), g.End.Format(time.RFC3339))
	}
	r.ends(rate)
	if len(q.Levels) > 0 {
		levels = q.Levels
	}
	if len(levels) == 0 {
		r.note("No rate was held long enough to be a level.")
	}
	from := r.Start
	if left := len(levels) - mostLevels; left > 0 {
		from = levels[left-1].End
		r.note("There are %d levels; the last %d are in the report, and nothing from before %s.", len(levels), mostLevels, from.Format(time.RFC3339))
		levels = levels[left:]
	}
	for _, l := range levels {
		l.Start, l.End = l.Start.In(p.zone), l.End.In(p.zone)
		m, err := p.measure(ctx, l, q.Objectives)
		if err != nil {
			return nil, err
		}
		r.add(m)
	}
	for _, l := range r.Levels {
		if r.holds(l) && !(l.RPS <= r.Highest) {
			r.Highest = l.RPS
		}
	}
	r.scale()
	if err := r.outside(ctx, p, from); err != nil {
		return nil, err
	}
	if err := r.explain(ctx, p, q, rate); err != nil {
		return nil, err
	}
	for _, w := range slices.Sorted(maps.Keys(p.warned)) {
		r.note("Prometheus remarks: %s", w)
	}
	return r, nil
}

// ends notes how much of the range is before the tester's first sample, and after its last.
func (r *Report) ends(rate []Sample) {
	first, last, long := rate[0].At, rate[len(rate)-1].At, gapSteps*medianStep(rate)
	if first.Sub(r.Start) > long {
		r.note("There are no samples before %s.", first.Format(time.RFC3339))
	}
	if r.End.Sub(last) > long {
		r.note("There are no samples after %s.", last.Format(time.RFC3339))
	}
}

// mostLevels bounds what Prometheus is asked.
const mostLevels = 200

// outside are the wrong answers that came outside of levels, from a time on.
func (r *Report) outside(ctx context.Context, p Prometheus, from time.Time) (err error) {
	if r.Outside, err = p.by(ctx, r.End, "kind", p.wrong(r.End.Sub(from).Truncate(time.Second))); err != nil {
		return err
	}
	for kind, n := range r.Outside {
		for _, l := range r.Levels {
			n -= l.Violations[kind]
		}
		if r.Outside[kind] = n; n < 0.5 {
			delete(r.Outside, kind)
		}
	}
	return nil
}

// explain asks for what is not of the tester alone: components, cost, and time.
func (r *Report) explain(ctx context.Context, p Prometheus, q Question, rate []Sample) error {
	var err error
	if r.Timeline, err = p.timeline(ctx, r.Start, r.End, medianStep(rate)); err != nil || len(r.Levels) == 0 {
		return err
	}
	// The half hour before tells how warm tables were.
	all, err := p.watch(ctx, r.Start.Add(-warmUp), r.End, newReread(q.AWS))
	if err != nil {
		return err
	}
	late, err := p.costLateness(ctx, r.Start, r.End, all)
	if err != nil {
		return err
	}
	relate(all, r.Levels)
	for i := range r.Levels {
		came, err := p.price(ctx, &r.Levels[i], late)
		if err != nil {
			return err
		}
		if l := r.Levels[i]; !came {
			r.note("What the level of %s cost that ended at %s had not come when the samples end: where the tester still runs, make the report again some minutes later.", perSecond(l.RPS), zoned(l.End))
		}
		r.Levels[i].Components = read(all, r.Levels[i])
		r.await(&r.Levels[i], awaits(all, r.Levels[i]))
	}
	r.Bottleneck, r.Cost = findBottleneck(all, r.Levels), line(r.Levels)
	if r.Drift, err = p.trends(ctx, r.Levels); err != nil {
		return err
	}
	prices, err := p.prices(ctx, r.Levels[len(r.Levels)-1].End)
	r.Advice = recommend(r, prices)
	return err
}

// await notes of which components AWS has not told all of a level yet.
func (r *Report) await(l *Measured, told map[metric.Component]time.Time) {
	var until []string
	for _, c := range slices.Sorted(maps.Keys(told)) {
		l.Awaited = append(l.Awaited, c.String())
		until = append(until, title(c.String())+" up to "+zoned(told[c]))
	}
	if len(until) > 0 {
		r.note("AWS has not told all yet of the level of %s that ended at %s (%s): make the report again some minutes later.", perSecond(l.RPS), zoned(l.End), strings.Join(until, ", "))
	}
}

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// add takes in a level.
func (r *Report) add(m Measured) {
	r.Levels = append(r.Levels, m)
	if m.full() && !(m.Served < r.Ceiling) {
		r.Ceiling = m.Served
	}
	if m.partial() {
		r.note("The latencies of the level of %s are those of %.0f %% of its answers: the form of histograms may have changed in it.", perSecond(m.RPS), 100*float64(m.Covered))
	}
}

// holds says whether a level and all others of its rate met all objectives.
func (r *Report) holds(l Measured) bool {
	return l.met() && !slices.ContainsFunc(r.Levels, func(other Measured) bool {
		return other.Invalid == "" && !other.met() && constant(float64(min(l.RPS, other.RPS)), float64(max(l.RPS, other.RPS)))
	})
}
