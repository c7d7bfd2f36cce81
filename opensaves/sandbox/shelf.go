package sandbox

import (
	"sync"
	"time"

	"github.com/google/btree"

	"opensaves-soak/opensaves/sandbox/fault"
)

// store is a store's row. It is never changed.
type store struct {
	key, name, owner string
	tags             []string
	created          time.Time
}

// shelf is a store with its records. REST lets records outlive their store.
type shelf struct {
	id string

	mu      sync.RWMutex
	store   *store // nil: none
	records *btree.BTreeG[slot]
	indexes indexes
	gone    bool // taken out of the database: look it up anew
}

// slot is a record's place: its version now, and the one before if a fault needs it.
type slot struct {
	key         string
	now, before *record
}

func newShelf(id string) *shelf {
	less := func(a, b slot) bool { return a.key < b.key }
	return &shelf{id: id, records: btree.NewG(degree, less), indexes: newIndexes()}
}

func (s *shelf) slot(key string) slot {
	found, _ := s.records.Get(slot{key: key})
	return found
}

// put stores what follows old: nil deletes.
func (s *shelf) put(old, next *record, how manner) {
	switch {
	case next == nil && old == nil:
		return
	case next == nil:
		s.records.Delete(slot{key: old.key})
	case how.plan.KeepsPrevious():
		s.records.ReplaceOrInsert(slot{next.key, next, old})
	default:
		s.records.ReplaceOrInsert(slot{key: next.key, now: next})
	}
	s.indexes.see(change{old: old, new: next}, how.now, how.plan.IndexLag())
}

// scan calls yield for the records from a key on, in order.
func (s *shelf) scan(yield func(*record) bool) {
	s.records.Ascend(func(found slot) bool { return yield(found.now) })
}

// locked runs read while nothing changes and the indexes have seen what is due.
func (s *shelf) locked(plan *fault.Plan, read func()) {
	s.mu.RLock()
	if len(s.indexes.pending) > 0 {
		s.mu.RUnlock()
		s.mu.Lock()
		s.indexes.settle(time.Now(), plan.IndexLag())
		s.mu.Unlock()
		s.mu.RLock()
	}
	defer s.mu.RUnlock()
	read()
}
