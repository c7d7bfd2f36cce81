package sandbox

import (
	"cmp"
	"hash/maphash"
	"time"

	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

type hint struct{ skip, keepOut bool }

// cacheTTL is upstream's cache_default_ttl, or what a fault says.
func (m manner) cacheTTL() time.Duration { return cmp.Or(m.plan.CacheTTL(), 5*time.Minute) }

// refresh brings the cache up to date after a write, or leaves the version before
// there: because that went wrong, or because a slow reader came after it.
func (d *database) refresh(at recordKey, old, next *record, how manner) {
	switch {
	case how.cache && old != nil && (how.refills || how.lie == fault.StaleCache):
		d.lend(at, old, how)
	case how.plan.CacheTTL() > 0:
	case !how.cache:
		d.records.drop(at)
	case next == nil || how.hint.keepOut:
		d.evict(at, how)
	default:
		d.lend(at, next, how)
	}
}

// lend puts a record into the cache.
func (d *database) lend(at recordKey, r *record, how manner) {
	how.meter.Set(r.size())
	d.records.lend(at, r, how.now.Add(how.cacheTTL()))
}

// evict takes a record out of the cache.
func (d *database) evict(at recordKey, how manner) {
	how.meter.Unset()
	d.records.drop(at)
}

// lendStore puts a store into the cache.
func (d *database) lendStore(id string, s *store, how manner) {
	how.meter.Set(s.size())
	d.stores.lend(id, s, how.now.Add(how.cacheTTL()))
}

// unreadTTL is the AWS port's aws.elasticache.ttl.
const unreadTTL = time.Hour

// unreadSeed is that of the keys' hashes: an hour of keys themselves would be large.
var unreadSeed = maphash.MakeSeed()

// leave meters that REST puts what it has read into Redis, from where it never
// reads anything.
func (d *database) leave(at recordKey, bytes int, how manner) {
	how.meter.Set(bytes)
	if d.unread != nil {
		d.unread.lend(maphash.Comparable(unreadSeed, at), bytes, how.now.Add(unreadTTL))
	}
}

// forgetUnread meters that REST takes a record out of Redis.
func (d *database) forgetUnread(at recordKey, how manner) {
	how.meter.Unset()
	if d.unread != nil {
		d.unread.drop(maphash.Comparable(unreadSeed, at))
	}
}

// cached says whether a read will be answered from the cache.
func (d *database) cached(at recordKey, h hint) bool {
	if h.skip {
		return false
	}
	_, hit := d.records.get(at)
	return hit
}

// read returns a record, from the cache where the wire has one and the hint
// allows it. The lies about versions are told here.
func (d *database) read(at recordKey, how manner) (*record, error) {
	if how.cache && !how.hint.skip && how.lie != fault.Stale && how.lie != fault.Torn {
		if r, hit := d.records.get(at); hit {
			how.meter.Hit(r.size())
			if how.hint.keepOut {
				d.evict(at, how)
			}
			return r, nil
		}
		how.meter.Miss()
	}
	r, err := d.fetch(at, how)
	how.got(aws.Records, r.size())
	return r, err
}

// fetch returns a record as the table has it, and fills the cache with it.
func (d *database) fetch(at recordKey, how manner) (*record, error) {
	if was, lagging := before(d.past.records, at, how); lagging && was != nil {
		return was, nil
	} else if lagging {
		return nil, errNoRecord
	}
	s := d.shelf(at.store)
	if s == nil {
		return nil, errNoRecord
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := s.slot(at.key)
	if found.now == nil {
		return nil, errNoRecord
	}
	switch {
	case found.before == nil:
	case how.tellsBefore():
		return found.before, nil
	case how.lie == fault.Torn:
		return torn(found.now, found.before), nil
	}
	d.fill(at, found.now, how)
	return found.now, nil
}

// tellsBefore says whether the version before is to be answered: stale where
// the cache answers, if there is one, non-monotonic past it.
func (m manner) tellsBefore() bool {
	return m.lie == fault.Stale && !m.hint.skip || m.lie == fault.NonMonotonic && (m.hint.skip || !m.cache)
}

// fill puts what was read into the cache. The caller holds the shelf's lock, so
// that no older version can overtake a write.
func (d *database) fill(at recordKey, r *record, how manner) {
	switch {
	case !how.cache:
	case how.hint.keepOut:
		d.evict(at, how)
	default:
		d.lend(at, r, how)
	}
}
