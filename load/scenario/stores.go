package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// prepareCreateStore makes an empty store beside those that hold records.
func prepareCreateStore(w *World, t *Task) metric.Operation {
	if w.extra.Len() >= w.Data.Stores {
		return w.has(metric.DeleteStore, metric.GetStore)
	}
	number, key := w.name('s')
	t.object = ledger.NewObject(number, key, nil)
	t.version = t.object.Intend()
	w.fillStore(t)
	return t.Op
}

func (w *World) fillStore(t *Task) {
	t.Call.Store = t.object.Key
	t.Call.StoreName, t.Call.Owner, t.Call.Tags = w.content.store(t.object)
}

func settleCreateStore(w *World, t *Task, err error, now time.Duration) {
	end := t.ends(err)
	t.object.End(t.version, end, now)
	switch end {
	case ledger.Acknowledged:
		t.object.Unlock()
		w.extra.Add(t.object)
	case ledger.Unknown:
		if w.extra.Add(t.object) {
			w.doubtStore(t.object, now)
		}
	}
}

func prepareGetStore(w *World, t *Task) metric.Operation {
	n := t.rand.IntN(len(w.stores) + w.extra.Len())
	if n < len(w.stores) {
		t.read(w.stores[n])
	} else if o := w.extra.From(n-len(w.stores), anyObject); o != nil {
		t.read(o)
	} else {
		t.read(w.stores[0])
	}
	t.Call.Store = t.object.Key
	return t.Op
}

func settleGetStore(w *World, t *Task, err error, _ time.Duration) {
	switch {
	case t.Result.Code == metric.NotFound:
		t.judge(w, metric.CheckStore, ledger.Seen{Absent: true})
	case err != nil:
	case len(t.Answer.Stores) != 1 || t.Answer.Stores[0].Key != t.object.Key:
		t.judge(w, metric.CheckStore, ledger.Seen{Fault: "the key of another store"})
	default:
		t.judge(w, metric.CheckStore, w.seeStore(t))
	}
}

// seeStore compares a store with its only version.
func (w *World) seeStore(t *Task) ledger.Seen {
	got := &t.Answer.Stores[0]
	name, owner, tags := w.content.store(t.object)
	seen := ledger.Seen{Version: 1}
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
	t.Call.StoreName, _, _ = w.content.store(w.stores[t.rand.IntN(len(w.stores))])
	return t.Op
}

func prepareDeleteStore(w *World, t *Task) metric.Operation {
	o := w.lock(t, w.extra)
	if o == nil {
		return metric.GetStore
	}
	t.object, t.version = o, o.IntendDelete()
	t.Call.Store = o.Key
	return t.Op
}

func settleDeleteStore(w *World, t *Task, err error, now time.Duration) {
	end := t.ends(err)
	if end == ledger.Acknowledged {
		w.extra.Remove(t.object)
	}
	t.object.End(t.version, end, now)
	switch end {
	case ledger.Rejected:
		t.object.Unlock()
	case ledger.Unknown:
		w.doubtStore(t.object, now)
	}
}
