package bench

import (
	"fmt"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
)

const mixed = "rps: 5000, max_rps: 6000, scenarios: {mixed: 1}"

// delivery is what became of the arrivals of one run, in shares of those scheduled.
type delivery struct{ answered, punctual, dropped, stolen float64 }

// delivered measures whether the program sends what it is asked for. The rate is
// 0 before and after each run, so that the counters are settled at both ends.
func delivered(b *testing.B, program string, wire metric.Protocol) (rows []row) {
	r := newRig(b, program, wire, mixed)
	for _, rps := range []float64{fast / 5, fast} {
		var answered, punctual, dropped, stolen []float64
		for range 3 {
			d := r.deliver(b, rps, time.Duration(setting(b, "BENCH_SECONDS", 30)*float64(time.Second)))
			answered, punctual = append(answered, d.answered), append(punctual, d.punctual)
			dropped, stolen = append(dropped, d.dropped), append(stolen, d.stolen)
		}
		rows = append(rows, row{
			what: fmt.Sprintf("delivered of mixed over %s, 1 KiB blobs, at %v a second", wire, rps),
			bar:  "answered ≥ 99.9 %, sent within 100 ms ≥ 99.9 %, dropped ≤ 0.01 %",
			measured: fmt.Sprintf("%.3f %%, %.3f %%, %.4f %% (medians of 3 runs, %.1f %% of the CPU stolen)",
				100*median(answered), 100*median(punctual), 100*median(dropped), 100*median(stolen)),
			ok: median(answered) >= 0.999 && median(punctual) >= 0.999 && median(dropped) <= 0.0001,
		})
	}
	return rows
}

// deliver makes one run. What was scheduled is the rate times the time, or the
// arrivals if they were more: time between the two changes of the rate is lost.
func (r *rig) deliver(b *testing.B, rps float64, length time.Duration) delivery {
	before, machine := r.rest(b), readMachine(b)
	r.rate(b, rps)
	began := time.Now()
	time.Sleep(length)
	took, stolen := time.Since(began), readMachine(b).since(machine).stolen
	after := r.rest(b)
	grown := func(name string, labels ...string) float64 {
		return after.sum("opensaves_soak_"+name, labels...) - before.sum("opensaves_soak_"+name, labels...)
	}
	scheduled := max(grown("arrivals_total"), rps*took.Seconds())
	return delivery{
		answered: (grown("requests_total") - grown("requests_total", `outcome="error"`)) / scheduled,
		punctual: grown("schedule_lag_seconds_bucket", `le="0.1"`) / scheduled,
		dropped:  grown("arrivals_dropped_total") / scheduled,
		stolen:   stolen,
	}
}

const (
	maxResident = 150.0 // MiB
	maxGrowth   = 0.03  // of it over half a run: steps of the heap, no leak
)

// memory watches what the daemon holds under load. Its growth is taken over the
// second half of the run, when caches and pools have filled.
func memory(b *testing.B, program string, wire metric.Protocol) row {
	r := newRig(b, program, wire, mixed)
	minutes := setting(b, "BENCH_MEMORY_MINUTES", 1)
	r.rate(b, fast)
	var resident []float64
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for range max(2, int(60*minutes)) {
		<-beat.C
		resident = append(resident, r.daemon.residentMiB(b))
	}
	r.daemon.profile(b, cpuProfile, "mixed-"+wire.String())
	r.daemon.profile(b, "heap", "mixed-"+wire.String()+"-heap")
	late := resident[len(resident)/2:]
	perMinute := 60 * slope(late)
	growth := slope(late) * float64(len(late)) / median(late)
	b.ReportMetric(median(late), "MiB")
	return row{
		what: fmt.Sprintf("memory of mixed over %s at %v a second, 10,000 records, %v minutes", wire, fast, minutes),
		bar:  fmt.Sprintf("≤ %v MiB, growth over the second half ≤ %v %%", maxResident, 100*maxGrowth),
		measured: fmt.Sprintf("%.0f MiB at the end, %+.2f MiB a minute, which is %+.1f %% over the second half",
			resident[len(resident)-1], perMinute, 100*growth),
		ok: resident[len(resident)-1] <= maxResident && growth <= maxGrowth,
	}
}
