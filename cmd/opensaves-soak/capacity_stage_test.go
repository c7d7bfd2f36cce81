package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"

	"opensaves-soak/load/desired"
)

// laddered is a search of half an hour from 100 requests a second, after a minute.
func laddered() desired.Base {
	base := flat()
	base.RPS = 50
	base.Stages = []desired.Stage{
		{RPS: 70, Duration: model.Duration(time.Minute)},
		{RPS: 100, Duration: model.Duration(90 * time.Minute), FindCapacity: true},
		{RPS: 60, Duration: model.Duration(time.Hour)},
	}
	return base
}

// at holds that a rate is in force at some time after the start.
func (r *ramp) at(t *testing.T, start time.Time, after time.Duration, want float64) {
	t.Helper()
	time.Sleep(time.Until(start.Add(after)))
	if got := r.target(); got != want {
		t.Errorf("after %s: got %v requests a second, want %v", after, got, want)
	}
}

func TestAStageSearchesAndHoldsWhatItFoundUntilItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, 59*time.Second, 70)
		r.at(t, start, 4*time.Minute-time.Second, 100)
		r.at(t, start, 5*time.Minute, 141.4)
		r.at(t, start, time.Hour, 321.8)
		if got, want := r.Get().Override.Reason, "capacity search: found 321.8"; got != want {
			t.Errorf("got the reason %q, want %q", got, want)
		}
		r.at(t, start, 91*time.Minute-time.Second, 321.8)
		r.at(t, start, 91*time.Minute+time.Second, 60)
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v after the stage, want none", got)
		}
	})
}

func TestAStageThatIsOverEndsItsSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, base := time.Now(), laddered()
		base.Stages[1].Duration = model.Duration(10 * time.Minute)
		r := rampUp(t, 330, base)
		go r.search(t).follow(t.Context())
		r.at(t, start, 11*time.Minute-time.Second, 282.7)
		r.at(t, start, 11*time.Minute+time.Second, 60)
	})
}

func TestAStageInWhichNothingHoldsGoesOnAtItsOwnRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 0, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, time.Hour, 100)
		r.at(t, start, 91*time.Minute+time.Second, 60)
	})
}

func TestAChangeBySomebodyElseStaysInForceAfterTheStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		time.Sleep(5 * time.Minute)
		r.patch(t, `{"rps": 33}`)
		for _, after := range []time.Duration{6 * time.Minute, time.Hour, 2 * time.Hour} {
			r.at(t, start, after, 33)
		}
	})
}

func TestAnotherLeaderSearchesAnewAndTakesAwayWhatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		var leader atomic.Int32
		for i := range int32(2) {
			s := r.search(t)
			s.leads = func() bool { return leader.Load() == i }
			go s.follow(t.Context())
		}
		r.at(t, start, 5*time.Minute, 141.4)
		leader.Store(1)
		r.at(t, start, 7*time.Minute, 100)
		r.at(t, start, 80*time.Minute, 321.8)
		leader.Store(0)
		r.at(t, start, 82*time.Minute, 100)
		r.at(t, start, 91*time.Minute+2*time.Second, 60)
	})
}

func TestALeaderThatLedNotForAMomentSearchesAnew(t *testing.T) {
	var away atomic.Bool
	for name, leads := range map[string]func() bool{
		"for two looks": func() bool { return !away.Load() },
		"for one look":  func() bool { return !away.CompareAndSwap(true, false) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				r := rampUp(t, 150, laddered())
				s := r.search(t)
				s.leads = leads
				go s.follow(t.Context())
				r.at(t, start, 8*time.Minute, 199.9)
				away.Store(true)
				time.Sleep(3 * time.Second / 2)
				away.Store(false)
				r.at(t, start, 10*time.Minute, 100)
				r.at(t, start, 90*time.Minute, 147.6)
				if got, want := r.Get().Override.Reason, "capacity search: found 147.6"; got != want {
					t.Errorf("got the reason %q, want %q", got, want)
				}
			})
		})
	}
}

func TestALeaderThatComesBackDoesNotLeaveInForceWhatNobodyHasProven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 150, laddered())
		var leader atomic.Int32
		for i := range int32(2) {
			s := r.search(t)
			s.leads = func() bool { return leader.Load() == i }
			go s.follow(t.Context())
		}
		r.at(t, start, 42*time.Minute, 147.6)
		leader.Store(1)
		r.at(t, start, 47*time.Minute, 141.4)
		leader.Store(0)
		r.at(t, start, 49*time.Minute, 100)
		r.at(t, start, 90*time.Minute, 147.6)
	})
}

func TestAReloadThatTakesTheStageAwayEndsItsSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, 5*time.Minute, 141.4)
		calm := flat()
		calm.RPS = 5
		r.Reload(time.Now(), calm)
		r.at(t, start, 5*time.Minute+2*time.Second, 5)
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v, want none", got)
		}
		r.at(t, start, 90*time.Minute, 5)
	})
}

func TestAReloadOfTheCapEndsTheSearchAtTheRateThatHeld(t *testing.T) {
	for lower, want := range map[float64]float64{180: 141.4, 120: 120} {
		synctest.Test(t, func(t *testing.T) {
			start, base := time.Now(), laddered()
			r := rampUp(t, 150, base)
			go r.search(t).follow(t.Context())
			r.at(t, start, 8*time.Minute, 199.9)
			base.MaxRPS = lower
			r.Reload(time.Now(), base)
			r.at(t, start, 8*time.Minute+2*time.Second, want)
			r.at(t, start, 90*time.Minute, want)
			r.at(t, start, 91*time.Minute+2*time.Second, 60)
		})
	}
}

func TestAStageWaitsForAPauseToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		r.patch(t, `{"paused": true, "ttl": "0s"}`)
		go r.search(t).follow(t.Context())
		time.Sleep(12 * time.Minute)
		r.patch(t, `{"paused": false}`)
		r.at(t, start, 14*time.Minute, 100)
		r.at(t, start, 90*time.Minute, 321.8)
	})
}

func TestAPauseInAStageLeavesWhatHeldInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		go r.search(t).follow(t.Context())
		r.at(t, start, 8*time.Minute, 199.9)
		r.patch(t, `{"paused": true}`)
		r.at(t, start, 8*time.Minute+2*time.Second, 141.4)
		if got := r.Get().Override; got == nil || !got.Paused || got.Reason != "capacity search: found 141.4" {
			t.Errorf("got the override %v, want the pause and what held", got)
		}
	})
}

// cold is a load whose working set becomes warm when the test says so.
type cold struct {
	*ramp
	warm *atomic.Bool
}

func (c cold) WarmedUp() bool { return c.warm.Load() }

func TestAProgramThatEndsInAStageTakesItsRateAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		ctx, cancel := context.WithCancel(t.Context())
		go r.search(t).follow(ctx)
		r.at(t, start, 8*time.Minute, 199.9)
		cancel()
		r.at(t, start, 8*time.Minute+time.Second, 100)
		if got := r.Get().Override; got != nil {
			t.Errorf("got the override %v, want none", got)
		}
	})
}

func TestWhatAProgramHasLeftIsTakenAwayBeforeTheWarmUp(t *testing.T) {
	for name, test := range map[string]struct {
		base   desired.Base
		search func(*search, context.Context)
	}{
		"in a stage":         {laddered(), (*search).follow},
		"without a stage":    {flat(), (*search).follow},
		"by --find-capacity": {flat(), (*search).run},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rampUp(t, 330, test.base)
				r.patch(t, `{"rps": 199.9, "reason": "capacity search: climb 199.9", "ttl": "0s"}`)
				var warm atomic.Bool
				s := r.search(t)
				s.load = cold{r, &warm}
				go test.search(s, t.Context())
				time.Sleep(30 * time.Minute)
				if got := r.Get().Override; got != nil {
					t.Errorf("got the override %v in the warm-up, want none", got)
				}
				warm.Store(true)
				time.Sleep(time.Minute)
				if got := r.target(); got != 100 {
					t.Errorf("got %v requests a second when it is warm, want 100", got)
				}
			})
		})
	}
}
