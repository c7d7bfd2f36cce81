package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// capacityFlags say whether and how capacity is looked for.
type capacityFlags struct {
	on           bool
	settle       time.Duration
	prove        time.Duration
	ignoreWarmUp bool
	scraped
	report string // file; empty: none
}

func (f *capacityFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("find-capacity", "Climb from load.rps towards load.max_rps once the working set is warm, find the highest rate that meets the objectives, print a summary, and exit 1 if none is proven.").BoolVar(&f.on)
	cmd.Flag("find-capacity.settle", "How long a search tries each rate, here and in stages with find_capacity; the first third is not judged.").Default("3m").DurationVar(&f.settle)
	cmd.Flag("find-capacity.prove", "How long the rate that a search has found must hold.").Default("10m").DurationVar(&f.prove)
	cmd.Flag("find-capacity.ignore-warm-up", "Let a search double the rate within 30 minutes, which may throttle on-demand tables of DynamoDB.").BoolVar(&f.ignoreWarmUp)
	cmd.Flag("find-capacity.report", "File for the report of a search by --find-capacity, from --prometheus.url: a page (.html), Markdown (.md) or JSON (.json).").StringVar(&f.report)
	f.scraped.declare(cmd)
}

// leastSettle leaves what is known by the second alone time to be about the step.
const leastSettle = 3 * time.Second

var errNoStart = errors.New("load.rps: got 0 with --find-capacity, want more, to search from")

// check holds the flags against each other and the configuration.
func (f *capacityFlags) check(duration time.Duration, c Config) error {
	if f.on && f.report != "" {
		if _, err := f.connect(c); err != nil {
			return err
		}
		if _, err := formOf(f.report); err != nil {
			return fmt.Errorf("--find-capacity.report: %w", err)
		}
	}
	switch {
	case f.on && duration > 0:
		return fmt.Errorf("--find-capacity: got --duration=%s beside it, want one of them: a search ends by itself", duration)
	case f.settle < leastSettle || f.prove < leastSettle:
		return fmt.Errorf("--find-capacity.settle, --find-capacity.prove: got %s, %s, want %s or more", f.settle, f.prove, leastSettle)
	case f.report != "" && !f.on:
		return fmt.Errorf("--find-capacity.report: got %s without --find-capacity, want both", f.report)
	case f.on && c.Load.RPS == 0:
		return errNoStart
	}
	return nil
}

// checkStages wants stages that are long enough to search in, where any is.
func (f *capacityFlags) checkStages(c Config) error {
	if f.on {
		return nil
	}
	return c.Load.CheckSearches(f.settle)
}
