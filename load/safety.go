package load

import (
	"errors"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
)

// SafetyConfig is the section "safety" of the configuration file: the brake.
// It is not applied to the embedded sandbox.
type SafetyConfig struct {
	ErrorRatio       float64          `yaml:"error_ratio" help:"share of errors over window that trips the brake; 0: never"`
	Window           model.Duration   `yaml:"window" help:"over which error_ratio is taken"`
	FloorRPS         float64          `yaml:"floor_rps" help:"fleet-wide requests a second while the brake is on"`
	Cooldown         model.Duration   `yaml:"cooldown" help:"how long floor_rps holds before the rate climbs back in steps"`
	MaxUSDPerHour    float64          `yaml:"max_usd_per_hour" help:"our own operations at their prices: caps the rate at what it buys; 0: no limit"`
	MaxWrittenPerDay units.Base2Bytes `yaml:"max_written_per_day" help:"bytes uploaded in a sliding day, then uploads become reads; 0: no limit"`
}

// DefaultSafetyConfig returns what holds where the file is silent.
func DefaultSafetyConfig() SafetyConfig {
	return SafetyConfig{
		ErrorRatio:       0.5,
		Window:           model.Duration(time.Minute),
		FloorRPS:         5,
		Cooldown:         model.Duration(5 * time.Minute),
		MaxUSDPerHour:    5,
		MaxWrittenPerDay: 50 * units.GiB,
	}
}

// Validate joins every mistake, each with its path in the file.
func (c SafetyConfig) Validate() error {
	var m mistakes
	m.want(ratio(c.ErrorRatio), "safety.error_ratio: got %v, want 0 (off) to 1", c.ErrorRatio)
	m.want(time.Duration(c.Window) >= time.Second, "safety.window: got %s, want 1s or more", time.Duration(c.Window))
	m.want(finite(c.FloorRPS), "safety.floor_rps: got %v, want 0 or more requests per second", c.FloorRPS)
	m.want(c.Cooldown >= 0, "safety.cooldown: got %s, want 0s or more", time.Duration(c.Cooldown))
	m.want(finite(c.MaxUSDPerHour), "safety.max_usd_per_hour: got %v, want 0 (off) or more", c.MaxUSDPerHour)
	m.want(c.MaxWrittenPerDay >= 0, "safety.max_written_per_day: got %d bytes, want 0B (off) or more", c.MaxWrittenPerDay)
	return errors.Join(m...)
}
