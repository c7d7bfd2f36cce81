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

// piece returns the part of the ladder at an instant, and its stage, -1
// where no stage is in force.
func (b Base) piece(at time.Time) (piece, int) {
	round := b.round()
	if round == 0 || at.Before(b.Began) {
		return hold(b.RPS), -1
	}
	start, from := b.Began, b.RPS
	last := b.Stages[len(b.Stages)-1].RPS
	if b.Repeat {
		rounds := at.Sub(b.Began) / round
		start = b.Began.Add(rounds * round)
		if rounds > 0 {
			from = last
		}
	}
	for i, s := range b.Stages {
		ramped, end := start.Add(time.Duration(s.Ramp)), start.Add(time.Duration(s.Duration))
		if at.Before(ramped) {
			return piece{start: start, end: ramped, from: from, to: s.RPS}, i
		}
		if at.Before(end) {
			return piece{start: ramped, end: end, from: s.RPS, to: s.RPS}, i
		}
		start, from = end, s.RPS
	}
	return hold(last), len(b.Stages) - 1
}
