package sandbox

import (
	"encoding/json"
	"fmt"
	"strconv"

	"opensaves-soak/opensaves/sandbox/aws"
)

// document is a row of metadata: a JSON object, nil for an empty one. Of
// store_stats the count is kept beside it.
type document struct {
	json   []byte
	count  float64
	before *document // the version before, if a fault needs it
}

const (
	storeInfo  = "store_info"
	storeStats = "store_stats"
	recordInfo = "record_info"
)

func newDocument(kind string, encoded []byte) document {
	doc := document{json: encoded}
	if kind == storeStats {
		var stats struct {
			Count float64 `json:"record_count"`
		}
		if json.Unmarshal(encoded, &stats) == nil { // a row of somebody's own counts from 0
			doc.count = stats.Count
		}
	}
	return doc
}

// setMetadata replaces a row.
func (d *database) setMetadata(at metadataKey, encoded []byte, how manner) {
	next := newDocument(at.kind, encoded)
	if !how.applies() {
		how.wrote(aws.Metadata, aws.PutItem, 0, at.size(next, true))
		return
	}
	d.metadata.update(at, func(old document, had bool) document {
		how.wrote(aws.Metadata, aws.PutItem, at.size(old, had), at.size(next, true))
		if how.plan != nil {
			next.before = d.outdate(at, old, had, how)
		}
		return next
	})
}

// outdate notes what was there before a change, and returns it if lies need it.
func (d *database) outdate(at metadataKey, old document, had bool, how manner) *document {
	var was *document
	if had {
		old.before, was = nil, &old
	}
	keep(d.past.metadata, at, was, how)
	if how.plan.KeepsPrevious() {
		return was
	}
	return nil
}

// seenMetadata returns a row as a read shows it, which may lag or lie.
func (d *database) seenMetadata(at metadataKey, how manner) (document, bool) {
	if was, lagging := before(d.past.metadata, at, how); lagging && was != nil {
		return *was, true
	} else if lagging {
		return document{}, false
	}
	doc, ok := d.metadata.get(at)
	if doc.before != nil && how.tellsBefore() {
		return *doc.before, ok
	}
	return doc, ok
}

// deleteMetadata removes a row and says whether there was one.
func (d *database) deleteMetadata(at metadataKey, how manner) bool {
	old, had := d.metadata.get(at)
	how.wrote(aws.Metadata, aws.DeleteItem, at.size(old, had), 0)
	if how.plan == nil {
		return d.metadata.drop(at)
	}
	if had && how.applies() {
		d.outdate(at, old, had, how)
		d.metadata.drop(at)
	}
	return had
}

// noteStore writes the row that the server keeps of a store.
func (d *database) noteStore(s *store, how manner) {
	id := ""
	if d.backend == DocumentDB {
		id = fmt.Sprintf(`,"store_id":%s`, appendString(nil, s.key))
	}
	row := fmt.Appendf(nil, `{"created_at":%d,"name":%s%s}`, s.created.Unix(), nullable(s.name, d.backend), id)
	at, doc := metadataKey{storeInfo, s.key}, document{json: row}
	how.wrote(aws.Metadata, aws.PutItem, 0, at.size(doc, true))
	d.metadata.set(at, doc)
}

// nullable writes a string as it comes back from the backend.
func nullable(s string, b Backend) []byte {
	if s == "" && b == DynamoDB {
		return []byte("null")
	}
	return appendString(nil, s)
}

// countRecord moves a store's count of records, which never goes below 0.
func (d *database) countRecord(id string, by float64, how manner) {
	at := metadataKey{storeStats, id}
	was, had := d.metadata.get(at)
	how.got(aws.Metadata, at.size(was, had))
	if !had && by < 0 {
		return
	}
	if by > 0 || was.count > 0 {
		how.wrote(aws.Metadata, aws.PutItem, at.size(was, had), 0)
	}
	d.metadata.update(at, func(old document, _ bool) document {
		count := max(0, old.count+by)
		row := append(make([]byte, 0, 64), `{"record_count":`...)
		row = strconv.AppendFloat(row, count, 'f', -1, 64)
		row = strconv.AppendInt(append(row, `,"updated_at":`...), how.now.Unix(), 10)
		return document{json: append(row, '}'), count: count}
	})
}

// noteRecord writes the row that the server keeps of a record on DocumentDB.
func (d *database) noteRecord(r *record) {
	row := fmt.Appendf(nil, `{"created_at":%d,"game_id":%s,"owner_id":%s,"record_id":%s,"store_id":%s,"tags":%s}`,
		r.created.Unix(), appendString(nil, r.game), appendString(nil, r.owner), appendString(nil, r.key),
		appendString(nil, r.store), appendArray(nil, r.tags))
	d.metadata.set(metadataKey{recordInfo, r.store + "#" + r.key}, document{json: row})
}

// forget removes the rows of any kind that have the id, as DocumentDB does with
// those of a store or record that it deletes.
func (d *database) forget(id string) {
	d.metadata.dropWhere(func(at metadataKey) bool { return at.id == id })
}
