package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const second = time.Second

// story makes an object of the ends of its writes, one a second from 1 s on;
// "d" is a deletion, "." a write still under way.
func story(ends string) *Object {
	o := NewObject(1, "k", nil)
	for i, end := range ends {
		at := time.Duration(i+1) * second
		switch end {
		case 'a':
			o.End(o.Intend(), Acknowledged, at)
		case 'r':
			o.End(o.Intend(), Rejected, at)
		case 'u':
			o.End(o.Intend(), Unknown, at)
		case 'd':
			o.End(o.IntendDelete(), Acknowledged, at)
		case '.':
			o.Intend()
		}
	}
	return o
}

func TestAReadIsJudgedByWhatWasKnownWhenItWasSentAndWhenItWasAnswered(t *testing.T) {
	absent := Seen{Absent: true}
	at := func(version uint32) Seen { return Seen{Version: version} }
	for name, test := range map[string]struct {
		before, during string // writes that ended before it was sent, and until the answer
		seen           Seen
		want           Verdict
	}{
		"the last acknowledged version is right":          {"aa", "", at(2), Verdict{Low: 2, High: 2}},
		"a write under way may show":                      {"a", ".", at(2), Verdict{Low: 1, High: 2}},
		"a write under way may not show yet":              {"a", ".", at(1), Verdict{Low: 1, High: 2}},
		"what was acknowledged in between need not show":  {"a", "aa", at(1), Verdict{Low: 1, High: 3}},
		"an older version is stale since the one missed":  {"aaa", "", at(1), Verdict{Kind: Stale, Age: 98 * second, Low: 3, High: 3}},
		"an unknown write may show":                       {"au", "", at(2), Verdict{Low: 1, High: 2}},
		"an unknown write may never show":                 {"au", "", at(1), Verdict{Low: 1, High: 2}},
		"a rejected write may not show":                   {"ar", "", at(2), Verdict{Kind: PhantomWrite, Low: 1, High: 2}},
		"a version that nobody wrote is a phantom":        {"a", "", at(9), Verdict{Kind: PhantomWrite, Low: 1, High: 1}},
		"version 0 was never content":                     {"a", "", at(0), Verdict{Kind: PhantomWrite, Low: 1, High: 1}},
		"before its creation ended it may be absent":      {".", "", absent, Verdict{Low: 0, High: 1}},
		"after its creation it must not be absent":        {"a", "", absent, Verdict{Kind: Stale, Age: 99 * second, Low: 1, High: 1}},
		"while its deletion is under way it may be gone":  {"a", "d", absent, Verdict{Low: 1, High: 2}},
		"while its deletion is under way it may be there": {"a", "d", at(1), Verdict{Low: 1, High: 2}},
		"after its deletion it must be gone":              {"ad", "", at(1), Verdict{Kind: Stale, Age: 98 * second, Low: 2, High: 2}},
		"after its deletion it is gone":                   {"ad", "", absent, Verdict{Low: 2, High: 2}},
		"written again after a deletion it is there":      {"ada", "", at(3), Verdict{Low: 3, High: 3}},
		"written again after a deletion it is not gone":   {"ada", "", absent, Verdict{Kind: Stale, Age: 97 * second, Low: 3, High: 3}},
		"a deletion has no content":                       {"ad", "", at(2), Verdict{Kind: PhantomWrite, Low: 2, High: 2}},
		"deletions in a long read are not forgotten":      {"a", "dadadada", absent, Verdict{Low: 1, High: 9}},
		"content that is not whole is corrupt":            {"a", "", Seen{Version: 1, Fault: "torn"}, Verdict{Kind: Corrupt, Low: 1, High: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			o := story(test.before)
			before := o.Before()
			for _, end := range test.during {
				switch end {
				case 'a':
					o.End(o.Intend(), Acknowledged, 101*second)
				case 'd':
					o.End(o.IntendDelete(), Acknowledged, 101*second)
				default:
					o.Intend()
				}
			}
			if diff := cmp.Diff(test.want, o.Judge(test.seen, before, 100*second)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoingBackBetweenTwoReadsIsNoticed(t *testing.T) {
	o := story("au")
	first := o.Before()
	o.Judge(Seen{Version: 2}, first, 10*second)
	if o.Judge(Seen{Version: 1}, first, 10*second).Backwards {
		t.Error("a read that overlaps the first was taken for a step back")
	}
	if !o.Judge(Seen{Version: 1}, o.Before(), 11*second).Backwards {
		t.Error("a step back was not noticed")
	}
	o.End(2, Acknowledged, 12*second)
	if got := o.Judge(Seen{Version: 1}, o.Before(), 13*second); got.Kind != Stale || !got.Backwards {
		t.Errorf("a step back behind an acknowledgement: got %+v, want it stale too", got)
	}
}

func TestAFrozenObjectIsNotWrittenUntilItsFateIsKnown(t *testing.T) {
	for name, test := range map[string]struct {
		ends string
		seen uint32
		want bool
	}{
		"an unknown write that nobody saw": {ends: "au", want: false},
		"an unknown write that was seen":   {ends: "au", seen: 2, want: true},
		"an unknown creation":              {ends: "u", want: false},
		"an unknown creation that showed":  {ends: "u", seen: 1, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			o := story(test.ends)
			if o.TryLock() {
				t.Fatal("the lock of a frozen object was given")
			}
			if test.seen > 0 {
				o.Judge(Seen{Version: test.seen}, o.Before(), 10*second)
			}
			if got := o.Thaw(11 * second); got != test.want {
				t.Errorf("thawed: got %v, want %v", got, test.want)
			}
			if got := o.TryLock(); got != test.want {
				t.Errorf("locked: got %v, want %v", got, test.want)
			}
		})
	}
}

// TestAnIdealServerIsNeverAccused runs random schedules of one writer and
// overlapping reads against a register that applies each write at one instant
// between its start and its end, or where the end is unknown at any time later.
func TestAnIdealServerIsNeverAccused(t *testing.T) {
	type read struct {
		before Expect
		shows  Seen
		sent   time.Duration
	}
	rapid.Check(t, func(t *rapid.T) {
		o := NewObject(1, "k", nil)
		server := Seen{Absent: true}
		var late []Seen
		var open []read
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			now := time.Duration(step) * second
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0: // a read is sent and sees the server as it is at this instant
				open = append(open, read{before: o.Before(), sent: now})
				open[len(open)-1].shows = server
			case 1: // a read is answered
				if len(open) > 0 {
					i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
					if v := o.Judge(open[i].shows, open[i].before, open[i].sent); v.Kind != NoKind {
						t.Fatalf("step %d: %+v of %+v", step, v, open[i])
					}
					open = append(open[:i], open[i+1:]...)
				}
			case 2: // a write, unless one is in doubt
				if len(late) > 0 {
					continue
				}
				var version uint32
				effect := Seen{Absent: rapid.Bool().Draw(t, "delete")}
				if effect.Absent {
					version = o.IntendDelete()
				} else {
					version = o.Intend()
					effect.Version = version
				}
				end := End(rapid.IntRange(0, 2).Draw(t, "end"))
				switch end {
				case Acknowledged:
					server = effect
				case Unknown:
					late = append(late, effect)
				}
				o.End(version, end, now)
			case 3: // the unknown write lands after all
				if len(late) > 0 {
					server, late = late[0], nil
					o.Judge(server, o.Before(), now)
				}
			}
		}
	})
}

func BenchmarkReadAndWrite(b *testing.B) {
	o := NewObject(1, "k", nil)
	o.Unlock()
	b.ReportAllocs()
	for b.Loop() {
		before := o.Before()
		o.FirstRead()
		o.Judge(Seen{Version: o.Version()}, before, 0)
		if o.TryLock() {
			o.End(o.Intend(), Acknowledged, 0)
			o.Unlock()
		}
	}
}
