// Package store keeps on disk what the ledger must still know after kill -9: who
// the tester is, and what it has put on its target. Changes gather in memory and
// reach the file together, several times a second; a ticket tells when. It judges
// nothing and does not know what an entry means. The file is one of
// https://github.com/etcd-io/bbolt.
package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// fileName is the ledger's, in the directory that is its own.
const fileName = "ledger.db"

// Store is the open file and what is still to be written into it. Its methods may
// be called by many at once, but for Run and Close.
type Store struct {
	// OnError is told of every flush that failed, by Run. Set it before Run; nil: nobody is told.
	OnError func(error)

	dir string
	db  *bbolt.DB
	id  Identity

	generation atomic.Uint64 // the ticket of what is noted now
	synced     atomic.Uint64
	failed     atomic.Bool
	round      atomic.Pointer[round]
	wake       chan struct{}

	shards [shards]shard
	blocks blocks

	// What follows belongs to the one who flushes.
	dirty       map[key]change
	dirtyBlocks map[blockKey]uint64
	stuck       bool
}

// Open opens the ledger in a directory of its own, and makes both where they are
// missing: then the run is want.Run; want.Epoch is not used. The run's epoch is
// one higher than before when Open returns, durably. An error means that the
// directory is another target's, in use, damaged, of a newer version of this
// program, or cannot be written. The caller must Run and then Close.
func Open(dir string, want Identity) (*Store, error) {
	s, err := open(dir, want)
	if err != nil {
		return nil, fmt.Errorf("opening ledger %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string, want Identity) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fileName)
	if err := create(path, want); err != nil {
		return nil, err
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	id, err := inspect(db, want.Target)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	id.Epoch++
	s := newStore(dir, db, id)
	if err := s.update(func(tx *bbolt.Tx) error { return putIdentity(tx, id) }); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newStore(dir string, db *bbolt.DB, id Identity) *Store {
	s := &Store{
		dir: dir, db: db, id: id,
		wake:        make(chan struct{}, 1),
		blocks:      blocks{pending: map[blockKey]uint64{}},
		dirty:       map[key]change{},
		dirtyBlocks: map[blockKey]uint64{},
	}
	for i := range s.shards {
		s.shards[i].pending, s.shards[i].spare = map[key]change{}, map[key]change{}
	}
	s.generation.Store(1) // so that ticket 0 is durable from the start
	s.round.Store(newRound())
	return s
}

// Identity is who the tester is since Open.
func (s *Store) Identity() Identity { return s.id }

// Close gives the file back. What Run has not flushed is lost, so Run must have
// returned before. After bbolt panicked over the file it can only be left open.
func (s *Store) Close() error {
	if s.stuck {
		return errStuck
	}
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("closing ledger %s: %w", s.dir, err)
	}
	return nil
}

// Remove deletes the file of a store that is closed: what it knows is gone from
// the target too, and the next Open begins a new run.
func (s *Store) Remove() error {
	if err := os.Remove(filepath.Join(s.dir, fileName)); err != nil {
		return fmt.Errorf("removing ledger %s: %w", s.dir, err)
	}
	return nil
}
