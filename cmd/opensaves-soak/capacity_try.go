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

// try lets the load go at a rate and judges it by what comes after the first
// third, in which queues and pools still fill. Its error ends the search.
func (s *search) try(ctx context.Context, step capacity.Step, afterBroken bool) (v capacity.Verdict, err error) {
	if afterBroken {
		if err := s.recover(ctx, step.RPS/2); err != nil {
			return v, err
		}
	}
	if err := s.set(ctx, step.RPS, string(step.Phase)); errors.Is(err, desired.ErrRefused) {
		return capacity.Verdict{Missed: []string{err.Error()}}, nil
	} else if err != nil {
		return v, err
	}
	if err := s.hold(ctx, step.For/3); err != nil {
		return v, err
	}
	if err := s.judge(ctx, step.For-step.For/3); err != nil {
		return v, err
	}
	outcomes := evaluate(s.objectives, s.counted)
	if step.Phase == capacity.Prove {
		s.proof = outcomes
	}
	for _, limit := range s.limits {
		v.Missed = append(v.Missed, fmt.Sprintf("the rate: %s held it down", limit))
	}
	v.Missed = append(v.Missed, s.broken(outcomes)...)
	v.Invalid, v.Seen = s.invalid(), s.seen(s.load.Status().Replica.Count)
	return v, nil
}

// recover lets the target work off what a rate that broke has left, until a second
// meets the objectives again: no longer than a step lasts, but as long as a guard
// holds the load down.
func (s *search) recover(ctx context.Context, rps float64) error {
	if err := s.set(ctx, rps, "recover"); err != nil {
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

// judge holds for a time that is a window of its own.
func (s *search) judge(ctx context.Context, d time.Duration) error {
	s.begin()
	s.limits = nil
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
		if err := s.look(); err != nil {
			return err
		}
	}
}

// Why a search ends that somebody else ended.
var (
	errFollow = errors.New("another replica leads")
	errEarly  = errors.New("the run was ended early")
)

// holdsDown are the limits for which a rate does not count as held.
var holdsDown = []desired.Limit{desired.ByErrors, desired.ByCost, desired.ByBytes, desired.ByFleet, desired.ByLedger}

// look looks whether the load is still the search's, and what holds it down.
func (s *search) look() error {
	if !s.leads() {
		return errFollow
	}
	if err := s.wheel.Check(); err != nil {
		return err
	}
	limit := s.load.Status().LimitedBy
	if limit != nil && slices.Contains(holdsDown, *limit) && !slices.Contains(s.limits, *limit) {
		s.limits = append(s.limits, *limit)
	}
	return nil
}
