package ledger

import (
	"sync"
	"sync/atomic"
)

// Set holds the objects of one kind by rank. Reading it takes no lock, so that
// requests do not meet there; the few that create and delete take one.
type Set struct {
	slots  []atomic.Pointer[Object]
	length atomic.Int64

	mu sync.Mutex
}

// NewSet makes a set with room for capacity objects.
func NewSet(capacity int) *Set { return &Set{slots: make([]atomic.Pointer[Object], capacity)} }

// Len is how many objects there are.
func (s *Set) Len() int { return int(s.length.Load()) }

// Add puts an object at the last rank, and reports whether there was room.
func (s *Set) Add(o *Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.Len()
	if n == len(s.slots) {
		return false
	}
	o.slot = n
	s.slots[n].Store(o)
	s.length.Add(1)
	return true
}

// Remove takes an object out; the last one gets its rank. An object that is
// not in the set is left alone.
func (s *Set) Remove(o *Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.Len() - 1
	if n < 0 || o.slot > n || s.slots[o.slot].Load() != o {
		return
	}
	last := s.slots[n].Load()
	last.slot = o.slot
	s.slots[o.slot].Store(last)
	s.slots[n].Store(nil)
	s.length.Add(-1)
}

// From returns the first object from rank on, going round, that take accepts,
// or nil if it accepts none.
func (s *Set) From(rank int, take func(*Object) bool) *Object {
	n := s.Len()
	for i := range n {
		at := rank + i
		if at >= n {
			at -= n
		}
		if o := s.slots[at].Load(); o != nil && take(o) {
			return o
		}
	}
	return nil
}
