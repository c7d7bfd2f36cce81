package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
)

// twentieth is a mix in which one operation of twenty locks a record.
func twentieth(Config) float64 { return 0.05 }

// fromFile reads a configuration as the program does; the file is called config.yml.
func fromFile(t *testing.T, text string, override func(*Config)) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.yml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return configSource{path: "config.yml", override: override, locked: twentieth}.load()
}

func TestTheDefaultsHoldWithoutAFile(t *testing.T) {
	got, err := configSource{locked: twentieth}.load()
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Target.Protocol = "http"
	want.Data.MaxBlobBytes = scenario.SandboxBlobBytes
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAFileStandsOverTheDefaultsAndFlagsOverTheFile(t *testing.T) {
	got, err := fromFile(t, `
target: {address: "http://open-saves:8080", timeout: 2.5s, headers: {X-Realm: 1}, tls: {ca_file: /etc/ca.pem}}
load:
  rps: 100
  stages:
  - {rps: 1_000, duration: 1d, ramp: 1m30s}
  scenarios: {crud: 1}
data:
  record_bytes: {1KiB: 90, 64KiB: 10}
  blob_sizes: 1MiB
verify:
objectives:
  latency: []
`, func(c *Config) { c.Load.RPS = 200 })
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Target = got.Target
	want.Load.RPS = 200
	want.Load.Stages = []desired.Stage{{RPS: 1000, Duration: model.Duration(24 * time.Hour), Ramp: model.Duration(90 * time.Second)}}
	want.Load.Scenarios = map[string]float64{"crud": 1}
	want.Data.RecordBytes = scenario.Spread{units.KiB: 90, 64 * units.KiB: 10}
	want.Data.BlobSizes = scenario.Spread{units.MiB: 1}
	want.Objectives.Latency = nil
	got.Objectives.Latency = got.Objectives.Latency[:0:0]
	want.Objectives.Latency = got.Objectives.Latency
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got.Target.Timeout != model.Duration(2500*time.Millisecond) || got.Target.Headers["X-Realm"] != "1" || got.Target.TLS.CAFile != "/etc/ca.pem" {
		t.Errorf("got target %+v", got.Target)
	}
}

func TestAllFaultsOfAFileAreNamedAtOnceWithLineAndPath(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"a mistyped key":                  {"load:\n  rpz: 1\n", []string{"config.yml:2: load.rpz: unknown key; did you mean load.rps?"}},
		"a mistyped section":              {"laod: {}\n", []string{"config.yml:1: laod: unknown key; did you mean load?"}},
		"sections that are not there yet": {"webhooks: {}\n", []string{"config.yml:1: webhooks: unknown key"}},
		"AWS numbers of a sandbox that is not there": {"target: {address: \"http://x:1\"}\ncloudwatch: {sandbox: true, region: Mars}\ncost:\n  prices: {nat_gateway_hour: -1}\n", []string{
			`config.yml:2: cloudwatch.region: got "Mars", want an AWS region such as us-east-1`,
			"config.yml:2: cloudwatch.sandbox: got true with target.address, want false: only the embedded sandbox makes AWS numbers",
			"config.yml:4: cost.prices.nat_gateway_hour: got -1, want 0 or more USD",
		}},
		"traces under a header of the target": {"target: {headers: {Traceparent: x}}\ntracing: {endpoint: \"collector:4317\", sample_ratio: 2}\n", []string{
			"config.yml:1: target.headers.Traceparent: got the header that carries a trace's context, want another one with tracing.propagator w3c",
			"config.yml:2: tracing.sample_ratio: got 2, want 0 to 1",
		}},
		"a ledger on disk of what forgets everything": {"storage: {path: /data}\n", []string{
			`config.yml:1: storage.path: got "/data" without target.address, want none: the embedded sandbox forgets everything when it ends`,
		}},
		"a key of nobody":               {"load:\n  elephants: 1\n", []string{"config.yml:2: load.elephants: unknown key"}},
		"a key with control characters": {"load:\n  \"\\e[31m\": 1\n", []string{`config.yml:2: load."\x1b[31m": unknown key`}},
		"a key of a stage": {"load:\n  stages:\n  - rps: 1\n    duration: 1m\n    ramps: 1s\n", []string{
			"config.yml:5: load.stages[0].ramps: unknown key; did you mean load.stages[0].ramp?",
		}},
		"a key of tls": {"target:\n  tls:\n    ca_fil: x\n", []string{"config.yml:3: target.tls.ca_fil: unknown key; did you mean target.tls.ca_file?"}},
		"a key twice":  {"load:\n  rps: 1\n  rps: 2\n", []string{"config.yml:3: load.rps: got the key twice, first in line 2"}},
		"a weight twice": {"load:\n  scenarios: {crud: 1, crud: 2}\n", []string{
			"config.yml:2: load.scenarios.crud: got the key twice, first in line 2",
		}},
		"wrong types": {`load:
  rps: fast
  max_in_flight: 1.5
  repeat: 1
  default_ttl: 5
  stages: {rps: 1}
  scenarios: [crud]
  arrivals: {}
data:
  max_blob_bytes: much
  records: [1]
  blob_sizes: {1KiB: few, tiny: 1}
target: 5
`, []string{
			`config.yml:2: load.rps: got "fast", want a number`,
			`config.yml:3: load.max_in_flight: got "1.5", want a whole number`,
			`config.yml:4: load.repeat: got "1", want true or false`,
			`config.yml:5: load.default_ttl: got "5", want a duration such as 30s or 1h30m`,
			"config.yml:6: load.stages: got a mapping, want a list",
			"config.yml:7: load.scenarios: got a list, want a mapping",
			"config.yml:8: load.arrivals: got a mapping, want a text",
			`config.yml:10: data.max_blob_bytes: got "much", want a size such as 64KiB`,
			"config.yml:11: data.records: got a list, want a whole number",
			`config.yml:12: data.blob_sizes: 1KiB: got "few", want a number`,
			`config.yml:12: data.blob_sizes: got "tiny", want a size such as 64KiB`,
			`config.yml:12: data.blob_sizes: got no weight above 0, want at least one`,
			`config.yml:13: target: got "5", want a mapping`,
		}},
		"values out of range": {"load:\n  rps: -1\n  stages:\n  - {rps: 5}\nobjectives:\n  latency:\n  - {class: read, threshold: 200ms, ratio: 0.9}\nsafety: {error_ratio: .nan}\n", []string{
			"config.yml:2: load.rps: got -1, want 0 or more requests per second, at most 1e+06",
			"config.yml:4: load.stages[0].duration: got 0s, want 1s or more",
			"config.yml:7: objectives.latency[0].threshold: got 200ms, want a bucket boundary in seconds, one of [0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30]",
			"config.yml:8: safety.error_ratio: got NaN, want 0 (off) to 1",
		}},
		"a rate over the cap": {"load: {rps: 20, max_rps: 10}\n", []string{"config.yml:1: load.rps: got 20, want at most 10 (load.max_rps)"}},
		"operations that REST lacks": {"target: {address: 'http://a:1'}\nload:\n  operations: {get_record: 9,\n    atomic_add: 1}\n", []string{
			"config.yml:4: load.operations.atomic_add: got an operation that the protocol http does not have",
		}},
		"strong reads of REST": {"target: {address: 'http://a:1'}\nverify: {consistency: strong}\n", []string{
			"config.yml:2: verify.consistency: got strong with protocol http, want eventual: only gRPC reads past the cache",
		}},
		"too few records for the cap": {"target: {address: 'a:1'}\nload: {max_rps: 5000}\ndata:\n  records: 1000\n", []string{
			"config.yml:4: data.records: got 1000, want at least 1500: four times the writes in flight at 5000 requests per second (load.max_rps) of this mix",
		}},
		"a mistake that is not in the file": {"load: {scenarios: {}}\n", []string{"config.yml:1: load.scenarios: got no weight above 0, want at least one"}},
		"no YAML":                           {"load:\n\trps: 1\n", []string{"config.yml:2: found character that cannot start any token"}},
		"two documents":                     {"load: {rps: 1}\n---\nload: {rps: 2}\n", []string{"config.yml:2: got a second document, want one"}},
		"a list":                            {"- load\n", []string{"config.yml:1: got a list, want a mapping"}},
		"a key that is a list":              {"load:\n  [a]: 1\n", []string{"config.yml:2: load: got a list as a key, want a text"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fromFile(t, test.text, nil)
			if err == nil {
				t.Fatalf("got no error, want %q", test.want)
			}
			if diff := cmp.Diff(test.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestASecretInTheFileIsNotInTheFaults(t *testing.T) {
	_, err := fromFile(t, "target: {headers: {Authorization: [swordfish]}, timeout: -1s}\n", nil)
	if err == nil || strings.Contains(err.Error(), "swordfish") {
		t.Errorf("got %v, want faults without the secret", err)
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yml")
	if err := os.WriteFile(large, []byte(strings.Repeat("#", 1<<20+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		large:                          "got more than 1MiB, want at most that",
		filepath.Join(dir, "none.yml"): "no such file",
		dir:                            "is a directory",
	} {
		if _, err := (configSource{path: path, locked: twentieth}).load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want … %s", path, err, want)
		}
	}
}

func TestABlobBoundInTheFileHoldsForTheSandboxToo(t *testing.T) {
	got, err := fromFile(t, "data: {max_blob_bytes: 3GiB}\n", nil)
	if err != nil || got.Data.MaxBlobBytes != 3*units.GiB {
		t.Errorf("got %s, %v, want 3GiB", got.Data.MaxBlobBytes, err)
	}
	got, err = fromFile(t, "", func(c *Config) { c.Target.Address = "open-saves:6000" })
	if err != nil || got.Data.MaxBlobBytes != 2*units.GiB {
		t.Errorf("got %s, %v, want 2GiB for a real target", got.Data.MaxBlobBytes, err)
	}
}

// FuzzConfig holds that any file is read to faults with a place, or to a
// configuration that is valid.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"load: {rps: 1, stages: [{rps: 1, duration: 1m}]}\n", "a: &a [*a]\n", "load: &l {rps: 1}\ndata: *l\n", "? [x]\n: y\n", "load: {<<: {rps: 1}}\n",
		"data: {blob_sizes: {1KiB: 1, *x : 2}}\n", "---\n---\n", "\xff", "load: !!binary aGVsbG8=\n", "target: {tls: {min_version: TLS13}}\n", "%YAML 9\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		config := DefaultConfig()
		file := strict{file: "config.yml"}
		file.decode(document, &config)
		file.check(config.Validate())
		err := file.err()
		if err == nil {
			err = config.Validate()
			if err != nil {
				t.Fatalf("got no fault, then %v", err)
			}
			return
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, "config.yml:") {
				t.Fatalf("got a fault without its place: %q", line)
			}
		}
	})
}
