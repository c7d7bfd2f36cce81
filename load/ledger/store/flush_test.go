package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAChangeIsDurableAfterTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, t.TempDir())
		stop := running(t, s)
		defer stop()
		synctest.Wait()
		ticket := s.Note(Entry{Kind: 'r', Epoch: 1, Number: 1})
		time.Sleep(interval - time.Nanosecond)
		synctest.Wait()
		if s.Synced() >= ticket {
			t.Error("got it durable before the interval, want it after")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if s.Synced() < ticket {
			t.Error("got it not durable after the interval, want it durable")
		}
	})
}

func TestWhoeverWaitsIsServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, t.TempDir())
		stop := running(t, s)
		defer stop()
		synctest.Wait()
		start := time.Now()
		var group sync.WaitGroup
		for n := range uint64(50) {
			group.Go(func() {
				if err := s.Sync(t.Context(), s.Note(Entry{Kind: 'r', Epoch: 1, Number: n})); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if took := time.Since(start); took > 0 {
			t.Errorf("got %s of waiting, want none but for the disk", took)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	s := opened(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Sync(ctx, s.ReserveNumbers('r', 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// A closed file stands for any that cannot be written; the disk that is really full
// has a test of its own.
func TestFailedFlushesAreToldAndRepeatedEverMoreSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, t.TempDir())
		start := time.Now()
		var told []time.Duration
		s.OnError = func(error) { told = append(told, time.Since(start)) }
		s.Note(Entry{Kind: 'r', Epoch: 1, Number: 1})
		s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		if err := s.Run(ctx); err == nil {
			t.Error("got a last flush, want its error")
		}
		want := []time.Duration{100, 300, 700, 1500, 3100, 6300, 11300, 15000}
		if diff := cmp.Diff(milliseconds(want), told); diff != "" {
			t.Errorf("times of failures differ (-want +got):\n%s", diff)
		}
		if !s.Failed() {
			t.Error("got it well, want it failed")
		}
	})
}

func TestWhoeverWaitsForAFailingFlushGetsItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, t.TempDir())
		s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = s.Run(ctx) })
		if err := s.Sync(ctx, s.Note(Entry{Kind: 'r', Epoch: 1, Number: 1})); err == nil || ctx.Err() != nil {
			t.Errorf("got %v, want the error of the flush", err)
		}
		cancel()
		group.Wait()
	})
}

func milliseconds(n []time.Duration) []time.Duration {
	all := slices.Clone(n)
	for i := range all {
		all[i] *= time.Millisecond
	}
	return all
}
