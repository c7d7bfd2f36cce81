package ledger

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// What reads may be asked for.
const (
	Eventual = "eventual"
	Strong   = "strong"
)

// Config is the section "verify" of the configuration file.
type Config struct {
	Consistency string         `yaml:"consistency" help:"eventual, or strong (gRPC only: reads with skip_cache)"`
	StaleLimit  model.Duration `yaml:"stale_limit" help:"how long an acknowledged write may stay unseen before it counts as lost"`
	CacheLimit  model.Duration `yaml:"cache_limit" help:"gRPC: how long the cache may show an old version: its TTL and 10s"`
	IndexLimit  model.Duration `yaml:"index_limit" help:"how long an index may lag behind"`
	UnknownTTL  model.Duration `yaml:"unknown_ttl" help:"how long a write whose end nobody knows may still land"`
	BlobQuiet   model.Duration `yaml:"blob_quiet" help:"REST: how old a record's last acknowledgement is before its blobs are written"`

	SelfTest         bool           `yaml:"self_test" help:"inject violations of every kind and see that they are found"`
	SelfTestInterval model.Duration `yaml:"self_test_interval" help:"how often; a run with --duration does it once"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() Config {
	return Config{
		Consistency: Eventual,
		StaleLimit:  model.Duration(5 * time.Second),
		CacheLimit:  model.Duration(5*time.Minute + 10*time.Second),
		IndexLimit:  model.Duration(time.Minute),
		UnknownTTL:  model.Duration(3 * time.Minute),
		BlobQuiet:   model.Duration(30 * time.Second),

		SelfTest:         true,
		SelfTestInterval: model.Duration(10 * time.Minute),
	}
}

// Validate joins every mistake, each with its path in the file.
func (c Config) Validate() error {
	var mistakes []error
	if c.Consistency != Eventual && c.Consistency != Strong {
		mistakes = append(mistakes, fmt.Errorf("verify.consistency: got %q, want %s or %s", c.Consistency, Eventual, Strong))
	}
	for _, limit := range []struct {
		key  string
		got  model.Duration
		zero bool // is allowed
	}{
		{"stale_limit", c.StaleLimit, true},
		{"cache_limit", c.CacheLimit, false},
		{"index_limit", c.IndexLimit, true},
		{"unknown_ttl", c.UnknownTTL, false},
		{"blob_quiet", c.BlobQuiet, true},
		{"self_test_interval", c.SelfTestInterval, false},
	} {
		switch {
		case limit.got < 0 && limit.zero:
			mistakes = append(mistakes, fmt.Errorf("verify.%s: got %s, want 0s or more", limit.key, time.Duration(limit.got)))
		case limit.got <= 0 && !limit.zero:
			mistakes = append(mistakes, fmt.Errorf("verify.%s: got %s, want more than 0s", limit.key, time.Duration(limit.got)))
		}
	}
	return errors.Join(mistakes...)
}
