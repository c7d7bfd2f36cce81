package sandbox

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

var (
	errRecordNotFound = &refusal{http.StatusNotFound, "record not found"}
	errRecordRequired = &refusal{http.StatusBadRequest, "record_id is required"}
	errQuerying       = &refusal{http.StatusInternalServerError, "Failed to query records"}
	errCreatingRecord = &refusal{http.StatusInternalServerError, "Failed to create record"}
	errUpdatingRecord = &refusal{http.StatusInternalServerError, "Failed to update record"}
	errDeletingRecord = &refusal{http.StatusInternalServerError, "Failed to delete record"}
)

// recordFields is what a body says of a record; nil where it says nothing.
type recordFields struct {
	tags        []string
	properties  map[string]any
	owner, game string
}

func fieldsOf(body map[string]any, b Backend) recordFields {
	var f recordFields
	if tags, ok := body["tags"].([]any); ok {
		f.tags = make([]string, len(tags))
		for i := range tags {
			f.tags[i], _ = tags[i].(string)
		}
	}
	f.properties, _ = body["properties"].(map[string]any)
	if b == DocumentDB {
		f.owner, _ = body["owner_id"].(string)
		return f
	}
	f.owner, _ = f.properties["owner_id"].(string)
	f.game, _ = f.properties["game_id"].(string)
	return f
}

// apply changes a version that nobody has seen yet.
func (f *recordFields) apply(r *record, b Backend) {
	if f.tags != nil {
		r.tags = f.tags
	}
	if f.properties != nil {
		r.document, r.properties = encode(f.properties, b), nil
	}
	r.owner = cmp.Or(f.owner, r.owner)
	r.game = cmp.Or(f.game, r.game)
}

// tooLarge says whether the backend does not take an item of that size.
func tooLarge(r *record, b Backend) bool {
	limit := maxItem
	if b == DocumentDB {
		limit = maxBSON
	}
	return len(r.document) > limit || len(r.rest().json) > limit
}

func createRecord(d *database, q *query, how manner) (reply, error) {
	if _, err := d.seenStore(q.store, how); err != nil {
		return reply{}, errStoreNotFound
	}
	var body map[string]any
	if err := decode(q.body, &body); err != nil {
		return reply{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	id, _ := body["record_id"].(string)
	if id == "" {
		return reply{}, errRecordRequired
	}
	r := &record{content: content{store: q.store, key: id, created: how.now, updated: how.now, signature: how.sign()}}
	fields := fieldsOf(body, d.backend)
	fields.apply(r, d.backend)
	if tooLarge(r, d.backend) || d.backend == DynamoDB && badKey(id, maxRecordID) {
		how.meter.FailUser()
		return reply{}, errCreatingRecord
	}
	if err := d.insert(r, how); errors.Is(err, errNoStore) {
		return reply{}, errStoreNotFound
	} else if err != nil {
		return reply{}, errCreatingRecord
	}
	switch {
	case !how.applies():
	case d.backend == DocumentDB:
		d.noteRecord(r)
	default:
		d.countRecord(q.store, 1, how)
	}
	return reply{status: http.StatusCreated}, nil
}

// insert adds a record that must be new to a store that must be there: however
// reads lag, the database itself sees to that.
func (d *database) insert(r *record, how manner) error {
	how.lags = false
	var in *store
	_, err := d.write(r.store, r.key, how, func(at place) (*record, error) {
		in = at.store
		switch {
		case at.store == nil:
			return nil, errNoStore
		case at.old != nil:
			return r, errExists
		}
		return r, nil
	})
	how.got(aws.Stores, in.size())
	if err == nil && how.lie == fault.Expired {
		at, created, plan := recordKey{r.store, r.key}, r.created, how.plan
		time.AfterFunc(plan.ExpireAfter(), func() { d.expire(at, created, manner{now: time.Now(), plan: plan}) })
	}
	return err
}

// expire removes a record, whatever has become of it since, but not another one
// that was created under its key. What REST's metadata says of it stays.
func (d *database) expire(at recordKey, created time.Time, how manner) {
	_, err := d.write(at.store, at.key, how, func(found place) (*record, error) {
		if found.old == nil || !found.old.created.Equal(created) {
			return nil, errNoRecord
		}
		return nil, nil
	})
	if err == nil {
		d.records.drop(at) // also where writes leave the cache as it is
	}
}

func getRecord(d *database, q *query, how manner) (reply, error) {
	r, err := d.read(recordKey{q.store, q.record}, how)
	if err != nil {
		return reply{}, errRecordNotFound
	}
	d.leave(recordKey{q.store, q.record}, r.size(), how)
	form := r.shown(how).rest()
	answer := reply{status: http.StatusOK, kind: jsonKind, head: form.json, tail: newline}
	if d.backend == DynamoDB {
		answer.head, answer.tail, answer.end = form.json[:form.from], form.json[form.to:], newline
	}
	return answer, nil
}

func updateRecord(d *database, q *query, how manner) (reply, error) {
	var body map[string]any
	if err := decode(q.body, &body); err != nil {
		return reply{}, &refusal{http.StatusBadRequest, err.Error()}
	}
	fields := fieldsOf(body, d.backend)
	_, err := d.write(q.store, q.record, how, func(at place) (*record, error) {
		if at.old == nil {
			return nil, errRecordNotFound
		}
		next := at.base(how).next(how)
		fields.apply(next, d.backend)
		if tooLarge(next, d.backend) {
			how.meter.FailUser()
			return nil, errUpdatingRecord
		}
		return next, nil
	})
	if err == nil {
		d.forgetUnread(recordKey{q.store, q.record}, how)
	}
	return reply{status: http.StatusOK}, err
}

func deleteRecord(d *database, q *query, how manner) (reply, error) {
	if d.backend == DynamoDB && (badKey(q.record, maxRecordID) || len(q.store) > maxStoreID) {
		how.meter.FailUser()
		return reply{}, errDeletingRecord
	}
	existed := false
	_, _ = d.write(q.store, q.record, how, func(at place) (*record, error) { // does not refuse
		existed = at.old != nil
		return nil, nil
	})
	switch {
	case d.backend == DocumentDB && !existed:
		return reply{}, errDeletingRecord
	case !how.applies():
	case d.backend == DocumentDB:
		d.forget(q.store + "#" + q.record)
	default:
		d.countRecord(q.store, -1, how)
	}
	return reply{status: http.StatusNoContent}, nil
}
