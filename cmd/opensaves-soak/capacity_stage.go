package main

import (
	"context"
	"errors"
	"time"

	"opensaves-soak/load/capacity/steer"
	"opensaves-soak/load/desired"
)

// follow searches in every stage with find_capacity, and takes away again what a
// search has left, this one's or that of a replica that led before, until ctx ends.
func (s *search) follow(ctx context.Context) {
	var searched time.Time // the end of the stage that a search was in last
	for {
		now, state := time.Now(), s.load.State()
		stage, ends, on := state.Base.Search(now)
		override := state.Active(now)
		own, free := steer.Owner(override)
		lapsed := s.lapsed(override, now)
		switch on = on && s.load.WarmedUp(); {
		case !s.leads():
			searched = time.Time{} // who leads meanwhile may leave a rate that nobody has proven
		case on && lapsed && ends.Equal(searched):
			searched = time.Time{} // the rate that was found has gone with it, or was another mix's
			s.log.Info("The stage is searched anew: a change of the load has come to its end")
		case on && free && !ends.Equal(searched):
			if s.within(ctx, stage.RPS, ends) {
				searched = ends
			}
		case !on && own:
			s.release(ctx)
		}
		wait := time.Second
		if left := time.Until(ends); on && left > 0 {
			wait = min(wait, left)
		}
		if pause(ctx, wait) != nil {
			s.leave(ctx)
			return
		}
	}
}

// lapsed says that an override has come to the end that somebody gave it, since the
// last look.
func (s *search) lapsed(o *desired.Override, now time.Time) bool {
	end := s.expires
	s.expires = time.Time{}
	if o != nil {
		s.expires = o.Expires
	}
	return o == nil && !end.IsZero() && !now.Before(end)
}

// errStageOver ends a search with its stage.
var errStageOver = errors.New("the stage was over")

// within searches in a stage, and leaves the rate that was found in force. It says
// whether that was done: else the search is to begin anew.
func (s *search) within(ctx context.Context, rps float64, ends time.Time) (done bool) {
	stage, cancel := context.WithDeadlineCause(ctx, ends, errStageOver)
	defer cancel()
	s.ends = ends
	s.log.Info("The search for capacity begins", "from", rps, "until", ends)
	result := s.find(stage, rps)
	s.log.Info("The search for capacity has ended", "rps", result.RPS, "proven", result.Proven, "result", result.String())
	switch {
	case ctx.Err() != nil:
		s.leave(ctx)
		return false
	case result.Ended == errFollow.Error() || !s.leads():
		return false
	}
	err := s.keep(ctx, result.RPS)
	if err != nil {
		s.log.Warn("The rate that was found is not in force", "err", err)
	}
	return err == nil
}

// keep leaves a rate that was found in force for the rest of the stage, or takes
// away what is in force where there is none. It leaves alone what is not a search's.
func (s *search) keep(ctx context.Context, rps float64) error {
	now, state := time.Now(), s.load.State()
	if own, _ := steer.Owner(state.Active(now)); !own {
		return nil
	}
	s.wheel = steer.Take(s.load, now)
	if rps > 0 && s.inStage(state, now) {
		return s.set(ctx, min(rps, state.Base.MaxRPS), "found")
	}
	return s.wheel.Release(ctx, now)
}

// inStage says whether the stage is on that the search is in.
func (s *search) inStage(state desired.State, now time.Time) bool {
	_, ends, on := state.Base.Search(now)
	return on && ends.Equal(s.ends)
}
