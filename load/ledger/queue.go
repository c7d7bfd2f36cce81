package ledger

import "sync/atomic"

// Queue holds objects in the order in which they came. It takes no lock, so that
// requests do not meet in it; when it is full the oldest are overwritten.
type Queue struct {
	ring       []atomic.Pointer[Object]
	head, tail atomic.Uint64
}

// NewQueue makes a queue for so many objects.
func NewQueue(capacity int) *Queue { return &Queue{ring: make([]atomic.Pointer[Object], capacity)} }

// Put adds an object.
func (q *Queue) Put(o *Object) {
	at := q.head.Add(1) - 1
	q.ring[at%uint64(len(q.ring))].Store(o)
}

// Take removes the oldest object and returns it; nil where there is none.
func (q *Queue) Take() *Object {
	for {
		tail, head := q.tail.Load(), q.head.Load()
		if tail >= head {
			return nil
		}
		next := max(tail, head-min(head, uint64(len(q.ring)))) + 1
		if !q.tail.CompareAndSwap(tail, next) {
			continue
		}
		if o := q.ring[(next-1)%uint64(len(q.ring))].Swap(nil); o != nil {
			return o // else it is being put this moment: the next round brings it
		}
	}
}

// Len is about how many there are.
func (q *Queue) Len() int {
	return int(min(q.head.Load()-min(q.tail.Load(), q.head.Load()), uint64(len(q.ring))))
}
