package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load/capacity"
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
		want := report.Question{Start: began, End: ended}
		for _, d := range s.result.Steps {
			want.Levels = append(want.Levels, report.Level{RPS: d.RPS, Start: d.Start.Add(time.Minute), End: d.End})
		}
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

// waits makes a search report when AWS is 17 minutes late, and tells the rate by then.
func (s *search) waits(r *ramp) (rps *float64) {
	rps = new(float64)
	s.late = 17 * time.Minute
	s.describe = func(context.Context, report.Question) (*report.Report, error) {
		*rps = r.target()
		return &report.Report{}, nil
	}
	return rps
}

func TestTheReportOfASearchWaitsAtARateThatHolds(t *testing.T) {
	for limit, want := range map[float64]float64{330: 100, 30: 29.71, 0: 4.411 / 2} {
		synctest.Test(t, func(t *testing.T) {
			r := rampUp(t, limit, flat())
			s := r.search(t)
			got := s.waits(r)
			s.run(t.Context())
			if *got != want || limit > 0 && *got > s.result.RPS {
				t.Errorf("limit %v: got the wait at %v requests a second after %v, want %v", limit, *got, s.result, want)
			}
		})
	}
}

func TestAReloadIsInForceWhileTheReportWaits(t *testing.T) {
	for name, after := range map[string]time.Duration{"before it, in the search": 14 * time.Minute, "in it": 50 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := rampUp(t, 330, flat())
				s := r.search(t)
				got := s.waits(r)
				time.AfterFunc(after, func() {
					calm := flat()
					calm.RPS = 5
					r.Reload(time.Now(), calm)
				})
				done := make(chan struct{})
				go func() {
					s.run(t.Context())
					close(done)
				}()
				r.at(t, start, after+2*time.Second, 5)
				if got := r.Get().Override; got != nil {
					t.Errorf("got the override %v over the reload, want none", got)
				}
				if <-done; *got != 5 || s.reported == nil {
					t.Errorf("got %v requests a second and the report %v, %v, want 5 and a report", *got, s.reported, s.failed)
				}
			})
		})
	}
}

func TestAChangeBySomebodyElseIsInForceWhileTheReportWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		got := s.waits(r)
		time.AfterFunc(14*time.Minute, func() { r.patch(t, `{"rps": 77, "ttl": "0s"}`) })
		s.run(t.Context())
		if *got != 77 || r.target() != 77 {
			t.Errorf("got %v requests a second in the wait and %v after it, want 77", *got, r.target())
		}
	})
}

func TestTheReportOfASearchIsOfItsStepsWhateverRateTheBrakeMakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.MaxRPS = 200
		r := rampUp(t, 330, base)
		r.holds = brake(150)
		s := r.search(t)
		s.floor = 5
		var got []float64
		s.describe = func(_ context.Context, q report.Question) (*report.Report, error) {
			for _, l := range q.Levels {
				got = append(got, l.RPS)
			}
			return &report.Report{}, nil
		}
		s.run(t.Context())
		want := []float64{100, 141.4, 200, 168.1, 154.1, 147.6, 147.6} // once each, though those that broke were tried twice
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: wanted -, got +\n%s", s.became(), diff)
		}
	})
}

func TestTheLevelsOfAReportAreTheStepsThatCount(t *testing.T) {
	began := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	missed := capacity.Verdict{Missed: []string{"availability"}}
	for name, test := range map[string]struct {
		phase   capacity.Phase
		lasts   time.Duration
		verdict capacity.Verdict
		want    []report.Level
	}{
		"one that held":            {capacity.Climb, 3 * time.Minute, capacity.Verdict{}, []report.Level{{RPS: 100, Start: began.Add(time.Minute), End: began.Add(3 * time.Minute)}}},
		"one that broke":           {capacity.Climb, 3 * time.Minute, missed, []report.Level{{RPS: 100, Start: began.Add(time.Minute), End: began.Add(3 * time.Minute)}}},
		"a proof":                  {capacity.Prove, 4 * time.Minute, capacity.Verdict{}, []report.Level{{RPS: 100, Start: began.Add(time.Minute), End: began.Add(4 * time.Minute)}}},
		"one that was repeated":    {capacity.Climb, 3 * time.Minute, capacity.Verdict{Missed: missed.Missed, Doubtful: true}, nil},
		"one of a tester too slow": {capacity.Climb, 3 * time.Minute, capacity.Verdict{Invalid: "lag"}, nil},
		"one that was refused":     {capacity.Climb, 0, missed, nil},
		"a wait":                   {capacity.Wait, 3 * time.Minute, capacity.Verdict{}, nil},
		"a wait that broke":        {capacity.Wait, 3 * time.Minute, missed, []report.Level{{RPS: 100, Start: began.Add(time.Minute), End: began.Add(3 * time.Minute)}}},
	} {
		s := &search{capacityFlags: capacityFlags{settle: 3 * time.Minute}, result: &capacity.Result{Steps: []capacity.Done{{
			Step: capacity.Step{RPS: 100, For: 3 * time.Minute, Phase: test.phase}, Start: began, End: began.Add(test.lasts), Verdict: test.verdict,
		}}}}
		if diff := cmp.Diff(test.want, s.levels()); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestASearchWithoutAStepThatCountsReportsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		r.mute = true
		s := r.search(t)
		s.waits(r)
		s.run(t.Context())
		ended := s.result.Steps[1].End
		if !errors.Is(s.failed, errNoLevel) || s.reported != nil || !time.Now().Equal(ended) {
			t.Errorf("got %v, %v, %s after the last step, want %v at once", s.reported, s.failed, time.Since(ended), errNoLevel)
		}
	})
}
