package sandbox

import (
	"hash/maphash"
	"maps"
	"sync"
	"time"
)

// table is a map with many locks, whose entries may expire.
type table[K comparable, V any] struct {
	seed   maphash.Seed
	shards [64]shard[K, V]
}

type shard[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]entry[V]
	kept    int // entries that the last sweep left
}

type entry[V any] struct {
	value V
	until time.Time // zero: never
}

func newTable[K comparable, V any]() *table[K, V] {
	t := &table[K, V]{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].entries = map[K]entry[V]{}
	}
	return t
}

func (t *table[K, V]) shard(key K) *shard[K, V] {
	return &t.shards[maphash.Comparable(t.seed, key)%uint64(len(t.shards))]
}

func (t *table[K, V]) get(key K) (V, bool) {
	s := t.shard(key)
	s.mu.RLock()
	e, ok := s.entries[key]
	s.mu.RUnlock()
	if ok && e.ended(time.Now) {
		return entry[V]{}.value, false
	}
	return e.value, ok
}

func (e entry[V]) ended(now func() time.Time) bool { return !e.until.IsZero() && now().After(e.until) }

// set stores a value for good.
func (t *table[K, V]) set(key K, value V) {
	s := t.shard(key)
	s.mu.Lock()
	s.entries[key] = entry[V]{value: value}
	s.mu.Unlock()
}

// lend stores a value until a time.
func (t *table[K, V]) lend(key K, value V, until time.Time) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries[key] = entry[V]{value, until}
	if len(s.entries) > 2*s.kept+16 {
		s.sweep()
	}
}

// sweep drops what has ended and returns how many that were. Done whenever the
// entries have doubled, it costs a constant for each.
func (s *shard[K, V]) sweep() int {
	now, before := time.Now(), len(s.entries)
	for key, e := range s.entries {
		if e.ended(func() time.Time { return now }) {
			delete(s.entries, key)
		}
	}
	s.kept = len(s.entries)
	return before - s.kept
}

// weigh calls add for every entry that has not ended, and returns how many of
// them it had to drop before.
func (t *table[K, V]) weigh(add func(K, V)) (dropped int64) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		dropped += int64(s.sweep())
		for key, e := range s.entries {
			add(key, e.value)
		}
		s.mu.Unlock()
	}
	return dropped
}

// drop removes an entry and says whether there was one.
func (t *table[K, V]) drop(key K) bool {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, had := s.entries[key]
	delete(s.entries, key)
	return had
}

// dropWhere removes all entries whose key matches.
func (t *table[K, V]) dropWhere(matches func(K) bool) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		maps.DeleteFunc(s.entries, func(key K, _ entry[V]) bool { return matches(key) })
		s.mu.Unlock()
	}
}

// update replaces a value by what change makes of it, without an end.
func (t *table[K, V]) update(key K, change func(old V, had bool) V) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, had := s.entries[key]
	s.entries[key] = entry[V]{value: change(e.value, had)}
}

// clear removes everything.
func (t *table[K, V]) clear() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		clear(s.entries)
		s.mu.Unlock()
	}
}
