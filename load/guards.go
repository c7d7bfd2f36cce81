package load

import (
	"time"
)

// The values of the label "reason" of guards.
const (
	guardErrors = "errors"
	guardCost   = "cost"
	guardBytes  = "bytes"
)

var guardReasons = []string{guardErrors, guardCost, guardBytes}

// tally is what happened in a second.
type tally struct {
	answered, failed int64
	arrivals         int64
	usd              float64
	uploaded         int64 // bytes
	full             int64 // arrivals dropped for max_in_flight
}

// window keeps the last tallies, one a second.
type window struct {
	ring  []tally
	next  int
	count int
}

func newWindow(seconds int) *window { return &window{ring: make([]tally, max(1, seconds))} }

func (w *window) add(t tally) {
	w.ring[w.next] = t
	w.next = (w.next + 1) % len(w.ring)
	w.count = min(w.count+1, len(w.ring))
}

func (w *window) clear() { w.next, w.count = 0, 0 }

func (w *window) sum() (s tally) {
	for i := range w.count {
		t := w.ring[(w.next-1-i+2*len(w.ring))%len(w.ring)]
		s.answered += t.answered
		s.failed += t.failed
		s.arrivals += t.arrivals
		s.usd += t.usd
	}
	return s
}

// errorGuard is the brake: when too many requests fail, it lets through no more
// than a floor, and after a while climbs back in steps.
type errorGuard struct {
	config SafetyConfig
	recent *window
	since  time.Duration // when it tripped
	on     bool
}

// climbing is in how many steps the rate comes back.
const climbing = 10

// fewest is how many answers the guard judges by at least.
const fewest = 20

func newErrorGuard(c SafetyConfig) *errorGuard {
	return &errorGuard{config: c, recent: newWindow(int(time.Duration(c.Window) / time.Second))}
}

// update takes the tally of a second, and reports whether the guard tripped.
func (g *errorGuard) update(t tally, now time.Duration) (tripped bool) {
	if g.config.ErrorRatio == 0 {
		return false
	}
	g.recent.add(t)
	if g.on && g.step(now) > climbing {
		g.on = false
	}
	if g.on && g.step(now) == 0 {
		g.recent.clear() // the floor only waits: the climb is judged by its own answers
		return false
	}
	s := g.recent.sum()
	if s.answered < fewest || float64(s.failed) < g.config.ErrorRatio*float64(s.answered) {
		return false
	}
	g.on, g.since = true, now
	g.recent.clear()
	return true
}

// step is how many steps of the climb are done; 0 while the floor holds. Each
// takes a tenth of the cooldown.
func (g *errorGuard) step(now time.Duration) int {
	cooldown := time.Duration(g.config.Cooldown)
	if over := now - g.since - cooldown; over >= 0 {
		return 1 + int(over/max(cooldown/climbing, time.Second))
	}
	return 0
}

// limit is the most that it lets through where so much is wanted, in requests a second.
func (g *errorGuard) limit(wanted float64, now time.Duration) float64 {
	if !g.on {
		return wanted
	}
	share := float64(g.step(now)) / climbing
	return min(wanted, g.config.FloorRPS+max(0, wanted-g.config.FloorRPS)*share)
}

// costGuard caps the rate at what the money buys.
type costGuard struct {
	perHour float64 // USD
	recent  *window
	each    float64 // USD an arrival, expected of the mix until enough were seen
}

func newCostGuard(c SafetyConfig, each float64) *costGuard {
	return &costGuard{perHour: c.MaxUSDPerHour, recent: newWindow(60), each: each}
}

// enoughToPrice is how many arrivals price the next ones better than the mix does.
const enoughToPrice = 1000

func (g *costGuard) update(t tally) {
	g.recent.add(t)
	if s := g.recent.sum(); s.arrivals >= enoughToPrice {
		g.each = s.usd / float64(s.arrivals)
	}
}

// limit is the rate that the money buys, in requests a second; 0: no limit.
func (g *costGuard) limit() float64 {
	if g.perHour == 0 || g.each == 0 {
		return 0
	}
	return g.perHour / time.Hour.Seconds() / g.each
}

// byteGuard holds uploads back when a sliding day has had enough of them.
type byteGuard struct {
	perDay int64
	ring   [24 * 60]int64 // bytes by minute
	minute int
	sum    int64
	on     bool
}

// update takes the tally of a second, with what other replicas uploaded, and
// reports whether the guard tripped.
func (g *byteGuard) update(t tally, now time.Duration) (tripped bool) {
	for minute := int(now / time.Minute); g.minute < minute; {
		g.minute++
		at := g.minute % len(g.ring)
		g.sum -= g.ring[at]
		g.ring[at] = 0
	}
	g.ring[g.minute%len(g.ring)] += t.uploaded
	g.sum += t.uploaded
	before := g.on
	g.on = g.perDay > 0 && g.sum >= g.perDay
	return g.on && !before
}
