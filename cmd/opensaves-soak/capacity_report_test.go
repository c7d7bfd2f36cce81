package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/report"
)

func TestTheReportOfASearchWaitsForAWSAtTheFirstRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		began := time.Now()
		var asked time.Time
		var rps float64
		var got report.Question
		s.late = 7 * time.Minute
		s.describe = func(_ context.Context, q report.Question) (*report.Report, error) {
			asked, rps, got = time.Now(), r.target(), q
			return &report.Report{}, nil
		}
		s.run(t.Context())
		ended := s.result.Steps[len(s.result.Steps)-1].End
		want := report.Question{Start: began, End: ended, Rules: report.LevelRules{Settle: time.Minute, Shortest: 90 * time.Second}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if wait := asked.Sub(ended); wait != 8*time.Minute || rps != 100 {
			t.Errorf("asked %s after the search, at %v requests a second, want 8m0s and 100", wait, rps)
		}
	})
}

func TestASignalInTheWaitForTheReportIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.MaxRPS = 100
		r := rampUp(t, 330, base)
		s := r.search(t)
		s.late = 7 * time.Minute
		s.describe = func(context.Context, report.Question) (*report.Report, error) {
			t.Error("got a report, want none")
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 17*time.Minute)
		defer cancel()
		s.run(ctx)
		if !s.result.Proven || s.complete || s.failed != nil || s.reported != nil {
			t.Errorf("got %v, complete: %t, %v, want 100 proven, and a run that was ended early", s.result, s.complete, s.failed)
		}
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v afterwards, want none", got)
		}
	})
}
