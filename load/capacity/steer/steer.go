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
func Take(load Load) *Wheel { return &Wheel{load, wantedBy(load.State())} }

// wanted is what of a load makes the difference.
type wanted struct {
	rps    float64
	paused bool
	mix    desired.Mix
}

func wantedBy(s desired.State) wanted {
	now := time.Now()
	point := s.At(now)
	return wanted{point.Target, point.Paused, s.Mix(now)}
}

// Check returns ErrTaken where the load is not any more as the wheel left it.
func (w *Wheel) Check() error { return w.check(w.load.State()) }

func (w *Wheel) check(s desired.State) error {
	if !reflect.DeepEqual(wantedBy(s), w.left) {
		return ErrTaken
	}
	return nil
}

// prefix begins the reason of the overrides that a search makes.
const prefix = "capacity search: "

// Owner says whether an override has the rate of a search, which its reason
// repeats, or no rate at all.
func Owner(o *desired.Override) (own, free bool) {
	if o == nil || o.RPS == nil {
		return false, true
	}
	return strings.HasPrefix(o.Reason, prefix) && strings.HasSuffix(o.Reason, " "+capacity.Rate(*o.RPS)), false
}

// Set sets the rate, in requests a second, at once and for as long as the search
// wants. Errors are ErrTaken, those of desired.Store, or that ctx has ended.
func (w *Wheel) Set(ctx context.Context, rps float64, why string) error {
	change := map[string]any{"rps": rps, "ramp": nil, "reason": prefix + why + " " + capacity.Rate(rps)}
	if w.load.State().Active(time.Now()) == nil {
		change["ttl"] = "0s" // not load.default_ttl
	}
	if err := w.change(ctx, change); err != nil {
		return err
	}
	w.left.rps = rps
	return w.Check()
}

// Release takes the rate away again, if it is a search's. Errors are those of Set.
func (w *Wheel) Release(ctx context.Context) error {
	if own, _ := Owner(w.load.State().Active(time.Now())); !own {
		return nil
	}
	return w.change(ctx, map[string]any{"rps": nil, "reason": nil})
}

// tries is how often a change is sent, a second apart, while others change the
// state or the fleet's document cannot be reached.
const tries = 30

func (w *Wheel) change(ctx context.Context, change map[string]any) error {
	document, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("writing a change of the load: %w", err)
	}
	for range tries {
		state := w.load.State()
		if err := w.check(state); err != nil {
			return err
		}
		_, err = w.load.Patch(ctx, `"`+state.Version+`"`, document)
		if !errors.Is(err, desired.ErrStale) && !errors.Is(err, desired.ErrUnavailable) {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}
