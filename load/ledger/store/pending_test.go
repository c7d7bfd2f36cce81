package store

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// Each noter keeps, per object, the version whose ticket it last saw synced; a copy
// of the file that is taken after that must hold it. Between flushes the file rests,
// so a test that flushes itself may copy it there. All meet in one shard, so that
// many wait for its lock when a flush begins.
func TestATicketThatIsSyncedIsOnDisk(t *testing.T) {
	const noters, rounds = 16, 25
	dir := t.TempDir()
	s := opened(t, dir)
	var synced [noters]atomic.Uint32
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for i := range noters {
		group.Go(func() { noteInTurn(ctx, s, uint64(i)*shards, &synced[i]) })
	}
	for range rounds {
		flushed(t, s)
		var least [noters]uint32
		for i := range least {
			least[i] = synced[i].Load()
		}
		holds(t, dir, least[:])
	}
	stop()
	group.Wait()
}

// noteInTurn notes one version after the other of an object and shows which one it
// knows to be durable.
func noteInTurn(ctx context.Context, s *Store, number uint64, synced *atomic.Uint32) {
	type noted struct {
		version uint32
		ticket  uint64
	}
	var open []noted
	for version := uint32(1); ctx.Err() == nil; version++ {
		ticket := s.Note(Entry{Kind: 'r', Epoch: 1, Number: number, Acked: version})
		if len(open) == 0 || open[len(open)-1].ticket < ticket {
			open = append(open, noted{version, ticket})
		} else {
			open[len(open)-1].version = version // of one ticket the newest
		}
		for len(open) > 0 && s.Synced() >= open[0].ticket {
			synced.Store(open[0].version)
			open = open[1:]
		}
	}
}

func holds(t *testing.T, dir string, least []uint32) {
	t.Helper()
	file, err := os.ReadFile(ledgerFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	s, err := reopened(t, file)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := make([]uint32, len(least))
	for _, e := range earlier(t, s) {
		got[e.Number/shards] = e.Acked
	}
	for i := range least {
		if got[i] < least[i] {
			t.Errorf("object %d: got version %d on disk, want %d at least", i, got[i], least[i])
		}
	}
}

func BenchmarkNote(b *testing.B) {
	for _, objects := range []uint64{1, 10_000} {
		b.Run(fmt.Sprintf("objects=%d", objects), func(b *testing.B) {
			s := opened(b, b.TempDir())
			defer running(b, s)()
			var noters atomic.Uint64
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				first := noters.Add(1) * objects
				for i := uint64(0); pb.Next(); i++ {
					s.Note(Entry{Kind: 'r', Epoch: 1, Number: first + i%objects, Acked: uint32(i), Reserved: uint32(i) + 64})
				}
			})
		})
	}
}
