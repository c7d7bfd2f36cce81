package cloudwatch

import (
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
)

// The levels of degradation, in the order in which things are given up. Each
// includes those before it.
const (
	whole     = iota
	noPods    // of pods and nodes one by one no more is asked than whether they live
	noReasons // nor throttling by its reasons
	slow      // minutes are read every five minutes, of which counters lose none
	paused    // until the hour has room
)

// Ceiling bounds what GetMetricData costs in an hour, all components together.
// It is safe for concurrent use.
type Ceiling struct {
	usdPerHour float64
	price      func() float64 // USD of a billed metric

	mu       sync.Mutex
	expected map[metric.Component]estimate
	spent    [60]int // billed metrics by minute
	minute   int64   // the newest one, since the epoch
	refused  map[metric.Component]bool
	warned   bool
}

// estimate is how many billed metrics an hour takes, by the level before paused.
type estimate [paused]int

// NewCeiling makes one of so many USD an hour, at a price of USD a billed metric.
func NewCeiling(usdPerHour float64, price func() float64) *Ceiling {
	return &Ceiling{usdPerHour: usdPerHour, price: price, expected: map[metric.Component]estimate{}, refused: map[metric.Component]bool{}}
}

// expect notes what a component will ask for.
func (c *Ceiling) expect(of metric.Component, e estimate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected[of] = e
}

// level is how far the polls must be held back: the first level whose hour the
// ceiling pays, paused where it did not pay a component's last poll.
func (c *Ceiling) level() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, refused := range c.refused {
		if refused {
			return paused
		}
	}
	return c.affordable()
}

func (c *Ceiling) affordable() int {
	for l := range slow {
		metrics := 0
		for _, e := range c.expected {
			metrics += e[l]
		}
		if float64(metrics)*c.price() <= c.usdPerHour {
			return l
		}
	}
	return slow
}

// asking is the level at which a poll is put together.
func (c *Ceiling) asking() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.affordable()
}

// Shares of the ceiling: the first is worth a line in the log, once until the
// second is reached again.
const (
	nearly = 0.8
	easy   = 0.7
)

// admit reserves so many billed metrics for a component's poll if the hour has room
// for them, and says whether it is the first time that it is nearly full.
func (c *Ceiling) admit(now time.Time, of metric.Component, metrics int) (ok, warn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	used := metrics
	for _, n := range c.spent {
		used += n
	}
	share := float64(used) * c.price() / c.usdPerHour
	c.refused[of] = share > 1
	warn = share > nearly && !c.warned
	c.warned = share > easy && (c.warned || warn)
	if share <= 1 {
		c.spent[c.minute%int64(len(c.spent))] += metrics
	}
	return share <= 1, warn
}

// spend notes what was billed beyond what was reserved, or less than that.
func (c *Ceiling) spend(now time.Time, metrics int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	c.spent[c.minute%int64(len(c.spent))] += metrics
}

func (c *Ceiling) advance(now time.Time) {
	minute := now.Unix() / 60
	c.minute = max(c.minute, minute-int64(len(c.spent)))
	for c.minute < minute {
		c.minute++
		c.spent[c.minute%int64(len(c.spent))] = 0
	}
}

// perHour is how many billed metrics an hour takes at the level in force.
func (c *Ceiling) perHour() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	level, metrics := c.affordable(), 0
	for _, e := range c.expected {
		metrics += e[level]
	}
	return float64(metrics)
}
