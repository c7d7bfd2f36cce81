// Package steer lets a search change the load as everybody else does, by the one
// override, without undoing what somebody else wants.
package steer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"opensaves-soak/load/capacity"
	"opensaves-soak/load/desired"
)

// ErrTaken says that somebody else has changed the load.
var ErrTaken = errors.New("somebody else changed the load")

// Load is what is steered: a *load.Runner.
type Load interface {
	// State is what is wanted now.
	State() desired.State
	// Patch merges a document into the override. Errors are those of desired.Store.
	Patch(ctx context.Context, ifMatch string, document []byte) (desired.Status, error)
}

// Wheel changes the load for as long as nobody else does. It is not safe for use
// by several goroutines.
type Wheel struct {
	load Load
	left wanted // how it left the load
}

// Take returns a wheel for the load as it is now.
func Take(load Load, now time.Time) *Wheel { return &Wheel{load, wantedBy(load.State(), now)} }

// wanted is what of a load makes the difference.
type wanted struct {
	rps       float64
	paused    bool
	mix       desired.Mix
	base, cap float64
	stages    []desired.Stage
	repeat    bool
}

func wantedBy(s desired.State, now time.Time) wanted {
	point := s.At(now)
	return wanted{point.Target, point.Paused, s.Mix(now), s.Base.RPS, s.Base.MaxRPS, s.Base.Stages, s.Base.Repeat}
}

// Check returns ErrTaken where the load is not any more as the wheel left it.
func (w *Wheel) Check(now time.Time) error { return w.check(w.load.State(), now) }

func (w *Wheel) check(s desired.State, now time.Time) error {
	if !reflect.DeepEqual(wantedBy(s, now), w.left) {
		return ErrTaken
	}
	return nil
}

// prefix begins the reason of the overrides that a search makes.
const prefix = "capacity search: "

// Owner says whether an override has the rate of a search, which its reason
// repeats, and whether a search may begin: nobody else's rate and no pause is in
// force.
func Owner(o *desired.Override) (own, free bool) {
	if o == nil || o.RPS == nil {
		return false, o == nil || !o.Paused
	}
	own = strings.HasPrefix(o.Reason, prefix) && strings.HasSuffix(o.Reason, " "+capacity.Rate(*o.RPS))
	return own, own && !o.Paused
}

// foreign says that an override has a rate that is no search's.
func foreign(o *desired.Override) bool {
	own, _ := Owner(o)
	return o != nil && o.RPS != nil && !own
}

// Set sets the rate, in requests a second, at once and for as long as the search
// wants. Errors are ErrTaken, those of desired.Store, or that ctx has ended.
func (w *Wheel) Set(ctx context.Context, now time.Time, rps float64, why string) error {
	reason := prefix + why + " " + capacity.Rate(rps)
	document := map[string]any{"rps": rps, "ramp": nil, "reason": reason}
	if w.load.State().Active(now) == nil {
		document["ttl"] = "0s" // not load.default_ttl
	}
	err := w.send(ctx, now, change{document, func(o *desired.Override) bool {
		return o != nil && o.RPS != nil && *o.RPS == rps && o.Reason == reason
	}})
	if err != nil {
		return err
	}
	w.left.rps = rps
	return w.Check(now)
}

// Release takes the rate away again, if it is a search's. Errors are those of Set.
func (w *Wheel) Release(ctx context.Context, now time.Time) error {
	gone := func(o *desired.Override) bool {
		own, _ := Owner(o)
		return !own
	}
	if gone(w.load.State().Active(now)) {
		return nil
	}
	return w.send(ctx, now, change{map[string]any{"rps": nil, "reason": nil}, gone})
}

// change is what to send, and what tells that it is in force.
type change struct {
	document map[string]any
	made     func(*desired.Override) bool
}

// tries is how often a change is sent, a second apart, while others change the
// state or the fleet's document cannot be reached.
const tries = 30

// send sends a change until it is in force. One whose answer was lost may be.
func (w *Wheel) send(ctx context.Context, now time.Time, c change) error {
	document, err := json.Marshal(c.document)
	if err != nil {
		return fmt.Errorf("writing a change of the load: %w", err)
	}
	lost := false
	for range tries {
		state := w.load.State()
		override := state.Active(now)
		if lost && c.made(override) {
			return nil
		}
		if err := w.check(state, now); err != nil || foreign(override) {
			return ErrTaken
		}
		_, err = w.load.Patch(ctx, `"`+state.Version+`"`, document)
		if !errors.Is(err, desired.ErrStale) && !errors.Is(err, desired.ErrUnavailable) {
			return err
		}
		lost = lost || errors.Is(err, desired.ErrUnavailable)
		select {
		case now = <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}
