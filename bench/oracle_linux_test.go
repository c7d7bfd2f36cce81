package bench

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
)

// fault is one way in which the sandbox lies, and what the oracle must make of it.
type fault struct {
	name  string
	json  string
	kind  string // of the violation; empty: suspects that come right are what it should find
	check string // where the name of the kind is not enough; empty: any
	grpc  bool   // the operation exists there alone

	beside string // the scenario beside mixed
	late   bool   // it may also be found as lost_write: the late effect undoes a newer one
}

var faultsFound = []fault{
	{name: "lost write", json: `{"kinds": {"lost_write": 0.01}}`, kind: "lost_write"},
	{name: "stale read", json: `{"kinds": {"stale": 0.01}}`},
	{name: "stale cache, for one TTL", json: `{"cache_ttl": "5s", "kinds": {"stale_cache": 0.01}}`, grpc: true},
	{name: "stale cache, for a minute", json: `{"cache_ttl": "60s", "kinds": {"stale_cache": 0.01}}`, kind: "stale", grpc: true},
	{name: "corrupt record", json: `{"kinds": {"corrupt": 0.01}}`, kind: "corrupt", check: "record"},
	{name: "torn record", json: `{"kinds": {"torn": 0.01}}`, kind: "corrupt", check: "record"},
	{name: "corrupt blob", json: `{"kinds": {"corrupt": 0.01}}`, kind: "corrupt", check: "blob", beside: "blobs"},
	{name: "dropped from queries", json: `{"kinds": {"query_missing": 0.01}}`, kind: "query_missing"},
	{name: "foreign in a query", json: `{"kinds": {"query_mismatch": 0.01}}`, kind: "query_mismatch"},
	{name: "duplicate in a query", json: `{"kinds": {"query_shape": 0.01}}`, kind: "query_shape"},
	{name: "acknowledged delete that did not happen", json: `{"kinds": {"resurrected": 0.01}}`, kind: "resurrected"},
	{name: "effect 3 s after the acknowledgement", json: `{"early_ack_by": "3s", "kinds": {"early_ack": 0.01}}`, late: true},
	{name: "refused and applied", json: `{"kinds": {"phantom_write": 0.01}}`, kind: "phantom_write"},
	{name: "lost increment", json: `{"kinds": {"lost_increment": 0.01}}`, kind: "double_applied", grpc: true, beside: "atomics"},
	{name: "doubled increment", json: `{"kinds": {"doubled_increment": 0.01}}`, kind: "atomic_total", grpc: true, beside: "atomics"},
	{name: "swap that overwrites a mismatch", json: `{"kinds": {"swap_mismatch": 0.01}}`, kind: "not_linearizable", grpc: true, beside: "atomics"},
}

const oracleConfiguration = `
load: {rps: 300, max_rps: 300, scenarios: {%s}}
data: {records: 500, stores: 3, blob_sizes: {1KiB: 1}}
verify: {index_limit: 10s, cache_limit: 15s, blob_quiet: 5s, self_test: false}
`

// found is how long a violation that persists may take to be found.
const foundWithin = 40 * time.Second

// BenchmarkOracle has the sandbox lie in one answer of a hundred, one way after
// the other, and prints what the oracle finds: it is to be run once.
func BenchmarkOracle(b *testing.B) {
	program := build(b)
	var table strings.Builder
	table.WriteString("| fault, 1 % | API | injected | must be found as | first after | violations | suspects | unjudged |\n|---|---|---|---|---|---|---|---|\n")
	for _, f := range faultsFound {
		for _, wire := range []metric.Protocol{metric.HTTP, metric.GRPC} {
			if f.grpc && wire == metric.HTTP {
				continue
			}
			b.Run(strings.ReplaceAll(f.name, " ", "_")+"/"+wire.String(), func(b *testing.B) {
				table.WriteString(f.measure(b, program, wire))
			})
		}
	}
	fmt.Print("\n", table.String())
	if file := os.Getenv("BENCH_OUTPUT"); file != "" {
		if err := os.WriteFile(file, []byte(table.String()), 0o600); err != nil {
			b.Error(err)
		}
	}
}

// measure lets one fault in when the working set is warm, and waits for what must
// be found.
func (f *fault) measure(b *testing.B, program string, wire metric.Protocol) string {
	scenarios := "mixed: 1"
	if f.beside != "" {
		scenarios = "mixed: 4, " + f.beside + ": 1"
	}
	r := startRig(b, program, wire, fmt.Sprintf(oracleConfiguration, scenarios))
	time.Sleep(11 * time.Second) // so that indexes have had their time
	r.sandbox.ask(b, http.MethodPut, "/api/v1/sandbox/faults", f.json)
	began, took := time.Now(), time.Duration(0)
	labels := []string{fmt.Sprintf("kind=%q", f.kind)}
	if f.check != "" {
		labels = append(labels, fmt.Sprintf("check=%q", f.check))
	}
	for took == 0 && time.Since(began) < foundWithin {
		time.Sleep(200 * time.Millisecond)
		if f.kind != "" && r.metrics(b).sum("opensaves_soak_check_violations_total", labels...) > 0 {
			took = time.Since(began)
		}
	}
	s := r.metrics(b)
	checks := func(result string) float64 {
		return s.sum("opensaves_soak_checks_total", fmt.Sprintf("result=%q", result))
	}
	violations := s.sum("opensaves_soak_check_violations_total")
	judged := checks("ok") + checks("suspect") + checks("violation")
	injected := 0
	for _, n := range r.counts(b, "lies") {
		injected += n
	}
	first := "–"
	switch {
	case f.kind == "" && (violations > 0 && !f.late || checks("suspect") == 0):
		b.Errorf("%s over %s: got %v violations and %v suspects, want suspects alone", f.name, wire, violations, checks("suspect"))
	case f.kind != "" && took == 0:
		b.Errorf("%s over %s: got no %s within %s", f.name, wire, f.kind, foundWithin)
	case f.kind != "":
		first = fmt.Sprintf("%.1f s", took.Seconds())
	}
	kind := "suspect"
	if f.kind != "" {
		kind = "`" + f.kind + "`"
	} else if f.late {
		kind = "suspect, `lost_write` where it undoes a newer write"
	}
	return fmt.Sprintf("| %s | %s | %d | %s | %s | %v | %v | %.1f %% |\n", f.name, wire, injected, kind, first, violations, checks("suspect"),
		100*checks("unjudged")/(judged+checks("unjudged")))
}
