package load

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
)

// How arrivals are spaced.
const (
	Constant = "constant"
	Poisson  = "poisson"
)

const (
	maxRPS       = 1e6         // beyond any target; keeps the arithmetic of schedules exact
	capFloor     = 500         // what a file at its defaults may send to a real target
	capSandbox   = 10_000      // what the embedded sandbox takes
	maxWeight    = 1e9         // keeps sums of weights finite
	maxInFlight  = 100_000     // memory
	minStage     = time.Second // shorter ones would be a waveform, not a ladder
	perRateOfRPS = 10          // the cap, in times load.rps
	stepsAtLeast = 3           // that a stage with find_capacity has time for
)

// Config is the section "load" of the configuration file. RPS, MaxRPS and
// Stages are fleet-wide; everything else is per replica.
type Config struct {
	RPS         float64            `yaml:"rps" help:"requests a second, all replicas together"`
	MaxRPS      float64            `yaml:"max_rps" help:"hard cap, all replicas together, control API included; 0: the largest of 500, 10 × rps and the highest stage; embedded sandbox: 10,000"`
	DefaultTTL  model.Duration     `yaml:"default_ttl" help:"ends overrides by the control API that name no ttl; 0s: never"`
	Arrivals    string             `yaml:"arrivals" help:"constant or poisson"`
	MaxInFlight int                `yaml:"max_in_flight" help:"requests at once; 0: the larger of 100 and 1.5 s of the highest share within the last target.blob_timeout"`
	Stages      []desired.Stage    `yaml:"stages" help:"ladder of rates; after the last one its rate holds"`
	Repeat      bool               `yaml:"repeat" help:"begin the stages again after the last one"`
	Scenarios   map[string]float64 `yaml:"scenarios" help:"weights of crud, blobs, queries, mixed, cache, atomics, contended"`
	ReadRatio   float64            `yaml:"read_ratio" help:"share of reads in mixed"`
	Operations  map[string]float64 `yaml:"operations" help:"weights by operation: a scenario of your own, which replaces scenarios"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() Config {
	return Config{RPS: 50, Arrivals: Constant, Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.8}
}

// Cap is the most that the fleet ever sends, in requests a second: MaxRPS,
// or what stands in for it at 0.
func (c Config) Cap(embedded bool) float64 {
	switch {
	case c.MaxRPS > 0:
		return c.MaxRPS
	case embedded:
		return capSandbox
	}
	return max(capFloor, perRateOfRPS*c.RPS, c.HighestStage())
}

// HighestStage is the highest rate of the stages, 0 without any.
func (c Config) HighestStage() float64 {
	var highest float64
	for _, s := range c.Stages {
		highest = max(highest, s.RPS)
	}
	return highest
}

// Base is what the configuration wants of the load.
func (c Config) Base(embedded bool) desired.Base {
	base := desired.Base{
		RPS:        c.RPS,
		MaxRPS:     c.Cap(embedded),
		Stages:     c.Stages,
		Repeat:     c.Repeat,
		ReadRatio:  c.ReadRatio,
		DefaultTTL: time.Duration(c.DefaultTTL),
		Known:      scenario.Names(),
	}
	if len(c.Operations) == 0 {
		base.Scenarios = c.Scenarios
	}
	return base
}

// Validate joins every mistake, each with its path in the file. CheckCap
// looks at what depends on the target too.
func (c Config) Validate() error {
	var m mistakes
	m.want(rate(c.RPS), "load.rps: got %v, want 0 or more requests per second, at most %v", c.RPS, maxRPS)
	m.want(rate(c.MaxRPS), "load.max_rps: got %v, want 0 (automatic) or more requests per second, at most %v", c.MaxRPS, maxRPS)
	m.want(c.DefaultTTL >= 0, "load.default_ttl: got %s, want 0s (never) or more", time.Duration(c.DefaultTTL))
	m.want(c.Arrivals == Constant || c.Arrivals == Poisson, "load.arrivals: got %q, want %s or %s", c.Arrivals, Constant, Poisson)
	m.want(c.MaxInFlight >= 0 && c.MaxInFlight <= maxInFlight, "load.max_in_flight: got %d, want 0 (automatic) to %d", c.MaxInFlight, maxInFlight)
	m.want(ratio(c.ReadRatio), "load.read_ratio: got %v, want 0 to 1", c.ReadRatio)
	m.want(!c.Repeat || len(c.Stages) > 0, "load.repeat: got true without load.stages, want stages to repeat")
	c.checkStages(&m)
	m.weights("load.scenarios", c.Scenarios, scenario.Names())
	if len(c.Operations) > 0 {
		m.weights("load.operations", c.Operations, operationNames())
	}
	return errors.Join(m...)
}

func (c Config) checkStages(m *mistakes) {
	for i, s := range c.Stages {
		path := fmt.Sprintf("load.stages[%d]", i)
		length, ramp := time.Duration(s.Duration), time.Duration(s.Ramp)
		m.want(rate(s.RPS), "%s.rps: got %v, want 0 or more requests per second, at most %v", path, s.RPS, maxRPS)
		m.want(length >= minStage, "%s.duration: got %s, want %s or more", path, length, minStage)
		m.want(!s.FindCapacity || s.RPS != 0, "%s.rps: got 0 with find_capacity, want more, to search from", path)
		m.want(ramp >= 0 && ramp <= max(length, 0), "%s.ramp: got %s, want 0s to the stage's duration, %s", path, ramp, length)
	}
}

// CheckCap joins every rate over the cap, each with its path in the file.
func (c Config) CheckCap(embedded bool) error {
	var m mistakes
	limit := c.Cap(embedded)
	m.want(!(c.RPS > limit), "load.rps: got %v, want at most %v (load.max_rps)", c.RPS, limit)
	for i, s := range c.Stages {
		m.want(!(s.RPS > limit), "load.stages[%d].rps: got %v, want at most %v (load.max_rps)", i, s.RPS, limit)
	}
	return errors.Join(m...)
}

// CheckSearches joins every stage that is too short to search in by steps of
// such a length, each with its path in the file.
func (c Config) CheckSearches(settle time.Duration) error {
	var m mistakes
	for i, s := range c.Stages {
		length := time.Duration(s.Duration) - time.Duration(s.Ramp)
		m.want(!s.FindCapacity || length >= stepsAtLeast*settle, "load.stages[%d].duration: got %s after the ramp, want at least %s with find_capacity: %d times --find-capacity.settle", i, length, stepsAtLeast*settle, stepsAtLeast)
	}
	return errors.Join(m...)
}

func operationNames() []string {
	names := make([]string, metric.Operations)
	for i := range names {
		names[i] = metric.Operation(i).String()
	}
	return names
}

// mistakes collects what Validate finds.
type mistakes []error

func (m *mistakes) want(ok bool, format string, args ...any) {
	if !ok {
		*m = append(*m, fmt.Errorf(format, args...))
	}
}

// weights wants names out of a closed set, and at least one weight above 0.
func (m *mistakes) weights(path string, weights map[string]float64, known []string) {
	var sum float64
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		m.want(slices.Contains(known, name), "%s.%s: got an unknown name, want one of %s", path, name, strings.Join(known, ", "))
		m.want(weights[name] >= 0 && weights[name] <= maxWeight, "%s.%s: got %v, want a weight of 0 to %v", path, name, weights[name], float64(maxWeight))
		sum += weights[name]
	}
	m.want(sum != 0, "%s: got no weight above 0, want at least one", path)
}

func rate(rps float64) bool { return rps >= 0 && rps <= maxRPS }

func ratio(r float64) bool { return r >= 0 && r <= 1 }

// finite says that x is a number of 0 or more.
func finite(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }
