package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAStageIsSearchedAnewWhenAChangeThatEndsHasTakenItsRateAway(t *testing.T) {
	for name, test := range map[string]struct {
		change string
		at     time.Duration // since the start
		ends   time.Duration // likewise
		before float64       // the rate before it ends
	}{
		"a mix in which the rate was found": {`{"read_ratio": 0.5, "ttl": "60m"}`, 0, 60 * time.Minute, 321.8},
		"a mix in the search":               {`{"read_ratio": 0.5, "ttl": "10m"}`, 0, 10 * time.Minute, 199.9},
		"a pause in the first step":         {`{"paused": true, "ttl": "5m"}`, 2 * time.Minute, 7 * time.Minute, 100},
		"a pause in the search":             {`{"paused": true, "ttl": "5m"}`, 8 * time.Minute, 13 * time.Minute, 141.4},
		"a pause of what was found":         {`{"paused": true, "ttl": "5m"}`, 50 * time.Minute, 55 * time.Minute, 321.8},
		"a rate in the stage":               {`{"rps": 33, "ttl": "5m"}`, 8 * time.Minute, 13 * time.Minute, 33},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				base := laddered()
				base.Stages[1].Duration *= 2
				r := rampUp(t, 330, base)
				go r.search(t).follow(t.Context())
				time.Sleep(test.at)
				r.patch(t, test.change)
				r.at(t, start, test.ends-time.Second, test.before)
				r.at(t, start, test.ends+3*time.Second, 100)
				r.at(t, start, 180*time.Minute, 321.8)
				r.at(t, start, 181*time.Minute+2*time.Second, 60)
			})
		})
	}
}

func TestAStageIsNotSearchedAnewAfterItsRateWasTakenAwayByHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		r := rampUp(t, 330, laddered())
		r.patch(t, `{"read_ratio": 0.5, "ttl": "70m"}`)
		go r.search(t).follow(t.Context())
		r.at(t, start, 50*time.Minute, 321.8)
		r.patch(t, `{"rps": null}`)
		r.at(t, start, 69*time.Minute, 100)
	})
}

func TestTheEndOfTheProgramTakesTheRateOfAStageAway(t *testing.T) {
	for name, after := range map[string]time.Duration{"in the search": 8 * time.Minute, "when it has found one": 50 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rampUp(t, 330, laddered())
				ctx, end := context.WithCancel(t.Context())
				followed := make(chan struct{})
				go func() { r.search(t).follow(ctx); close(followed) }()
				time.Sleep(after)
				if r.Get().Override == nil {
					t.Error("got no rate of a search, want one")
				}
				end()
				<-followed
				if o := r.Get().Override; o != nil {
					t.Errorf("got %+v in force, want nothing", o)
				}
			})
		})
	}
}
