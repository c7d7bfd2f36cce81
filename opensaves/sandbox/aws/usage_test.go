package aws

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUnitsAreThoseOfStartedBlocks(t *testing.T) {
	for bytes, want := range map[int][2]int64{ // halves of read units, write units
		0: {1, 1}, 1: {1, 1}, 1024: {1, 1}, 1025: {1, 2}, 4096: {1, 4}, 4097: {2, 5}, 400 << 10: {100, 400},
	} {
		var m Meter
		m.Read(Metadata, Base, bytes)
		m.Write(Records, GameIDIndex, bytes)
		got := [2]int64{m.tables[Metadata].readHalves[Base].Load(), m.tables[Records].writeUnits[GameIDIndex].Load()}
		if got != want {
			t.Errorf("%d bytes: got %v, want %v", bytes, got, want)
		}
	}
}

func TestLatenciesKeepTheirSum(t *testing.T) {
	var l latency
	var want time.Duration
	for wait := time.Microsecond; wait < time.Hour; wait *= 3 {
		l.add(wait)
		want += wait
	}
	l.add(0)
	l.add(-time.Second) // no wait
	var calls, sum int64
	for i := range l.calls {
		calls += l.calls[i].Load()
		sum += l.nanoseconds[i].Load()
	}
	got := map[string]int64{"calls": calls, "without a wait": l.calls[0].Load(), "nanoseconds": sum}
	if diff := cmp.Diff(map[string]int64{"calls": 23, "without a wait": 2, "nanoseconds": int64(want)}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestUploadsComeInParts(t *testing.T) {
	for bytes, want := range map[int][2]int64{0: {1, 0}, 5 << 20: {1, 0}, 5<<20 + 1: {2, 2}, 50 << 20: {10, 2}} {
		var m Meter
		m.Upload(bytes, 0)
		got := [2]int64{m.s3.requests[s3Put].calls[0].Load(), m.s3.requests[s3Post].calls[0].Load()}
		if got != want {
			t.Errorf("%d bytes: got %v PUT and POST, want %v", bytes, got, want)
		}
	}
}

func TestMeteringAllocatesNothing(t *testing.T) {
	var m Meter
	call := Call{Table: Records, Operation: PutItem, Wait: time.Millisecond}
	if n := testing.AllocsPerRun(100, func() {
		m.Call(call)
		m.Read(Stores, Base, 10)
		m.Write(Records, Base, 10)
		m.Set(10)
		m.Serve()
	}); n > 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}

func TestANilMeterSeesNothing(*testing.T) {
	var m *Meter
	m.Call(Call{})
	m.Return(Call{}, 1)
	m.Throttle(Call{})
	m.Read(Stores, Base, 1)
	m.Write(Stores, Base, 1)
	m.FailCondition(Stores)
	m.FailUser()
	m.Hit(1)
	m.Miss()
	m.Set(1)
	m.Unset()
	m.Upload(1, 0)
	m.Download(1, 0)
	m.Look(true, 0)
	m.Remove(0)
	m.Serve()
	m.Receive(1)
	m.Transmit(1)
	m.Restart()
	m.OccupyPods(1)
	m.OccupyRedis(1)
}

func BenchmarkCreateRecord(b *testing.B) {
	var m Meter
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			for _, c := range []Call{{Stores, GetItem, 0}, {Stores, GetItem, 0}, {Records, PutItem, 0}, {Metadata, GetItem, 0}, {Metadata, PutItem, 0}} {
				m.Call(c)
				m.Read(c.Table, Base, 100)
			}
			m.Write(Records, OwnerIDIndex, 1000)
			m.Write(Records, GameIDIndex, 1000)
		}
	})
}
