package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// account follows what a registry counts.
type account struct {
	gatherer prometheus.Gatherer
	total    snapshot // of the whole run
}

// take returns what was counted since it was called last. It is called often
// enough that a native histogram, which begins again at most once an hour, loses
// little.
func (a *account) take() (news snapshot, err error) {
	total, err := gather(a.gatherer)
	if err != nil {
		return nil, err
	}
	news, a.total = total.since(a.total), total
	return news, nil
}

// finite is a run of a fixed time, or one that ends when a search does: it counts
// from when the working set is warm and shows meanwhile how things go.
type finite struct {
	account
	length   time.Duration
	search   *search // nil: the run lasts its length
	warm     func() bool
	progress *progress

	recent   snapshot  // from when progress was shown last
	measured snapshot  // from when the working set was warm; nil: it is not yet
	started  time.Time // of the run
	began    time.Time // of what is measured
	ended    time.Time // of the arrivals
	complete bool      // it lasted as long as it was to
}

func (d *daemon) newFinite() *finite {
	return &finite{
		account: account{gatherer: d.registry}, length: d.run.duration, warm: d.runner.WarmedUp,
		progress: &progress{screen: d.screen, records: (d.config.Data.Records*9 + 9) / 10},
	}
}

// conclude shows the summary of a run that has ended, and writes it to the
// file of --summary.output. The error says what was wrong.
func (d *daemon) conclude() error {
	d.screen.finish()
	s, err := d.finite.sumUp(d.config)
	if err != nil {
		return err
	}
	s.print(d.stdout)
	if d.report != nil {
		if err := errors.Join(s.write(d.report), d.report.Close()); err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
	}
	if d.finite.search != nil && d.finite.search.failed != nil {
		return errors.Join(s.verdict(), fmt.Errorf("making the report of the search: %w", d.finite.search.failed))
	}
	return s.verdict()
}

// openSummary opens the file of --summary.output; nil: none. It is opened when
// the run begins, so that a wrong path fails at once.
func (c *command) openSummary() (*os.File, error) {
	if c.run.summary == "" {
		return nil, nil
	}
	file, err := os.Create(c.run.summary)
	if err != nil {
		return nil, fmt.Errorf("opening the summary: %w", err)
	}
	return file, nil
}

// glance is how often finite looks whether the working set is warm.
const glance = 50 * time.Millisecond

// run ends when the run has lasted its length since the working set was warm, or
// with ctx, as it does when a search is over.
func (f *finite) run(ctx context.Context) error {
	beat := time.NewTicker(glance)
	defer beat.Stop()
	var end <-chan time.Time
	f.started = time.Now()
	f.progress.last = f.started
	defer func() { f.ended = time.Now() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-end:
			f.complete = true
			return nil
		case now := <-beat.C:
			if f.measured == nil && f.warm() {
				if err := f.begin(now); err != nil {
					return err
				}
				if f.search == nil {
					end = time.After(f.length)
				}
			}
			if err := f.look(now); err != nil {
				return err
			}
		}
	}
}

// begin starts to measure.
func (f *finite) begin(now time.Time) error {
	if err := f.count(); err != nil {
		return err
	}
	f.began, f.measured = now, f.total.since(f.total)
	return nil
}

// count takes into account what happened since it was called last.
func (f *finite) count() error {
	news, err := f.take()
	if err != nil {
		return err
	}
	f.recent = news.plus(f.recent)
	if f.measured != nil {
		f.measured = news.plus(f.measured)
	}
	return nil
}

// look shows progress where it is time to.
func (f *finite) look(now time.Time) error {
	if !f.progress.due(now) {
		return nil
	}
	if err := f.count(); err != nil {
		return err
	}
	f.progress.show(now, sight{recent: f.recent, total: f.total, warm: f.measured != nil, phase: f.phase(now)})
	f.recent = nil
	return nil
}

// phase says what the run is about, once the working set is warm.
func (f *finite) phase(now time.Time) string {
	if f.search != nil {
		return f.search.doing()
	}
	return max(0, f.length-now.Sub(f.began)).Round(time.Second).String() + " left"
}
