package scenario

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// newContest makes a world that is warm, what arrivals of the lane draw in it,
// and the kinds of violation that it tells.
func newContest(t *testing.T, protocol metric.Protocol) (w *World, told *[]string) {
	t.Helper()
	w = newTestWorld(t, protocol, Want{Scenarios: map[string]float64{contended: 1}})
	task := NewTask(1, 2)
	for !w.WarmedUp() {
		arrive(w, task, Draw{Op: metric.CreateRecord}, 0, nil)
	}
	for _, queue := range []*ledger.Queue{w.unread[w.unreadBy(ledger.Record)], w.fresh} {
		for queue != nil && queue.Take() != nil { // arrivals are to read the lane alone
		}
	}
	told = &[]string{}
	w.OnViolation = func(v Violation) { *told = append(*told, v.Kind.String()) }
	return w, told
}

func inLane(op metric.Operation) Draw { return Draw{Op: op, Size: contendedBytes, Contended: true} }

// guards is a server of records that keeps to signatures.
type guards map[string]*guardedRecord

type guardedRecord struct {
	opensaves.Record
	changes uint64
}

var errRefusedByGuard = &opensaves.Error{Op: metric.UpdateRecord, Code: metric.FailedPrecondition}

// do answers a call, and reports how it ended.
func (g guards) do(call *opensaves.Call, answer *opensaves.Answer) error {
	answer.Connection, answer.Attempts = "a→b", 1
	switch call.Op {
	case metric.CreateRecord:
		g[call.Record.Key] = &guardedRecord{}
		g[call.Record.Key].put(call.Record)
	case metric.UpdateRecord:
		there := g[call.Record.Key]
		if !slices.Equal(there.Signature, call.Record.Signature) {
			return errRefusedByGuard
		}
		there.put(call.Record)
	case metric.GetRecord:
		if there := g[call.Key]; there != nil {
			answer.Record = there.Record
		}
	}
	return nil
}

// put takes a copy, because the task uses its memory again.
func (r *guardedRecord) put(from *opensaves.Record) {
	r.Record = copyOf(from)
	r.changes++
	r.Signature = binary.LittleEndian.AppendUint64(make([]byte, 8), r.changes)
}

func copyOf(from *opensaves.Record) opensaves.Record {
	to := *from
	to.Owner, to.Opaque = strings.Clone(from.Owner), strings.Clone(from.Opaque)
	to.Tags, to.Properties = slices.Clone(from.Tags), slices.Clone(from.Properties)
	for i := range to.Tags {
		to.Tags[i] = strings.Clone(to.Tags[i])
	}
	for i := range to.Properties {
		to.Properties[i].Str = strings.Clone(to.Properties[i].Str)
	}
	to.Signature = slices.Clone(from.Signature)
	return to
}

// held makes a contest whose record the server has, and fills the lane with it,
// so that all arrivals meet.
func (g guards) held(t *testing.T, w *World) *contest {
	t.Helper()
	task := NewTask(3, 4)
	w.Prepare(task, inLane(metric.UpdateRecord), time.Second)
	if task.Op != metric.CreateRecord || task.contest == nil {
		t.Fatalf("the first update: got %s, want it to make a record of the lane", task.Op)
	}
	w.Settle(task, g.do(&task.Call, &task.Answer), time.Second)
	for i := range w.contests.places {
		w.contests.places[i].Store(task.contest)
	}
	return task.contest
}

// sent prepares an arrival of the lane, which must stay what it is.
func sent(t *testing.T, w *World, op metric.Operation, now time.Duration) *Task {
	t.Helper()
	task := NewTask(5, 6)
	w.Prepare(task, inLane(op), now)
	if task.Op != op || task.contest == nil {
		t.Fatalf("got %s on %v, want %s on a record of the lane", task.Op, task.object, op)
	}
	task.Answer.Connection, task.Answer.Attempts = "a→b", 1
	return task
}

func TestTheLaneLocksNoRecordAndSkipsNothing(t *testing.T) {
	for protocol, ops := range lanes {
		mix := NewMix(Want{Scenarios: map[string]float64{contended: 1}}, protocol, DefaultConfig().BlobSizes)
		var got []metric.Operation
		for op := range metric.Operation(metric.Operations) {
			if mix.Has(op) {
				got = append(got, op)
			}
		}
		if diff := cmp.Diff(ops, got); diff != "" || mix.Locked() != 0 || len(mix.Skipped()) != 0 {
			t.Errorf("%s: locked %v, skipped %v, want none; operations wanted -, got +\n%s", protocol, mix.Locked(), mix.Skipped(), diff)
		}
		if d := mix.Draw(rand.New(rand.NewPCG(1, 1))); !d.Contended {
			t.Errorf("%s: got %+v, want it contended", protocol, d)
		}
	}
}

func TestASecondUpdateUnderOneSignatureIsALostUpdate(t *testing.T) {
	w, told := newContest(t, metric.GRPC)
	g := guards{}
	c := g.held(t, w)
	read := sent(t, w, metric.GetRecord, 2*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 2*time.Second)
	first, second, third := sent(t, w, metric.UpdateRecord, 3*time.Second), sent(t, w, metric.UpdateRecord, 3*time.Second), sent(t, w, metric.UpdateRecord, 3*time.Second)
	w.Settle(first, g.do(&first.Call, &first.Answer), 4*time.Second)
	w.Settle(second, g.do(&second.Call, &second.Answer), 4*time.Second)
	if r := second.Result; r.Outcome != metric.AbortedOutcome || r.Unknown || len(*told) > 0 {
		t.Errorf("an unmet guard: got %+v and %v, want it aborted and nobody accused", r, *told)
	}
	read = sent(t, w, metric.GetRecord, 5*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 5*time.Second)
	w.Settle(third, nil, 6*time.Second) // under the first signature, which is long gone
	if diff := cmp.Diff([]string{"lost_update"}, *told); diff != "" || third.Result.Verdict != metric.Violation {
		t.Errorf("verdict %v; kinds wanted -, got +\n%s", third.Result.Verdict, diff)
	}
	if !c.over() {
		t.Error("the record goes on, want it retired")
	}
}

func TestAnUpdateThatTheServerRefusedAndAppliedBeginsTheNextRound(t *testing.T) {
	w, told := newContest(t, metric.GRPC)
	g := guards{}
	c := g.held(t, w)
	for now := 2 * time.Second; now < 30*time.Second; now += 2 * time.Second {
		read := sent(t, w, metric.GetRecord, now)
		w.Settle(read, g.do(&read.Call, &read.Answer), now)
		update := sent(t, w, metric.UpdateRecord, now)
		_ = g.do(&update.Call, &update.Answer)
		w.Settle(update, errRefusedByGuard, now+time.Second)
	}
	if got := c.object.Version(); got != 15 || len(*told) > 0 {
		t.Errorf("got version %d and %v, want 15 and nobody accused", got, *told)
	}
	if _, steady := c.object.Steady(time.Hour); steady {
		t.Error("the last update is open, want the record not steady")
	}
}

func TestAVersionWhoseUpdatesWereAllRefusedIsAPhantom(t *testing.T) {
	w, told := newContest(t, metric.GRPC)
	g := guards{}
	g.held(t, w)
	read := sent(t, w, metric.GetRecord, 2*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 2*time.Second)
	update := sent(t, w, metric.UpdateRecord, 3*time.Second)
	_ = g.do(&update.Call, &update.Answer)
	w.Settle(update, &opensaves.Error{Op: update.Op, Code: metric.InvalidArgument}, 3*time.Second)
	read = sent(t, w, metric.GetRecord, 4*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 4*time.Second)
	if diff := cmp.Diff([]string{"phantom_write"}, *told); diff != "" {
		t.Errorf("kinds wanted -, got +\n%s", diff)
	}
}

func TestAnUpdateUndoneShowsAsStale(t *testing.T) {
	w, _ := newContest(t, metric.GRPC)
	g := guards{}
	g.held(t, w)
	read := sent(t, w, metric.GetRecord, 2*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 2*time.Second)
	update := sent(t, w, metric.UpdateRecord, 3*time.Second)
	w.Settle(update, nil, 3*time.Second) // acknowledged, not applied
	read = sent(t, w, metric.GetRecord, 5*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 5*time.Second)
	if r := read.Result; r.Verdict != metric.Suspect || r.Age != 2*time.Second {
		t.Errorf("got %+v, want a suspicion of an age of 2s", r)
	}
	task := NewTask(7, 8)
	if w.Prepare(task, inLane(metric.UpdateRecord), 6*time.Second); task.Op != metric.GetRecord {
		t.Errorf("an update meanwhile: got %s, want a read", task.Op)
	}
}

func TestARecordOfTheLaneIsRetiredInTheEnd(t *testing.T) {
	w, _ := newContest(t, metric.GRPC)
	g := guards{}
	c := g.held(t, w)
	read := sent(t, w, metric.GetRecord, 2*time.Second)
	w.Settle(read, g.do(&read.Call, &read.Answer), 2*time.Second)
	for range contestWrites {
		update := sent(t, w, metric.UpdateRecord, 3*time.Second)
		w.Settle(update, g.do(&update.Call, &update.Answer), 3*time.Second)
	}
	task := NewTask(7, 8)
	w.Prepare(task, inLane(metric.UpdateRecord), 4*time.Second)
	if len(w.doubts) != 1 || w.doubts[0].object != c.object || w.doubts[0].why != retired {
		t.Errorf("got the doubts %v, want that record's retirement", w.doubts)
	}
}

// flight is an update or a read of the simulation that is under way.
type flight struct {
	task    *Task
	err     error
	applied bool
}

// Whatever order updates take effect in, and whatever becomes of their answers:
// a server that keeps to signatures is not accused.
func TestAServerThatKeepsToSignaturesIsNotAccused(t *testing.T) {
	w, told := newContest(t, metric.GRPC)
	g := guards{}
	c := g.held(t, w)
	random := rand.New(rand.NewPCG(9, 10))
	var late []opensaves.Call
	flights, verdicts := make([]*flight, 6), map[metric.Result]int{}
	for step := range 60_000 {
		now := 2*time.Second + time.Duration(step)*time.Millisecond
		c.mu.Lock()
		c.writes = 0 // it is not to be retired
		c.mu.Unlock()
		at := random.IntN(len(flights))
		f := flights[at]
		switch {
		case f == nil:
			f = &flight{task: NewTask(random.Uint64(), 1)}
			w.Prepare(f.task, inLane(lanes[metric.GRPC][random.IntN(2)]), now)
			flights[at] = f
		case !f.applied:
			f.applied = true
			f.err = answered(g, f.task, random, &late)
		default:
			flights[at] = nil
			if w.Settle(f.task, f.err, now); f.task.contest != nil && f.task.Result.Checked {
				verdicts[f.task.Result.Verdict]++
			}
		}
		if len(late) > 0 && random.IntN(20) == 0 { // nobody waits for it any more
			_ = g.do(&late[0], &opensaves.Answer{})
			late = late[1:]
		}
	}
	if len(*told) > 0 || verdicts[metric.Suspect]+verdicts[metric.Unjudged] > 0 || verdicts[metric.Right] < 5000 {
		t.Errorf("got %v, verdicts %v, want nobody accused and 5000 right at least", *told, verdicts)
	}
	if got := c.object.Version(); got < 1000 {
		t.Errorf("got version %d, want 1000 at least", got)
	}
}

// answered lets a call take effect, and its answer go wrong now and then.
func answered(g guards, t *Task, random *rand.Rand, late *[]opensaves.Call) error {
	t.Answer.Connection, t.Answer.Attempts = "a→b", 1
	if t.Op != metric.UpdateRecord || t.contest == nil {
		return g.do(&t.Call, &t.Answer)
	}
	timeout := &opensaves.Error{Op: t.Op, Code: metric.DeadlineExceeded}
	switch random.IntN(10) {
	case 0: // the answer is lost
		_ = g.do(&t.Call, &t.Answer)
		return timeout
	case 1: // the server tries again by itself, and finds its own success
		_ = g.do(&t.Call, &t.Answer)
		return errRefusedByGuard
	case 2:
		return timeout
	case 3: // it takes effect when nobody expects it
		call := opensaves.Call{Op: t.Op}
		record := copyOf(t.Call.Record)
		call.Record = &record
		*late = append(*late, call)
		return timeout
	}
	return g.do(&t.Call, &t.Answer)
}

func TestAReadOfTheLanePassesTheCache(t *testing.T) {
	w, _ := newContest(t, metric.GRPC)
	guards{}.held(t, w)
	if read := sent(t, w, metric.GetRecord, 2*time.Second); !read.Call.Hint.SkipCache || !read.before.Past {
		t.Errorf("got %+v, want it to skip the cache", read.Call.Hint)
	}
}
