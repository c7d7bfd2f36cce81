package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// Violation is a wrong answer, with all that is needed to look into it.
type Violation struct {
	Op         metric.Operation
	Check      metric.Check
	Kind       ledger.Kind
	Key        string
	Store      string
	Low, High  uint32 // the versions that were admissible
	Seen       ledger.Seen
	Age        time.Duration // of the acknowledged write that was not shown
	Past       string        // the object's last writes and how they ended
	Connection string
	Detail     string // what a query showed
	Trace      string // the id of the answer's; empty: it has none
	Suspected  string // that of the answer which raised the suspicion that this one confirms
}

// read prepares the reading of an object, and says what it must show. An answer
// on REST never comes from a cache; on gRPC that depends on the call.
func (t *Task) read(w *World, o *ledger.Object) {
	t.object = o
	t.before = w.expect(t, o)
	t.Result.First = o.FirstRead()
}

func (w *World) expect(t *Task, o *ledger.Object) ledger.Expect {
	before := o.Before()
	before.Past = w.Protocol == metric.HTTP || t.Call.Hint.SkipCache || t.Op == metric.GetRecords || t.Op == metric.ListStores || t.Op == metric.GetBlobChunk
	return before
}

// judge takes the verdict on a read of the task's object into the result.
func (t *Task) judge(w *World, check metric.Check, seen ledger.Seen) {
	t.checked(check)
	t.seen = seen
	t.judgeOne(w, t.object, seen, t.before)
	if seen.Absent && t.Result.Verdict == metric.Right {
		t.Result.Outcome = metric.Success // we know it deleted
	}
}

// judgeOne takes the verdict on one object into the result.
func (t *Task) judgeOne(w *World, o *ledger.Object, seen ledger.Seen, before ledger.Expect) {
	v := o.Judge(seen, before, t.sent)
	t.Result.Backwards = t.Result.Backwards || v.Backwards
	t.find(w, o, seen, v)
	if v.Backwards && w.strong && before.Past && v.Kind <= ledger.Stale {
		t.accuse(w, Violation{Kind: ledger.NonMonotonic, Low: v.Low, High: v.High, Seen: seen}, o)
	}
}

// find takes a verdict into the result: a suspicion is looked into, a violation
// told.
func (t *Task) find(w *World, o *ledger.Object, seen ledger.Seen, v ledger.Verdict) {
	switch v.Kind {
	case ledger.NoKind:
		if w.inquiries.count.Load() > 0 && !seen.Absent {
			w.well.note(o)
		}
	case ledger.Stale:
		t.missed, t.missedFor = true, v.Age
		t.suspected(v.Age)
		w.suspect(t, o, 0, v.Age)
	default:
		t.accuse(w, Violation{Kind: v.Kind, Low: v.Low, High: v.High, Seen: seen}, o)
	}
}

// checked notes that there was an answer to look at; it is right until found otherwise.
func (t *Task) checked(check metric.Check) {
	t.Result.Checked, t.Result.Check = true, check
}

// unjudged notes an answer that the oracle cannot judge.
func (t *Task) unjudged(check metric.Check) {
	t.checked(check)
	t.Result.Verdict = max(t.Result.Verdict, metric.Unjudged)
}

func (t *Task) suspected(age time.Duration) {
	t.Result.Verdict = max(t.Result.Verdict, metric.Suspect)
	t.Result.Age = max(t.Result.Age, age)
}

// accuse tells a violation, once for an object and kind. What cannot come right
// again leaves the working set.
func (t *Task) accuse(w *World, v Violation, o *ledger.Object) {
	if t.shadow != nil {
		t.shadow.catch(v.Kind)
		return
	}
	t.Result.Verdict, t.Result.Kind = metric.Violation, v.Kind
	if !o.Accuse(v.Kind) {
		return
	}
	v.Op, v.Check, v.Connection, v.Trace = t.Op, t.Result.Check, t.Answer.Connection, t.Trace.String()
	v.Key, v.Past = o.Key, o.Past()
	if v.High == 0 {
		v.Low, v.High = o.Bounds()
	}
	if o.Parent != nil {
		v.Store = o.Parent.Key
	}
	w.tell(v)
}

// tell hands a violation to whoever counts and logs it.
func (w *World) tell(v Violation) {
	if w.OnViolation != nil {
		w.OnViolation(v)
	}
}

// KindsOf are the kinds of violation that a check can find.
func KindsOf(check metric.Check) []ledger.Kind {
	found := []ledger.Kind{ledger.Corrupt, ledger.PhantomWrite, ledger.LostWrite, ledger.Resurrected, ledger.NonMonotonic}
	switch check {
	case metric.CheckQuery:
		return []ledger.Kind{
			ledger.Corrupt, ledger.PhantomWrite, ledger.NonMonotonic, ledger.QueryMismatch, ledger.QueryShape, ledger.QueryMissing,
		}
	case metric.CheckList:
		return []ledger.Kind{ledger.QueryMismatch, ledger.QueryShape, ledger.LostUpdate}
	case metric.CheckAtomic:
		return []ledger.Kind{ledger.AtomicTotal, ledger.DoubleApplied, ledger.NotLinearizable}
	case metric.CheckRecord:
		return append(found, ledger.Stale, ledger.LostUpdate)
	}
	return append(found, ledger.Stale, ledger.QueryShape)
}
