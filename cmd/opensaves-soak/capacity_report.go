package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"opensaves-soak/load/capacity"
	"opensaves-soak/report"
)

// describe makes the report of a search that has ended.
type describe func(context.Context, report.Question) (*report.Report, error)

// scrapes is what the last samples take to be in Prometheus.
const scrapes = time.Minute

// finishReport makes the report of the climb. A signal that comes before is no failure:
// the run was ended early.
func (s *search) finishReport(ctx context.Context, began, ended time.Time) {
	s.reported, s.failed = s.reportOf(ctx, began, ended)
	if s.failed != nil && ctx.Err() != nil {
		s.log.Info("The run was ended before the report of its search was made", "err", s.failed)
		s.failed, s.complete = nil, false
	}
}

var errNoLevel = errors.New("no step of the search counts, so there is nothing to report")

// reportOf makes the report, when AWS has told of the last step.
func (s *search) reportOf(ctx context.Context, began, ended time.Time) (*report.Report, error) {
	levels := s.levels()
	if len(levels) == 0 {
		return nil, errNoLevel
	}
	if err := s.rest(ctx); err != nil {
		return nil, fmt.Errorf("waiting for the figures of AWS: %w", err)
	}
	return s.describe(ctx, report.Question{Start: began, End: ended, Levels: levels})
}

// levels are the judged parts of the steps that count. One that was refused has none.
func (s *search) levels() (levels []report.Level) {
	for _, d := range s.result.Steps {
		start := d.End.Add(-s.judged(d.Step))
		waited := d.Phase == capacity.Wait && d.Held()
		if !waited && !d.Doubtful && d.Invalid == "" && !start.Before(d.Start) {
			levels = append(levels, report.Level{RPS: d.RPS, Start: start, End: d.End})
		}
	}
	return levels
}

// rest lets the load go on at a rate that does no harm, until AWS has told of the last
// step. What somebody else wants of the load is in force at once.
func (s *search) rest(ctx context.Context) error {
	told := time.Now().Add(s.late + scrapes)
	err := s.set(ctx, harmless(*s.result), "wait for the figures of AWS")
	if err == nil {
		err = s.hold(ctx, time.Until(told))
	}
	if err != nil && ctx.Err() == nil {
		s.log.Info("The load goes on without a rate of the search while it waits for the figures of AWS", "err", err)
		s.say("wait for the figures of AWS")
		s.leave(ctx)
	}
	return pause(ctx, time.Until(told))
}

// harmless is the first rate, or the highest that held where that is lower: where none
// held, half the lowest that was tried.
func harmless(r capacity.Result) float64 {
	if r.RPS > 0 {
		return min(r.Steps[0].RPS, r.RPS)
	}
	lowest := slices.MinFunc(r.Steps, func(a, b capacity.Done) int { return cmp.Compare(a.RPS, b.RPS) })
	return lowest.RPS / 2
}

// describe asks the Prometheus of the flags, and writes the report to its file.
func (d *daemon) describe(ctx context.Context, q report.Question) (*report.Report, error) {
	p, err := d.run.capacity.connect(d.config)
	if err != nil {
		return nil, err
	}
	r, err := d.makeReport(ctx, p, d.config, q)
	if err != nil {
		return nil, err
	}
	return r, d.save(r, d.run.capacity.report)
}
