package scenario

import (
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// BenchmarkReadingARecord is what the oracle costs a read: to choose the record,
// to say what it must show, and to judge what it shows.
func BenchmarkReadingARecord(b *testing.B) {
	data := DefaultConfig()
	data.Records, data.Stores = 1000, 10
	w, err := NewWorld(Config{Data: data, Verify: ledger.DefaultConfig(), Protocol: metric.HTTP, Identity: ledger.Identity{Run: "00c0ffee"}},
		NewMix(Want{Operations: map[string]float64{"get_record": 1}}, metric.HTTP, data.BlobSizes))
	if err != nil {
		b.Fatal(err)
	}
	t, answers := NewTask(1, 2), map[*ledger.Object]opensaves.Record{}
	for w.records.Len() < data.Records {
		w.Prepare(t, Draw{Op: metric.CreateRecord}, time.Minute)
		t.Answer.Attempts = 1
		w.Settle(t, nil, time.Minute)
	}
	w.records.From(0, func(o *ledger.Object) bool {
		answers[o] = w.forged(o, 1)
		return false
	})
	b.ReportAllocs()
	for b.Loop() {
		w.Prepare(t, Draw{Op: metric.GetRecord}, time.Hour)
		t.Answer.Record = answers[t.object]
		if w.Settle(t, nil, time.Hour); t.Result.Verdict != metric.Right {
			b.Fatalf("verdict: got %s, want ok", t.Result.Verdict)
		}
	}
}
