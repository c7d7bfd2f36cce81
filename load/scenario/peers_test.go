package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// neighbours are the writer of some records, their target, and a replica that
// reads them.
type neighbours struct {
	*testing.T
	writer, reader *World
	target         map[string]opensaves.Record
	task           *Task
	now            time.Duration
	told           []Violation
}

func newNeighbours(t *testing.T) *neighbours {
	n := &neighbours{T: t, target: map[string]opensaves.Record{}, task: NewTask(1, 2), now: time.Hour}
	make := func(run string, tell func(Violation)) *World {
		data := DefaultConfig()
		data.Records, data.Stores = 40, 1
		mix := NewMix(Want{Operations: map[string]float64{"get_record": 1, "create_record": 1, "update_record": 1}}, metric.HTTP, data.BlobSizes)
		w, err := NewWorld(Config{
			Data: data, Verify: ledger.DefaultConfig(), Protocol: metric.HTTP, Identity: ledger.Identity{Run: run}, Shared: true, OnViolation: tell,
		}, mix)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	n.writer = make("00000001", nil)
	n.reader = make("00000002", func(v Violation) { n.told = append(n.told, v) })
	for range 40 {
		n.write(metric.CreateRecord)
	}
	n.hear()
	return n
}

// write has the writer write one record, which the target acknowledges.
func (n *neighbours) write(op metric.Operation) opensaves.Record {
	n.writer.Prepare(n.task, Draw{Op: op}, n.now)
	if n.task.Call.Record == nil {
		n.Fatalf("got %s, want a write", n.task.Op)
	}
	r := *n.task.Call.Record
	r.Key, r.Opaque, r.Tags = strings.Clone(r.Key), strings.Clone(r.Opaque), slices.Clone(r.Tags)
	for i := range r.Tags {
		r.Tags[i] = strings.Clone(r.Tags[i])
	}
	r.Properties = slices.Clone(r.Properties)
	for i := range r.Properties {
		r.Properties[i].Str = strings.Clone(r.Properties[i].Str)
	}
	n.target[r.Key] = r
	n.task.Answer.Attempts = 1
	n.writer.Settle(n.task, nil, n.now)
	return r
}

func (n *neighbours) hear() { n.reader.Hear(n.writer.Tell(), n.now) }

// read has the reader read one of the writer's records, and returns what came of it.
func (n *neighbours) read() Result {
	n.task.reset(Draw{Op: metric.GetRecord})
	n.task.sent, n.task.Call.Op = n.now, metric.GetRecord
	for tries := 0; !n.reader.readForeign(n.task); tries++ { // it may draw those that are accused
		if tries > 100 {
			n.Fatal("got no record to read, want one of the writer's")
		}
	}
	r, there := n.target[n.task.Call.Key]
	n.task.Answer.Record = r
	var err error
	if !there {
		err = &opensaves.Error{Op: metric.GetRecord, Code: metric.NotFound}
	}
	n.reader.Settle(n.task, err, n.now)
	return n.task.Result
}

func TestARecordLeadsToOthersOfItsWriter(t *testing.T) {
	n := newNeighbours(t)
	for range 30 {
		n.write(metric.UpdateRecord)
	}
	for range 300 {
		if got := n.read(); got.Outcome != metric.Success || got.Verdict != metric.Right {
			t.Fatalf("got %+v, want right answers", got)
		}
	}
	if got := n.reader.peers.count.Load(); got < 35 {
		t.Errorf("got to know %d records, want nearly all 40", got)
	}
	if len(n.told) > 0 {
		t.Errorf("got violations of an honest target: %+v", n.told)
	}
}

func TestAnotherReplicasRecordThatIsNotThereIsNotJudged(t *testing.T) {
	n := newNeighbours(t)
	clear(n.target)
	if got := n.read(); got.Outcome != metric.AbortedOutcome || got.Verdict != metric.Unjudged {
		t.Errorf("got %+v, want it aborted and unjudged", got)
	}
}

func TestAnotherReplicasRecordIsJudgedByWhatWasToldOfIt(t *testing.T) {
	n := newNeighbours(t)
	old := map[string]opensaves.Record{}
	for range 200 {
		r := n.write(metric.UpdateRecord)
		old[r.Key] = r
	}
	for range 60 {
		n.write(metric.UpdateRecord)
		n.hear()
	}
	n.target = old // it forgets the last writes
	suspects := 0
	for len(n.told) == 0 && suspects < 1000 {
		n.now += time.Second
		if n.read().Verdict == metric.Suspect {
			suspects++
		}
		if len(n.told) > 0 && suspects < foreignSightings-1 {
			t.Fatalf("got a violation after %d suspects, want %d before it", suspects, foreignSightings-1)
		}
	}
	if len(n.told) == 0 {
		t.Fatalf("got %d suspects and no violation, want one", suspects)
	}
	v := n.told[0]
	want := Violation{Op: metric.GetRecord, Check: metric.CheckRecord, Kind: ledger.Stale, Key: v.Key, Store: n.writer.stores[0].Key, Past: "another replica keeps it", Low: v.Seen.Version + 1, Seen: v.Seen, Age: v.Age}
	if v.Low <= v.Seen.Version || v.Age <= time.Duration(n.reader.Verify.StaleLimit) {
		t.Errorf("got %+v, want more told than seen, for longer than stale_limit", v)
	}
	v.Low = want.Low
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAnotherReplicasRecordThatIsCorruptIsTold(t *testing.T) {
	n := newNeighbours(t)
	for key, r := range n.target {
		r.Owner = "somebody else"
		n.target[key] = r
	}
	if got := n.read(); got.Verdict != metric.Violation || got.Kind != ledger.Corrupt || len(n.told) != 1 || n.told[0].Kind != ledger.Corrupt {
		t.Errorf("got %+v and %+v, want it corrupt", got, n.told)
	}
	keys := map[string]bool{}
	for range 20 {
		n.hear()
		if n.reader.peers.count.Load() > int64(len(n.told)) {
			n.read()
		}
	}
	for _, v := range n.told {
		if keys[v.Key] {
			t.Errorf("got %s told twice, want it once", v.Key)
		}
		keys[v.Key] = true
	}
}

func TestRecordsOfAReplicaThatIsGoneAreForgotten(t *testing.T) {
	n := newNeighbours(t)
	n.reader.Hear(nil, n.now)
	if n.reader.readForeign(n.task) {
		t.Error("got a record of a replica that tells nothing any more")
	}
	n.reader.Hear([]string{"", "a/b", "a/b/c", "s/" + n.reader.Identity.Key(ledger.Record, 1) + "/1", "s/r/x"}, n.now)
	if n.reader.readForeign(n.task) {
		t.Error("got a record out of what names none of another replica")
	}
}

func FuzzHints(f *testing.F) {
	for _, seed := range []string{"hints=12.3,40.1;rest", "hints=", "hints=;", "hints=1.2,;", "hints=18446744073709551616.1;", "12.3;", "hints=1.1,1.1,1.1,1.1,1.1,1.1,1.1,1.1,1.1;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, filling string) {
		n := 0
		hinted(filling, func(uint64, uint32) { n++ })
		if n > hintsARecord {
			t.Errorf("got %d hints, want at most %d", n, hintsARecord)
		}
	})
}
