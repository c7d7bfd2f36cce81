package sandbox

import (
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/aws"
)

// Sizes of items and of the entries of the cache are estimates: DynamoDB counts
// the names of attributes and their values.
const (
	recordFrame   = 110 // bytes of a record's attributes that are always there, without its ids
	storeFrame    = 60
	metadataFrame = 70
	propertyFrame = 4
	numberSize    = 8
)

// size estimates a record's item, 0 for none. The ids stand there once more,
// as the range key of the indexes.
func (r *record) size() int {
	if r == nil {
		return 0
	}
	n := recordFrame + 2*(len(r.store)+len(r.key)) + len(r.owner) + len(r.game) + len(r.document) + len(r.opaque)
	for _, tag := range r.tags {
		n += len(tag) + 1
	}
	for _, name := range r.names {
		n += len(name) + 1
	}
	for name, p := range r.properties {
		n += propertyFrame + len(name) + valueSize(p)
	}
	if r.blob != nil && !r.blob.external() {
		n += len(r.blob.content)
	}
	return n
}

func valueSize(p *api.Property) int {
	if text, is := p.GetValue().(*api.Property_StringValue); is {
		return len(text.StringValue)
	}
	return numberSize
}

// size estimates a store's item, 0 for none.
func (s *store) size() int {
	if s == nil {
		return 0
	}
	n := storeFrame + len(s.key) + len(s.name) + len(s.owner)
	for _, tag := range s.tags {
		n += len(tag) + 1
	}
	return n
}

// size estimates the item of a row of metadata, 0 where there is none.
func (k metadataKey) size(row document, had bool) int {
	if !had {
		return 0
	}
	return metadataFrame + len(k.kind) + len(k.id) + len(row.json)
}

func amountOf(records []*record) (a aws.Amount) {
	for _, r := range records {
		a.Add(r.size())
	}
	return a
}

// holdings says what is stored now.
func (d *database) holdings() (h aws.Holdings) {
	for _, s := range d.all("") {
		s.weigh(&h)
	}
	d.metadata.weigh(func(at metadataKey, doc document) {
		h.Tables[aws.Metadata][aws.Base].Add(at.size(doc, true))
	})
	h.Expired += d.records.weigh(func(_ recordKey, r *record) { h.Cache.Add(r.size()) })
	h.Expired += d.stores.weigh(func(_ string, s *store) { h.Cache.Add(s.size()) })
	h.Expired += d.unread.weigh(func(_ uint64, bytes int) { h.Cache.Add(bytes) })
	return h
}

// weigh adds what the store and its records take.
func (s *shelf) weigh(h *aws.Holdings) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.store != nil {
		h.Tables[aws.Stores][aws.Base].Add(s.store.size())
	}
	records := &h.Tables[aws.Records]
	s.scan(func(r *record) bool {
		bytes := r.size()
		records[aws.Base].Add(bytes)
		if r.owner != "" {
			records[aws.OwnerIDIndex].Add(bytes)
		}
		if r.game != "" {
			records[aws.GameIDIndex].Add(bytes)
		}
		return true
	})
}
