package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// prepareSetMetadata replaces an entry, or as long as there are few adds one.
func prepareSetMetadata(w *World, t *Task) metric.Operation {
	if !w.numbersLeft(ledger.Metadata) {
		return metric.GetMetadata
	}
	if w.metadata.Len() < w.Config.metadata() && t.rand.IntN(2) == 0 || w.metadata.Len() == 0 {
		number, key := w.name(ledger.Metadata)
		t.object = ledger.NewObject(number, key, nil)
		w.begun(t.object)
	} else if t.object = w.lock(t, w.metadata); t.object == nil {
		return metric.GetMetadata
	}
	t.version = w.intend(t.object)
	w.content.metadata(&t.record, &t.arena, t.object, t.version)
	t.Call.Record = &t.record
	w.address(t)
	return t.Op
}

func (w *World) address(t *Task) { t.Call.Store, t.Call.Key = w.metadataType, t.object.Key }

func settleSetMetadata(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	added := t.version == 1
	switch {
	case end == ledger.Rejected && added:
		w.forget(t.object)
	case added && !w.metadata.Add(t.object):
	case end == ledger.Unknown:
		w.doubtMetadata(t.object, now)
	default:
		t.object.Unlock()
	}
}

func prepareGetMetadata(w *World, t *Task) metric.Operation {
	o := w.pick(t, w.metadata)
	if o == nil {
		return metric.SetMetadata
	}
	w.readMetadata(t, o)
	return t.Op
}

func (w *World) readMetadata(t *Task, o *ledger.Object) {
	t.read(w, o)
	w.address(t)
}

func settleGetMetadata(w *World, t *Task, err error, _ time.Duration) {
	switch {
	case err == nil:
		t.judge(w, metric.CheckMetadata, see(t.object, &t.Answer.Record))
	case t.Result.Code == metric.NotFound:
		t.judge(w, metric.CheckMetadata, ledger.Seen{Absent: true})
	}
}

func prepareDeleteMetadata(w *World, t *Task) metric.Operation {
	find := func() *ledger.Object { return w.lock(t, w.metadata) }
	if t.object = w.victim(t.Op, find, w.tryLock); t.object == nil {
		return metric.SetMetadata
	}
	t.version = w.intendDelete(t.object)
	w.address(t)
	return t.Op
}

func settleDeleteMetadata(w *World, t *Task, err error, now time.Duration) {
	end := w.ended(t, err, now)
	switch end {
	case ledger.Acknowledged:
		w.metadata.Remove(t.object)
	case ledger.Rejected:
		t.object.Unlock()
	case ledger.Unknown:
		w.doubtMetadata(t.object, now)
	}
}
