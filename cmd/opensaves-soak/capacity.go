package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/load/capacity"
	"opensaves-soak/load/capacity/steer"
	"opensaves-soak/load/desired"
	"opensaves-soak/opensaves"
	"opensaves-soak/report"
)

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
	describe   describe      // nil: no report
	late       time.Duration // how late AWS is
	log        *slog.Logger

	wheel    *steer.Wheel
	limits   []desired.Limit // that held the load down in the window
	now      atomic.Pointer[string]
	proof    []outcome // of the last proof
	result   *capacity.Result
	complete bool // it was not ended early

	reported *report.Report
	failed   error // of the report
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
	if s.report != "" {
		s.describe = d.describe
		if aws := d.config.CloudWatch; aws.Enabled() {
			s.late = time.Duration(max(aws.Delay, aws.S3.Delay)) + 2*time.Minute // a poll a minute, and its time
		}
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
	began := time.Now()
	result := s.find(ctx, s.start)
	s.result, s.complete = &result, ctx.Err() == nil
	if s.describe != nil && s.complete {
		s.reported, s.failed = s.reportOf(ctx, began, time.Now())
	}
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
