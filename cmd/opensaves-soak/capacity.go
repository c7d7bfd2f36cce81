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
	objectives alerts.Objectives
	brake      time.Duration // how long a guard may hold the load down
	floor      float64       // that guard_errors lets through, in requests a second
	describe   describe      // nil: no report
	late       time.Duration // how late AWS is
	log        *slog.Logger

	wheel    *steer.Wheel
	ends     time.Time       // of the stage that it is in; zero: it is in none
	expires  time.Time       // the override that was in force at the last look; zero: never
	inForce  time.Time       // since when the rate is
	limits   []desired.Limit // that held the load down in the window
	made     fleetRate       // in the window
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
		objectives: c.Objectives, log: d.log.With("component", "capacity"), proof: []outcome{},
		// The brake holds for a cooldown, and comes off in steps for another one.
		brake: 5*time.Duration(c.Safety.Cooldown)/2 + time.Minute, floor: c.Safety.FloorRPS,
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

// run searches once.
func (s *search) run(ctx context.Context) {
	if s.await(ctx) != nil {
		return
	}
	began := time.Now()
	result := s.find(ctx, s.load.State().Base.RPS) // a reload may have changed it
	s.result, s.complete = &result, ctx.Err() == nil
	if s.describe != nil && s.complete && s.leads() {
		s.finishReport(ctx, began, time.Now())
	}
	s.leave(ctx) // a fleet would go on with it
}

// await waits until the working set is warm, this replica leads, and the load is
// nobody else's. It does not warm up at a rate that a search has left.
func (s *search) await(ctx context.Context) error {
	for told := false; ; {
		own, free := steer.Owner(s.load.State().Active(time.Now()))
		switch warm := s.load.WarmedUp(); {
		case !s.leads():
		case !warm && own:
			s.release(ctx)
		case warm && free:
			return nil
		case warm && !told:
			told = true
			s.say("waiting for the load to be free")
			s.log.Info("The search for capacity waits: somebody else has set the rate, or paused the load")
		}
		if err := pause(ctx, glance); err != nil {
			return err
		}
	}
}

// find searches from a rate to the cap, or until ctx ends.
func (s *search) find(ctx context.Context, start float64) capacity.Result {
	s.wheel = steer.Take(s.load, time.Now())
	search := capacity.New(capacity.Config{
		Start: start, Cap: s.load.State().Base.MaxRPS, Settle: s.settle, Prove: s.prove, IgnoreWarmUp: s.ignoreWarmUp,
	})
	err := s.count()
	if start == 0 {
		err = errNoStart
	}
	rough := false // the step before has left something to work off
	for step, more := search.Step(); more && err == nil; step, more = search.Step() {
		var v capacity.Verdict
		if v, err = s.try(ctx, step, rough); err == nil {
			s.tell(search.Judge(s.inForce, time.Now(), v))
			rough = !v.Held()
		}
	}
	if errors.Is(err, context.Canceled) {
		err = errEarly
	}
	if err != nil {
		search.End(err.Error())
	}
	return search.Result()
}

// tell logs a step that is over.
func (s *search) tell(d capacity.Done) {
	s.log.Info("A rate was tried", "rps", d.RPS, "phase", string(d.Phase), "became", became(d.Verdict), "missed", d.Missed, "invalid", d.Invalid,
		"achieved_rps", math.Round(d.Achieved*10)/10, "p99", shortly(d.P99), "in_flight", d.InFlight)
}

// say says what the search does now.
func (s *search) say(doing string) { s.now.Store(&doing) }

// set sets the rate.
func (s *search) set(ctx context.Context, rps float64, why string) error {
	s.say(why + " " + capacity.Rate(rps))
	err := s.wheel.Set(ctx, time.Now(), rps, why)
	s.inForce = time.Now()
	return err
}

// releasing bounds how long the end of the program may take for it.
const releasing = 5 * time.Second

// leave takes the rate away again though ctx may have ended. Whoever leads now may
// search already.
func (s *search) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releasing)
	defer cancel()
	if s.leads() {
		s.release(ctx)
	}
}

// release takes the rate away again, unless somebody else has changed it.
func (s *search) release(ctx context.Context) {
	now := time.Now()
	if err := steer.Take(s.load, now).Release(ctx, now); err != nil {
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
