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
	UnknownTTL  model.Duration `yaml:"unknown_ttl" help:"how long a write whose end nobody knows may still land"`
	BlobQuiet   model.Duration `yaml:"blob_quiet" help:"REST: how old a record's last acknowledgement is before its blobs are written"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() Config {
	return Config{
		Consistency: Eventual,
		UnknownTTL:  model.Duration(3 * time.Minute),
		BlobQuiet:   model.Duration(30 * time.Second),
	}
}

// Validate joins every mistake, each with its path in the file.
func (c Config) Validate() error {
	var mistakes []error
	if c.Consistency != Eventual && c.Consistency != Strong {
		mistakes = append(mistakes, fmt.Errorf("verify.consistency: got %q, want %s or %s", c.Consistency, Eventual, Strong))
	}
	if c.UnknownTTL <= 0 {
		mistakes = append(mistakes, fmt.Errorf("verify.unknown_ttl: got %s, want more than 0s", time.Duration(c.UnknownTTL)))
	}
	if c.BlobQuiet < 0 {
		mistakes = append(mistakes, fmt.Errorf("verify.blob_quiet: got %s, want 0s or more", time.Duration(c.BlobQuiet)))
	}
	return errors.Join(mistakes...)
}
