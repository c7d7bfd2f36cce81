package scenario

import (
	"context"
	"errors"
	"testing"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
	"opensaves-soak/opensaves"
)

// onDisk runs use with a world whose ledger is in a directory, and leaves there
// what was flushed when use returned, as a process does that is killed.
func onDisk(t *testing.T, dir string, protocol metric.Protocol, use func(*World)) {
	t.Helper()
	s, err := store.Open(dir, store.Identity{Run: "00c0ffee", Target: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		cancel()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	}()
	data := DefaultConfig()
	data.Records, data.Stores = 200, 2
	w, err := NewWorld(Config{
		Data: data, Verify: ledger.DefaultConfig(), Protocol: protocol, Store: s,
		Identity: ledger.Identity{Run: s.Identity().Run, Epoch: s.Identity().Epoch},
	}, NewMix(Want{Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.5}, protocol, data.BlobSizes))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	use(w)
}

func TestWhatAnEarlierStartLeftMayBeReadAfterItsDeletion(t *testing.T) {
	for _, test := range []struct {
		deletion metric.Code // that it was answered with
		there    metric.Result
	}{
		{metric.OK, metric.Suspect},
		{metric.NotFound, metric.Right}, // as a server says whose backend is down
	} {
		dir, task := t.TempDir(), NewTask(1, 2)
		onDisk(t, dir, metric.HTTP, func(w *World) {
			arrive(w, task, Draw{Op: metric.CreateRecord}, time.Minute, nil)
		})
		onDisk(t, dir, metric.HTTP, func(w *World) {
			task.reset(Draw{Op: metric.GetRecord})
			if task.Call.Op = task.Op; !w.readFormer(task) {
				t.Fatal("nothing is left of the earlier start")
			}
			record := task.former
			w.content.record(&task.Answer.Record, &arena{}, record, 1)
			w.Settle(task, nil, time.Minute)
			w.Tend(t.Context(), 10, func() time.Duration { return time.Hour }, func(context.Context, *opensaves.Call, *opensaves.Answer) error {
				if test.deletion == metric.OK {
					return nil
				}
				return &opensaves.Error{Code: test.deletion}
			})
			for _, absent := range []bool{true, false} {
				task.reset(Draw{Op: metric.GetRecord})
				task.Call.Op, task.sent = task.Op, 2*time.Hour
				w.readRecord(task, record)
				var err error = &opensaves.Error{Op: task.Op, Code: metric.NotFound}
				want := metric.Right
				if !absent {
					err, want = nil, test.there
					w.content.record(&task.Answer.Record, &arena{}, record, 1)
				}
				w.Settle(task, err, 2*time.Hour)
				if task.Result.Verdict != want {
					t.Errorf("deletion answered with %s, absent %v: got %s, want %s", test.deletion, absent, task.Result.Verdict, want)
				}
			}
		})
	}
}

func TestWhatGoesWithADoomedRecordMayBeAbsentAfterAKill(t *testing.T) {
	dir := t.TempDir()
	task := NewTask(1, 2)
	onDisk(t, dir, metric.GRPC, func(w *World) {
		var blob *ledger.Object
		for i := time.Duration(0); blob == nil; i++ {
			now := time.Minute + i*time.Minute
			for _, op := range []metric.Operation{metric.CreateRecord, metric.CreateChunkedBlob, metric.UploadChunk, metric.CommitChunkedUpload} {
				arrive(w, task, Draw{Op: op, Size: 4096}, now, nil)
			}
			blob = w.chunked.From(0, anyObject)
		}
		if err := w.doomAll(t.Context(), []*ledger.Object{blob.Parent}); err != nil {
			t.Fatal(err)
		}
	})
	onDisk(t, dir, metric.GRPC, func(w *World) {
		chunks := 0
		for task.reset(Draw{Op: metric.GetBlobChunk}); w.readFormer(task); task.reset(Draw{Op: metric.GetBlobChunk}) {
			chunks++
			w.Settle(task, &opensaves.Error{Op: task.Op, Code: metric.NotFound}, time.Hour)
			if task.Result.Verdict != metric.Right {
				t.Errorf("chunk %s, whose record may be deleted: got %s, want ok", task.former.Key, task.Result.Verdict)
			}
		}
		if chunks == 0 {
			t.Error("no chunk is left of the earlier start")
		}
	})
}

func TestABlobThatAnEarlierStartLeftIsNotDeletedUnderSuspicion(t *testing.T) {
	dir, task := t.TempDir(), NewTask(1, 2)
	onDisk(t, dir, metric.HTTP, func(w *World) {
		for now := time.Minute; w.blobs[0].Len() == 0; now += time.Minute {
			arrive(w, task, Draw{Op: metric.CreateRecord}, now, nil)
			arrive(w, task, Draw{Op: metric.CreateBlob, Size: 1024}, now, nil)
		}
	})
	onDisk(t, dir, metric.HTTP, func(w *World) {
		task.reset(Draw{Op: metric.GetBlob})
		if task.Call.Op = task.Op; !w.readFormer(task) {
			t.Fatal("no blob is left of the earlier start")
		}
		task.sent = time.Hour
		w.Settle(task, &opensaves.Error{Op: task.Op, Code: metric.NotFound}, time.Hour)
		if task.Result.Verdict != metric.Suspect {
			t.Fatalf("a blob that is not there: got %s, want suspect", task.Result.Verdict)
		}
		w.Tend(t.Context(), 10, func() time.Duration { return time.Hour }, func(_ context.Context, call *opensaves.Call, _ *opensaves.Answer) error {
			t.Errorf("got %s of %s, want nothing deleted", call.Op, call.Key)
			return nil
		})
	})
}
