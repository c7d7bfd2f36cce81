package capacity

import (
	"fmt"
	"math"
	"time"
)

const (
	growth  = math.Sqrt2 // from one rate to the next, while nothing has broken
	near    = 1.05       // how near the rate that broke comes to the one that is found, at the most
	deepest = 32         // how far below the first rate the search goes
)

// Search is the state of a search. It is not safe for use by several goroutines.
type Search struct {
	config Config
	cap    float64   // in force: that of the configuration, or less where the tester is too slow
	held   []float64 // rates that held, ascending, all below broke
	broke  float64   // the lowest rate that broke; 0: none did
	missed []string  // what broke there
	slow   string    // why cap is less than configured
	proven bool
	doubts bool // the step is tried once more
	step   Step
	ended  string // why; empty: it goes on
	steps  []Done
}

// New makes a search.
func New(c Config) *Search {
	c.Start = min(c.Start, c.Cap)
	return &Search{config: c, cap: c.Cap, step: Step{c.Start, c.Settle, Climb}, steps: []Done{}}
}

// Step returns what to try; false: the search has ended.
func (s *Search) Step() (Step, bool) { return s.step, s.ended == "" }

// Judge takes what came of the step, whose rate was in force from start to now, and
// returns the step as it counts.
func (s *Search) Judge(start, now time.Time, v Verdict) Done {
	s.doubts = s.repeats(v)
	v.Doubtful = s.doubts && v.Invalid == ""
	done := Done{Step: s.step, Start: start, End: now, Verdict: v}
	s.steps = append(s.steps, done)
	switch {
	case s.doubts && s.step.Phase == Wait:
		s.step.For = s.config.Settle // what was to be waited for is over
		return done
	case s.doubts:
		return done
	case v.Invalid != "" && s.step.Phase == Wait: // nothing depends on it
	case v.Invalid != "":
		s.fallShort(v.Invalid)
	case v.Held():
		s.hold()
	default:
		s.drop()
		s.broke, s.missed = s.step.RPS, v.Missed
	}
	s.next(now)
	return done
}

// repeats says whether a step is tried once more.
func (s *Search) repeats(v Verdict) bool {
	if v.Invalid != "" {
		return !s.doubts && s.step.Phase != Wait
	}
	return !s.doubts && v.Doubtful && !v.Held()
}

// End ends the search before it is through.
func (s *Search) End(why string) { s.ended = why }

// Result returns what the search came to, or has come to so far.
func (s *Search) Result() Result {
	return Result{RPS: s.best(), Proven: s.proven, BrokeAt: s.broke, Broke: s.missed, Ended: s.ended, Steps: s.steps}
}

// best is the highest rate that held, 0 where none did.
func (s *Search) best() float64 {
	if len(s.held) == 0 {
		return 0
	}
	return s.held[len(s.held)-1]
}

// hold takes into account that the rate of the step held.
func (s *Search) hold() {
	if s.step.RPS > s.best() {
		s.held = append(s.held, s.step.RPS)
	}
	s.proven = s.step.Phase == Prove
}

// drop forgets that the rate of the step has held.
func (s *Search) drop() {
	if s.best() == s.step.RPS {
		s.held = s.held[:len(s.held)-1]
	}
}

// fallShort takes into account that the rate of a step is beyond what the tester
// can make: those below are left.
func (s *Search) fallShort(why string) {
	s.drop()
	s.cap = s.best()
	s.slow = fmt.Sprintf("the tester itself fell short at %s requests a second: %s", Rate(s.step.RPS), why)
}

// next chooses the next step, or ends the search.
func (s *Search) next(now time.Time) {
	best := s.best()
	switch {
	case s.proven || s.cap == 0:
		s.ended = s.why()
	case best == 0:
		s.descend()
	case s.bounded() || best >= s.cap:
		s.step = Step{best, s.config.Prove, Prove}
	case s.broke > 0:
		s.step = Step{round(math.Sqrt(best * s.broke)), s.config.Settle, Bisect}
	default:
		s.step = s.climb(now)
	}
}

// bounded says that a rate is known to break that is hardly higher than the best.
func (s *Search) bounded() bool { return s.broke > 0 && s.broke <= s.best()*near }

// descend goes down from a rate that broke where none is known to hold.
func (s *Search) descend() {
	below := round(s.broke / growth)
	if below < max(s.config.Start/deepest, min(1, s.config.Start)) {
		s.ended = s.why()
		return
	}
	s.step = Step{below, s.config.Settle, Climb}
}

// why says what ends a search that is through.
func (s *Search) why() string {
	switch {
	case s.bounded():
		return broke(s.broke, s.missed)
	case s.slow != "":
		return s.slow
	case s.best() == 0:
		return broke(s.broke, s.missed)
	}
	return fmt.Sprintf("the cap of %s requests a second (load.max_rps) was reached", Rate(s.cap))
}

// round leaves a rate four digits, and makes it no higher.
func round(rps float64) float64 {
	shift := 3 - int(math.Floor(math.Log10(rps)))
	if shift <= 0 { // a power of ten below 1 would not be exact
		unit := math.Pow10(-shift)
		return math.Floor(rps/unit) * unit
	}
	return math.Floor(rps*math.Pow10(shift)) / math.Pow10(shift)
}
