package scenario

import (
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// prepareCreateStore makes an empty store beside those that hold records.
func prepareCreateStore(w *World, t *Task) metric.Operation {
	if w.extra.Len() >= w.Data.Stores {
		return w.has(metric.DeleteStore, metric.GetStore)
	}
	if !w.numbersLeft(ledger.Store) {
		return metric.GetStore
	}
	number, key := w.name(ledger.Store)
	t.object = ledger.NewObject(number, key, nil)
	w.begun(t.object)
	t.version = t.object.Intend()
	w.fillStore(t)
	return t.Op
}

func (w *World) fillStore(t *Task) {
	t.Call.Store = t.object.Key
	t.Call.StoreName, t.Call.Owner, t.Call.Tags = w.content.store(t.object)
}

func settleCreateStore(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	switch end {
	case ledger.Acknowledged:
		t.object.Unlock()
		w.extra.Add(t.object)
	case ledger.Unknown:
		if w.extra.Add(t.object) {
			w.doubtStore(t.object, now)
		}
	case ledger.Rejected:
		w.forget(t.object)
	}
}

func prepareGetStore(w *World, t *Task) metric.Operation {
	w.readStore(t, w.anyStore(t))
	return t.Op
}

func (w *World) anyStore(t *Task) *ledger.Object {
	n := t.rand.IntN(len(w.stores) + w.extra.Len())
	if n < len(w.stores) {
		return w.stores[n]
	}
	if o := w.extra.From(n-len(w.stores), anyObject); o != nil {
		return o
	}
	return w.stores[0]
}

func (w *World) readStore(t *Task, o *ledger.Object) {
	t.read(w, o)
	t.Call.Store = o.Key
}

func settleGetStore(w *World, t *Task, err error, _ time.Duration) {
	switch {
	case t.Result.Code == metric.NotFound:
		t.judge(w, metric.CheckStore, ledger.Seen{Absent: true})
	case err != nil:
	case len(t.Answer.Stores) != 1 || t.Answer.Stores[0].Key != t.object.Key:
		t.judge(w, metric.CheckStore, ledger.Seen{Fault: "the key of another store"})
	default:
		t.judge(w, metric.CheckStore, w.seeStore(t.object, &t.Answer.Stores[0]))
	}
}

// seeStore compares a store with its only version.
func (w *World) seeStore(o *ledger.Object, got *opensaves.Store) ledger.Seen {
	name, owner, tags := w.content.store(o)
	seen := ledger.Seen{Version: 1}
	if o.Former { // whose name may be of other templates
		name, owner, tags = got.Name, got.Owner, got.Tags
		if !strings.HasSuffix(got.Name, " "+o.Key) {
			name = ""
		}
	}
	if got.Name != name {
		seen.Fault = "another name than was written"
	}
	if w.Protocol == metric.HTTP {
		return seen // which keeps nothing else
	}
	if got.Owner != owner || len(got.Tags) != len(tags) {
		seen.Fault = "another owner or other tags than were written"
		return seen
	}
	for i := range tags {
		if got.Tags[i] != tags[i] {
			seen.Fault = "other tags than were written"
		}
	}
	return seen
}

func prepareListStores(w *World, t *Task) metric.Operation {
	w.listStores(t, w.anyStore(t))
	return t.Op
}

// listStores asks for the one store of a name, or on REST for all.
func (w *World) listStores(t *Task, o *ledger.Object) {
	t.read(w, o)
	t.Call.StoreName, _, _ = w.content.store(o)
}

// settleListStores judges the store that was asked for. A list on REST is also
// looked at for stores of ours that are not as they were made, or there twice;
// it ends silently at one megabyte, so that a long one may lack some.
func settleListStores(w *World, t *Task, err error, _ time.Duration) {
	absent := w.Protocol == metric.GRPC && t.Result.Code == metric.NotFound
	if err != nil && !absent {
		return
	}
	found := 0
	for i := range t.Answer.Stores {
		if s := &t.Answer.Stores[i]; s.Key == t.object.Key {
			t.judge(w, metric.CheckStore, w.seeStore(t.object, s))
			found++
		}
	}
	switch {
	case found == 0 && (w.Protocol == metric.GRPC || t.Answer.Received < wholeBytes):
		t.judge(w, metric.CheckStore, ledger.Seen{Absent: true})
	case found == 0:
		t.unjudged(metric.CheckStore)
	case found > 1:
		t.accuse(w, Violation{Kind: ledger.QueryShape, Detail: "a store twice"}, t.object)
	}
}

func prepareDeleteStore(w *World, t *Task) metric.Operation {
	o := w.victim(t.Op, func() *ledger.Object { return w.lock(t, w.extra) }, w.tryLock)
	if o == nil {
		return metric.GetStore
	}
	t.object, t.version = o, w.intendDelete(o)
	t.Call.Store = o.Key
	return t.Op
}

func settleDeleteStore(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	switch end {
	case ledger.Acknowledged:
		w.extra.Remove(t.object)
	case ledger.Rejected:
		t.object.Unlock()
	case ledger.Unknown:
		w.doubtStore(t.object, now)
	}
}
