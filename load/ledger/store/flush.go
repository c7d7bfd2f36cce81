package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

const (
	interval    = 100 * time.Millisecond // between flushes
	maxInterval = 5 * time.Second        // between those that fail
)

var errStuck = errors.New("using the file: bbolt panicked over it before, want a restart")

// round is one flush, for those who wait for it.
type round struct {
	done chan struct{}
	err  error // once done
}

func newRound() *round { return &round{done: make(chan struct{})} }

// Run writes what was noted, every 100 ms and when somebody waits for it. What
// could not be written stays and is tried again, at last every 5 s. When ctx ends
// it flushes once more, and returns that flush's error.
func (s *Store) Run(ctx context.Context) error {
	delay := interval
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		wake := s.wake
		if s.Failed() {
			wake = nil // waiting for a full disk does not empty it
		}
		select {
		case <-ctx.Done():
			return s.flush()
		case <-wake:
		case <-timer.C:
		}
		delay = next(delay, s.flush())
		timer.Reset(delay)
	}
}

func next(delay time.Duration, err error) time.Duration {
	if err == nil {
		return interval
	}
	return min(2*delay, maxInterval)
}

// Sync asks for a flush at once and waits until the ticket is durable. Its error is
// that of the flush, after which Run goes on trying, or of ctx.
func (s *Store) Sync(ctx context.Context, ticket uint64) error {
	for {
		r := s.round.Load() // before the look at Synced, so that the end of neither is missed
		if s.Synced() >= ticket {
			return nil
		}
		select {
		case s.wake <- struct{}{}:
		default:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.done:
			if r.err != nil && s.Synced() < ticket {
				return r.err
			}
		}
	}
}

// Failed says whether the last flush failed: nothing becomes durable meanwhile.
func (s *Store) Failed() bool { return s.failed.Load() }

func (s *Store) flush() error {
	last := s.gather()
	err := s.commit()
	s.failed.Store(err != nil)
	if err == nil {
		s.synced.Store(last)
	} else if s.OnError != nil {
		s.OnError(err)
	}
	r := s.round.Swap(newRound())
	r.err = err
	close(r.done)
	return err
}

// commit writes what is dirty in one transaction, after which nothing is.
func (s *Store) commit() error {
	if len(s.dirty)+len(s.dirtyBlocks) == 0 {
		return nil
	}
	if err := s.update(s.write); err != nil {
		return fmt.Errorf("writing ledger: %w", err)
	}
	s.dirty, s.dirtyBlocks = make(map[key]change, len(s.dirty)), map[blockKey]uint64{}
	return nil
}

func (s *Store) update(write func(*bbolt.Tx) error) error {
	if s.stuck {
		return errStuck
	}
	s.stuck = true // stays so after a panic: bbolt may have died holding its locks
	return guarded(func() error {
		err := s.db.Update(write)
		s.stuck = false
		return err
	})
}

func (s *Store) write(tx *bbolt.Tx) error {
	entries := tx.Bucket(entriesBucket)
	entries.FillPercent = 0.9 // most are added behind the last one
	inOrder := slices.SortedFunc(maps.Keys(s.dirty), func(a, b key) int { return bytes.Compare(a[:], b[:]) })
	for _, k := range inOrder {
		if err := s.dirty[k].writeTo(entries, k); err != nil {
			return err
		}
	}
	return s.writeBlocks(tx.Bucket(blocksBucket))
}

func (c change) writeTo(entries *bbolt.Bucket, k key) error {
	if c.gone {
		return entries.Delete(k[:])
	}
	return entries.Put(k[:], c.entry.encode(k))
}

func (s *Store) writeBlocks(blocks *bbolt.Bucket) error {
	for k, upTo := range s.dirtyBlocks {
		var err error
		if upTo == 0 {
			err = blocks.Delete(k[:])
		} else {
			err = blocks.Put(k[:], encodeBlock(k, upTo))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
