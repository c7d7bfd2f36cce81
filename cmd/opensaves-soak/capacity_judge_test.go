package main

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load/capacity"
	"opensaves-soak/load/desired"
)

// became lists what became of the steps of a search, with their rates.
func (s *search) became() (list []string) {
	for _, d := range s.result.Steps {
		list = append(list, string(d.Phase)+" "+capacity.Rate(d.RPS)+" "+became(d.Verdict))
	}
	return list
}

// without is a target that serves nothing from one time after now to another.
func (r *ramp) without(from, to time.Duration) {
	began, limit := time.Now(), r.limit
	r.limit = func(now time.Time) float64 {
		if d := now.Sub(began); d > from && d < to {
			return 0
		}
		return limit(now)
	}
}

// during is a limit from one time after now to another.
func (r *ramp) during(limit desired.Limit, from, to time.Duration) {
	began := time.Now()
	r.holds = func(float64) desired.Limit {
		if d := time.Since(began); d > from && d < to {
			return limit
		}
		return desired.Unlimited
	}
}

func TestAProofIsJudgedForTheWholeTimeThatItNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.MaxRPS = 100
		r := rampUp(t, 330, base)
		r.without(4*time.Minute+5*time.Second, 6*time.Minute+10*time.Second) // the first third of the proof's own time
		s := r.search(t)
		s.run(t.Context())
		if got, want := s.became()[:2], []string{"climb 100 held", "prove 100 broke"}; !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got := s.result.Steps[1]; got.End.Sub(got.Start) != 11*time.Minute || got.For != 10*time.Minute {
			t.Errorf("got a proof for %s in %s, want 10m0s after one minute", got.For, got.End.Sub(got.Start))
		}
	})
}

func TestTheFirstThirdOfAStepIsNotJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.MaxRPS = 100
		r := rampUp(t, 330, base)
		r.without(3*time.Minute+time.Second, 4*time.Minute)
		s := r.search(t)
		s.run(t.Context())
		if got, want := s.became(), []string{"climb 100 held", "prove 100 held"}; !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAStepInWhichTheFleetOrTheLedgerFellShortIsInvalid(t *testing.T) {
	for _, limit := range []desired.Limit{desired.ByFleet, desired.ByLedger} {
		synctest.Test(t, func(t *testing.T) {
			r := rampUp(t, 330, flat())
			r.during(limit, 5*time.Minute, 5*time.Minute+15*time.Second)
			s := r.search(t)
			s.run(t.Context())
			if got, want := s.became()[1:3], []string{"climb 141.4 invalid", "climb 141.4 held"}; !cmp.Equal(got, want) || s.result.RPS != 321.8 {
				t.Errorf("%s: got %v and then %v, want %v and 321.8", limit, got, s.result, want)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			r := rampUp(t, 330, flat())
			r.holds = func(rps float64) desired.Limit { return map[bool]desired.Limit{true: limit}[rps > 150] }
			s := r.search(t)
			s.run(t.Context())
			want := "Held 141.4 requests a second for 10m0s; the tester itself fell short at 199.9 requests a second: the rate: " + string(limit) + " held it down."
			if got := s.result.String(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestARateThatTheFleetNeverSentIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 1e6, desired.Base{RPS: 100, MaxRPS: 400})
		r.replicas, r.fleet = 2, 0.52
		s := r.search(t)
		s.run(t.Context())
		const want = "Held no rate; the tester itself fell short at 100 requests a second: the fleet made 52 of 100."
		if got := s.result.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestTheRateOfAFleetIsThatOfAllReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		r.replicas, r.fleet = 2, 0.995
		s := r.search(t)
		s.run(t.Context())
		proof := s.result.Steps[len(s.result.Steps)-1]
		if want := 0.995 * 321.8; !s.result.Proven || math.Abs(proof.Achieved-want) > 1e-6 {
			t.Errorf("got %v achieved by %v, want %v", proof.Achieved, s.result, want)
		}
	})
}

func TestABrakeThatIsLeftFromARateBeforeIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.RPS = 10
		r := rampUp(t, 8, base)
		r.holds = brake(8)
		s := r.search(t)
		s.floor = 5
		s.run(t.Context())
		want := []string{
			"climb 10 broke", "climb 7.071 held", "bisect 8.408 broke", "bisect 7.71 held", "bisect 8.051 broke", "prove 7.71 held",
		}
		if diff := cmp.Diff(want, s.became()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

// brake is guard_errors with its defaults, which trips over a rate: its floor of 5
// holds for five minutes, and then the rate climbs back in ten steps.
func brake(over float64) func(rps float64) desired.Limit {
	var tripped time.Time
	return func(rps float64) desired.Limit {
		now := time.Now()
		if tripped.IsZero() && rps > over {
			tripped = now
		}
		step := 0
		if past := now.Sub(tripped) - 5*time.Minute; past >= 0 {
			step = 1 + int(past/(30*time.Second))
		}
		if step > 10 {
			tripped = time.Time{}
		}
		if !tripped.IsZero() && 5+max(0, rps-5)*float64(step)/10 < rps {
			return desired.ByErrors
		}
		return desired.Unlimited
	}
}

func TestABrakeAloneDoesNotBreakARateBeforeItIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		r.during(desired.ByErrors, 5*time.Minute, 9*time.Minute)
		s := r.search(t)
		s.run(t.Context())
		if got, want := s.became()[1:3], []string{"climb 141.4 doubtful", "climb 141.4 held"}; !cmp.Equal(got, want) || s.result.RPS != 321.8 {
			t.Errorf("got %v and then %v, want %v and 321.8", got, s.result, want)
		}
		if got := s.result.Steps[2].Start.Sub(s.result.Steps[1].End); got < 3*time.Minute || got > 3*time.Minute+5*time.Second {
			t.Errorf("got it tried again after %s, want it when the brake has let go, after three minutes", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 1e6, flat())
		r.holds = func(rps float64) desired.Limit { return map[bool]desired.Limit{true: desired.ByErrors}[rps > 150] }
		s := r.search(t)
		s.run(t.Context())
		if got := s.result.String(); !strings.HasSuffix(got, "broke the rate: guard_errors held it down.") {
			t.Errorf("got %s, want the brake to have broken a rate twice", got)
		}
	})
}

func TestAStepThatBreaksByAChanceIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rampUp(t, 330, flat())
		r.without(5*time.Minute, 5*time.Minute+250*time.Millisecond) // two or three tenths of a second
		s := r.search(t)
		s.objectives.Availability = 0.9985 // of 16968 in two minutes; 25 may fail, and ten more by chance
		s.run(t.Context())
		if got, want := s.became()[1:3], []string{"climb 141.4 doubtful", "climb 141.4 held"}; !cmp.Equal(got, want) {
			t.Errorf("got %v %v, want %v", got, s.result.Steps[1].Missed, want)
		}
	})
}

func TestASingleAnswerDecidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := flat()
		base.RPS, base.MaxRPS = 5, 5
		r := rampUp(t, 330, base)
		r.without(90*time.Second, 90*time.Second+250*time.Millisecond) // one of 600 in two minutes
		s := r.search(t)
		s.run(t.Context())
		if got, want := s.became(), []string{"climb 5 held", "prove 5 held"}; !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestAChanceIsUpToTwoStandardDeviations(t *testing.T) {
	for name, test := range map[string]struct {
		share  share
		atMost bool
		want   float64
		status status
		chance int
	}{
		"met":                                {share{"", 9990, 10_000}, false, 0.999, met, 0},
		"missed by one":                      {share{"", 9989, 10_000}, false, 0.999, missed, 1},
		"missed by two standard deviations":  {share{"", 9984, 10_000}, false, 0.999, missed, 1},
		"missed by more":                     {share{"", 9983, 10_000}, false, 0.999, missed, 0},
		"over by two standard deviations":    {share{"", 16, 10_000}, true, 0.001, missed, 1},
		"over by more":                       {share{"", 17, 10_000}, true, 0.001, missed, 0},
		"too few, one of them missing":       {share{"", 998, 999}, false, 0.999, noData, 0},
		"too few, none of them missing":      {share{"", 999, 999}, false, 0.999, noData, 0},
		"too few, two of them missing":       {share{"", 997, 999}, false, 0.999, missed, 1},
		"too few, all of them missing":       {share{"", 0, 999}, false, 0.999, missed, 0},
		"too few, one of them over":          {share{"", 1, 999}, true, 0.001, noData, 0},
		"none":                               {share{"", 0, 0}, false, 0.999, noData, 0},
		"all are wanted, one of them misses": {share{"", 9999, 10_000}, false, 1, noData, 0},
		"all are wanted, two of them miss":   {share{"", 9998, 10_000}, false, 1, missed, 0},
	} {
		o := test.share.atLeast(test.want)
		if test.atMost {
			o = test.share.atMost(test.want)
		}
		got := decided([]outcome{o})
		if got[0].Status != test.status || chances(got) != test.chance {
			t.Errorf("%s: got %s and %d by chance, want %s and %d", name, got[0].Status, chances(got), test.status, test.chance)
		}
	}
}
