package scenario

import (
	"math"
	"strings"
	"testing"

	"github.com/alecthomas/units"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestTheDefaultsOfTheDataAreValid(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeOfTheDataIsNamedWithItsPath(t *testing.T) {
	c := DataConfig{
		Records: -1, Owners: 1, Tags: maxObjects + 1, MaxBlobBytes: 128 * units.MiB, Skew: math.NaN(), HotReads: 2,
		RecordBytes: Spread{400 * units.KiB: 1},
		BlobSizes:   Spread{0: 1, units.KiB: -1, 65 * units.MiB: 0},
	}
	got := strings.Split(c.Validate().Error(), "\n")
	want := []string{
		"data.stores: got 0, want 1 to 10000000",
		"data.records: got -1, want 1 to 10000000",
		"data.tags: got 10000001, want 1 to 10000000",
		"data.max_blob_write_rate: got 0B, want more than 0B a second",
		"data.skew: got NaN, want 0 to 10",
		"data.hot_keys: got 0, want above 0, at most 1",
		"data.hot_reads: got 2, want 0 to 1",
		`data.cleanup: got "", want auto, true or false`,
		"data.cleanup_timeout: got 0s, want more than 0s",
		"data.leftovers_after: got 0s, want 1m0s or more",
		"data.record_bytes: got 400KiB, want 1B to 300KiB",
		"data.blob_sizes: got 0B, want 512B to 64MiB",
		"data.blob_sizes: got -1 for 1KiB, want a weight of 0 to 1e+09",
		"data.blob_sizes: got 65MiB, want 512B to 64MiB",
		"data.blob_sizes: got no weight above 0, want at least one",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestASpreadIsASizeOrSizesWithWeights(t *testing.T) {
	for written, want := range map[string]Spread{
		"64KiB":                               {64 * units.KiB: 1},
		"{1KiB: 90, 64KiB: 10}":               {units.KiB: 90, 64 * units.KiB: 10},
		"{65535B: 1, 64KiB: 1, 64KiB1B: 0.5}": {65535: 1, 65536: 1, 65537: 0.5},
		"{1KiB: &w 2, 2KiB: *w}":              {1024: 2, 2048: 2},
	} {
		var got Spread
		if err := yaml.Unmarshal([]byte(written), &got); err != nil {
			t.Errorf("%s: %v", written, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", written, diff)
		}
		text, err := yaml.Marshal(got)
		var again Spread
		if err != nil || yaml.Unmarshal(text, &again) != nil || !cmp.Equal(got, again) {
			t.Errorf("%s: got %s when written, want what reads as the same", written, text)
		}
	}
}

func TestWhatIsNoSpreadIsRefused(t *testing.T) {
	for written, want := range map[string]string{
		"large":                `got "large", want a size such as 64KiB`,
		"[1KiB]":               "got a list, want a size or a mapping of sizes to weights",
		"{1KiB: many}":         `1KiB: got "many", want a number`,
		"{1KiB: 1, 1024B: 2}":  "got the size 1KiB twice, want it once",
		"{small: 1, large: 2}": "got \"small\", want a size such as 64KiB\ngot \"large\", want a size such as 64KiB",
	} {
		var got Spread
		if err := yaml.Unmarshal([]byte(written), &got); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", written, err, want)
		}
	}
}

func TestRecordsAreFourTimesTheWritesInFlight(t *testing.T) {
	for want, mix := range map[int][2]float64{0: {5000, 0}, 600: {500, 0.2}, 3001: {5001, 0.1}} {
		if got := MinRecords(mix[0], mix[1]); got != want {
			t.Errorf("at %v rps with %v locked: got %d, want %d", mix[0], mix[1], got, want)
		}
	}
}
