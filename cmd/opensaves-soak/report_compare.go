package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"opensaves-soak/report"
)

// compareReports writes what differs; a regression is an error.
func (c *command) compareReports(ctx context.Context, f reportFlags, now time.Time) error {
	a, err := c.side(ctx, f, f.a, now)
	if err != nil {
		return err
	}
	b, err := c.side(ctx, f, f.b, now)
	if err != nil {
		return err
	}
	comparison := report.Compare(a, b, f.most)
	if comparison.Levels == 0 && len(comparison.Regressions()) == 0 {
		return fmt.Errorf("%w: --compare: got %s in A and %s in B, want at least one valid level of the same rate in both", errUsage, levelsOf(a), levelsOf(b))
	}
	if err := c.save(comparison, f.output); err != nil {
		return err
	}
	if n := comparison.Untold(); n > 0 {
		fmt.Fprintf(c.stderr, "%s: comparing: of %d figures it cannot be told whether they changed: no limit was held against them\n", name, n)
	}
	return regression(comparison)
}

// levelsOf says how many levels a report has, and why those that are not valid are not.
func levelsOf(r *report.Report) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d levels", len(r.Levels))
	for _, l := range r.Levels {
		if l.Invalid != "" {
			fmt.Fprintf(&text, " (%.5g requests/s not valid: %s)", float64(l.RPS), strings.TrimSuffix(l.Invalid, "."))
		}
	}
	return text.String()
}

// regression names what is past the limit, the first of it where there is much.
func regression(c *report.Comparison) error {
	past := c.Regressions()
	if len(past) == 0 {
		return nil
	}
	const named = 5
	var names []string
	for _, r := range past[:min(named, len(past))] {
		names = append(names, r.String())
	}
	if len(past) > named {
		names = append(names, fmt.Sprintf("and %d more", len(past)-named))
	}
	return fmt.Errorf("comparing: got worse past --max-regression=%v: %s", float64(c.Most), strings.Join(names, "; "))
}

// side is one of the reports that are compared: a file, or what Prometheus shows of a range.
func (c *command) side(ctx context.Context, f reportFlags, text string, now time.Time) (*report.Report, error) {
	if strings.HasSuffix(text, ".json") {
		return readReport(text)
	}
	start, end, ok := strings.Cut(text, "/")
	if !ok {
		return nil, fmt.Errorf("%w: --compare: got %q, want a file that ends in .json, or a range START/END", errUsage, text)
	}
	q, err := f.question(start, end, now)
	if err != nil {
		return nil, fmt.Errorf("%w: --compare: %s: %w", errUsage, text, err)
	}
	return c.ask(ctx, f, q)
}

func readReport(path string) (*report.Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: --compare: %w", errUsage, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	r, err := report.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%w: --compare: %s: %w", errUsage, path, err)
	}
	return r, nil
}
