package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
)

// rig is a sandbox and a daemon that tests it, each a process of its own.
type rig struct {
	wire    metric.Protocol
	sandbox *process
	daemon  *process
}

// configuration is every daemon's here, but for its load. The brakes are off:
// they are for targets that cost money.
const configuration = `
load: {%s}
data: {records: 10000, blob_sizes: {1KiB: 1}}
safety: {error_ratio: 0, max_usd_per_hour: 0, max_written_per_day: 0B}
`

// newRig starts both, the daemon with a section "load" of its configuration file,
// and returns when the working set has been filled, at rate 0.
func newRig(b *testing.B, program string, wire metric.Protocol, load string) *rig {
	r := startRig(b, program, wire, fmt.Sprintf(configuration, load))
	r.rest(b)
	return r
}

// startRig is a rig with a whole configuration file, the load running.
func startRig(b *testing.B, program string, wire metric.Protocol, configuration string) *rig {
	r := &rig{wire: wire}
	address := freeAddress(b)
	r.sandbox = run(b, "sandbox", address, exec.CommandContext(b.Context(), program, "sandbox", "--web.listen-address="+address))
	file := filepath.Join(b.TempDir(), "soak.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		b.Fatal(err)
	}
	target := address
	if wire == metric.HTTP {
		target = "http://" + address
	}
	address = freeAddress(b)
	r.daemon = run(b, "daemon", address, exec.CommandContext(b.Context(), program, "run",
		"--config.file="+file, "--target.address="+target, "--web.listen-address="+address, "--log.level=warn"))
	r.daemon.await(b, time.Minute, "the working set to fill", func() bool {
		warming, known := r.metrics(b)["opensaves_soak_warmup"]
		return known && warming == 0
	})
	return r
}

// rate sets the daemon's.
func (r *rig) rate(b *testing.B, rps float64) {
	r.daemon.ask(b, http.MethodPatch, "/api/v1/load", fmt.Sprintf(`{"rps": %v}`, rps))
}

func (r *rig) metrics(b *testing.B) samples {
	return readSamples(string(r.daemon.ask(b, http.MethodGet, "/metrics", "")))
}

// rest sets the rate to 0 and waits for the answers to all that was sent, so
// that the counters that it returns are settled.
func (r *rig) rest(b *testing.B) (s samples) {
	r.rate(b, 0)
	r.daemon.await(b, time.Minute, "answers", func() bool {
		s = r.metrics(b)
		ended := s.sum("opensaves_soak_requests_total") + s.sum("opensaves_soak_arrivals_dropped_total")
		return ended == s.sum("opensaves_soak_arrivals_total")
	})
	return s
}

// served is how many requests of an operation the sandbox has seen.
func (r *rig) served(b *testing.B, op metric.Operation) int {
	return r.counts(b, "requests")[op.String()]
}

// counts are those of the sandbox's control API.
func (r *rig) counts(b *testing.B, what string) (counts map[string]int) {
	if err := json.Unmarshal(r.sandbox.ask(b, http.MethodGet, "/api/v1/sandbox/"+what, ""), &counts); err != nil {
		b.Fatal(err)
	}
	return counts
}
