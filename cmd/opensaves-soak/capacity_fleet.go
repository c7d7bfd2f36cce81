package main

import (
	"fmt"
	"math"
	"time"

	"opensaves-soak/load/capacity"
)

// toldLate is after what time a rate is in all that a fleet tells of itself: each
// replica tells the mean of five seconds every five, and a call takes its time.
const toldLate = 15 * time.Second

// fleetRate is the rate that a fleet made, as it told second by second.
type fleetRate struct {
	shared  bool    // the load was, for a second at least
	sum     float64 // requests
	seconds float64
}

func (f *fleetRate) add(rps float64) {
	f.sum += rps
	f.seconds++
}

// mean is in requests a second.
func (f fleetRate) mean() float64 { return f.sum / f.seconds }

// short says that a fleet did not make a share of a rate, or told of none; empty: it
// did, or there is no fleet. Two standard deviations of Poisson arrivals are no
// shortfall.
func (f fleetRate) short(rps, share float64) string {
	switch {
	case !f.shared:
		return ""
	case f.seconds == 0:
		return fmt.Sprintf("the rate of the fleet: got none, want a step of %s or more", toldLate)
	case f.mean() < share*rps-2*math.Sqrt(rps/f.seconds):
		return fmt.Sprintf("the fleet made %.4g of %s", f.mean(), capacity.Rate(rps))
	}
	return ""
}
