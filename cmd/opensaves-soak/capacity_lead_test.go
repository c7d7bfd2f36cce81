package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/report"
)

func TestAReplicaThatDoesNotLeadSearchesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		s := r.search(t)
		var leads atomic.Bool
		s.leads = leads.Load
		time.AfterFunc(time.Hour, func() { leads.Store(true) })
		time.AfterFunc(time.Hour+4*time.Minute, func() { leads.Store(false) })
		s.run(t.Context())
		if got := s.result; len(got.Steps) != 1 || got.Ended != errFollow.Error() {
			t.Errorf("got %v, want one step and then: %v", got, errFollow)
		}
	})
}

func TestALeaderBeforeNeitherReportsNorTakesAwayWhatTheNextOneSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		var leader atomic.Int32
		before, next := r.search(t), r.search(t)
		before.leads = func() bool { return leader.Load() == 0 }
		next.leads = func() bool { return leader.Load() == 1 }
		var reports atomic.Int32
		before.describe = func(context.Context, report.Question) (*report.Report, error) {
			reports.Add(1)
			return &report.Report{}, nil
		}
		done := make(chan struct{})
		go func() {
			before.run(t.Context())
			close(done)
		}()
		time.Sleep(4 * time.Minute)
		leader.Store(2)
		time.Sleep(5 * time.Second)
		if got := r.target(); got != 141.4 {
			t.Errorf("got %v requests a second while nobody leads, want 141.4 left to the next leader", got)
		}
		leader.Store(1)
		next.run(t.Context())
		<-done
		if got := before.result.Ended; got != errFollow.Error() || reports.Load() != 0 {
			t.Errorf("got the end %q and %d reports of the leader before, want %q and none", got, reports.Load(), errFollow)
		}
		if got := next.result; !got.Proven || got.RPS != 321.8 {
			t.Errorf("got %v of the next leader, want 321.8 proven", got)
		}
	})
}

func TestASearchWaitsUntilTheRateOfSomebodyElseIsTakenAway(t *testing.T) {
	for name, test := range map[string]struct{ change, end string }{
		"a rate":  {`{"rps": 33, "reason": "the target is on one node today", "ttl": "0s"}`, `{"rps": null}`},
		"a pause": {`{"paused": true, "ttl": "0s"}`, `{"paused": null}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rampUp(t, 330, flat())
				r.patch(t, test.change)
				want := r.Get()
				s := r.search(t)
				done := make(chan struct{})
				go func() {
					s.run(t.Context())
					close(done)
				}()
				time.Sleep(time.Hour)
				if diff := cmp.Diff(want, r.Get()); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
				if got, want := s.doing(), "waiting for the load to be free"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				r.patch(t, test.end)
				<-done
				if got := s.result; !got.Proven || got.RPS != 321.8 {
					t.Errorf("got %v, want 321.8 proven", got)
				}
			})
		})
	}
}

func TestASignalEndsTheWaitForSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		r.patch(t, `{"rps": 33, "ttl": "0s"}`)
		s := r.search(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s.run(ctx)
		if got := r.target(); s.result != nil || got != 33 {
			t.Errorf("got %v and %v requests a second, want no result and 33", s.result, got)
		}
	})
}

func TestASearchBeginsAtTheRateThatIsConfiguredByThen(t *testing.T) {
	for rps, want := range map[float64]string{
		200: "Held 321.9 requests a second for 10m0s; 336.2 broke availability: got 98.1559 % (39600 of 40344), want at least 99.9 %.",
		0:   "Held no rate; load.rps: got 0 with --find-capacity, want more, to search from.",
	} {
		synctest.Test(t, func(t *testing.T) {
			r := rampUp(t, 330, flat())
			var warm atomic.Bool
			s := r.search(t)
			s.load = cold{r, &warm}
			time.AfterFunc(10*time.Minute, func() {
				other := flat()
				other.RPS = rps
				r.Reload(time.Now(), other)
				warm.Store(true)
			})
			s.run(t.Context())
			if got := s.result.String(); got != want || !s.complete {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if steps := s.result.Steps; rps > 0 && steps[0].RPS != rps {
				t.Errorf("got the first rate %v, want %v", steps[0].RPS, rps)
			}
		})
	}
}
