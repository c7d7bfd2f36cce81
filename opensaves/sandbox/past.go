package sandbox

import "opensaves-soak/opensaves/sandbox/aws"

// past is what reads that are not consistent may still show: of each object that
// changed lately what was there before, nil for nothing. An entry ends when reads
// must see the change, so that no more is kept than changes meanwhile.
type past struct {
	records  *table[recordKey, *record]
	stores   *table[string, *store]
	metadata *table[metadataKey, *document]
}

func newPast() past {
	return past{newTable[recordKey, *record](), newTable[string, *store](), newTable[metadataKey, *document]()}
}

func (p past) clear() {
	p.records.clear()
	p.stores.clear()
	p.metadata.clear()
}

// keep notes what was there before a change.
func keep[K comparable, V any](t *table[K, *V], at K, was *V, how manner) {
	if by := how.plan.ReadLag(); by > 0 {
		t.lend(at, was, how.now.Add(by))
	}
}

// before returns what a read shows that lags, and whether there is such a thing.
func before[K comparable, V any](t *table[K, *V], at K, how manner) (*V, bool) {
	if !how.lags {
		return nil, false
	}
	return t.get(at)
}

// seenStore returns a store's row as a read shows it that may lag.
func (d *database) seenStore(id string, how manner) (*store, error) {
	s, err := d.lookStore(id, how)
	how.got(aws.Stores, s.size())
	return s, err
}

func (d *database) lookStore(id string, how manner) (*store, error) {
	if was, lagging := before(d.past.stores, id, how); lagging && was != nil {
		return was, nil
	} else if lagging {
		return nil, errNoStore
	}
	return d.store(id)
}
