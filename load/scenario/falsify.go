package scenario

import (
	"slices"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// falsify changes the answer where it shows a shadow, and returns how the call
// then ended, after the shadow; nil where nothing was changed.
func (w *World) falsify(t *Task, err error) (*shadow, error) {
	if w.shadows.count.Load() == 0 || t.object == nil {
		return nil, err
	}
	for _, s := range w.shades() {
		if s.over.Load() {
			continue
		}
		if changed, end := w.falsifyAs(t, s, err); changed {
			t.Result.Code = opensaves.CodeOf(end)
			return s, end
		}
	}
	return nil, err
}

func (w *World) falsifyAs(t *Task, s *shadow, err error) (bool, error) {
	switch t.Op {
	case metric.GetRecord:
		if t.object == s.object {
			return w.falsifyRecord(t, s, err)
		}
	case metric.GetRecords:
		return err == nil && w.falsifyRecords(t, s), err
	case metric.QueryByOwner, metric.QueryByGame, metric.QueryByTag, metric.QueryByProperty, metric.ListRecords:
		return err == nil && w.falsifyQuery(t, s), err
	case metric.AtomicAdd:
		return err == nil && t.object == s.object && falsifySum(t, s), err
	case metric.UpdateRecord:
		if t.contest != nil && t.object == s.object && s.kind == ledger.LostUpdate && opensaves.CodeOf(err) == metric.FailedPrecondition && t.contest.taken(t.round) {
			return true, nil // a second one guarded with its signature
		}
	case metric.AtomicInc:
		if err == nil && t.object == s.object && s.kind == ledger.NotLinearizable {
			t.Answer.Old.Int += counterHigh + 1
			return true, nil
		}
	}
	return false, err
}

var errNotThere = &opensaves.Error{Op: metric.GetRecord, Code: metric.NotFound, Text: "falsified by the self-test"}

// falsifyRecord changes what a read of one record brought.
func (w *World) falsifyRecord(t *Task, s *shadow, err error) (bool, error) {
	past := t.before.Past
	switch s.kind {
	case ledger.LostWrite:
		return true, errNotThere
	case ledger.Stale, ledger.NonMonotonic:
		if err != nil || past == (s.kind == ledger.Stale) {
			return false, err // right past the cache, wrong in it; or the other way round
		}
		if version := s.object.Version(); version > 1 {
			t.Answer.Record = w.forged(s.object, version-1)
			return true, nil
		}
		return true, errNotThere
	case ledger.Resurrected:
		t.Answer.Record = w.forged(s.object, s.object.Version()-1)
		return true, nil
	}
	return err == nil && w.spoil(s, &t.Answer.Record), err
}

// spoil makes content of a record that was never written.
func (w *World) spoil(s *shadow, r *opensaves.Record) bool {
	switch s.kind {
	case ledger.Corrupt:
		r.Opaque += "!"
	case ledger.PhantomWrite:
		*r = w.forged(s.object, s.object.Version()+1)
	default:
		return false
	}
	return true
}

// forged is a version of a record, in memory of its own.
func (w *World) forged(o *ledger.Object, version uint32) (r opensaves.Record) {
	w.content.record(&r, &arena{}, o, version)
	return r
}

func (w *World) falsifyRecords(t *Task, s *shadow) bool {
	i := slices.Index(t.asked, s.object)
	if i < 0 {
		return false
	}
	switch s.kind {
	case ledger.LostWrite:
		t.Answer.Statuses[i] = metric.NotFound
		return true
	case ledger.Resurrected:
		t.Answer.Statuses[i], t.Answer.Records[i] = metric.OK, w.forged(s.object, s.object.Version()-1)
		return true
	}
	return w.spoil(s, &t.Answer.Records[i])
}

// falsifyQuery changes an answer that holds the shadow.
func (w *World) falsifyQuery(t *Task, s *shadow) bool {
	records := t.Answer.Records
	i := slices.IndexFunc(records, func(r opensaves.Record) bool { return r.Key == s.object.Key })
	if i < 0 {
		return false
	}
	switch s.kind {
	case ledger.LostWrite, ledger.QueryMissing:
		if len(records) == t.Call.Query.Limit {
			return false // it would seem to be all that there is
		}
		t.Answer.Records = slices.Delete(records, i, i+1)
	case ledger.QueryShape:
		t.Answer.Records = slices.Insert(records, i, records[i])
	case ledger.QueryMismatch:
		if t.Op != metric.QueryByOwner {
			return false
		}
		stranger := w.shelf(s.object).From(t.rand.IntN(max(1, w.shelf(s.object).Len())), func(o *ledger.Object) bool {
			return w.content.owner(o) != t.Call.Query.Owner
		})
		if stranger == nil {
			return false
		}
		t.Answer.Records = append(records, w.forged(stranger, max(1, stranger.Version())))
	default:
		return false
	}
	return true
}

// falsifySum changes what an addition found.
func falsifySum(t *Task, s *shadow) bool {
	switch s.kind {
	case ledger.AtomicTotal:
		t.Answer.Old.Int += 1 << 40
		return true
	case ledger.DoubleApplied:
		if last := s.total.last.Load(); last != 0 {
			t.Answer.Old.Int = last
			return true
		}
	}
	return false
}
