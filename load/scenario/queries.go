package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

const (
	// pageLimit is how many records a query asks for that could match many.
	pageLimit = 20
	// wholeBytes is below the megabyte at which an answer of REST ends silently.
	wholeBytes = 512 << 10
	// offsetEvery is one in so many of the questions that are asked with an offset,
	// of up to offsets records.
	offsetEvery, offsets = 4, 4
	// swept bounds how many records of a store are looked through for those
	// that an answer lacks.
	swept = 4096
)

// prepareQuery asks a question that a record of the working set answers.
func prepareQuery(w *World, t *Task) metric.Operation {
	o := w.pick(t, w.records)
	if o == nil {
		return metric.CreateRecord
	}
	w.ask(t, o)
	if t.Op == metric.QueryByProperty && t.rand.IntN(offsetEvery) == 0 {
		t.Call.Query.Offset = 1 + t.rand.IntN(offsets)
	}
	return t.Op
}

// ask fills the call with the task's question about a record.
func (w *World) ask(t *Task, o *ledger.Object) {
	t.object, t.Call.Store = o, o.Parent.Key
	q := &t.Call.Query
	q.Limit = pageLimit
	switch t.Op {
	case metric.QueryByOwner:
		q.Owner, q.Limit = w.content.owner(o), 0
	case metric.QueryByTag:
		t.tags[0] = w.content.tag(o, max(1, o.Version()))
		q.Tags = t.tags[:]
	case metric.QueryByProperty:
		q.Filter = opensaves.Filter{Operator: opensaves.Equal, Property: opensaves.Property{
			Name: seasonProperty, Value: opensaves.Value{Kind: opensaves.Integer, Int: w.content.season(o)},
		}}
	case metric.QueryByGame:
		q.Game = w.content.game(o)
	}
}

// answers says whether a version of a record must be found by the task's question.
func (w *World) answers(t *Task, o *ledger.Object, version uint32) bool {
	q := &t.Call.Query
	switch {
	case q.Owner != "":
		return w.content.owner(o) == q.Owner
	case len(q.Tags) > 0:
		return w.content.tag(o, version) == q.Tags[0]
	case q.Filter.Property.Name != "":
		return w.content.season(o) == q.Filter.Property.Int
	case q.Game != "":
		return w.content.game(o) == q.Game
	}
	return true
}

// matches says whether a record, by the fields that the answer shows, is one that
// the question asked for.
func (t *Task) matches(r *opensaves.Record) bool {
	q := &t.Call.Query
	switch {
	case r.Store != t.Call.Store:
		return false
	case q.Owner != "":
		return r.Owner == q.Owner
	case len(q.Tags) > 0:
		return slices.Contains(r.Tags, q.Tags[0])
	case q.Filter.Property.Name != "":
		return slices.Contains(r.Properties, q.Filter.Property)
	case q.Game != "":
		return r.Game == q.Game
	}
	return true
}

// settleQuery judges an answer of many records: each of them, how they stand,
// and which are not there.
func settleQuery(w *World, t *Task, err error, _ time.Duration) {
	if err != nil {
		return
	}
	t.checked(metric.CheckQuery)
	t.numbers = t.numbers[:0]
	for i := range t.Answer.Records {
		w.judgeFound(t, &t.Answer.Records[i])
	}
	w.judgeShape(t)
	t.whole = w.whole(t, t.object.Key)
	w.judgeMissing(t)
}

// judgeFound judges one record of an answer.
func (w *World) judgeFound(t *Task, r *opensaves.Record) {
	h, fault := identify(r)
	o := w.find(r.Key)
	about := o
	if about == nil {
		about = t.object // for the log: the question was about this one
	} else {
		t.numbers = append(t.numbers, o.Number)
	}
	t.shown = t.shown || r.Key == t.object.Key
	matches, ours := t.matches(r), strings.HasPrefix(r.Key, w.recordPrefix)
	switch {
	case fault != "" && (matches || ours):
		t.accuse(w, Violation{Kind: ledger.Corrupt, Seen: ledger.Seen{Version: h.Version, Fault: fault}, Detail: r.Key}, about)
	case !matches:
		t.accuse(w, Violation{Kind: ledger.QueryMismatch, Seen: ledger.Seen{Version: h.Version}, Detail: r.Key}, about)
	case o != nil:
		seen := ledger.Seen{Version: h.Version}
		w.findIndexed(t, o, seen, o.JudgeIndexed(seen, t.sent, time.Duration(w.Verify.IndexLimit)))
	case ours:
		w.late.Add(1) // the ledger has given it up
	}
}

// findIndexed is find for what an index shows: one that is behind for too long
// is asked again by the same question.
func (w *World) findIndexed(t *Task, o *ledger.Object, seen ledger.Seen, v ledger.Verdict) {
	if v.Kind != ledger.Stale {
		t.find(w, o, seen, v)
		return
	}
	t.suspected(v.Age)
	if o == t.object {
		t.shown = false
	}
	if _, steady := o.Steady(t.sent); steady { // so that the question can be asked again
		w.suspect(t, o, t.Op, v.Age)
	}
}

// find returns the record of a key that is in the directory; nil: the key is
// none of ours, or given up.
func (w *World) find(key string) *ledger.Object {
	digits, ours := strings.CutPrefix(key, w.recordPrefix)
	if !ours {
		return nil
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return nil
	}
	if o := w.known.Find(number); o != nil && o.Key == key {
		return o
	}
	return nil
}

// judgeShape holds an answer to what all answers must be: each record once, no
// more than asked for, and on DynamoDB in the order of their keys.
func (w *World) judgeShape(t *Task) {
	records := t.Answer.Records
	limit := t.Call.Query.Limit
	wrong := ""
	if limit > 0 && len(records) > limit {
		wrong = strconv.Itoa(len(records)) + " records, want " + strconv.Itoa(limit) + " at the most"
	}
	slices.Sort(t.numbers)
	for i := 1; i < len(t.numbers) && wrong == ""; i++ {
		if t.numbers[i] == t.numbers[i-1] {
			wrong = "record " + strconv.FormatUint(t.numbers[i], 10) + " twice"
		}
	}
	for i := 1; w.ordered() && i < len(records) && wrong == ""; i++ {
		if records[i].Key <= records[i-1].Key {
			wrong = records[i].Key + " after " + records[i-1].Key
		}
	}
	if wrong != "" {
		t.accuse(w, Violation{Kind: ledger.QueryShape, Detail: wrong}, t.object)
	}
}

// ordered says whether answers are in the order of keys.
func (w *World) ordered() bool { return w.Protocol == metric.HTTP && w.Backend != opensaves.DocumentDB }

// whole says whether an answer would hold a key if the target had it: it skips
// nothing, is no query by game on DocumentDB, which never finds any, and is not
// cut, or where answers are in order the key is not beyond its last one.
func (w *World) whole(t *Task, key string) bool {
	records, limit := t.Answer.Records, t.Call.Query.Limit
	if t.Call.Query.Offset > 0 || t.Op == metric.QueryByGame && w.Backend == opensaves.DocumentDB {
		return false
	}
	if (limit == 0 || len(records) < limit) && (w.Protocol == metric.GRPC || t.Answer.Received < wholeBytes) {
		return true
	}
	return w.ordered() && len(records) > 0 && key <= records[len(records)-1].Key
}

// judgeMissing looks for records that an answer lacks: those that must match and
// that no write has touched for as long as an index may lag. An answer with an
// offset may lack any of them, but not more than it was to skip.
func (w *World) judgeMissing(t *Task) {
	shelf, since := w.shelf(t.object), t.sent-time.Duration(w.Verify.IndexLimit)
	if since < 0 || t.object.Former {
		return // too early; or a store that is being emptied
	}
	looked, matching := 0, 0
	shelf.From(t.rand.IntN(max(1, shelf.Len())), func(o *ledger.Object) bool {
		looked++
		if t.Call.Query.Tags == nil && !w.answers(t, o, 0) {
			return looked == swept
		}
		version, still := o.Still(since)
		if !still || !w.answers(t, o, version) || o.Accused(ledger.QueryMissing) {
			return looked == swept
		}
		matching++
		if _, steady := o.Steady(since); steady && w.whole(t, o.Key) && !t.found(o) {
			t.suspected(t.sent - o.Quiet())
			w.suspect(t, o, t.Op, t.sent-o.Quiet())
		}
		return looked == swept
	})
	w.judgePage(t, matching)
}

// judgePage holds an answer with an offset to how many records it must show, of
// those that match. One that shows fewer is asked for again, as often as any
// suspicion takes.
func (w *World) judgePage(t *Task, matching int) {
	q := &t.Call.Query
	if q.Offset == 0 {
		return
	}
	want := min(matching-q.Offset, q.Limit)
	if t.shown, t.whole = false, want > 0; !t.whole {
		return // it proves nothing
	}
	if t.shown = len(t.Answer.Records) >= want; t.shown {
		return
	}
	t.suspected(0)
	if _, steady := t.object.Steady(t.sent); steady && !t.object.Accused(ledger.QueryShape) {
		w.suspect(t, t.object, t.Op, 0)
	}
}

// found says whether the answer holds a record.
func (t *Task) found(o *ledger.Object) bool {
	_, found := slices.BinarySearch(t.numbers, o.Number)
	return found
}
