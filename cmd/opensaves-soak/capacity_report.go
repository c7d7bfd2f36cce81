package main

import (
	"context"
	"fmt"
	"time"

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

// reportOf makes the report, when AWS has told of the last step. The load waits for
// that at its first rate.
func (s *search) reportOf(ctx context.Context, began, ended time.Time) (*report.Report, error) {
	if err := s.set(ctx, s.start, "wait for the figures of AWS"); err != nil {
		s.log.Warn("The load stays as it is while the report is made", "err", err)
	}
	if err := pause(ctx, s.late+scrapes); err != nil {
		return nil, fmt.Errorf("waiting for the figures of AWS: %w", err)
	}
	return s.describe(ctx, report.Question{
		Start: began, End: ended, Rules: report.LevelRules{Settle: s.settle / 3, Shortest: s.settle / 2},
	})
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
