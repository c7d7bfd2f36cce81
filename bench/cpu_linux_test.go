package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
)

const (
	fast    = 5000.0          // requests a second
	window  = 3 * time.Second // of one measurement of CPU
	settle  = time.Second     // after a change of rate, before a window
	maxCost = 1.2             // of a request of ours, in bare ones
)

// side is one of two that are compared.
type side struct {
	*process
	rate  func(rps float64)
	costs []float64 // microseconds of CPU a request, by window
	rates []float64 // requests a second that came to the sandbox
}

// cpu compares what a request costs the daemon and a bare loop. Each window
// belongs to one of them; the other is there, with its connections, at rate 0.
// Requests are counted by the sandbox, so that counting costs neither anything.
func cpu(b *testing.B, program string, wire metric.Protocol) row {
	r := newRig(b, program, wire, "rps: 5000, max_rps: 6000, operations: {get_record: 1}")
	loop := newBare(b, r, r.keys(b))
	ours := side{process: r.daemon, rate: func(rps float64) { r.rate(b, rps) }}
	theirs := side{process: loop.process, rate: func(rps float64) { loop.rate(b, rps) }}
	before := r.rest(b)
	var ratios []float64
	for i := range int(setting(b, "BENCH_PAIRS", 9)) {
		order := []*side{&ours, &theirs}
		if i%2 == 1 { // so that a drift of the machine favours neither
			slices.Reverse(order)
		}
		for _, s := range order {
			s.measure(b, r)
		}
		ratios = append(ratios, ours.costs[i]/theirs.costs[i])
	}
	connections := [2]int{r.daemon.connections(b, r.sandbox.address), loop.connections(b, r.sandbox.address)}
	after := r.rest(b)
	if count := loop.rate(b, 0); count.Failed > 0 {
		b.Errorf("the bare loop failed %d of %d times, want never", count.Failed, count.Sent)
	}
	if wrong := after.wrong() - before.wrong(); wrong > 0 {
		b.Errorf("%v of the daemon's requests failed or were not found right, want none", wrong)
	}
	profiles(b, wire, &ours, &theirs)
	ratio := median(ratios)
	low, high := interval(ratios, rand.New(rand.NewPCG(1, 2)))
	b.ReportMetric(ratio, "ratio")
	return row{
		what: fmt.Sprintf("CPU per get_record over %s, against a bare loop, at %v a second", wire, fast),
		bar:  fmt.Sprintf("ratio ≤ %v (lower bound of 95 %%)", maxCost),
		measured: fmt.Sprintf("%.3f (%.3f to %.3f, %d pairs): %.0f µs against %.0f µs, at %.0f and %.0f a second over %d and %d connections",
			ratio, low, high, len(ratios), median(ours.costs), median(theirs.costs),
			median(ours.rates), median(theirs.rates), connections[0], connections[1]),
		ok: low <= maxCost,
	}
}

// wrong is how many requests failed, or were found other than right. What the
// self-test falsifies has no verdict.
func (s samples) wrong() float64 {
	requests, checks := s.sum("opensaves_soak_requests_total"), s.sum("opensaves_soak_checks_total")
	return requests - s.sum("opensaves_soak_requests_total", `outcome="success"`) + checks - s.sum("opensaves_soak_checks_total", `result="ok"`)
}

// measure takes one window.
func (s *side) measure(b *testing.B, r *rig) {
	s.rate(fast)
	time.Sleep(settle)
	began, served, used := time.Now(), r.served(b, metric.GetRecord), s.cpuTime(b)
	time.Sleep(window)
	requests := float64(r.served(b, metric.GetRecord) - served)
	used, took := s.cpuTime(b)-used, time.Since(began)
	s.rate(0)
	time.Sleep(settle / 5) // for what is under way
	s.costs = append(s.costs, float64(used.Microseconds())/requests)
	s.rates = append(s.rates, requests/took.Seconds())
}

// profiles writes one of each side, in windows that count for nothing.
func profiles(b *testing.B, wire metric.Protocol, sides ...*side) {
	if os.Getenv("BENCH_PROFILES") == "" {
		return
	}
	for _, s := range sides {
		s.rate(fast)
		time.Sleep(settle)
		s.profile(b, cpuProfile, fmt.Sprintf("cpu-%s-%s", wire, s.name))
		s.profile(b, "allocs?seconds=10", fmt.Sprintf("allocs-%s-%s", wire, s.name))
		s.rate(0)
	}
}

// drawn is how many keys are drawn for a bare loop beforehand: 13 s of them.
const drawn = 1 << 16

// keys returns records of the daemon, as often as its choice by Zipf's law with
// exponent 1 falls on them.
func (r *rig) keys(b *testing.B) (keys [][2]string) {
	records := r.records(b)
	for range drawn {
		rank := int(math.Pow(float64(len(records)), rand.Float64())) - 1
		keys = append(keys, records[rank])
	}
	return keys
}

// records lists all of a sandbox: stores by REST, which has a list of them, and
// their records by gRPC, whose answers have no end. Both show the same database.
func (r *rig) records(b *testing.B) (records [][2]string) {
	var list struct {
		Stores []struct {
			ID string `json:"store_id"`
		}
	}
	if err := json.Unmarshal(r.sandbox.ask(b, http.MethodGet, "/api/stores", ""), &list); err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient(r.sandbox.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for _, store := range list.Stores {
		found, err := api.NewOpenSavesClient(conn).QueryRecords(b.Context(), &api.QueryRecordsRequest{StoreKey: store.ID, KeysOnly: true})
		if err != nil {
			b.Fatal(err)
		}
		for _, record := range found.GetRecords() {
			records = append(records, [2]string{store.ID, record.GetKey()})
		}
	}
	if len(records) == 0 {
		b.Fatal("listing records: got none")
	}
	return records
}
