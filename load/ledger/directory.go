package ledger

import "sync"

// Directory finds objects by the number in their key. It is sharded, so that
// requests rarely meet in it.
type Directory struct {
	shards [directoryShards]directoryShard
}

const directoryShards = 64

type directoryShard struct {
	mu      sync.RWMutex
	objects map[uint64]*Object
}

// NewDirectory makes an empty one.
func NewDirectory() *Directory {
	d := &Directory{}
	for i := range d.shards {
		d.shards[i].objects = map[uint64]*Object{}
	}
	return d
}

func (d *Directory) shard(number uint64) *directoryShard { return &d.shards[number%directoryShards] }

// Add enters an object.
func (d *Directory) Add(o *Object) {
	s := d.shard(o.Number)
	s.mu.Lock()
	s.objects[o.Number] = o
	s.mu.Unlock()
}

// Remove forgets an object.
func (d *Directory) Remove(o *Object) {
	s := d.shard(o.Number)
	s.mu.Lock()
	delete(s.objects, o.Number)
	s.mu.Unlock()
}

// Find returns the object of a number, nil if there is none.
func (d *Directory) Find(number uint64) *Object {
	s := d.shard(number)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.objects[number]
}

// Len is how many objects there are.
func (d *Directory) Len() (n int) {
	for i := range d.shards {
		s := &d.shards[i]
		s.mu.RLock()
		n += len(s.objects)
		s.mu.RUnlock()
	}
	return n
}
