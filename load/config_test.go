package load

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"opensaves-soak/load/desired"
)

func TestTheDefaultsOfTheLoadAreValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	if err := DefaultSafetyConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestTheCapFollowsFromRateAndStagesWhereNoneIsSet(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*Config)
		embedded bool
		want     float64
	}{
		"at the defaults 500":                 {func(*Config) {}, false, 500},
		"ten times a higher rate":             {func(c *Config) { c.RPS = 100 }, false, 1000},
		"the highest stage":                   {func(c *Config) { c.Stages = []desired.Stage{{RPS: 900}, {RPS: 700}} }, false, 900},
		"what is set":                         {func(c *Config) { c.MaxRPS = 80 }, false, 80},
		"10,000 for the embedded sandbox":     {func(*Config) {}, true, 10_000},
		"what is set for the sandbox as well": {func(c *Config) { c.MaxRPS = 20_000 }, true, 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			c := DefaultConfig()
			test.change(&c)
			if got := c.Cap(test.embedded); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestEveryMistakeOfTheLoadIsNamedWithItsPath(t *testing.T) {
	c := Config{
		RPS:         -1,
		MaxRPS:      math.NaN(),
		DefaultTTL:  -1,
		Arrivals:    "bursty",
		MaxInFlight: -1,
		Repeat:      true,
		Scenarios:   map[string]float64{"chess": 1, "crud": -1, "mixed": 0},
		ReadRatio:   1.5,
		Operations:  map[string]float64{"get_recrod": 1},
	}
	want(t, c.Validate(),
		"load.rps: got -1, want 0 or more requests per second",
		"load.max_rps: got NaN",
		"load.default_ttl: got -1ns",
		`load.arrivals: got "bursty", want constant or poisson`,
		"load.max_in_flight: got -1",
		"load.read_ratio: got 1.5, want 0 to 1",
		"load.repeat: got true without load.stages",
		"load.scenarios.chess: got an unknown name, want one of ",
		"load.scenarios.crud: got -1, want a weight of 0 to 1e+09",
		"load.scenarios: got no weight above 0",
		"load.operations.get_recrod: got an unknown name")
}

func TestEveryMistakeOfAStageIsNamedWithItsPath(t *testing.T) {
	c := DefaultConfig()
	c.Stages = []desired.Stage{
		{RPS: 1, Duration: model.Duration(time.Minute)},
		{RPS: -5, Duration: 0, Ramp: -1},
		{RPS: 5, Duration: model.Duration(time.Minute), Ramp: model.Duration(time.Hour)},
	}
	want(t, c.Validate(),
		"load.stages[1].rps: got -5",
		"load.stages[1].duration: got 0s, want 1s or more",
		"load.stages[1].ramp: got -1ns",
		"load.stages[2].ramp: got 1h0m0s, want 0s to the stage's duration, 1m0s")
}

func TestRatesOverTheCapAreRefused(t *testing.T) {
	c := DefaultConfig()
	c.MaxRPS, c.Stages = 40, []desired.Stage{{RPS: 30}, {RPS: 41}}
	want(t, c.CheckCap(false), "load.rps: got 50, want at most 40 (load.max_rps)", "load.stages[1].rps: got 41")
}

func TestOwnOperationsReplaceTheScenarios(t *testing.T) {
	c := DefaultConfig()
	if got := c.Base(false).Scenarios["mixed"]; got != 1 {
		t.Errorf("got weight %v of mixed, want 1", got)
	}
	c.Operations = map[string]float64{"get_record": 1}
	if got := c.Base(false).Scenarios; len(got) != 0 {
		t.Errorf("got scenarios %v, want none", got)
	}
}

func TestEveryMistakeOfTheBrakeIsNamedWithItsPath(t *testing.T) {
	c := SafetyConfig{ErrorRatio: 2, FloorRPS: -1, Cooldown: -1, MaxUSDPerHour: math.Inf(1), MaxWrittenPerDay: -1}
	want(t, c.Validate(),
		"safety.error_ratio: got 2", "safety.window: got 0s", "safety.floor_rps: got -1",
		"safety.cooldown: got -1ns", "safety.max_usd_per_hour: got +Inf", "safety.max_written_per_day: got -1 bytes")
}

// want compares line by line by their beginnings.
func want(t *testing.T, err error, beginnings ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %q", beginnings)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(beginnings) {
		t.Errorf("got %d mistakes, want %d", len(lines), len(beginnings))
	}
	for i, line := range lines {
		if i < len(beginnings) && !strings.HasPrefix(line, beginnings[i]) {
			t.Errorf("got  %s\nwant %s", line, beginnings[i])
		}
	}
}

func TestAStageThatSearchesHasARateAndTimeForSteps(t *testing.T) {
	c := DefaultConfig()
	c.Stages = []desired.Stage{
		{RPS: 1, Duration: model.Duration(time.Minute)},
		{RPS: 1, Duration: model.Duration(10 * time.Minute), Ramp: model.Duration(time.Minute), FindCapacity: true},
		{RPS: 0, Duration: model.Duration(10 * time.Minute), Ramp: model.Duration(2 * time.Minute), FindCapacity: true},
	}
	want(t, c.Validate(), "load.stages[2].rps: got 0 with find_capacity")
	want(t, c.CheckSearches(3*time.Minute), "load.stages[2].duration: got 8m0s after the ramp, want at least 9m0s with find_capacity: 3 times --find-capacity.settle")
}
