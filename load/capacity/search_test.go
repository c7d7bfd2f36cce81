package capacity

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var began = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// target is what a simulated target makes of a step.
type target func(Step) Verdict

// limit is a target that breaks over a rate.
func limit(rps float64) target {
	return func(s Step) Verdict {
		if s.RPS > rps {
			return Verdict{Missed: []string{fmt.Sprintf("availability over %v", rps)}}
		}
		return Verdict{}
	}
}

// late makes a tester too slow over a rate.
func (t target) late(rps float64) target {
	return func(s Step) Verdict {
		if s.RPS > rps {
			return Verdict{Invalid: "lag"}
		}
		return t(s)
	}
}

// search plays a search to its end.
func search(c Config, t target) Result {
	now := began
	s := New(c)
	for step, more := s.Step(); more; step, more = s.Step() {
		start := now
		now = now.Add(step.For)
		s.Judge(start, now, t(step))
	}
	return s.Result()
}

func config(start, highest float64) Config {
	return Config{Start: start, Cap: highest, Settle: 3 * time.Minute, Prove: 10 * time.Minute, IgnoreWarmUp: true}
}

// steps writes what a search did, a step a line.
func steps(r Result) (lines []string) {
	for _, d := range r.Steps {
		line := fmt.Sprintf("%s %s %s", d.Phase, Rate(d.RPS), d.End.Sub(d.Start))
		switch {
		case d.Invalid != "":
			line += " invalid"
		case d.Doubtful:
			line += " doubtful"
		case !d.Held():
			line += " broke"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestASearchClimbsBisectsAndProves(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		target target
		want   []string
		says   string
	}{
		"up to a hard limit": {
			config(100, 5000), limit(330),
			[]string{
				"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "climb 282.7 3m0s", "climb 399.7 3m0s broke",
				"bisect 336.1 3m0s broke", "bisect 308.2 3m0s", "bisect 321.8 3m0s", "prove 321.8 10m0s",
			},
			"Held 321.8 requests a second for 10m0s; 336.1 broke availability over 330.",
		},
		"up to a cap below the limit": {
			config(100, 205), limit(330),
			[]string{"climb 100 3m0s", "climb 141.4 3m0s", "climb 205 3m0s", "prove 205 10m0s"},
			"Held 205 requests a second for 10m0s; the cap of 205 requests a second (load.max_rps) was reached.",
		},
		"down from a start above the limit": {
			config(1000, 5000), limit(600),
			[]string{"climb 1000 3m0s broke", "climb 707.1 3m0s broke", "climb 499.9 3m0s", "bisect 594.5 3m0s", "bisect 648.3 3m0s broke", "bisect 620.8 3m0s broke", "prove 594.5 10m0s"},
			"Held 594.5 requests a second for 10m0s; 620.8 broke availability over 600.",
		},
		"down to nothing": {
			config(3, 5000), limit(0.1),
			[]string{"climb 3 3m0s broke", "climb 2.121 3m0s broke", "climb 1.499 3m0s broke", "climb 1.059 3m0s broke"},
			"Held no rate; 1.059 broke availability over 0.1.",
		},
		"down to a thirty-second of the start": {
			config(100, 5000), limit(0.1),
			[]string{
				"climb 100 3m0s broke", "climb 70.71 3m0s broke", "climb 49.99 3m0s broke", "climb 35.34 3m0s broke", "climb 24.98 3m0s broke",
				"climb 17.66 3m0s broke", "climb 12.48 3m0s broke", "climb 8.824 3m0s broke", "climb 6.239 3m0s broke", "climb 4.411 3m0s broke",
			},
			"Held no rate; 4.411 broke availability over 0.1.",
		},
		"on from a proof that fails": {
			config(100, 5000), func(s Step) Verdict {
				if s.Phase == Prove {
					return limit(300)(s)
				}
				return limit(330)(s)
			},
			[]string{
				"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "climb 282.7 3m0s", "climb 399.7 3m0s broke",
				"bisect 336.1 3m0s broke", "bisect 308.2 3m0s", "bisect 321.8 3m0s", "prove 321.8 10m0s broke", "prove 308.2 10m0s broke",
				"bisect 295.1 3m0s", "prove 295.1 10m0s",
			},
			"Held 295.1 requests a second for 10m0s; 308.2 broke availability over 300.",
		},
		"down from a proof that fails at the only rate that held": {
			config(100, 100), func(s Step) Verdict {
				if s.Phase == Prove {
					return limit(80)(s)
				}
				return limit(330)(s)
			},
			[]string{
				"climb 100 3m0s", "prove 100 10m0s broke", "climb 70.71 3m0s", "bisect 84.08 3m0s", "bisect 91.69 3m0s", "bisect 95.75 3m0s",
				"prove 95.75 10m0s broke", "prove 91.69 10m0s broke", "bisect 87.8 3m0s", "prove 87.8 10m0s broke", "prove 84.08 10m0s broke",
				"bisect 77.1 3m0s", "bisect 80.51 3m0s", "prove 80.51 10m0s broke", "prove 77.1 10m0s",
			},
			"Held 77.1 requests a second for 10m0s; 80.51 broke availability over 80.",
		},
		"up to what the tester can make": {
			config(100, 5000), limit(330).late(250),
			[]string{"climb 100 3m0s", "climb 141.4 3m0s", "climb 199.9 3m0s", "climb 282.7 3m0s invalid", "climb 282.7 3m0s invalid", "prove 199.9 10m0s"},
			"Held 199.9 requests a second for 10m0s; the tester itself fell short at 282.7 requests a second: lag.",
		},
		"not at all where the tester can make nothing": {
			config(100, 5000), limit(330).late(50),
			[]string{"climb 100 3m0s invalid", "climb 100 3m0s invalid"},
			"Held no rate; the tester itself fell short at 100 requests a second: lag.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := search(test.config, test.target)
			if diff := cmp.Diff(test.want, steps(got)); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
			if got.String() != test.says {
				t.Errorf("got  %s\nwant %s", got, test.says)
			}
		})
	}
}

func TestAnInvalidStepIsTriedOnceMore(t *testing.T) {
	tries := map[float64]int{}
	got := search(config(100, 148), func(s Step) Verdict {
		if tries[s.RPS]++; tries[s.RPS] == 1 {
			return Verdict{Invalid: "lag"}
		}
		return Verdict{}
	})
	want := []string{"climb 100 3m0s invalid", "climb 100 3m0s", "climb 148 3m0s invalid", "climb 148 3m0s", "prove 148 10m0s"}
	if diff := cmp.Diff(want, steps(got)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// doubtful makes the first so many steps at a rate that break doubtful ones, in
// which less was held than later.
func (t target) doubtful(times int, before target) target {
	tries := map[string]int{}
	return func(s Step) Verdict {
		try := string(s.Phase) + Rate(s.RPS)
		if tries[try]++; tries[try] > times {
			return t(s)
		}
		v := before(s)
		v.Doubtful = !v.Held()
		return v
	}
}

func TestAStepThatBrokeByAChanceIsTriedOnceMoreBeforeItCounts(t *testing.T) {
	for name, test := range map[string]struct {
		target target
		want   []string
	}{
		"and held then": {
			limit(330).doubtful(1, limit(120)),
			[]string{"climb 100 3m0s", "climb 141.4 3m0s doubtful", "climb 141.4 3m0s", "climb 150 3m0s doubtful", "climb 150 3m0s", "prove 150 10m0s doubtful", "prove 150 10m0s"},
		},
		"and broke again by as little": {
			limit(330).doubtful(2, limit(145)),
			[]string{
				"climb 100 3m0s", "climb 141.4 3m0s", "climb 150 3m0s doubtful", "climb 150 3m0s broke",
				"bisect 145.6 3m0s doubtful", "bisect 145.6 3m0s broke", "prove 141.4 10m0s",
			},
		},
		"and was beyond the tester then": {
			limit(330).late(145).doubtful(1, limit(145)),
			[]string{"climb 100 3m0s", "climb 141.4 3m0s", "climb 150 3m0s doubtful", "climb 150 3m0s invalid", "prove 141.4 10m0s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, steps(search(config(100, 150), test.target))); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestASearchThatIsEndedHasProvenNothing(t *testing.T) {
	s := New(config(100, 5000))
	s.Judge(began, began.Add(3*time.Minute), Verdict{})
	s.End("the stage is over")
	if _, more := s.Step(); more {
		t.Error("got another step, want none")
	}
	want := Result{RPS: 100, Ended: "the stage is over", Steps: []Done{{Step: Step{100, 3 * time.Minute, Climb}, Start: began, End: began.Add(3 * time.Minute)}}}
	if diff := cmp.Diff(want, s.Result()); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got, want := s.Result().String(), "Held 100 requests a second, which is not proven; the stage is over."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTheRateIsFoundWithinFivePercentOfAnyLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := config(rapid.Float64Range(1, 2000).Draw(t, "start"), rapid.Float64Range(1, 50_000).Draw(t, "cap"))
		c.IgnoreWarmUp = rapid.Bool().Draw(t, "ignore warm-up")
		at := max(1.5, c.Start/20) * math.Exp(rapid.Float64Range(0, 8).Draw(t, "log of limit"))
		got := search(c, limit(at))
		least := min(at, c.Cap) / near
		if !got.Proven || got.RPS > min(at, c.Cap) || got.RPS < least {
			t.Fatalf("got %v, proven: %t, want %v to %v: %v", got.RPS, got.Proven, least, min(at, c.Cap), steps(got))
		}
	})
}

func TestANoisyLimitIsFoundWhereItBeginsToBreak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		noise := rapid.Float64Range(0.9, 1.1)
		got := search(config(100, 5000), func(s Step) Verdict { return limit(1000 * noise.Draw(t, "noise"))(s) })
		if !got.Proven || got.RPS < 900/near || got.RPS > 1100 {
			t.Fatalf("got %v, proven: %t, want 900 to 1100: %v", got.RPS, got.Proven, steps(got))
		}
	})
}

func TestASearchThatEndsInItsFirstStepHasAnEmptyListOfSteps(t *testing.T) {
	s := New(config(100, 5000))
	s.End("the run was ended early")
	got, err := json.Marshal(s.Result())
	if want := `{"rps":0,"proven":false,"ended":"the run was ended early","steps":[]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
