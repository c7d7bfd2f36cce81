package desired

import (
	"maps"
	"time"

	"github.com/prometheus/common/model"
)

// Override is what the control API wants instead of the configuration. Nil
// and zero fields leave the configuration's in force.
type Override struct {
	RPS       *float64           `json:"rps,omitempty"`       // fleet-wide
	Ramp      model.Duration     `json:"ramp,omitzero"`       // how long the rate takes to get to RPS …
	From      float64            `json:"from,omitzero"`       // … from this one …
	Since     time.Time          `json:"since,omitzero"`      // … which was in force then
	Scenarios map[string]float64 `json:"scenarios,omitempty"` // weights, in place of all others
	ReadRatio *float64           `json:"read_ratio,omitempty"`
	Paused    bool               `json:"paused,omitzero"`
	Reason    string             `json:"reason,omitzero"`
	Started   time.Time          `json:"started,omitzero"`
	Expires   time.Time          `json:"expires,omitzero"` // of the whole override; zero: never
}

// empty says that the override wants nothing that the configuration does not.
func (o Override) empty() bool {
	return o.RPS == nil && o.Scenarios == nil && o.ReadRatio == nil && !o.Paused
}

func (o Override) expired(at time.Time) bool { return !o.Expires.IsZero() && !at.Before(o.Expires) }

func (o Override) piece(at time.Time) piece {
	ramped := o.Since.Add(time.Duration(o.Ramp))
	if at.Before(ramped) {
		return piece{start: o.Since, end: ramped, from: o.From, to: *o.RPS} // since caps both
	}
	return hold(*o.RPS)
}

// State is all that is wanted. It is a value: nothing in it changes after
// a Store handed it out.
type State struct {
	Base     Base
	Override *Override // nil: none. Ask Active, which knows of its end
	Version  string    // of the override, as the ETag has it; a replica alone names all states
	Serial   uint64    // another one for every other state of this process
}

// Source is where a rate, or a change of it, comes from: the values of the
// field "source" and of the label of the same name.
type Source string

// The sources. Config is of rates only; Reload, TTL, Guard and Fleet are of
// changes only.
const (
	Config Source = "config"
	Stages Source = "stage"
	API    Source = "api"
	Reload Source = "reload"
	TTL    Source = "ttl"
	Guard  Source = "guard"
	Fleet  Source = "fleet"
)

// Point is what is wanted at one instant.
type Point struct {
	Segment         // the rate from that instant on; zero while paused
	Target  float64 // the rate that is aimed at, ramp and pause aside
	Source  Source  // of Target: Config, Stages or API
	Stage   int     // counts from 0; -1 where Source is not Stages
	Paused  bool
}

// Ramping says whether the rate is on its way to the target.
func (p Point) Ramping() bool { return p.From != p.To }

// aimed is where the rate goes, pause included.
func (p Point) aimed() float64 {
	if p.Paused {
		return 0
	}
	return p.Target
}

// Active returns the override in force at an instant, or nil.
func (s State) Active(at time.Time) *Override {
	if s.Override == nil || s.Override.expired(at) {
		return nil
	}
	return s.Override
}

// At returns what is wanted at an instant.
func (s State) At(at time.Time) Point {
	override := s.Active(at)
	p, point := s.aim(override, at)
	if override != nil {
		if point.Paused = override.Paused; override.Paused {
			p = hold(0)
		}
		p = p.cut(override.Expires)
	}
	point.Segment = p.since(at, s.Base.MaxRPS)
	return point
}

// aim returns the rate and where it comes from, pause aside.
func (s State) aim(override *Override, at time.Time) (piece, Point) {
	if override != nil && override.RPS != nil {
		return override.piece(at), Point{Source: API, Stage: -1, Target: min(*override.RPS, s.Base.MaxRPS)}
	}
	p, stage := s.Base.piece(at)
	if stage < 0 {
		return p, Point{Source: Config, Stage: -1, Target: p.to}
	}
	return p, Point{Source: Stages, Stage: stage, Target: p.to}
}

// Segments returns the rate from an instant on, in segments that follow
// each other for at least horizon, or up to one that holds for good. Ramps,
// stages and the end of the override are in it.
func (s State) Segments(at time.Time, horizon time.Duration) []Segment {
	var segments []Segment
	for covered := time.Duration(0); ; {
		next := s.At(at.Add(covered)).Segment
		segments = append(segments, next)
		if covered += next.For; next.For == 0 || covered >= horizon {
			return segments
		}
	}
}

// Mix is which operations are wanted.
type Mix struct {
	Scenarios map[string]float64 // weights; empty: the user's own operations
	ReadRatio float64            // of the scenario mixed
}

// Mix returns the mix wanted at an instant. An override's scenarios also
// stand in place of the user's own operations.
func (s State) Mix(at time.Time) Mix {
	mix := Mix{Scenarios: s.Base.Scenarios, ReadRatio: s.Base.ReadRatio}
	if o := s.Active(at); o != nil {
		if o.Scenarios != nil {
			mix.Scenarios = o.Scenarios
		}
		if o.ReadRatio != nil {
			mix.ReadRatio = *o.ReadRatio
		}
	}
	mix.Scenarios = maps.Clone(mix.Scenarios)
	return mix
}

// Next returns the next instant at which something changes by itself: the
// end of the override, a ramp's, or a stage's. It is zero where nothing does.
func (s State) Next(at time.Time) time.Time {
	if d := s.At(at).For; d > 0 {
		return at.Add(d)
	}
	return time.Time{}
}
