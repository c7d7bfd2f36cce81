package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// prepareCreateRecord makes a new record; where the working set is full the
// arrival deletes one, or reads if the mix deletes none.
func prepareCreateRecord(w *World, t *Task) metric.Operation {
	if t.makesShared() {
		return w.prepareShared(t)
	}
	if !w.numbersLeft(ledger.Record) {
		return metric.GetRecord
	}
	if w.creating.Add(1)+int64(w.live()) > int64(w.Data.Records) {
		w.creating.Add(-1)
		return w.has(metric.DeleteRecord, metric.GetRecord)
	}
	number, key := w.name(ledger.Record)
	t.object = ledger.NewObject(number, key, w.stores[number%uint64(len(w.stores))])
	t.object.Lasting = w.joinCohort()
	w.known.Add(t.object)
	w.begun(t.object)
	w.write(t)
	return t.Op
}

// write fills the call with the next version of the task's record.
func (w *World) write(t *Task) {
	t.version = w.intend(t.object)
	w.fillRecord(t)
}

// fillRecord fills the call with the task's version of its record.
func (w *World) fillRecord(t *Task) {
	if w.Shared {
		t.arena.hints = w.hints(t.arena.hints, t.rand, t.object)
	}
	w.content.record(&t.record, &t.arena, t.object, t.version)
	if w.Protocol == metric.GRPC {
		t.record.Properties = append(t.record.Properties, counter(0))
	}
	t.Call.Record = &t.record
}

func settleCreateRecord(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	if t.makesShared() {
		w.settleSharedCreate(t, end, now)
		return
	}
	defer w.creating.Add(-1)
	switch end {
	case ledger.Acknowledged:
		t.object.Counter, t.object.Counted = 0, true
		t.object.Unlock()
		w.addRecord(t.object)
	case ledger.Rejected:
		w.leaveCohort(t.object)
		w.known.Remove(t.object)
		w.forget(t.object)
	case ledger.Unknown:
		if w.addRecord(t.object) {
			w.freeze(t.object, now)
		}
	}
}

// joinCohort says whether a new record is one of the twentieth that is never
// deleted while the run lives, with its blobs: some bugs need a day to show.
func (w *World) joinCohort() bool {
	if w.cohort.Add(1) <= int64(w.Data.Records/20) {
		return true
	}
	w.cohort.Add(-1)
	return false
}

func (w *World) leaveCohort(o *ledger.Object) {
	if o.Lasting {
		w.cohort.Add(-1)
	}
}

// addRecord enters a record into the working set, and says whether there was room.
func (w *World) addRecord(o *ledger.Object) bool {
	w.shelf(o).Add(o)
	return w.records.Add(o)
}

// prepareGetRecord reads by the skew; in the scenario cache it reads a hot set,
// and now and then what was just written.
func prepareGetRecord(w *World, t *Task) metric.Operation {
	o := w.join(t)
	if o == nil && w.peers.count.Load() > 0 && !t.Drawn.Hot && t.rand.IntN(foreignReads) == 0 && w.readForeign(t) {
		return t.Op
	}
	if o == nil {
		o = w.pick(t, w.records)
	}
	if o == nil && w.readFormer(t) {
		return t.Op
	}
	if o == nil {
		return metric.CreateRecord
	}
	if t.Drawn.Hot {
		if written := w.recent.Swap(nil); written != nil {
			o = written
		}
	}
	w.readRecord(t, o)
	return t.Op
}

func (w *World) readRecord(t *Task, o *ledger.Object) {
	w.hint(t)
	t.read(w, o)
	t.Call.Store, t.Call.Key = o.Parent.Key, o.Key
}

// hint passes the cache by where reads must be consistent, and in the scenario
// cache every other time, so that hit and miss can be compared.
func (w *World) hint(t *Task) {
	if t.Hinted = w.Protocol == metric.GRPC; t.Hinted {
		t.Call.Hint.SkipCache = t.Call.Hint.SkipCache || w.strong || t.inquiry == nil && t.Drawn.Hot && t.rand.IntN(2) == 0
	}
}

func settleGetRecord(w *World, t *Task, err error, now time.Duration) {
	switch {
	case t.foreign.key != "":
		w.settleForeign(t, err, now)
	case err == nil:
		t.judge(w, metric.CheckRecord, see(t.object, &t.Answer.Record))
		w.remember(t, now)
	case t.Result.Code == metric.NotFound:
		t.judge(w, metric.CheckRecord, ledger.Seen{Absent: true})
	}
}

func prepareUpdateRecord(w *World, t *Task) metric.Operation {
	if t.Drawn.Contended {
		return w.contend(t)
	}
	o := w.records.From(w.rank(t, w.records), func(o *ledger.Object) bool { return w.mayUpdate(o, t.sent) })
	if o == nil {
		return metric.GetRecord
	}
	t.object = o
	w.write(t)
	return t.Op
}

// mayUpdate takes the lock of a record that may be put. On REST a put rewrites
// the names of its blobs from what may be a stale read, and a blob's upload its
// content, so that records are for one or the other: odd numbers for blobs.
func (w *World) mayUpdate(o *ledger.Object, now time.Duration) bool {
	if w.Protocol == metric.GRPC || o.Number%2 == 0 {
		return w.tryLock(o)
	}
	return !w.blobWrites.Load() && w.lockQuiet(o, now, func() bool { return o.Children == 0 })
}

// lockQuiet takes the lock of a record that has been quiet long enough for a
// server that writes from stale reads, if also the record is as wanted.
func (w *World) lockQuiet(o *ledger.Object, now time.Duration, wanted func() bool) bool {
	if now-o.Quiet() < w.quiet || !w.tryLock(o) {
		return false
	}
	if now-o.Quiet() >= w.quiet && wanted() {
		return true
	}
	o.Unlock()
	return false
}

func settleUpdateRecord(w *World, t *Task, err error, now time.Duration) {
	if t.contest != nil {
		w.settleContended(t, err, now)
		return
	}
	end := w.ended(t, err, now)
	if end == ledger.Unknown {
		t.object.Counted = false
		w.freeze(t.object, now)
		return
	}
	if end == ledger.Acknowledged {
		t.object.Counter, t.object.Counted = 0, true
	}
	t.object.Unlock()
	if t.Drawn.Hot {
		w.recent.Store(t.object)
	}
}

// prepareDeleteRecord deletes a record that has no blobs, since they would
// outlive it on some servers. Odd and even numbers are not equally easy to lock,
// and the working set must keep both: what is drawn decides which it is, so that
// the one goes more often that there is more of.
func prepareDeleteRecord(w *World, t *Task) metric.Operation {
	rank, turn := w.rank(t, w.records), uint64(0)
	if drawn := w.records.From(rank, anyObject); drawn != nil {
		turn = drawn.Number
	}
	may := func(o *ledger.Object) bool { return w.mayDelete(o, t.sent) }
	find := func() *ledger.Object {
		if o := w.records.From(rank, func(o *ledger.Object) bool { return (o.Number+turn)%2 == 0 && may(o) }); o != nil {
			return o
		}
		return w.records.From(rank, may)
	}
	o := w.victim(t.Op, find, may)
	if o == nil {
		return metric.GetRecord
	}
	t.object, t.version = o, w.intendDelete(o)
	t.Call.Store, t.Call.Key = o.Parent.Key, o.Key
	return t.Op
}

// mayDelete takes the lock of a record that may be deleted.
func (w *World) mayDelete(o *ledger.Object, now time.Duration) bool {
	if o.Lasting {
		return false
	}
	if w.Protocol == metric.HTTP && o.Number%2 == 0 {
		return w.tryLock(o) // it never had a blob
	}
	return w.lockQuiet(o, now, func() bool { return o.Children == 0 })
}

// settleDeleteRecord keeps the lock of a record that is gone.
func settleDeleteRecord(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	switch end {
	case ledger.Acknowledged:
		w.records.Remove(t.object)
		w.shelf(t.object).Remove(t.object)
		w.bury(t.object, now)
	case ledger.Rejected:
		t.object.Unlock()
	case ledger.Unknown:
		w.freeze(t.object, now)
	}
}

// batch is how many records get_records asks for.
const batch = 8

func prepareGetRecords(w *World, t *Task) metric.Operation {
	for range batch {
		if o := w.pick(t, w.records); o != nil {
			w.readRecords(t, o)
		}
	}
	if len(t.keys) == 0 {
		return metric.CreateRecord
	}
	return t.Op
}

// readRecords adds a record to those that the call asks for.
func (w *World) readRecords(t *Task, o *ledger.Object) {
	t.object, t.asked = o, append(t.asked, o)
	t.befores = append(t.befores, w.expect(t, o))
	t.keys = append(t.keys, opensaves.Key{Store: o.Parent.Key, Key: o.Key})
	t.Call.Keys = t.keys
}

// settleGetRecords judges each record that was asked for.
func settleGetRecords(w *World, t *Task, err error, _ time.Duration) {
	if err != nil {
		return
	}
	t.checked(metric.CheckRecord)
	for i, o := range t.asked {
		switch t.Answer.Statuses[i] {
		case metric.OK:
			t.seen = see(o, &t.Answer.Records[i])
		case metric.NotFound:
			t.seen = ledger.Seen{Absent: true}
		default:
			t.unjudged(metric.CheckRecord)
			continue
		}
		t.judgeOne(w, o, t.seen, t.befores[i])
	}
}
