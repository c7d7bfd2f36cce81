package scenario

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/load/ledger"
)

// Bounds of the data: a DynamoDB item is at most 400 KB, of which a record
// needs some for itself, and a blob is held in memory by some servers.
const (
	MaxRecordBytes = 300 * units.KiB
	MaxBlobBytes   = 64 * units.MiB
	MinBlobBytes   = maxParts * ledger.MinContent // so that each of its chunks has room for a header

	// SandboxBlobBytes is the default of data.max_blob_bytes for the embedded sandbox.
	SandboxBlobBytes = 64 * units.MiB

	maxObjects = 10_000_000 // of any kind; memory
	maxSkew    = 10
	maxWeight  = 1e9 // keeps sums finite
)

// Auto is what data.cleanup is where the file is silent.
const Auto = "auto"

// leastLeftovers leaves heartbeats, a thirtieth of it apart, time to be answered.
const leastLeftovers = time.Minute

// DataConfig is the section "data" of the configuration file, per replica.
type DataConfig struct {
	Stores           int              `yaml:"stores" help:"stores that the records are spread over"`
	Records          int              `yaml:"records" help:"target size of the live working set"`
	Owners           int              `yaml:"owners" help:"different owners of records"`
	Tags             int              `yaml:"tags" help:"different tags"`
	RecordBytes      Spread           `yaml:"record_bytes" help:"size of a record, or sizes with their weights, {1KiB: 90, 64KiB: 10}; at most 300KiB"`
	BlobSizes        Spread           `yaml:"blob_sizes" help:"sizes of blobs with their weights; 512B to 64MiB"`
	MaxBlobBytes     units.Base2Bytes `yaml:"max_blob_bytes" help:"bound of live blob storage; embedded sandbox: 64MiB"`
	MaxBlobWriteRate units.Base2Bytes `yaml:"max_blob_write_rate" help:"bytes a second; uploads over it become blob reads"`
	Skew             float64          `yaml:"skew" help:"Zipf exponent of key choice; 0: uniform"`
	HotKeys          float64          `yaml:"hot_keys" help:"cache scenario: this share of keys …"`
	HotReads         float64          `yaml:"hot_reads" help:"… gets this share of reads"`
	Templates        string           `yaml:"templates" help:"directory with stores.json, records.json; empty: the built-in ones"`
	Cleanup          string           `yaml:"cleanup" help:"delete our data when we end: auto, true or false; auto: with run --duration, and without storage.path"`
	CleanupTimeout   model.Duration   `yaml:"cleanup_timeout" help:"bound of that; the rest is left to the sweeper of another run"`
	LeftoversAfter   model.Duration   `yaml:"leftovers_after" help:"when a silent run counts as dead"`
}

// DefaultConfig returns what holds where the file is silent.
func DefaultConfig() DataConfig {
	return DataConfig{
		Stores:           10,
		Records:          10_000,
		Owners:           500,
		Tags:             50,
		RecordBytes:      Spread{units.KiB: 1},
		BlobSizes:        Spread{units.KiB: 60, 100 * units.KiB: 30, units.MiB: 9, 10 * units.MiB: 1},
		MaxBlobBytes:     2 * units.GiB,
		MaxBlobWriteRate: 10 * units.MiB,
		Skew:             1,
		HotKeys:          0.1,
		HotReads:         0.9,
		Cleanup:          Auto,
		CleanupTimeout:   model.Duration(20 * time.Second),
		LeftoversAfter:   model.Duration(30 * time.Minute),
	}
}

// Validate joins every mistake, each with its path in the file.
func (c DataConfig) Validate() error {
	var mistakes []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	want(count(c.Stores), "data.stores: got %d, want 1 to %d", c.Stores, maxObjects)
	want(count(c.Records), "data.records: got %d, want 1 to %d", c.Records, maxObjects)
	want(count(c.Owners), "data.owners: got %d, want 1 to %d", c.Owners, maxObjects)
	want(count(c.Tags), "data.tags: got %d, want 1 to %d", c.Tags, maxObjects)
	want(c.MaxBlobBytes > 0, "data.max_blob_bytes: got %s, want more than 0B", c.MaxBlobBytes)
	want(c.MaxBlobWriteRate > 0, "data.max_blob_write_rate: got %s, want more than 0B a second", c.MaxBlobWriteRate)
	want(c.Skew >= 0 && c.Skew <= maxSkew, "data.skew: got %v, want 0 to %d", c.Skew, maxSkew)
	want(c.HotKeys > 0 && c.HotKeys <= 1, "data.hot_keys: got %v, want above 0, at most 1", c.HotKeys)
	want(c.HotReads >= 0 && c.HotReads <= 1, "data.hot_reads: got %v, want 0 to 1", c.HotReads)
	want(c.Cleanup == Auto || c.Cleanup == "true" || c.Cleanup == "false", "data.cleanup: got %q, want auto, true or false", c.Cleanup)
	want(c.CleanupTimeout > 0, "data.cleanup_timeout: got %s, want more than 0s", time.Duration(c.CleanupTimeout))
	want(time.Duration(c.LeftoversAfter) >= leastLeftovers, "data.leftovers_after: got %s, want %s or more", time.Duration(c.LeftoversAfter), leastLeftovers)
	mistakes = append(mistakes,
		c.RecordBytes.validate("data.record_bytes", 1, MaxRecordBytes),
		c.BlobSizes.validate("data.blob_sizes", MinBlobBytes, min(MaxBlobBytes, max(c.MaxBlobBytes, MinBlobBytes))))
	return errors.Join(mistakes...)
}

func count(n int) bool { return n >= 1 && n <= maxObjects }

// MinRecords is how many records a mix needs at least, so that a write finds
// one that no other write holds: four times the writes in flight at rps
// requests a second, of which the share locked takes the lock of an existing
// record for up to 1.5 s.
func MinRecords(rps, locked float64) int { return int(math.Ceil(4 * 1.5 * rps * locked)) }

// Spread is sizes in bytes with their weights.
type Spread map[units.Base2Bytes]float64

// Sizes returns the sizes, the smallest first.
func (s Spread) Sizes() []units.Base2Bytes { return slices.Sorted(maps.Keys(s)) }

// UnmarshalYAML reads one size, or a mapping of sizes to weights.
func (s *Spread) UnmarshalYAML(node *yaml.Node) error {
	*s = Spread{}
	if node.Kind == yaml.ScalarNode {
		return s.add(node.Value, 1)
	}
	if node.Kind != yaml.MappingNode {
		return errors.New("got a list, want a size or a mapping of sizes to weights")
	}
	var mistakes []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		var weight float64
		if err := node.Content[i+1].Decode(&weight); err != nil {
			mistakes = append(mistakes, fmt.Errorf("%.100s: got %.100q, want a number", node.Content[i].Value, node.Content[i+1].Value))
			continue
		}
		mistakes = append(mistakes, s.add(node.Content[i].Value, weight))
	}
	return errors.Join(mistakes...)
}

func (s Spread) add(written string, weight float64) error {
	size, err := units.ParseBase2Bytes(written)
	if err != nil {
		return fmt.Errorf("got %.100q, want a size such as 64KiB", written)
	}
	if _, twice := s[size]; twice {
		return fmt.Errorf("got the size %s twice, want it once", size)
	}
	s[size] = weight
	return nil
}

func (s Spread) validate(path string, least, most units.Base2Bytes) error {
	var mistakes []error
	var sum float64
	for _, size := range s.Sizes() {
		if size < least || size > most {
			mistakes = append(mistakes, fmt.Errorf("%s: got %s, want %s to %s", path, size, least, most))
		}
		if weight := s[size]; !(weight >= 0 && weight <= maxWeight) {
			mistakes = append(mistakes, fmt.Errorf("%s: got %v for %s, want a weight of 0 to %v", path, weight, size, float64(maxWeight)))
		}
		sum += s[size]
	}
	if sum == 0 {
		mistakes = append(mistakes, fmt.Errorf("%s: got no weight above 0, want at least one", path))
	}
	return errors.Join(mistakes...)
}

// MarshalYAML writes one size without its weight, as UnmarshalYAML reads it.
func (s Spread) MarshalYAML() (any, error) {
	if sizes := s.Sizes(); len(sizes) == 1 {
		return sizes[0], nil
	}
	return map[units.Base2Bytes]float64(s), nil
}
