package sandbox

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"opensaves-soak/opensaves/sandbox/fault"
)

// database is all that the sandbox keeps.
type database struct {
	backend  Backend
	shelves  sync.Map // store id → *shelf
	prefixed atomic.Int64
	records  *table[recordKey, *record] // Redis: record:…
	stores   *table[string, *store]     // Redis: store:…
	unread   *table[uint64, int]        // Redis: bytes that REST puts there and never reads, by the hash of their key; nil: nobody asks
	objects  *table[objectKey, []byte]  // S3, for REST
	metadata *table[metadataKey, document]
	uploads  *table[string, *upload]
	past     past
}

type (
	recordKey   struct{ store, key string }
	objectKey   struct{ store, key, name string }
	metadataKey struct{ kind, id string }
)

func newDatabase(b Backend) *database {
	return &database{
		backend:  b,
		records:  newTable[recordKey, *record](),
		stores:   newTable[string, *store](),
		objects:  newTable[objectKey, []byte](),
		metadata: newTable[metadataKey, document](),
		uploads:  newTable[string, *upload](),
		past:     newPast(),
	}
}

// Why the database refuses.
var (
	errNoStore  = errors.New("store not found")
	errNoRecord = errors.New("record not found")
	errExists   = errors.New("exists already")
	errNotEmpty = errors.New("store has records")
)

// place is what an edit finds: the store and the record, nil where there is none,
// and the version before if it is kept.
type place struct {
	store       *store
	old, before *record
}

// base is the version that the next one is made of: the last, unless what that
// changed gets lost.
func (p place) base(how manner) *record {
	if how.lie == fault.LostUpdate && p.before != nil {
		return p.before
	}
	return p.old
}

// edit makes a record's next version; nil deletes it.
type edit func(place) (*record, error)

func (d *database) shelf(id string) *shelf {
	if found, ok := d.shelves.Load(id); ok {
		return found.(*shelf)
	}
	return nil
}

// write changes a record, unless the edit refuses, and returns what it made.
func (d *database) write(id, key string, how manner, change edit) (*record, error) {
	s := d.shelf(id)
	if s == nil {
		next, err := change(place{})
		how.edited(nil, next, err)
		return next, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.slot(key)
	seen := d.seen(recordKey{id, key}, at.now, how)
	next, err := change(place{s.store, seen, at.before})
	how.edited(seen, next, err)
	if err != nil || !how.applies() || next == seen && next != nil {
		return next, err
	}
	d.replace(s, key, at.now, next, how)
	d.tidy(s)
	return next, nil
}

// seen is what a writer sees of a record that is there: a read that lags shows
// the version before, or that there is none yet.
func (d *database) seen(at recordKey, now *record, how manner) *record {
	if now == nil {
		return nil
	}
	if was, lagging := before(d.past.records, at, how); lagging {
		return was
	}
	return now
}

// replace stores what follows old, and brings what has copies up to date. The
// caller holds the shelf's lock.
func (d *database) replace(s *shelf, key string, old, next *record, how manner) {
	at := recordKey{s.id, key}
	if old != nil || next != nil {
		keep(d.past.records, at, old, how)
	}
	s.put(old, next, how)
	d.refresh(at, old, next, how)
	d.release(old, next)
}

// release forgets an upload whose chunks are no record's blob anymore.
func (d *database) release(old, next *record) {
	if old == nil || old.blob == nil || old.blob.upload == nil {
		return
	}
	if next == nil || next.blob != old.blob {
		d.uploads.drop(old.blob.upload.session)
	}
}

// tidy takes out a shelf that holds nothing. The caller holds its lock.
func (d *database) tidy(s *shelf) {
	if s.store != nil || s.records.Len() > 0 || s.gone {
		return
	}
	s.gone = true
	d.shelves.Delete(s.id)
	if strings.Contains(s.id, "#") {
		d.prefixed.Add(-1)
	}
}

// createStore adds a store under an id.
func (d *database) createStore(id string, st *store, how manner) error {
	for {
		found, loaded := d.shelves.LoadOrStore(id, newShelf(id))
		if !loaded && strings.Contains(id, "#") {
			d.prefixed.Add(1)
		}
		s := found.(*shelf)
		s.mu.Lock()
		if s.gone {
			s.mu.Unlock()
			continue
		}
		defer s.mu.Unlock()
		if s.store != nil {
			return errExists
		}
		if !how.applies() {
			d.tidy(s)
			return nil
		}
		keep(d.past.stores, id, nil, how)
		s.store = st
		if how.cache {
			d.lendStore(id, st, how)
		}
		return nil
	}
}

// store returns a store's row.
func (d *database) store(id string) (*store, error) {
	if s := d.shelf(id); s != nil {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if s.store != nil {
			return s.store, nil
		}
	}
	return nil, errNoStore
}

// deleteStore removes the row and its records, in order of their keys, as long
// as more says so of the last one; with nil it refuses where there are any. A
// missing store is errNoStore.
func (d *database) deleteStore(id string, how manner, more func(*record) bool) error {
	s := d.shelf(id)
	if s == nil {
		return errNoStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		return errNoStore
	}
	if more == nil && s.records.Len() > 0 {
		return errNotEmpty
	}
	if !how.applies() {
		return nil
	}
	var victims []*record
	if more != nil {
		s.scan(func(r *record) bool {
			victims = append(victims, r)
			return more(r)
		})
	}
	keep(d.past.stores, id, s.store, how)
	s.store = nil
	for _, r := range victims {
		d.replace(s, r.key, r, nil, how)
	}
	d.tidy(s)
	return nil
}

// all returns every shelf whose id begins with prefix, in order of their ids.
func (d *database) all(prefix string) []*shelf {
	var found []*shelf
	d.shelves.Range(func(_, value any) bool {
		if s := value.(*shelf); strings.HasPrefix(s.id, prefix) {
			found = append(found, s)
		}
		return true
	})
	slices.SortFunc(found, func(a, b *shelf) int { return strings.Compare(a.id, b.id) })
	return found
}
