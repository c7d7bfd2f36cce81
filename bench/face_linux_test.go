package bench

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
)

const (
	maxScrape   = 50 * time.Millisecond
	maxExposed  = 1 << 20 // bytes
	maxIdle     = 0.01    // of a core
	scrapes     = 20
	scrapedRate = 500.0
)

// face measures /metrics when every operation has been seen, under some load,
// and then the daemon at rate 0.
func face(b *testing.B, program string, wire metric.Protocol) []row {
	r := newRig(b, program, wire, "rps: 2000, max_rps: 2000, scenarios: {"+strings.Join(scenario.Names(), ": 1, ")+": 1}")
	r.rate(b, scrapedRate)
	r.daemon.await(b, time.Minute, "every operation to be seen", func() bool { return len(r.unseen(b)) == 0 })
	var slowest time.Duration
	var bytes int
	for range scrapes {
		began := time.Now()
		bytes = max(bytes, len(r.daemon.ask(b, http.MethodGet, "/metrics", "")))
		slowest = max(slowest, time.Since(began))
	}
	return []row{{
		what:     fmt.Sprintf("/metrics with every operation seen over %s, at %v a second", wire, scrapedRate),
		bar:      fmt.Sprintf("< %s, < 1 MiB", maxScrape),
		measured: fmt.Sprintf("%s the slowest of %d, %d KiB", slowest.Round(time.Millisecond/10), scrapes, bytes>>10),
		ok:       slowest < maxScrape && bytes < maxExposed,
	}, r.idle(b)}
}

// unseen are the operations of the protocol that no request made so far.
func (r *rig) unseen(b *testing.B) (ops []metric.Operation) {
	s := r.metrics(b)
	for op := range metric.Operation(metric.Operations) {
		if op.On(r.wire) && s.sum("opensaves_soak_requests_total", `operation="`+op.String()+`"`) == 0 {
			ops = append(ops, op)
		}
	}
	return ops
}

func (r *rig) idle(b *testing.B) row {
	const length = 10 * time.Second
	r.rest(b)
	time.Sleep(2 * settle)
	used := r.daemon.cpuTime(b)
	time.Sleep(length)
	share := float64(r.daemon.cpuTime(b)-used) / float64(length)
	return row{
		what:     fmt.Sprintf("idle over %s, at 0 a second", r.wire),
		bar:      fmt.Sprintf("< %v %% of a core", 100*maxIdle),
		measured: fmt.Sprintf("%.2f %%", 100*share),
		ok:       share < maxIdle,
	}
}
