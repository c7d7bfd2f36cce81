package ledger

import (
	"sync"
	"sync/atomic"
)

// Set holds the objects of one kind by rank. Reading it takes no lock, so that
// requests do not meet there; the few that create and delete take one.
type Set struct {
	place  int // which of an object's slots is this set's
	slots  []atomic.Pointer[Object]
	length atomic.Int64

	mu sync.Mutex
}

// NewSet makes a set with room for capacity objects.
func NewSet(capacity int) *Set { return &Set{slots: make([]atomic.Pointer[Object], capacity)} }

// NewSubset makes a set whose objects may be in a Set too.
func NewSubset(capacity int) *Set {
	s := NewSet(capacity)
	s.place = 1
	return s
}

// places is how many sets an object can be in at once.
const places = 2

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
	o.slots[s.place] = n
	s.slots[n].Store(o)
	s.length.Add(1)
	return true
}

// Remove takes an object out; the last one gets its rank. An object that is
// not in the set is left alone. It says whether it was.
func (s *Set) Remove(o *Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.Len() - 1
	at := o.slots[s.place]
	if n < 0 || at > n || s.slots[at].Load() != o {
		return false
	}
	last := s.slots[n].Load()
	last.slots[s.place] = at
	s.slots[at].Store(last)
	s.slots[n].Store(nil)
	s.length.Add(-1)
	return true
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
