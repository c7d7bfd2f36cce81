package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/load/trace"
	"opensaves-soak/opensaves"
)

// Config is the configuration file.
type Config struct {
	Target     opensaves.Config    `yaml:"target"`
	Load       load.Config         `yaml:"load"`
	Data       scenario.DataConfig `yaml:"data"`
	Verify     ledger.Config       `yaml:"verify"`
	Objectives alerts.Objectives   `yaml:"objectives"`
	Safety     load.SafetyConfig   `yaml:"safety"`
	Storage    StorageConfig       `yaml:"storage"`
	CloudWatch cloudwatch.Config   `yaml:"cloudwatch"`
	Cost       cost.Config         `yaml:"cost"`
	Tracing    trace.Config        `yaml:"tracing"`
}

// StorageConfig is the section "storage" of the configuration file.
type StorageConfig struct {
	Path string `yaml:"path" help:"directory for the ledger, which then survives a restart; empty: in memory"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() Config {
	return Config{
		Target:     opensaves.DefaultConfig(),
		Load:       load.DefaultConfig(),
		Data:       scenario.DefaultConfig(),
		Verify:     ledger.DefaultConfig(),
		Objectives: alerts.DefaultObjectives(),
		Safety:     load.DefaultSafetyConfig(),
		CloudWatch: cloudwatch.DefaultConfig(),
		Cost:       cost.DefaultConfig(),
		Tracing:    trace.DefaultConfig(),
	}
}

// Embedded says whether the target is the embedded sandbox.
func (c Config) Embedded() bool { return c.Target.Address == "" }

// configLimit is the size that a configuration file may have.
const configLimit = units.MiB

// configSource is where a configuration comes from.
type configSource struct {
	path     string               // empty: no file, the defaults
	override func(*Config)        // flags that stand over the file; nil: none
	locked   func(Config) float64 // share of the mix that takes the lock of an existing record
	searches func(Config) error   // what the flags of run want of stages to search in; nil: there are none
}

// load reads and checks the configuration. The error joins all faults, each
// with file, line and path.
func (s configSource) load() (Config, error) {
	document, err := readConfig(s.path)
	if err != nil {
		return Config{}, err
	}
	config := DefaultConfig()
	file := strict{file: s.path}
	file.decode(document, &config)
	if s.override != nil {
		s.override(&config)
	}
	if config.Embedded() {
		config.embed(file.lines["data.max_blob_bytes"] > 0)
	}
	file.check(config.Validate())
	file.check(config.checkTogether(s.locked))
	if s.searches != nil {
		file.check(s.searches(config))
	}
	if err := file.err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// embed sets the defaults that differ for the embedded sandbox.
func (c *Config) embed(blobBytesSet bool) {
	if c.Target.Protocol == "" {
		c.Target.Protocol = metric.HTTP.String()
	}
	if !blobBytesSet {
		c.Data.MaxBlobBytes = scenario.SandboxBlobBytes
	}
	if c.CloudWatch.Sandbox && c.CloudWatch.Region == "" {
		c.CloudWatch.Region = homeRegion
	}
}

func readConfig(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	document, err := io.ReadAll(io.LimitReader(file, int64(configLimit)+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if len(document) > int(configLimit) {
		return nil, fmt.Errorf("reading the configuration: %s: got more than %s, want at most that", path, configLimit)
	}
	return document, nil
}

// Validate joins the mistakes of all sections, each with its path in the file.
func (c Config) Validate() error {
	return errors.Join(c.Target.Validate(), c.Load.Validate(), c.Data.Validate(), c.Verify.Validate(), c.Objectives.Validate(), c.Safety.Validate(),
		c.CloudWatch.Validate(), c.Cost.Validate(), c.Tracing.Validate())
}

// checkTogether joins what is wrong between sections.
func (c Config) checkTogether(locked func(Config) float64) error {
	errs := []error{c.Load.CheckCap(c.Embedded())}
	if c.Storage.Path != "" && c.Embedded() {
		errs = append(errs, fmt.Errorf("storage.path: got %q without target.address, want none: the embedded sandbox forgets everything when it ends", c.Storage.Path))
	}
	if c.CloudWatch.Sandbox && !c.Embedded() {
		errs = append(errs, errors.New("cloudwatch.sandbox: got true with target.address, want false: only the embedded sandbox makes AWS numbers"))
	}
	if c.Tracing.Endpoint != "" {
		errs = append(errs, c.checkTraced("headers", maps.Keys(c.Target.Headers)), c.checkTraced("header_files", maps.Keys(c.Target.HeaderFiles)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Load.Operations)) {
		if op, known := metric.ParseOperation(name); known && !op.On(c.Target.Wire()) {
			errs = append(errs, fmt.Errorf("load.operations.%s: got an operation that the protocol %s does not have", name, c.Target.Wire()))
		}
	}
	if c.Verify.Consistency == ledger.Strong && c.Target.Wire() != metric.GRPC {
		errs = append(errs, fmt.Errorf("verify.consistency: got %s with protocol %s, want %s: only gRPC reads past the cache", ledger.Strong, c.Target.Wire(), ledger.Eventual))
	}
	limit := c.Load.Cap(c.Embedded())
	if need := scenario.MinRecords(limit, locked(c)); c.Data.Records < need {
		errs = append(errs, fmt.Errorf("data.records: got %d, want at least %d: four times the writes in flight at %v requests per second (load.max_rps) of this mix", c.Data.Records, need, limit))
	}
	return errors.Join(errs...)
}

// checkTraced refuses a header of the target that tracing sets itself.
func (c Config) checkTraced(section string, names iter.Seq[string]) error {
	for name := range names {
		if strings.EqualFold(name, c.Tracing.Header()) {
			return fmt.Errorf("target.%s.%s: got the header that carries a trace's context, want another one with tracing.propagator %s", section, name, c.Tracing.Propagator)
		}
	}
	return nil
}
