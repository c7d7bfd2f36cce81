package scenario

import (
	"math/rand/v2"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// Task is one arrival on its way: what was drawn, the call made of it, the
// answer, and what came of it. Its memory is used again for the next arrival.
type Task struct {
	Drawn  Draw
	Op     metric.Operation // what it became
	Size   int64            // of the blob, in bytes
	Call   opensaves.Call
	Answer opensaves.Answer

	Result Result
	Hinted bool // the call can carry cache hints

	rand    *rand.Rand
	record  opensaves.Record
	arena   arena
	content ledger.Content
	checker ledger.Checker

	object  *ledger.Object // that is read or written
	parent  *ledger.Object // whose lock is held for it
	version uint32         // that is written
	before  ledger.Expect  // of a read
	keys    []opensaves.Key
	tags    [1]string
	session *session
	sent    time.Duration
}

// Result is what came of an arrival.
type Result struct {
	Outcome metric.Outcome
	Code    metric.Code
	Checked bool // there was an answer to look at
	Check   metric.Check
	Verdict metric.Result
	Reading ledger.Verdict // of a read of one object
	Seen    ledger.Seen
	Unknown bool   // a write whose end nobody knows
	Key     string // of the object, where Verdict is suspect or violation
	First   bool   // a read, and the object was not read since its last write
}

// NewTask makes a task with a generator of random numbers of its own.
func NewTask(seed1, seed2 uint64) *Task {
	return &Task{rand: rand.New(rand.NewPCG(seed1, seed2))}
}

func (t *Task) reset(d Draw) {
	t.Drawn, t.Op, t.Size = d, d.Op, d.Size
	t.Call = opensaves.Call{}
	t.Answer.Reset()
	t.Result, t.Hinted = Result{}, false
	t.object, t.parent, t.session, t.version = nil, nil, nil, 0
}

// What a task keeps for the next arrival at the most: a stall must not leave
// thousands of tasks behind that each hold the largest answer they ever had.
const (
	keptBytes   = 16 << 10
	keptRecords = 32
)

// Release lets go of what the next arrival will not need.
func (t *Task) Release() {
	a := &t.Answer
	if cap(a.Buffer) > keptBytes {
		a.Buffer = nil
	}
	if cap(a.Records) > keptRecords {
		a.Records = nil
	}
	if cap(t.arena.b) > keptBytes {
		t.arena.b = nil
	}
	clear(a.Records[:cap(a.Records)]) // their texts may share the memory of whole messages
	t.record, t.Call = opensaves.Record{Tags: t.record.Tags[:0], Properties: t.record.Properties[:0]}, opensaves.Call{}
	t.object, t.parent, t.session = nil, nil, nil
}

// read prepares the reading of an object, and says what it must show.
func (t *Task) read(o *ledger.Object) {
	t.object, t.before = o, o.Before()
	t.Result.First = o.FirstRead()
}

// ends says what is known of a write from how its call ended. A request that
// never got a connection was certainly not applied; one that got one may still
// be on its way when its deadline has passed.
func (t *Task) ends(err error) ledger.End {
	switch opensaves.CodeOf(err) {
	case metric.OK:
		return ledger.Acknowledged
	case metric.InvalidArgument, metric.Unauthenticated, metric.PermissionDenied, metric.Unimplemented:
		return ledger.Rejected
	}
	if t.Answer.Attempts == 0 && t.Answer.Connection == "" {
		return ledger.Rejected
	}
	t.Result.Unknown = true
	return ledger.Unknown
}

// judge takes the verdict on a read of the task's object into the result.
func (t *Task) judge(w *World, check metric.Check, seen ledger.Seen) {
	r := &t.Result
	r.Checked, r.Check, r.Seen = true, check, seen
	r.Reading = t.object.Judge(seen, t.before, t.sent)
	switch r.Reading.Kind {
	case ledger.NoKind:
		r.Verdict = metric.Right
	case ledger.Stale:
		r.Verdict = metric.Suspect
	default:
		r.Verdict = metric.Violation
	}
	if r.Reading.Backwards && w.strong && t.Call.Hint.SkipCache {
		r.Verdict, r.Reading.Kind = metric.Violation, ledger.NonMonotonic
	}
	if r.Verdict > metric.Unjudged {
		r.Key = t.object.Key
	}
	if seen.Absent && r.Verdict == metric.Right {
		r.Outcome = metric.Success // we know it deleted
	}
}

// unjudged notes an answer that the oracle cannot judge.
func (t *Task) unjudged(check metric.Check) {
	t.Result.Checked, t.Result.Check, t.Result.Verdict = true, check, metric.Unjudged
}
