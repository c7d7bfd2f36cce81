package capacity

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTheClimbWaitsForDynamoDB(t *testing.T) {
	c := config(100, 1000)
	c.IgnoreWarmUp = false
	want := []string{
		"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "wait 199.9 24m0s",
		"climb 282.7 3m0s", "climb 399.7 3m0s", "wait 399.7 24m0s",
		"climb 565.2 3m0s", "climb 799.3 3m0s", "wait 799.3 24m0s",
		"climb 1000 3m0s", "prove 1000 10m0s",
	}
	if diff := cmp.Diff(want, steps(search(c, limit(5000)))); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestARateThatBreaksWhileItWaitsIsNotHeld(t *testing.T) {
	c := config(100, 1000)
	c.IgnoreWarmUp = false
	got := search(c, func(s Step) Verdict {
		if s.Phase == Wait {
			return limit(150)(s)
		}
		return limit(5000)(s)
	})
	want := []string{
		"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "wait 199.9 24m0s broke",
		"bisect 168.1 3m0s", "bisect 183.3 3m0s", "bisect 191.4 3m0s", "prove 191.4 10m0s",
	}
	if diff := cmp.Diff(want, steps(got)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestWaitingDoesNotDependOnTheTester(t *testing.T) {
	c := config(100, 220)
	c.IgnoreWarmUp = false
	got := search(c, func(s Step) Verdict {
		if s.Phase == Wait {
			return Verdict{Invalid: "lag"}
		}
		return Verdict{}
	})
	want := []string{"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "wait 199.9 24m0s invalid", "climb 220 3m0s", "prove 220 10m0s"}
	if diff := cmp.Diff(want, steps(got)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAWaitThatBrokeByAChanceIsTriedAgainForAsLongAsAStepLasts(t *testing.T) {
	c := config(100, 220)
	c.IgnoreWarmUp = false
	got := search(c, limit(5000).doubtful(1, func(s Step) Verdict {
		if s.Phase == Wait {
			return limit(0)(s)
		}
		return Verdict{}
	}))
	want := []string{"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "wait 199.9 24m0s doubtful", "wait 199.9 3m0s", "climb 220 3m0s", "prove 220 10m0s"}
	if diff := cmp.Diff(want, steps(got)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAnInvalidStepWarmsNothingAndARateIsInForceFromItsStart(t *testing.T) {
	s := New(Config{Start: 100, Cap: 1000, Settle: 3 * time.Minute, Prove: 10 * time.Minute})
	now := began
	judge := func(v Verdict) {
		now = now.Add(5 * time.Minute) // what comes before a step is no part of it
		step, _ := s.Step()
		start := now
		now = now.Add(step.For)
		s.Judge(start, now, v)
	}
	for _, v := range []Verdict{{}, {Invalid: "lag"}, {}, {}, {}} {
		judge(v)
	}
	want := []string{"climb 100 3m0s", "climb 141.4 3m0s invalid", "climb 141.4 3m0s", "climb 199.9 3m0s", "wait 199.9 19m0s"}
	if diff := cmp.Diff(want, steps(s.Result())); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestNoRateIsOverTwiceThatOfThirtyMinutesBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			Start: rapid.Float64Range(1, 2000).Draw(t, "start"), Cap: rapid.Float64Range(1, 50_000).Draw(t, "cap"),
			Settle: time.Duration(rapid.Int64Range(int64(3*time.Second), int64(time.Hour)).Draw(t, "settle")), Prove: 10 * time.Minute,
		}
		breaks, slow := rapid.IntRange(0, 9), rapid.IntRange(0, 19)
		got := search(c, func(s Step) Verdict {
			if slow.Draw(t, "slow") == 19 {
				return Verdict{Invalid: "lag"}
			}
			return limit(float64(1_000_000 * breaks.Draw(t, "breaks")))(s)
		})
		before := 0.0
		for i, d := range got.Steps {
			peak := got.Steps[0].RPS
			for _, earlier := range got.Steps[:i] {
				if earlier.Held() && d.Start.Sub(earlier.Start) >= 30*time.Minute {
					peak = max(peak, earlier.RPS)
				}
			}
			if d.RPS > 2*peak || d.RPS > c.Cap {
				t.Fatalf("got %v after a peak of %v and under a cap of %v: %v", d.RPS, peak, c.Cap, steps(got))
			}
			if d.Phase == Climb && d.RPS > before && before > 0 && d.RPS < before*1.05 && d.RPS < c.Cap {
				t.Fatalf("got a climb from %v to %v, want no tiny step: %v", before, d.RPS, steps(got))
			}
			before = d.RPS
		}
	})
}
