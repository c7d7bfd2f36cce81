package store

import (
	"maps"
	"sync"
)

// shards is how many locks there are, so that requests seldom meet at one.
const shards = 64

// change is the newest state of an object that awaits the next flush.
type change struct {
	entry Entry
	gone  bool
}

// shard holds the changes of some of the objects. Two maps take turns, so that
// noting seldom allocates and never waits for a flush.
type shard struct {
	mu      sync.Mutex
	pending map[key]change
	spare   map[key]change // empty; belongs to the one who flushes
	_       [40]byte       // a cache line each
}

// Note remembers the newest state of an object; those before it need not reach the
// file. Calls for one object must not overlap. The state is durable when Synced
// has reached the ticket.
func (s *Store) Note(e Entry) (ticket uint64) { return s.put(e.key(), e.Number, change{entry: e}) }

// Forget notes that an object is gone for good.
func (s *Store) Forget(kind byte, epoch int, number uint64) (ticket uint64) {
	return s.put(keyOf(kind, epoch, number), number, change{gone: true})
}

// put draws the ticket under the shard's lock. A flush first starts a new
// generation and then takes these locks, one after the other: so whoever drew an
// older ticket has put its change where that flush finds it.
func (s *Store) put(k key, number uint64, c change) uint64 {
	sh := &s.shards[number%shards]
	sh.mu.Lock()
	sh.pending[k] = c
	ticket := s.generation.Load()
	sh.mu.Unlock()
	return ticket
}

// Synced is the highest ticket that is durable, with all that were drawn before it.
func (s *Store) Synced() uint64 { return s.synced.Load() }

// gather moves all changes to where the flush keeps them until they are on disk,
// and returns the last ticket that they cover.
func (s *Store) gather() uint64 {
	last := s.generation.Add(1) - 1
	for i := range s.shards {
		s.shards[i].moveTo(s.dirty)
	}
	s.blocks.moveTo(s.dirtyBlocks)
	return last
}

func (sh *shard) moveTo(dirty map[key]change) {
	sh.mu.Lock()
	full := sh.pending
	if len(full) == 0 {
		sh.mu.Unlock()
		return
	}
	sh.pending = sh.spare
	sh.mu.Unlock()
	maps.Copy(dirty, full)
	clear(full)
	sh.spare = full
}

func (b *blocks) moveTo(dirty map[blockKey]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(dirty, b.pending)
	clear(b.pending)
}
