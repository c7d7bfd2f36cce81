package bench

import (
	"fmt"
	"testing"
	"time"

	"opensaves-soak/load/ledger"
)

const maxJudging = time.Microsecond

// judging times what every read and every write costs in the ledger. It does its
// own counting, because the benchmark around it counts whole runs.
func judging(b *testing.B) (rows []row) {
	o := ledger.NewObject(1, "soak-0-r1", nil)
	o.End(o.Intend(), ledger.Acknowledged, 0)
	o.Unlock()
	now := time.Second
	for _, measured := range []struct {
		what string
		do   func()
	}{
		{"a read: Before, FirstRead, Judge", func() {
			before := o.Before()
			o.FirstRead()
			if v := o.Judge(ledger.Seen{Version: o.Version()}, before, now); v.Kind != ledger.NoKind {
				b.Fatalf("got %s, want a right answer", v.Kind)
			}
		}},
		{"a write: TryLock, Intend, End, Unlock", func() {
			if !o.TryLock() {
				b.Fatal("got no lock, want it free")
			}
			o.End(o.Intend(), ledger.Acknowledged, now)
			o.Unlock()
		}},
	} {
		took, allocations := each(measured.do), testing.AllocsPerRun(1000, measured.do)
		rows = append(rows, row{
			what:     "ledger, " + measured.what,
			bar:      fmt.Sprintf("< %s, no allocation", maxJudging),
			measured: fmt.Sprintf("%s, %v allocations", took, allocations),
			ok:       took < maxJudging && allocations == 0,
		})
	}
	return rows
}

// each returns how long one of many takes, the median of five rounds.
func each(do func()) time.Duration {
	const rounds, times = 5, 1_000_000
	var took []float64
	for range rounds {
		began := time.Now()
		for range times {
			do()
		}
		took = append(took, float64(time.Since(began))/times)
	}
	return time.Duration(median(took))
}
