package sandbox

import (
	"errors"
	"net/http"
	"time"

	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

var (
	errStoreNotFound  = &refusal{http.StatusNotFound, "store not found"}
	errStoreRequired  = &refusal{http.StatusBadRequest, "store_id is required"}
	errStoreExists    = &refusal{http.StatusConflict, "store already exists"}
	errListingStores  = &refusal{http.StatusInternalServerError, "Failed to list stores"}
	errCreatingStore  = &refusal{http.StatusInternalServerError, "Failed to create store"}
	errDeletingStore  = &refusal{http.StatusInternalServerError, "Failed to delete store"}
	errMetadataAbsent = &refusal{http.StatusNotFound, "metadata not found"}
	errSettingMeta    = &refusal{http.StatusInternalServerError, "Failed to set metadata"}
	errDeletingMeta   = &refusal{http.StatusInternalServerError, "Failed to delete metadata"}
)

// DynamoDB's limits in bytes.
const (
	maxStoreID  = 2048
	maxRecordID = 1024
	maxPage     = 1 << 20
	maxItem     = 400 << 10
	maxBSON     = 16 << 20 // of DocumentDB: a document
)

// A key that DynamoDB does not take.
func badKey(id string, limit int) bool { return id == "" || len(id) > limit }

func ping(*database, *query, manner) (reply, error) {
	return reply{status: http.StatusOK, kind: textKind, head: []byte("OK")}, nil
}

func listStores(d *database, _ *query, how manner) (reply, error) {
	list := []byte(`{"stores":[`)
	first := len(list)
	var scanned aws.Amount
	for _, s := range d.all("") {
		s.locked(how.plan, func() {
			if s.store == nil || d.backend == DynamoDB && len(list) >= maxPage {
				return
			}
			if len(list) > first {
				list = append(list, ',')
			}
			list = appendStore(list, s.store.shown(how))
			scanned.Add(s.store.size())
		})
	}
	how.found(aws.Stores, aws.Scan, aws.Base, scanned)
	if len(list) == first && d.backend == DocumentDB {
		return jsonReply([]byte("{\"stores\":null}\n")), nil
	}
	return jsonReply(append(list, "]}\n"...)), nil
}

func jsonReply(body []byte) reply {
	return reply{status: http.StatusOK, kind: jsonKind, head: body}
}

func appendStore(b []byte, s *store) []byte {
	b = appendString(append(b, `{"store_id":`...), s.key)
	b = appendString(append(b, `,"name":`...), s.name)
	b = append(b, `,"created_at":"`...)
	b = s.created.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","updated_at":"`...)
	b = s.created.UTC().AppendFormat(b, time.RFC3339)
	return append(b, `"}`...)
}

func createStore(d *database, q *query, how manner) (reply, error) {
	var in struct {
		ID   string `json:"store_id"`
		Name string `json:"name"`
	}
	if err := decode(q.body, &in); err != nil {
		return reply{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	if in.ID == "" {
		return reply{}, errStoreRequired
	}
	if d.backend == DynamoDB && len(in.ID) > maxStoreID {
		return reply{}, errCreatingStore
	}
	row := &store{key: in.ID, name: in.Name, created: how.now}
	if d.createStore(in.ID, row, how) != nil {
		how.got(aws.Stores, row.size())
		return reply{}, errStoreExists
	}
	how.got(aws.Stores, 0)
	how.wrote(aws.Stores, aws.PutItem, 0, row.size())
	if how.applies() {
		d.noteStore(row, how)
	}
	return reply{status: http.StatusCreated}, nil
}

func getStore(d *database, q *query, how manner) (reply, error) {
	s, err := d.seenStore(q.store, how)
	if err != nil {
		return reply{}, errStoreNotFound
	}
	d.leave(recordKey{store: q.store}, s.size(), how)
	return jsonReply(append(appendStore(nil, s.shown(how)), '\n')), nil
}

func deleteStore(d *database, q *query, how manner) (reply, error) {
	if d.backend == DynamoDB && badKey(q.store, maxStoreID) {
		how.meter.FailUser()
		return reply{}, errDeletingStore
	}
	page := page{whole: d.backend == DocumentDB}
	err := d.deleteStore(q.store, how, page.add)
	if d.backend == DocumentDB && errors.Is(err, errNoStore) {
		return reply{}, errDeletingStore
	}
	how.wrote(aws.Stores, aws.DeleteItem, 0, 0)
	how.emptied(page.found)
	how.wrote(aws.Metadata, aws.DeleteItem, 0, 0)
	if how.applies() {
		if d.backend == DocumentDB {
			d.forget(q.store)
		}
		d.metadata.drop(metadataKey{storeInfo, q.store})
	}
	return reply{status: http.StatusNoContent}, nil
}

func getMetadata(d *database, q *query, how manner) (reply, error) {
	at := metadataKey{q.store, q.record}
	doc, ok := d.seenMetadata(at, how)
	how.got(aws.Metadata, at.size(doc, ok))
	switch {
	case !ok:
		return reply{}, errMetadataAbsent
	case doc.json == nil:
		return jsonReply([]byte("null\n")), nil
	}
	if how.lie == fault.Corrupt {
		doc.json = flipDocument(doc.json)
	}
	return reply{status: http.StatusOK, kind: jsonKind, head: doc.json, tail: newline}, nil
}

var newline = []byte("\n")

func setMetadata(d *database, q *query, how manner) (reply, error) {
	var object map[string]any
	if err := decode(q.body, &object); err != nil {
		return reply{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	encoded := encode(object, d.backend)
	if d.backend == DynamoDB && (badKey(q.store, maxStoreID) || badKey(q.record, maxRecordID) || len(encoded) > maxItem) {
		how.meter.FailUser()
		return reply{}, errSettingMeta
	}
	d.setMetadata(metadataKey{q.store, q.record}, encoded, how)
	return reply{status: http.StatusOK}, nil
}

func deleteMetadata(d *database, q *query, how manner) (reply, error) {
	if d.backend == DynamoDB && (badKey(q.store, maxStoreID) || badKey(q.record, maxRecordID)) {
		how.meter.FailUser()
		return reply{}, errDeletingMeta
	}
	if !d.deleteMetadata(metadataKey{q.store, q.record}, how) && d.backend == DocumentDB {
		return reply{}, errDeletingMeta
	}
	return reply{status: http.StatusNoContent}, nil
}

// page collects records as one page of DynamoDB's answers does: it ends with
// the record that crosses a megabyte. A whole one does not end.
type page struct {
	whole bool
	limit int // 0: none
	size  int
	found []*record
}

// add takes a record and says whether there is room for another.
func (p *page) add(r *record) bool {
	p.found = append(p.found, r)
	p.size += len(r.rest().json)
	return (p.whole || p.size < maxPage) && len(p.found) != p.limit
}
