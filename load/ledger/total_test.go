package ledger

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

// tell runs a story on a counter that holds 100, and returns the last verdict.
// "A+5" sends an addition, "A=100" acknowledges it with the old value, "A?"
// leaves its end unknown, "A!" rejects it; "r" sends a read, "r=105" answers it.
// Additions have capital letters, reads have small ones. A story of a counter
// that falls is the same in the mirror.
func tell(t *testing.T, falls bool, story string) TotalVerdict {
	t.Helper()
	total := NewTotal(100, falls)
	additions, reads := map[byte]Addition{}, map[byte]TotalRead{}
	verdict := TotalUnjudged
	for word := range strings.FieldsSeq(story) {
		if verdict > TotalUnjudged {
			t.Fatalf("before %q: got %v, want no violation yet", word, verdict)
		}
		who, what, value := word[0], byte('r'), int64(0)
		if len(word) > 1 {
			what = word[1]
		}
		if len(word) > 2 {
			if _, err := fmt.Sscan(word[2:], &value); err != nil {
				t.Fatal(err)
			}
		}
		if falls && what == '=' {
			value = 200 - value
		}
		switch {
		case what == 'r':
			reads[who] = total.BeforeRead()
		case what == '+':
			additions[who] = total.Begin(value)
		case what == '?':
			total.End(additions[who], Unknown, 0)
		case what == '!':
			total.End(additions[who], Rejected, 0)
		case who >= 'a':
			verdict = total.Judge(reads[who], value)
		default:
			verdict = total.End(additions[who], Acknowledged, value)
		}
	}
	return verdict
}

func TestACounterIsJudgedByWhatMayHaveBeenAppliedBeforeAnAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		story string
		want  TotalVerdict
	}{
		"the first addition finds the base":                         {"A+5 A=100", TotalOK},
		"the second addition finds the first":                       {"A+5 A=100 B+7 B=105", TotalOK},
		"of two at once the first may be first":                     {"A+5 B+7 A=100 B=105", TotalOK},
		"of two at once the second may be first":                    {"A+5 B+7 B=100 A=107", TotalOK},
		"they may be answered in the other order":                   {"A+5 B+7 B=105 A=100", TotalOK},
		"one that came and went within another may be first":        {"A+5 B+7 B=100 C+1 C=107 A=108", TotalOK},
		"or second, with the long one before both":                  {"A+5 B+7 B=105 C+1 C=112 A=100", TotalOK},
		"or second, with the long one between":                      {"A+5 B+7 B=100 C+1 C=112 A=107", TotalOK},
		"what was acknowledged on the way may come after":           {"A+5 B+7 B=105 A=100 C+1 C=112", TotalOK},
		"an unknown addition may never be applied":                  {"A+5 A? B+7 B=100", TotalOK},
		"an unknown addition may have been applied":                 {"A+5 A? B+7 B=105", TotalOK},
		"an unknown addition may be applied late":                   {"A+5 A? B+7 B=100 C+1 C=112", TotalOK},
		"an unknown addition may be applied between two at once":    {"A+5 A? B+7 C+1 C=112 B=100", TotalOK},
		"an addition may become unknown after it was seen":          {"A+5 B+7 B=105 A? C+1 C=112", TotalOK},
		"of two unknown ones any may be applied":                    {"A+5 A? B+7 B? C+1 C=107", TotalOK},
		"a rejected addition is not applied":                        {"A+5 A! B+7 B=100", TotalOK},
		"a read shows what is acknowledged":                         {"A+5 A=100 r r=105", TotalOK},
		"a read may show what is in flight":                         {"A+5 r r=105", TotalOK},
		"a read may not show yet what is in flight":                 {"A+5 r r=100", TotalOK},
		"a read may show what was sent after it":                    {"r A+5 r=105", TotalOK},
		"a read may show what was acknowledged on the way":          {"r A+5 A=100 r=105", TotalOK},
		"a read may not show what was acknowledged on the way":      {"r A+5 A=100 r=100", TotalOK},
		"a read may show one of two acknowledged on the way":        {"r A+5 A=100 B+7 B=105 r=105", TotalOK},
		"a read may show what became unknown on the way":            {"A+5 r A? r=105", TotalOK},
		"two reads may show an unknown addition early and late":     {"A+5 A? r r=100 s s=105", TotalOK},
		"of overlapping reads the later answer may be older":        {"A+5 A? r s s=105 r=100", TotalOK},
		"an old value that an addition returned before":             {"A+5 A=100 B+7 B=100", TotalTwice},
		"the same old value for two at once":                        {"A+5 B+7 A=100 B=100", TotalTwice},
		"the same old value much later":                             {"A+5 A=100 B+7 B=105 C+1 C=112 D+5 D=105", TotalTwice},
		"an acknowledged addition that a read does not show":        {"A+5 A=100 r r=100", TotalWrong},
		"an addition that a read misses, acknowledged out of order": {"A+5 B+7 B=105 A=100 r r=105", TotalWrong},
		"an addition that was applied twice":                        {"A+5 A=100 r r=110", TotalWrong},
		"an addition that met its own first application":            {"A+5 A=105", TotalWrong},
		"an unknown addition that was applied twice":                {"A+5 A? B+7 B=110", TotalWrong},
		"an unknown addition applied before and after another":      {"A+5 A? B+7 B=105 r r=117", TotalWrong},
		"an unknown addition that was seen and is gone":             {"A+5 A? B+7 B=105 C+1 C=107", TotalWrong},
		"a rejected addition that was applied":                      {"A+5 A! B+7 B=105", TotalWrong},
		"an addition that was rejected while a read showed it":      {"A+5 r A! r=105", TotalWrong},
		"an old value one too high":                                 {"A+5 A=101", TotalWrong},
		"an old value one too low":                                  {"A+5 A=99", TotalWrong},
		"a sum that nothing in flight adds up to":                   {"A+5 B+7 B=104", TotalWrong},
		"more than all in flight together":                          {"A+5 B+7 C+1 C=113", TotalWrong},
		"an old value within another's way":                         {"A+5 B+7 A=100 B=103", TotalWrong},
		"an old value whose way reaches into another's":             {"A+5 B+7 B=105 C+3 A=103", TotalWrong},
		"a read within an addition's way":                           {"A+5 r A=100 B+2 r=102", TotalWrong},
		"an addition before one that was over when it was sent":     {"A+5 A? B+7 B=105 C+5 C=100", TotalWrong},
		"a read that shows what was sent after its answer":          {"r r=105", TotalWrong},
		"a gap that the one it was lent to did not fill after all":  {"A+5 B+7 B=105 A=112", TotalWrong},
	} {
		t.Run(name, func(t *testing.T) {
			for _, falls := range []bool{false, true} {
				if got := tell(t, falls, test.story); got != test.want {
					t.Errorf("%s (falls: %v): got %v, want %v", test.story, falls, got, test.want)
				}
			}
		})
	}
}

func TestAfterAViolationNothingMoreIsJudged(t *testing.T) {
	for name, violate := range map[string]func(*Total) TotalVerdict{
		"by an addition": func(total *Total) TotalVerdict { return total.End(total.Begin(5), Acknowledged, 99) },
		"by a read":      func(total *Total) TotalVerdict { return total.Judge(total.BeforeRead(), 99) },
	} {
		t.Run(name, func(t *testing.T) {
			total := NewTotal(100, false)
			late, before := total.Begin(7), total.BeforeRead()
			if got := violate(total); got != TotalWrong {
				t.Fatalf("the violation: got %v, want %v", got, TotalWrong)
			}
			if !total.Retired() {
				t.Error("the counter is not retired")
			}
			if got := total.End(late, Acknowledged, 99); got != TotalUnjudged {
				t.Errorf("an addition after it: got %v, want %v", got, TotalUnjudged)
			}
			if got := total.Judge(before, 99); got != TotalUnjudged {
				t.Errorf("a read after it: got %v, want %v", got, TotalUnjudged)
			}
		})
	}
}

func TestACounterIsRetiredWhenTooMuchIsUnknownOrItIsOld(t *testing.T) {
	for name, test := range map[string]struct {
		how  End
		want int
	}{
		"after twenty unknown additions":              {Unknown, 20},
		"after a thousand acknowledged ones":          {Acknowledged, 1000},
		"never by rejected ones, which leave nothing": {Rejected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			total := NewTotal(0, false)
			for i := range 2000 {
				if total.Retired() {
					if i != test.want {
						t.Errorf("retired: got after %d, want after %d", i, test.want)
					}
					return
				}
				total.End(total.Begin(1), test.how, int64(i))
			}
			if test.want > 0 {
				t.Errorf("not retired, want it after %d", test.want)
			}
		})
	}
}

func TestASumOfTooManyAdditionsInFlightIsNotGuessed(t *testing.T) {
	total := NewTotal(0, false)
	for range 100 {
		total.Begin(100)
	}
	for value, want := range map[int64]TotalVerdict{
		0: TotalOK, 4000: TotalOK, 4001: TotalWrong, 5000: TotalUnjudged, 5001: TotalUnjudged,
		6000: TotalOK, 10_000: TotalOK,
	} {
		if got := total.Judge(total.BeforeRead(), value); got != want {
			t.Errorf("a read of %d: got %v, want %v", value, got, want)
		}
		total.wrong = false
	}
}

func TestASubsumIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deltas := rapid.SliceOfN(rapid.Int64Range(1, 100), 0, 10).Draw(t, "deltas")
		gap := rapid.Int64Range(-1, 1001).Draw(t, "gap")
		want := TotalWrong
		for set := range 1 << len(deltas) {
			var sum int64
			for i, delta := range deltas {
				sum += delta * int64(set>>i&1)
			}
			if sum == gap {
				want = TotalOK
			}
		}
		if got := subsum(deltas, gap); got != want {
			t.Fatalf("%d of %v: got %v, want %v", gap, deltas, got, want)
		}
	})
}

// sent is an addition on an ideal counter: it is applied once, at any time, or never.
type sent struct {
	addition Addition
	delta    int64
	old      int64
	applied  bool
}

// ideal is a counter as it should be, with those who use it.
type ideal struct {
	total  *Total
	value  int64
	sign   int64
	flying []*sent
	lost   []*sent // unknown and not applied yet
}

func newIdeal(falls bool) *ideal {
	c := &ideal{total: NewTotal(100, falls), value: 100, sign: 1}
	if falls {
		c.sign = -1
	}
	return c
}

func (c *ideal) send(delta int64) {
	c.flying = append(c.flying, &sent{addition: c.total.Begin(delta), delta: delta})
}

func (c *ideal) apply(s *sent) {
	if !s.applied {
		s.old, s.applied = c.value, true
		c.value += c.sign * s.delta
	}
}

// land ends an addition in flight.
func (c *ideal) land(i int, how End) TotalVerdict {
	s := c.flying[i]
	c.flying = slices.Delete(c.flying, i, i+1)
	switch {
	case how == Acknowledged:
		c.apply(s)
	case s.applied:
		how = Unknown
	case how == Unknown:
		c.lost = append(c.lost, s)
	}
	return c.total.End(s.addition, how, s.old)
}

// pick draws a rank of a list, or false if that is empty.
func pick[T any](t *rapid.T, of []T) (int, bool) {
	if len(of) == 0 {
		return 0, false
	}
	return rapid.IntRange(0, len(of)-1).Draw(t, "which"), true
}

func TestAnIdealCounterIsNeverAccused(t *testing.T) {
	type read struct {
		before TotalRead
		value  int64
	}
	rapid.Check(t, func(t *rapid.T) {
		c := newIdeal(rapid.Bool().Draw(t, "falls"))
		var sent, seen []read
		check := func(got TotalVerdict) {
			if got > TotalUnjudged {
				t.Fatalf("an ideal counter at %d: got %v", c.value, got)
			}
		}
		end := func(how End) {
			if i, ok := pick(t, c.flying); ok {
				check(c.land(i, how))
			}
		}
		for range 150 {
			rapid.SampledFrom([]func(){
				func() { c.send(rapid.Int64Range(1, 100).Draw(t, "delta")) },
				func() { end(Acknowledged) },
				func() {
					if i, ok := pick(t, c.flying); ok {
						c.apply(c.flying[i])
					}
				},
				func() { sent = append(sent, read{before: c.total.BeforeRead()}) },
				func() { // a read sees the counter as it is at this instant
					if i, ok := pick(t, sent); ok {
						seen = append(seen, read{sent[i].before, c.value})
						sent = slices.Delete(sent, i, i+1)
					}
				},
				func() {
					if i, ok := pick(t, seen); ok {
						check(c.total.Judge(seen[i].before, seen[i].value))
						seen = slices.Delete(seen, i, i+1)
					}
				},
				func() { end(Rejected) },
				func() { end(Unknown) },
				func() { // an unknown addition lands after all
					if i, ok := pick(t, c.lost); ok {
						c.apply(c.lost[i])
						c.lost = slices.Delete(c.lost, i, i+1)
					}
				},
			}).Draw(t, "what")()
		}
	})
}

// TestAPlantedBugIsFoundAsSoonAsNothingIsInFlight runs a correct concurrent
// history with nothing unknown, one addition with a bug in the midst of it, lets
// all end, and reads once.
func TestAPlantedBugIsFoundAsSoonAsNothingIsInFlight(t *testing.T) {
	for name, bug := range map[string]func(c *ideal, s *sent){
		"an addition is applied twice":        func(c *ideal, s *sent) { c.apply(s); c.value += c.sign * s.delta },
		"an addition is lost":                 func(c *ideal, s *sent) { c.apply(s); c.value = s.old },
		"an addition adds one too much":       func(c *ideal, s *sent) { c.apply(s); c.value += c.sign },
		"an addition adds one too little":     func(c *ideal, s *sent) { c.apply(s); c.value -= c.sign },
		"the old value is one too high":       func(c *ideal, s *sent) { c.apply(s); s.old++ },
		"the old value is one too low":        func(c *ideal, s *sent) { c.apply(s); s.old-- },
		"the old value is the new one":        func(c *ideal, s *sent) { c.apply(s); s.old = c.value },
		"the old value is that of the base":   func(c *ideal, s *sent) { c.apply(s); s.old = 100 },
		"the answer is that of a later retry": func(c *ideal, s *sent) { c.apply(s); s.applied = false; c.apply(s) },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := newIdeal(rapid.Bool().Draw(t, "falls"))
				c.send(9)
				c.land(0, Acknowledged)
				found := false
				for range 30 {
					c.send(rapid.Int64Range(1, 100).Draw(t, "delta"))
					if i, ok := pick(t, c.flying); ok && rapid.Bool().Draw(t, "apply") {
						c.apply(c.flying[i])
					}
					for len(c.flying) > 4 {
						i, _ := pick(t, c.flying)
						if got := c.land(i, Acknowledged); got != TotalOK {
							t.Fatalf("before the bug: got %v, want %v", got, TotalOK)
						}
					}
				}
				c.send(rapid.Int64Range(1, 100).Draw(t, "delta"))
				bug(c, c.flying[len(c.flying)-1])
				for len(c.flying) > 0 {
					i, _ := pick(t, c.flying)
					found = c.land(i, Acknowledged) > TotalUnjudged || found
				}
				if !found && c.total.Judge(c.total.BeforeRead(), c.value) <= TotalUnjudged {
					t.Fatalf("the bug was not found")
				}
			})
		})
	}
}

func TestWritersAndReadersMayUseACounterAtOnce(t *testing.T) {
	total := NewTotal(0, false)
	var value atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for delta := int64(1); delta <= 100; delta++ {
				a := total.Begin(delta)
				if got := total.End(a, Acknowledged, value.Add(delta)-delta); got > TotalUnjudged {
					t.Errorf("an addition: got %v", got)
				}
				before := total.BeforeRead()
				if got := total.Judge(before, value.Load()); got > TotalUnjudged {
					t.Errorf("a read: got %v", got)
				}
			}
		})
	}
	all.Wait()
}

func TestAnAdditionAndAReadAllocateNothingButRoom(t *testing.T) {
	total := NewTotal(0, false)
	var value int64
	if got := testing.AllocsPerRun(900, func() {
		first, second := total.Begin(5), total.Begin(7)
		total.End(second, Acknowledged, value+5)
		total.End(first, Acknowledged, value)
		value += 12
		total.Judge(total.BeforeRead(), value)
	}); got > 0 {
		t.Errorf("allocations: got %v a round, want 0", got)
	}
}

func BenchmarkTotal(b *testing.B) {
	for name, unknown := range map[string]int{"nothing unknown": 0, "nineteen unknown": 19} {
		b.Run(name, func(b *testing.B) {
			var total *Total
			var value int64
			b.ReportAllocs()
			for b.Loop() {
				if total == nil || total.Retired() {
					total, value = NewTotal(0, false), 0
					for i := range unknown {
						value += int64(i)
						total.End(total.Begin(int64(i)+1), Unknown, 0)
					}
				}
				if got := total.End(total.Begin(50), Acknowledged, value); got == TotalUnjudged {
					b.Fatal(got)
				}
				value += 50
			}
		})
	}
}
