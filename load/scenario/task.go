package scenario

import (
	"math/rand/v2"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/linear"
	"opensaves-soak/load/trace"
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

	Trace trace.Context // of the arrival; zero: it has none

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
	asked   []*ledger.Object // get_records: of the keys
	befores []ledger.Expect  // of the same
	numbers []uint64         // of the records that an answer shows
	tags    [1]string
	session *session

	atomic   linear.Op
	total    *total          // that is added to, or is to be made
	addition ledger.Addition // to it
	register *register       // that is worked on, or is to be made
	entry    int             // in its history
	base     int64           // of a counter to be made
	contest  *contest        // that is worked on, or is to be made
	round    *round          // of the contest, that is updated in

	foreign   foreign        // another replica's record, that is read
	former    *ledger.Object // of an earlier start, that is read
	shadow    *shadow        // by whose rule the answer was falsified
	inquiry   *inquiry       // that this call brings forward
	seen      ledger.Seen    // of the object
	missed    bool           // the answer lacks an acknowledged write
	missedFor time.Duration  // of that
	shown     bool           // the answer to a question holds the object
	whole     bool           // it would, if the target had it
	sent      time.Duration
}

// Result is what came of an arrival.
type Result struct {
	Outcome   metric.Outcome
	Code      metric.Code
	Checked   bool // there was an answer to look at
	Check     metric.Check
	Verdict   metric.Result // the worst on what the answer showed
	Kind      ledger.Kind   // of the violation
	Age       time.Duration // of the oldest acknowledged write that it did not show
	Backwards bool          // it showed less than an earlier answer
	Unknown   bool          // a write whose end nobody knows
	First     bool          // a read, and the object was not read since its last write
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
	t.object, t.parent, t.session, t.inquiry, t.version = nil, nil, nil, nil, 0
	t.total, t.register, t.shadow, t.former, t.foreign = nil, nil, nil, nil, foreign{}
	t.contest, t.round, t.record.Signature = nil, nil, nil
	t.seen, t.missed, t.missedFor, t.shown, t.whole = ledger.Seen{}, false, 0, false, false
	t.keys, t.asked, t.befores = t.keys[:0], t.asked[:0], t.befores[:0]
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
	t.object, t.parent, t.session, t.inquiry = nil, nil, nil, nil
	t.total, t.register, t.contest, t.round = nil, nil, nil, nil
	clear(t.asked)
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
