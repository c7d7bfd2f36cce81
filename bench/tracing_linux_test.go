package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/trace/otlptest"
)

const maxTracing = 1.05 // of what a request costs without tracing

// tracing compares what a request costs a daemon that traces one of a hundred,
// and one that traces none. Each has a sandbox of its own and is at rate 0 in the
// other's windows; none is kept for being slow, which a busy machine would make
// many; the collector is in this process, and costs neither anything.
func tracing(b *testing.B, program string, wire metric.Protocol) row {
	const load = "rps: 5000, max_rps: 6000, operations: {get_record: 1}"
	collector := otlptest.Start(b)
	rigs := [2]*rig{
		newRig(b, program, wire, load),
		startRig(b, program, wire, fmt.Sprintf(configuration+"tracing: {endpoint: %q, sample_ratio: 0.01, slow: 0s}\n", load, collector.Address)),
	}
	rigs[1].rest(b)
	var sides [2]*side
	for i, r := range rigs {
		sides[i] = &side{process: r.daemon, rate: func(rps float64) { r.rate(b, rps) }}
	}
	var ratios []float64
	for i := range int(setting(b, "BENCH_PAIRS", 9)) {
		order := []int{0, 1}
		if i%2 == 1 { // so that a drift of the machine favours neither
			slices.Reverse(order)
		}
		for _, which := range order {
			sides[which].measure(b, rigs[which])
		}
		ratios = append(ratios, sides[1].costs[i]/sides[0].costs[i])
	}
	s := rigs[1].rest(b)
	spans := s.sum("opensaves_soak_spans_total", `result="exported"`)
	if lost := s.sum("opensaves_soak_spans_total") - spans; lost > 0 || spans == 0 {
		b.Errorf("got %v spans exported and %v lost, want some and none", spans, lost)
	}
	ratio := median(ratios)
	low, high := interval(ratios, rand.New(rand.NewPCG(1, 2)))
	b.ReportMetric(ratio, "ratio")
	return row{
		what: fmt.Sprintf("CPU per get_record over %s with 1 %% traced, against none, at %v a second", wire, fast),
		bar:  fmt.Sprintf("ratio ≤ %v (lower bound of 95 %%)", maxTracing),
		measured: fmt.Sprintf("%.3f (%.3f to %.3f, %d pairs): %.0f µs against %.0f µs, at %.0f and %.0f a second, %.0f spans",
			ratio, low, high, len(ratios), median(sides[1].costs), median(sides[0].costs), median(sides[1].rates), median(sides[0].rates), spans),
		ok: low <= maxTracing,
	}
}
