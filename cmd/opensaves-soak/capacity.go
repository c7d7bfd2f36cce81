package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/alerts"
	"opensaves-soak/load"
	"opensaves-soak/load/capacity"
	"opensaves-soak/load/capacity/steer"
	"opensaves-soak/load/desired"
	"opensaves-soak/opensaves"
)

// capacityFlags say whether and how capacity is looked for.
type capacityFlags struct {
	on           bool
	settle       time.Duration
	prove        time.Duration
	ignoreWarmUp bool
}

func (f *capacityFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("find-capacity", "Climb from load.rps towards load.max_rps once the working set is warm, find the highest rate that meets the objectives, print a summary, and exit 1 if none is proven.").BoolVar(&f.on)
	cmd.Flag("find-capacity.settle", "How long a search tries each rate, here and in stages with find_capacity; the first third is not judged.").Default("3m").DurationVar(&f.settle)
	cmd.Flag("find-capacity.prove", "How long the rate that a search has found must hold.").Default("10m").DurationVar(&f.prove)
	cmd.Flag("find-capacity.ignore-warm-up", "Let a search double the rate within 30 minutes, which may throttle on-demand tables of DynamoDB.").BoolVar(&f.ignoreWarmUp)
}

// leastSettle leaves what is known by the second alone time to be about the step.
const leastSettle = 3 * time.Second

// check holds the flags against each other and the configuration.
func (f *capacityFlags) check(duration time.Duration, c load.Config) error {
	switch {
	case f.on && duration > 0:
		return fmt.Errorf("--find-capacity: got --duration=%s beside it, want one of them: a search ends by itself", duration)
	case f.settle < leastSettle || f.prove < leastSettle:
		return fmt.Errorf("--find-capacity.settle, --find-capacity.prove: got %s, %s, want %s or more", f.settle, f.prove, leastSettle)
	case f.on && c.RPS == 0:
		return errors.New("load.rps: got 0 with --find-capacity, want more, to search from")
	case f.on:
		return nil
	}
	return c.CheckSearches(f.settle)
}

// steered is the load of a *load.Runner.
type steered interface {
	steer.Load
	Status() desired.Status
	WarmedUp() bool
}

// search looks for the highest rate at which a target meets the objectives. It
// steers the load as everybody else does, by changes of the override.
type search struct {
	capacityFlags
	window
	load       steered
	leads      func() bool
	start      float64 // requests a second, without stages
	objectives alerts.Objectives
	brake      time.Duration // how long a guard may hold the load down
	log        *slog.Logger

	wheel    *steer.Wheel
	limits   []desired.Limit // that held the load down in the window
	now      atomic.Pointer[string]
	proof    []outcome // of the last proof
	result   *capacity.Result
	complete bool // it was not ended early
}

func (d *daemon) newSearch() *search {
	c := d.config
	s := &search{
		capacityFlags: d.run.capacity, window: window{account: account{gatherer: d.registry}}, load: d.runner, leads: func() bool { return true },
		start: c.Load.RPS, objectives: c.Objectives, log: d.log.With("component", "capacity"), proof: []outcome{},
		// The brake holds for a cooldown, and comes off in steps for another one.
		brake: 5*time.Duration(c.Safety.Cooldown)/2 + time.Minute,
	}
	s.ignoreWarmUp = s.ignoreWarmUp || c.Embedded() || c.Target.Backend == opensaves.DocumentDB
	if d.fleet != nil {
		s.leads = d.fleet.Leads
	}
	return s
}

// doing says what the search does now.
func (s *search) doing() string {
	if now := s.now.Load(); now != nil {
		return *now
	}
	return "waiting to lead"
}

// run searches once, when the working set is warm and this replica leads.
func (s *search) run(ctx context.Context) {
	for !s.load.WarmedUp() || !s.leads() {
		if pause(ctx, glance) != nil {
			return
		}
	}
	result := s.find(ctx, s.start)
	s.result, s.complete = &result, ctx.Err() == nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releasing)
	defer cancel()
	s.release(ctx) // a fleet would go on with it
}

// releasing bounds how long the end of the program may take for it.
const releasing = 5 * time.Second

// follow searches in every stage with find_capacity, and takes away again what a
// search has left, this one's or that of a replica that led before, until ctx ends.
func (s *search) follow(ctx context.Context) {
	var searched time.Time // the end of the stage that a search was in last
	for {
		now, state := time.Now(), s.load.State()
		stage, ends, on := state.Base.Search(now)
		own, free := steer.Owner(state.Active(now))
		switch {
		case !s.leads() || !s.load.WarmedUp():
		case on && !ends.Equal(searched) && (own || free):
			searched = ends
			s.within(ctx, stage.RPS, ends)
		case !on && own:
			s.release(ctx)
		}
		wait := time.Second
		if left := time.Until(ends); on && left > 0 {
			wait = min(wait, left)
		}
		if pause(ctx, wait) != nil {
			return
		}
	}
}

// errStageOver ends a search with its stage.
var errStageOver = errors.New("the stage was over")

// within searches in a stage, and leaves the rate that was found in force.
func (s *search) within(ctx context.Context, rps float64, ends time.Time) {
	stage, cancel := context.WithDeadlineCause(ctx, ends, errStageOver)
	defer cancel()
	s.log.Info("The search for capacity begins", "from", rps, "until", ends)
	result := s.find(stage, rps)
	s.log.Info("The search for capacity has ended", "rps", result.RPS, "proven", result.Proven, "result", result.String())
	switch own, _ := steer.Owner(s.load.State().Active(time.Now())); {
	case ctx.Err() != nil || !own || !s.leads():
	case result.RPS > 0 && stage.Err() == nil:
		if err := s.set(stage, result.RPS, "found"); err != nil {
			s.log.Warn("The rate that was found is not in force", "err", err)
		}
	default:
		s.release(ctx)
	}
}

// find searches from a rate to the cap, or until ctx ends.
func (s *search) find(ctx context.Context, start float64) capacity.Result {
	state := s.load.State()
	s.wheel = steer.Take(s.load)
	err := s.count()
	search := capacity.New(capacity.Config{
		Start: start, Cap: state.Base.MaxRPS, Settle: s.settle, Prove: s.prove, IgnoreWarmUp: s.ignoreWarmUp,
	}, time.Now())
	broke := false
	for step, more := search.Step(); more; step, more = search.Step() {
		var v capacity.Verdict
		if err == nil {
			v, err = s.try(ctx, step, broke)
		}
		if errors.Is(err, context.Canceled) {
			err = errEarly
		}
		if err != nil {
			search.End(err.Error())
			break
		}
		search.Judge(time.Now(), v)
		s.log.Info("A rate was tried", "rps", step.RPS, "phase", string(step.Phase), "became", became(v), "missed", v.Missed, "invalid", v.Invalid,
			"achieved_rps", math.Round(v.Achieved*10)/10, "p99", shortly(v.P99), "in_flight", v.InFlight)
		broke = len(v.Missed) > 0
	}
	return search.Result()
}

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

// set sets the rate.
func (s *search) set(ctx context.Context, rps float64, why string) error {
	doing := why + " " + capacity.Rate(rps)
	s.now.Store(&doing)
	return s.wheel.Set(ctx, rps, why)
}

// release takes the rate away again, unless somebody else has changed it.
func (s *search) release(ctx context.Context) {
	if err := steer.Take(s.load).Release(ctx); err != nil {
		s.log.Warn("The rate of the search stays in force", "err", err)
	}
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
