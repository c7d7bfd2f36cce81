package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"opensaves-soak/load/capacity"
	"opensaves-soak/load/desired"
)

// try lets the load go at a rate and judges it by what comes once queues and pools
// are full. Its error ends the search.
func (s *search) try(ctx context.Context, step capacity.Step, rough bool) (v capacity.Verdict, err error) {
	if rough {
		if err := s.recover(ctx, step.RPS); err != nil {
			return v, err
		}
	}
	if err := s.set(ctx, step.RPS, string(step.Phase)); errors.Is(err, desired.ErrRefused) {
		return capacity.Verdict{Missed: []string{err.Error()}}, nil
	} else if err != nil {
		return v, err
	}
	if err := s.hold(ctx, s.settle/3); err != nil {
		return v, err
	}
	if err := s.judge(ctx, s.judged(step)); err != nil {
		return v, err
	}
	return s.verdict(step), nil
}

// judged is how long a step is judged: a proof for all of its time, which begins
// when the rate has settled.
func (s *search) judged(step capacity.Step) time.Duration {
	if step.Phase == capacity.Prove {
		return step.For
	}
	return step.For - s.settle/3
}

// verdict is what the judged part of a step says.
func (s *search) verdict(step capacity.Step) (v capacity.Verdict) {
	outcomes := decided(evaluate(s.objectives, s.counted))
	if step.Phase == capacity.Prove {
		s.proof = outcomes
	}
	for _, limit := range s.limits {
		if slices.Contains(byTarget, limit) {
			v.Missed = append(v.Missed, fmt.Sprintf("the rate: %s held it down", limit))
		}
	}
	v.Missed = append(v.Missed, s.broken(outcomes)...)
	// guard_errors alone may be there still for a rate before.
	v.Doubtful = len(v.Missed) == chances(outcomes) || len(v.Missed) == 1 && slices.Contains(s.limits, desired.ByErrors)
	v.Seen = s.seen(s.load.Status().Replica.Count)
	if s.made.seconds > 0 {
		v.Achieved = s.made.mean()
	}
	v.Invalid = s.spoilt(step, v)
	return v
}

// spoilt says why the judged part says nothing of the target; empty: it does. A
// fleet is asked for its rate where this replica's own share was served well.
func (s *search) spoilt(step capacity.Step, v capacity.Verdict) string {
	for _, limit := range s.limits {
		if slices.Contains(byTester, limit) {
			return fmt.Sprintf("the rate: %s held it down", limit)
		}
	}
	if why := s.invalid(); why != "" || len(v.Missed) > 0 {
		return why
	}
	return s.made.short(step.RPS, s.objectives.AchievedRate)
}

// recover lets the target work off what a rate that broke has left, until a second
// meets the objectives again: no longer than a step lasts, but as long as a guard
// holds the load down. It is at half of the next rate, but over the floor of
// guard_errors, which would not show below it.
func (s *search) recover(ctx context.Context, next float64) error {
	if err := s.set(ctx, max(next/2, min(next, overFloor*s.floor)), "recover"); err != nil {
		return err
	}
	for begun := time.Now(); ; {
		if err := s.judge(ctx, time.Second); err != nil {
			return err
		}
		took := time.Since(begun)
		held := slices.IndexFunc(s.limits, func(l desired.Limit) bool { return l != desired.ByCost }) // which depends on the rate
		switch {
		case held >= 0 && took >= s.brake:
			return fmt.Errorf("%s held the load down for %s", s.limits[held], took.Round(time.Second))
		case held < 0 && (took >= s.settle || len(s.broken(evaluate(s.objectives, s.counted))) == 0):
			return nil
		}
	}
}

// overFloor is how far over the floor of guard_errors a rate shows it, as a factor.
const overFloor = 1.1

// judge holds for a time that is a window of its own.
func (s *search) judge(ctx context.Context, d time.Duration) error {
	s.begin()
	s.limits, s.made = nil, fleetRate{}
	return s.hold(ctx, d)
}

// hold lets the load go on for a time, as long as it is the search's.
func (s *search) hold(ctx context.Context, d time.Duration) error {
	taken := time.Now()
	for end := taken.Add(d); ; {
		left := time.Until(end)
		if left <= 0 || time.Since(taken) >= lineEvery {
			if err := s.count(); err != nil {
				return err
			}
			taken = time.Now()
		}
		if left <= 0 {
			return nil
		}
		if err := pause(ctx, min(left, time.Second)); err != nil {
			return err
		}
		if err := s.look(time.Now()); err != nil {
			return err
		}
	}
}

// Why a search ends that somebody else ended.
var (
	errFollow = errors.New("another replica leads")
	errEarly  = errors.New("the run was ended early")
)

// Limits for which a rate does not count as held, by whose doing they are.
var (
	byTarget = []desired.Limit{desired.ByErrors, desired.ByCost, desired.ByBytes}
	byTester = []desired.Limit{desired.ByFleet, desired.ByLedger}
)

// look looks whether the load is still the search's, what holds it down, and what
// the fleet makes of it.
func (s *search) look(now time.Time) error {
	if !s.leads() {
		return errFollow
	}
	if !s.ends.IsZero() && !s.inStage(s.load.State(), now) {
		return errStageOver
	}
	if err := s.wheel.Check(now); err != nil {
		return err
	}
	if o := s.load.State().Active(now); o != nil {
		s.expires = o.Expires
	}
	status := s.load.Status()
	if l := status.LimitedBy; l != nil && (slices.Contains(byTarget, *l) || slices.Contains(byTester, *l)) && !slices.Contains(s.limits, *l) {
		s.limits = append(s.limits, *l)
	}
	if status.Replica.Count > 1 {
		s.made.shared = true
		if now.Sub(s.inForce) >= toldLate {
			s.made.add(status.AchievedRPS)
		}
	}
	return nil
}
