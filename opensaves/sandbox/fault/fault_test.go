package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
)

func FuzzDecode(f *testing.F) {
	f.Add(`{"latency":"20ms","stall":{"every":"5s","for":"1s"},"saturation":{"rps":800,"component":"dynamodb"},"dynamodb_throttle":0.02}`)
	f.Add(`{"error":{"ratio":0.1,"code":"Unavailable","apply":"after"},"cut":0.01,"apply_late":{"ratio":0.01,"by":"90s"}}`)
	f.Add(`{"index_lag":"1s","cache_ttl":"5s","kinds":{"lost_write":0.01,"early_ack":1},"early_ack_by":"1s"}`)
	f.Add(`{"read_lag":{"ratio":0.1,"by":"1s"},"retry":{"ratio":0.01},"backend_down":{"every":"60s","for":"3s"},"cache_refill":{"ratio":0.01},"restart":{"every":"30s"}}`)
	f.Add(`{"kinds":{"expired":0.01,"index_rot":0.1},"expire_after":"1h","rot_after":"1m","bad_pod":{"ratio":0.1}}`)
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := Decode(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrRange) {
				t.Errorf("got %v, want a kind of error", err)
			}
			return
		}
		encoded, err := json.Marshal(faults)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(bytes.NewReader(encoded))
		if err != nil || NewPlan(again, 1, time.Time{}) == nil != (NewPlan(faults, 1, time.Time{}) == nil) {
			t.Errorf("%s comes back as %s: %v", text, encoded, err)
		}
	})
}

func TestAllMistakesAreReportedAtOnceByTheirPaths(t *testing.T) {
	_, err := Decode(strings.NewReader(`{
		"cut":2, "dynamodb_throttle":-1, "kinds":{"corrupt":3,"tall":1}, "early_ack_by":"-1s", "expire_after":"25h", "rot_after":"-1s", "bad_pod":{"ratio":2},
		"read_lag":{"ratio":2,"by":"25h"}, "retry":{"ratio":-1}, "cache_refill":{"ratio":1.5}, "apply_late":{"ratio":2,"by":"-1s"},
		"backend_down":{"every":"3s","for":"3s"}, "stall":{"every":"-1s","for":"1s"}, "restart":{"every":"1ns"}}`))
	for _, path := range []string{
		"cut", "dynamodb_throttle", "kinds.corrupt", "kinds.tall", "early_ack_by", "expire_after", "rot_after", "bad_pod.ratio", "read_lag.ratio", "read_lag.by", "retry.ratio", "cache_refill.ratio",
		"apply_late.ratio", "apply_late.by", "backend_down.for", "stall.every", "stall.for", "restart.every",
	} {
		if err == nil || !errors.Is(err, ErrRange) || !strings.Contains(err.Error(), path+": ") {
			t.Errorf("got %v, want it to name %s", err, path)
		}
	}
}

func TestAValueOfAnotherTypeIsToldByItsPath(t *testing.T) {
	for document, want := range map[string]string{
		`{"saturation":{"rps":"200"}}`: "decoding faults: not the JSON of faults: got string at saturation.rps",
		`{"latency":20}`:               "decoding faults: not the JSON of faults: got number at latency",
		`[]`:                           "decoding faults: not the JSON of faults: got array at the top",
	} {
		if _, err := Decode(strings.NewReader(document)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", document, err, want)
		}
	}
}

func TestEveryLieCanBeTold(t *testing.T) {
	names := []string{
		"corrupt", "phantom_write", "lost_write", "resurrected", "stale", "non_monotonic", "query_mismatch",
		"query_shape", "query_missing", "lost_update", "atomic_total", "double_applied", "not_linearizable",
		"torn", "early_ack", "stale_cache", "lost_increment", "doubled_increment", "swap_mismatch",
		"expired", "index_rot", "query_order", "query_gap", "threshold",
	}
	var got []string
	for l := range lies {
		if l > 0 {
			got = append(got, Lie(l).String())
			if len(lieTable[l].on) == 0 && Lie(l) != QueryMissing && Lie(l) != IndexRot {
				t.Errorf("%s: no request is answered with it", Lie(l))
			}
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Of arrivals at a steady rate, (1 s − 0.25 s) ÷ 5 s = 15 % wait longer than a
// quarter of a second.
func TestStallsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPlan(Faults{Stall: Stall{Every: Duration(5 * time.Second), For: Duration(time.Second)}}, 1, time.Now())
		const n = 10_000
		var requests sync.WaitGroup
		waits := make([]time.Duration, n)
		for i := range n {
			requests.Go(func() {
				arrived := time.Now()
				if err := p.Arrive(t.Context()); err != nil {
					t.Error(err)
				}
				waits[i] = time.Since(arrived)
			})
			time.Sleep(2 * time.Millisecond)
		}
		requests.Wait()
		long := 0
		for i, wait := range waits {
			if want := max(0, time.Second-time.Duration(i)*2*time.Millisecond%(5*time.Second)); wait != want {
				t.Fatalf("arrival %d: got a wait of %s, want %s", i, wait, want)
			}
			if wait > 250*time.Millisecond {
				long++
			}
		}
		if got := float64(long) / n; math.Abs(got-0.15) > 0.005 {
			t.Errorf("waits over 0.25 s: got a share of %.4f, want 0.15 ± 0.005", got)
		}
	})
}

func TestTheDatabaseIsDownAtTheBeginningOfEachPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPlan(Faults{BackendDown: Stall{Every: Duration(time.Minute), For: Duration(3 * time.Second)}}, 1, time.Now())
		for second := range 200 {
			if got, want := p.Down(), second%60 < 3; got != want {
				t.Errorf("second %d: got %v, want %v", second, got, want)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestLateWritesAreSpreadEvenly(t *testing.T) {
	const n = 10_000
	p := NewPlan(Faults{ApplyLate: ApplyLate{Ratio: 1, By: Duration(90 * time.Second)}}, 1, time.Now())
	var quarters [4]int
	for range n {
		by, late := p.Late()
		if !late || by < 0 || by >= 90*time.Second {
			t.Fatalf("got %s, %v, want a delay of less than 90s", by, late)
		}
		quarters[by*4/(90*time.Second)]++
	}
	for i, got := range quarters {
		if off := 4 * math.Sqrt(n*0.25*0.75); math.Abs(float64(got)-n/4) > off {
			t.Errorf("quarter %d: got %d, want %d ± %.0f", i, got, n/4, off)
		}
	}
}

func TestMissingRecordsHaveTheirShare(t *testing.T) {
	const n, ratio = 20_000, 0.1
	p := NewPlan(Faults{Kinds: map[string]float64{"query_missing": ratio}}, 1, time.Now())
	again := NewPlan(Faults{Kinds: map[string]float64{"query_missing": ratio}, Cut: 0.1}, 1, time.Now())
	missing, now := 0.0, time.Now()
	for i := range n {
		key := fmt.Sprintf("run-%d/record-%d", i%7, i)
		if p.Missing("store", key, now, now) {
			missing++
		}
		if p.Missing("store", key, now, now) != again.Missing("store", key, now, now) {
			t.Fatalf("%s: another plan of the same seed leaves out others", key)
		}
	}
	if off := 4 * math.Sqrt(ratio*(1-ratio)/n); math.Abs(missing/n-ratio) > off {
		t.Errorf("got a share of %.4f, want %.4f ± %.4f", missing/n, ratio, off)
	}
}

func TestOnlyRecordsThatNothingHasChangedForLongRot(t *testing.T) {
	const n, ratio = 20_000, 0.1
	now := time.Now()
	for name, c := range map[string]struct {
		after Duration
		age   time.Duration
		want  float64
	}{
		"too young":                 {0, 10*time.Minute - 1, 0},
		"old enough":                {0, 10 * time.Minute, ratio},
		"too young for what is set": {Duration(time.Hour), 59 * time.Minute, 0},
		"old enough for it":         {Duration(time.Minute), time.Minute, ratio},
	} {
		p := NewPlan(Faults{Kinds: map[string]float64{"index_rot": ratio}, RotAfter: c.after}, 1, now)
		missing := 0.0
		for i := range n {
			if p.Missing("store", fmt.Sprint(i), now.Add(-c.age), now) {
				missing++
			}
		}
		if off := 4 * math.Sqrt(c.want*(1-c.want)/n); math.Abs(missing/n-c.want) > off {
			t.Errorf("%s: got a share of %.4f, want %.4f ± %.4f", name, missing/n, c.want, off)
		}
	}
}

func TestBadConnectionsAreTheSameUnderEveryPlanOfAShare(t *testing.T) {
	const n, ratio = 20_000, 0.1
	p := NewPlan(Faults{BadPod: Share{ratio}}, 1, time.Now())
	again := NewPlan(Faults{BadPod: Share{ratio}, Cut: 0.1}, 1, time.Now())
	everywhere := NewPlan(Faults{Cut: 0.1}, 1, time.Now())
	bad := 0.0
	for connection := range uint64(n) {
		if p.Bad(connection) {
			bad++
		}
		if p.Bad(connection) != again.Bad(connection) || !everywhere.Bad(connection) {
			t.Fatalf("connection %d: another plan of the seed sees it differently, or it is good without the fault", connection)
		}
	}
	if off := 4 * math.Sqrt(ratio*(1-ratio)/n); math.Abs(bad/n-ratio) > off || p.Bad(0) {
		t.Errorf("got a share of %.4f, want %.4f ± %.4f; an unknown connection is bad: %v", bad/n, ratio, off, p.Bad(0))
	}
}

func TestTheVersionBeforeIsKeptForThoseWhoTellIt(t *testing.T) {
	for name, want := range map[string]bool{"stale": true, "non_monotonic": true, "torn": true, "lost_update": true, "corrupt": false, "stale_cache": false} {
		if got := NewPlan(Faults{Kinds: map[string]float64{name: 0.1}}, 1, time.Now()).KeepsPrevious(); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestASaturatedComponentServesItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPlan(Faults{Saturation: Saturation{RPS: 100, Component: "dynamodb"}}, 1, time.Now())
		start := time.Now()
		var requests sync.WaitGroup
		for range 200 {
			requests.Go(func() {
				if err := p.Queue(t.Context(), DynamoDB|Redis); err != nil {
					t.Error(err)
				}
			})
		}
		requests.Wait()
		if got := time.Since(start); got != 2*time.Second {
			t.Errorf("200 requests at once, 100 a second: got %s, want 2s", got)
		}
		start = time.Now()
		if err := p.Queue(t.Context(), S3); err != nil || time.Since(start) != 0 {
			t.Errorf("a request that does not touch it: got %s, %v, want no wait", time.Since(start), err)
		}
	})
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPlan(Faults{Saturation: Saturation{RPS: 1, Component: "pods"}}, 1, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 50 {
			if err := p.Queue(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("got %v, want the deadline", err)
			}
		}
		start := time.Now()
		if err := p.Queue(t.Context(), 0); err != nil || time.Since(start) > time.Second {
			t.Errorf("after 50 that gave up: got a wait of %s, %v, want a second at most", time.Since(start), err)
		}
	})
}

func TestDrawsHaveTheirShareAndRepeatWithTheSeed(t *testing.T) {
	const n, ratio = 20_000, 0.02
	faults := Faults{DynamoDBThrottle: ratio, Cut: ratio, Kinds: map[string]float64{"corrupt": ratio, "stale": ratio}}
	sequence := func(seed uint64) (draws [3][]bool) {
		p := NewPlan(faults, seed, time.Now())
		for range n {
			draws[0] = append(draws[0], p.Throttled())
			draws[1] = append(draws[1], p.Cut())
			draws[2] = append(draws[2], p.Lie(metric.GetBlob) == Corrupt)
		}
		return draws
	}
	first, again, other := sequence(7), sequence(7), sequence(8)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same seed draws differently: %s", diff)
	}
	if cmp.Equal(first, other) || cmp.Equal(first[0], first[1]) {
		t.Error("another seed, or another fault, draws the same")
	}
	for i, draws := range first {
		hits := 0.0
		for _, hit := range draws {
			if hit {
				hits++
			}
		}
		if off := 4 * math.Sqrt(ratio*(1-ratio)/n); math.Abs(hits/n-ratio) > off {
			t.Errorf("draw %d: got a share of %.4f, want %.4f ± %.4f", i, hits/n, ratio, off)
		}
	}
}

func TestNoFaultsAreNoPlan(t *testing.T) {
	p := NewPlan(Faults{Kinds: map[string]float64{}}, 1, time.Now())
	if p != nil {
		t.Fatal("got a plan, want nil")
	}
	_, _, refused := p.Refused()
	_, late := p.Late()
	if p.Down() || p.Lags() || p.Retried() || p.Refills() || p.ReadLag() != 0 || p.RestartEvery() != 0 {
		t.Error("no plan does something")
	}
	if p.Throttled() || p.Cut() || refused || late || p.Missing("s", "r", time.Time{}, time.Now()) || p.Bad(1) || p.Lie(metric.GetRecord) != None ||
		p.Arrive(t.Context()) != nil || p.Queue(t.Context(), DynamoDB) != nil || p.IndexLag() != 0 || p.CacheTTL() != 0 || p.KeepsPrevious() {
		t.Error("no plan does something")
	}
}

func TestTheSeedOfFaultsGoesBeforeTheSandboxsOwn(t *testing.T) {
	drawn := func(f Faults, seed uint64) (cuts []bool) {
		p := NewPlan(f, seed, time.Now())
		for range 64 {
			cuts = append(cuts, p.Cut())
		}
		return cuts
	}
	if diff := cmp.Diff(drawn(Faults{Cut: 0.5}, 7), drawn(Faults{Cut: 0.5, Seed: 7}, 8)); diff != "" {
		t.Errorf("draws (-sandbox's seed +that of the faults):\n%s", diff)
	}
}

func TestLiesAreCountedWhereTheyAreDrawn(t *testing.T) {
	p := NewPlan(Faults{Kinds: map[string]float64{"corrupt": 1, "query_missing": 1}}, 7, time.Now())
	p.Lie(metric.GetRecord)
	p.Lie(metric.GetRecord)
	p.Missing("store", "record", time.Time{}, time.Now())
	want := map[string]uint64{"corrupt": 2, "query_missing": 1}
	if diff := cmp.Diff(want, p.Told()); diff != "" {
		t.Errorf("lies told (-want +got):\n%s", diff)
	}
}
