package scenario

import (
	"context"
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// newTestWorld makes a world of few records, its stores set up.
func newTestWorld(t *testing.T, protocol metric.Protocol, want Want) *World {
	t.Helper()
	data := DefaultConfig()
	data.Records, data.Stores = 200, 2
	data.BlobSizes = Spread{units.KiB: 6, 64 * units.KiB: 3, 2 * units.MiB: 1}
	data.MaxBlobBytes = 32 * units.MiB
	w, err := NewWorld(Config{
		Data: data, Verify: ledger.DefaultConfig(), Protocol: protocol, Identity: ledger.Identity{Run: "00c0ffee"},
	}, NewMix(want, protocol, data.BlobSizes))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// arrive prepares one arrival and ends it as err says. Reads end unseen: they
// change nothing.
func arrive(w *World, t *Task, d Draw, now time.Duration, err error) {
	w.Prepare(t, d, now)
	if side(t.Op) == 0 {
		return
	}
	t.Answer.Attempts, t.Answer.Connection, t.Answer.Session = 1, "a→b", "session"
	w.Settle(t, err, now)
}

func TestTheWorkingSetKeepsItsShapeForHours(t *testing.T) {
	for _, protocol := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.Run(protocol.String(), func(t *testing.T) {
			w := newTestWorld(t, protocol, Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5})
			task := NewTask(1, 2)
			large := 0 // uploads in the second half
			const arrivals, each = 300_000, 40 * time.Millisecond
			for i := range time.Duration(arrivals) {
				d := w.Mix().Draw(task.rand)
				arrive(w, task, d, i*each, nil)
				if i > arrivals/2 && task.Op == metric.CreateBlob && task.Size > metric.SmallBlobLimit {
					large++
				}
			}
			even, plain := 0, w.blobs[0].Len()+w.blobs[1].Len()
			w.records.From(0, func(o *ledger.Object) bool {
				even += 1 - int(o.Number%2)
				return false
			})
			if n := w.live(); n < 180 || n > 200 || even < n/4 || even > n*3/4 {
				t.Errorf("got %d records, %d of them even, want 180 to 200 and about half", n, even)
			}
			if plain < 10 || large < 20 {
				t.Errorf("got %d plain blobs and %d uploads of large ones in the second half, want 10 and 20 at least", plain, large)
			}
			if bytes := w.blobBytes.Load(); bytes > int64(w.Data.MaxBlobBytes) || bytes <= 0 {
				t.Errorf("got %d bytes of blobs, want at most %d", bytes, int64(w.Data.MaxBlobBytes))
			}
		})
	}
}

func TestABlobGoesWithItsForgottenRecord(t *testing.T) {
	w := newTestWorld(t, metric.GRPC, Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5})
	task := NewTask(1, 2)
	for w.blobs[0].Len() == 0 {
		arrive(w, task, Draw{Op: metric.CreateRecord}, time.Minute, nil)
		arrive(w, task, Draw{Op: metric.CreateBlob, Size: 1024}, time.Minute, nil)
	}
	blob := w.blobs[0].From(0, anyObject)
	unknown := &opensaves.Error{Op: metric.UpdateRecord, Code: metric.Aborted}
	for i := 0; !frozen(blob.Parent); i++ {
		arrive(w, task, Draw{Op: metric.UpdateRecord}, 2*time.Minute, unknown)
		if i > 10_000 {
			t.Fatal("the blob's record was never updated")
		}
	}
	before := blob.Before()
	w.Tend(t.Context(), 10_000, func() time.Duration { return time.Hour }, func(context.Context, *opensaves.Call, *opensaves.Answer) error { return nil })
	if got := w.blobBytes.Load(); w.blobs[0].Len() != 0 || got != 0 {
		t.Errorf("got %d blobs and %d bytes, want none", w.blobs[0].Len(), got)
	}
	if got := blob.Judge(ledger.Seen{Absent: true}, before, 3*time.Minute).Kind; got != ledger.NoKind {
		t.Errorf("a read of the blob under way: got %s, want none", got)
	}
	if got := w.frozen.Load(); got != 0 {
		t.Errorf("frozen: got %d, want 0", got)
	}
}

// frozen says whether an object refuses its lock, and leaves it as it was.
func frozen(o *ledger.Object) bool {
	if !o.TryLock() {
		return true
	}
	o.Unlock()
	return false
}

func TestADoubtEndsWhenItsDeletionIsAnsweredOrNothingIsThereTwice(t *testing.T) {
	for _, test := range []struct {
		code metric.Code
		want []int // doubts left after each deletion
	}{
		{metric.OK, []int{0}},
		{metric.NotFound, []int{1, 0}},
		{metric.Internal, []int{1, 0}},
		{metric.Unavailable, []int{1, 1, 1}},
		{metric.DeadlineExceeded, []int{1, 1, 1}},
	} {
		w := newTestWorld(t, metric.HTTP, Want{Scenarios: map[string]float64{"crud": 1}})
		task := NewTask(1, 2)
		arrive(w, task, Draw{Op: metric.CreateStore}, 0, &opensaves.Error{Code: metric.Unavailable})
		var got []int
		for hour := range test.want {
			w.Tend(t.Context(), 20, func() time.Duration { return time.Duration(hour+1) * time.Hour }, func(context.Context, *opensaves.Call, *opensaves.Answer) error {
				if test.code == metric.OK {
					return nil
				}
				return &opensaves.Error{Code: test.code}
			})
			got = append(got, len(w.doubts))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: doubts left (-want +got):\n%s", test.code, diff)
		}
	}
}

func TestTooManyFrozenRecordsAreGivenUp(t *testing.T) {
	w := newTestWorld(t, metric.HTTP, Want{Scenarios: map[string]float64{"crud": 1}})
	task := NewTask(1, 2)
	for range 500 {
		arrive(w, task, Draw{Op: metric.CreateRecord}, time.Second, &opensaves.Error{Code: metric.DeadlineExceeded})
	}
	if frozen, abandoned := w.frozen.Load(), w.Abandoned(); frozen != 200 || abandoned != 300 {
		t.Errorf("got %d frozen and %v abandoned of 500, want 200 and 300", frozen, abandoned)
	}
}

func TestARequestThatNeverGotAConnectionLeavesNoDoubt(t *testing.T) {
	w := newTestWorld(t, metric.HTTP, Want{Scenarios: map[string]float64{"crud": 1}})
	task := NewTask(1, 2)
	w.Prepare(task, Draw{Op: metric.CreateRecord}, 0)
	w.Settle(task, &opensaves.Error{Code: metric.Unavailable}, 0)
	if len(w.doubts) != 0 || task.Result.Unknown {
		t.Errorf("got %d doubts, unknown %v, want none", len(w.doubts), task.Result.Unknown)
	}
}
