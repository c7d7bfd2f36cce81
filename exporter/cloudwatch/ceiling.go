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
	noPods    // pods are not asked for one by one
	noReasons // nor throttling by its reasons
	slow      // minutes are read every five minutes, which loses none
	paused    // until the hour has room
)

// ceiling bounds what GetMetricData costs in an hour, all components together.
// It is safe for concurrent use.
type ceiling struct {
	usdPerHour float64
	price      func() float64 // USD of a billed metric

	mu       sync.Mutex
	expected map[metric.Component]estimate
	spent    [60]int // billed metrics by minute
	minute   int64   // the newest one, since the epoch
	refused  bool
	warned   bool
}

// estimate is how many billed metrics an hour takes, by the level before paused.
type estimate [paused]int

func newCeiling(usdPerHour float64, price func() float64) *ceiling {
	return &ceiling{usdPerHour: usdPerHour, price: price, expected: map[metric.Component]estimate{}}
}

// expect notes what a component will ask for.
func (c *ceiling) expect(of metric.Component, e estimate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected[of] = e
}

// level is how far the polls must be held back: the first level whose hour the
// ceiling pays, paused where it does not pay the poll asked for last.
func (c *ceiling) level() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused {
		return paused
	}
	return c.affordable()
}

func (c *ceiling) affordable() int {
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
func (c *ceiling) asking() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.affordable()
}

// nearly is the share of the ceiling from which it is worth a line in the log.
const nearly = 0.8

// admit says whether the hour has room for so many billed metrics, and whether
// it is the first time that it is nearly full.
func (c *ceiling) admit(now time.Time, metrics int) (ok, warn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	used := metrics
	for _, n := range c.spent {
		used += n
	}
	usd := float64(used) * c.price()
	c.refused = usd > c.usdPerHour
	near := usd > nearly*c.usdPerHour
	warn, c.warned = near && !c.warned, near
	return !c.refused, warn
}

// spend notes what was billed.
func (c *ceiling) spend(now time.Time, metrics int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advance(now)
	c.spent[c.minute%int64(len(c.spent))] += metrics
}

func (c *ceiling) advance(now time.Time) {
	minute := now.Unix() / 60
	c.minute = max(c.minute, minute-int64(len(c.spent)))
	for c.minute < minute {
		c.minute++
		c.spent[c.minute%int64(len(c.spent))] = 0
	}
}

// perHour is how many billed metrics an hour takes at the level in force.
func (c *ceiling) perHour() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	level, metrics := c.affordable(), 0
	for _, e := range c.expected {
		metrics += e[level]
	}
	return float64(metrics)
}
