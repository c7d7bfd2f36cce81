package ledger

import (
	"runtime"
	"sync/atomic"
)

// Queue holds objects in the order in which they came. It takes no lock, so that
// requests do not meet in it; when it is full the oldest are overwritten.
type Queue struct {
	ring       []atomic.Pointer[Object]
	head, tail atomic.Uint64
}

// NewQueue makes a queue for so many objects.
func NewQueue(capacity int) *Queue { return &Queue{ring: make([]atomic.Pointer[Object], capacity)} }

// Put adds an object, and returns the one that it overwrites; nil for none.
func (q *Queue) Put(o *Object) *Object {
	at := q.head.Add(1) - 1
	return q.ring[at%uint64(len(q.ring))].Swap(o)
}

// puttable is how often Take looks for an object that is being put this moment.
const puttable = 100

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
		for range puttable {
			if o := q.ring[(next-1)%uint64(len(q.ring))].Swap(nil); o != nil {
				return o
			}
			runtime.Gosched()
		}
	}
}

// Len is about how many there are.
func (q *Queue) Len() int {
	return int(min(q.head.Load()-min(q.tail.Load(), q.head.Load()), uint64(len(q.ring))))
}
