// Package desired is what is wanted of the load: the configuration, one
// override over it by the control API, and the rate that follows from both at
// any instant. It holds no clock and sends nothing.
package desired

import (
	"reflect"
	"time"

	"github.com/prometheus/common/model"
)

// Base is what the configuration wants while nothing overrides it.
type Base struct {
	RPS        float64 // requests a second, fleet-wide
	MaxRPS     float64 // hard cap of RPS, stages and overrides, fleet-wide
	Stages     []Stage // before they begin, and without any, RPS holds
	Repeat     bool    // the stages; else the last one's rate holds
	Began      time.Time
	Scenarios  map[string]float64 // weights; empty where the user's own operations are the mix
	ReadRatio  float64
	DefaultTTL time.Duration // of overrides that name none; 0: never
	Known      []string      // scenarios that an override may name
}

// Stage is one step of a ladder. The rate goes from the one before, for the
// first stage load.rps, to RPS in a straight line over Ramp, which is part of
// Duration.
type Stage struct {
	RPS      float64        `yaml:"rps" help:"requests a second, fleet-wide"`
	Duration model.Duration `yaml:"duration" help:"how long the stage lasts, its ramp included"`
	Ramp     model.Duration `yaml:"ramp" help:"how long the rate takes to get there from the stage before, first from load.rps"`

	FindCapacity bool `yaml:"find_capacity" help:"look for the highest rate that meets the objectives, from rps to max_rps, and hold it until the stage ends"`
}

// after returns the base that a reload at now makes of b and the one before:
// stages that did not change go on where they are.
func (b Base) after(before Base, now time.Time) Base {
	b.Began = now
	if b.sameLadder(before) {
		b.Began = before.Began
	}
	return b
}

func (b Base) sameLadder(other Base) bool {
	return b.Repeat == other.Repeat && reflect.DeepEqual(b.Stages, other.Stages)
}

// round is how long all stages last together.
func (b Base) round() time.Duration {
	var sum time.Duration
	for _, s := range b.Stages {
		sum += time.Duration(s.Duration)
	}
	return sum
}

// turn is a stage in its turn.
type turn struct {
	Stage
	index int
	start time.Time
	from  float64 // the rate before it
}

func (t turn) ramped() time.Time { return t.start.Add(time.Duration(t.Ramp)) }

func (t turn) end() time.Time { return t.start.Add(time.Duration(t.Duration)) }

// turn returns the stage at an instant, the last one after all of them; false
// where none is in force.
func (b Base) turn(at time.Time) (t turn, ok bool) {
	round := b.round()
	if round == 0 || at.Before(b.Began) {
		return t, false
	}
	start, from := b.Began, b.RPS
	if b.Repeat {
		rounds := at.Sub(b.Began) / round
		start = b.Began.Add(rounds * round)
		if rounds > 0 {
			from = b.Stages[len(b.Stages)-1].RPS
		}
	}
	for i, s := range b.Stages {
		t = turn{s, i, start, from}
		if at.Before(t.end()) {
			break
		}
		start, from = t.end(), s.RPS
	}
	return t, true
}

// piece returns the part of the ladder at an instant, and its stage, -1
// where no stage is in force.
func (b Base) piece(at time.Time) (piece, int) {
	t, ok := b.turn(at)
	switch {
	case !ok:
		return hold(b.RPS), -1
	case at.Before(t.ramped()):
		return piece{start: t.start, end: t.ramped(), from: t.from, to: t.RPS}, t.index
	case at.Before(t.end()):
		return piece{start: t.ramped(), end: t.end(), from: t.RPS, to: t.RPS}, t.index
	}
	return hold(t.RPS), t.index
}

// Search returns the stage with FindCapacity that an instant is in, once its ramp
// is over, and when it ends; false where there is none. An override may stand
// over it.
func (b Base) Search(at time.Time) (s Stage, ends time.Time, ok bool) {
	t, ok := b.turn(at)
	return t.Stage, t.end(), ok && t.FindCapacity && !at.Before(t.ramped()) && at.Before(t.end())
}
