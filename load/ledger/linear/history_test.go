package linear

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

// TestMain also sees that a search that ran out of time ends.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is more than any history here takes.
const patience = time.Minute

// did is an operation from one instant to another; to 0 is without an end.
type did struct {
	from, to time.Duration
	op       Op
	answer   Answer
}

// recorded makes the history of a register that was created with 5.
func recorded(story []did) *History {
	h := NewHistory(5)
	for _, d := range story {
		if id, ok := h.Begin(d.op, d.from); ok && d.to > 0 {
			h.End(id, d.answer, d.to)
		}
	}
	return h
}

func TestAHistoryIsLinearizableIfSomeOrderExplainsEveryAnswer(t *testing.T) {
	old := func(value int64) Answer { return Answer{Old: value} }
	set := func(value int64) Answer { return Answer{Updated: true, Old: value} }
	var none Answer
	for name, test := range map[string]struct {
		story []did
		want  Verdict
	}{
		"nothing happened":                     {nil, Linearizable},
		"the value it was created with":        {[]did{{1, 2, Read(), old(5)}}, Linearizable},
		"a value that nobody wrote":            {[]did{{1, 2, Read(), old(6)}}, NotLinearizable},
		"a swap that matched is seen":          {[]did{{1, 2, CompareAndSwap(5, 9), set(5)}, {3, 4, Read(), old(9)}}, Linearizable},
		"a swap that matched is lost":          {[]did{{1, 2, CompareAndSwap(5, 9), set(5)}, {3, 4, Read(), old(5)}}, NotLinearizable},
		"a swap that matched but says no":      {[]did{{1, 2, CompareAndSwap(5, 9), old(5)}}, NotLinearizable},
		"a swap that did not match leaves":     {[]did{{1, 2, CompareAndSwap(4, 9), old(5)}, {3, 4, Read(), old(5)}}, Linearizable},
		"a swap that overwrites a mismatch":    {[]did{{1, 2, CompareAndSwap(4, 9), set(5)}, {3, 4, Read(), old(9)}}, NotLinearizable},
		"a swap that overwrites it in secret":  {[]did{{1, 2, CompareAndSwap(4, 9), old(5)}, {3, 4, Read(), old(9)}}, NotLinearizable},
		"of two swaps at once one wins":        {[]did{{1, 4, CompareAndSwap(5, 9), set(5)}, {2, 3, CompareAndSwap(5, 8), old(9)}}, Linearizable},
		"of two swaps at once both win":        {[]did{{1, 4, CompareAndSwap(5, 9), set(5)}, {2, 3, CompareAndSwap(5, 8), set(5)}}, NotLinearizable},
		"a swap sees what began after it":      {[]did{{1, 4, CompareAndSwap(8, 9), set(8)}, {2, 3, CompareAndSwap(5, 8), set(5)}}, Linearizable},
		"a swap sees what began after its end": {[]did{{1, 2, CompareAndSwap(8, 9), set(8)}, {3, 4, CompareAndSwap(5, 8), set(5)}}, NotLinearizable},
		"what ends when another begins is at once with it": {
			[]did{{1, 3, CompareAndSwap(8, 9), set(8)}, {3, 4, CompareAndSwap(5, 8), set(5)}}, Linearizable,
		},
		"reads at once with a swap see it and do not": {
			[]did{{1, 6, CompareAndSwap(5, 9), set(5)}, {2, 3, Read(), old(5)}, {4, 5, Read(), old(9)}}, Linearizable,
		},
		"reads in a row see a swap and then not": {
			[]did{{1, 6, CompareAndSwap(5, 9), set(5)}, {2, 3, Read(), old(9)}, {4, 5, Read(), old(5)}}, NotLinearizable,
		},
		"a greater value is set, a less one is not": {
			[]did{{1, 2, CompareAndSwapGreater(7), set(5)}, {3, 4, CompareAndSwapGreater(6), old(7)}}, Linearizable,
		},
		"a value goes down by a swap for a greater one": {
			[]did{{1, 2, CompareAndSwapGreater(4), set(5)}}, NotLinearizable,
		},
		"a less value is set, a greater one is not": {
			[]did{{1, 2, CompareAndSwapLess(3), set(5)}, {3, 4, CompareAndSwapLess(4), old(3)}}, Linearizable,
		},
		"a value goes up by a swap for a less one": {
			[]did{{1, 2, CompareAndSwapLess(6), set(5)}}, NotLinearizable,
		},
		"increments wrap":                      {[]did{{1, 2, AtomicInc(4, 6), set(5)}, {3, 4, AtomicInc(4, 6), set(6)}, {5, 6, Read(), old(4)}}, Linearizable},
		"an increment does not wrap":           {[]did{{1, 2, AtomicInc(4, 5), set(5)}, {3, 4, Read(), old(6)}}, NotLinearizable},
		"an increment is applied twice":        {[]did{{1, 2, AtomicInc(1, 9), set(5)}, {3, 4, Read(), old(7)}}, NotLinearizable},
		"increments at once find one value":    {[]did{{1, 4, AtomicInc(1, 9), set(5)}, {2, 3, AtomicInc(1, 9), set(5)}}, NotLinearizable},
		"an increment that says it set none":   {[]did{{1, 2, AtomicInc(1, 9), old(5)}}, NotLinearizable},
		"decrements wrap":                      {[]did{{1, 2, AtomicDec(4, 6), set(5)}, {3, 4, AtomicDec(4, 6), set(4)}, {5, 6, Read(), old(6)}}, Linearizable},
		"a decrement does not wrap":            {[]did{{1, 2, AtomicDec(5, 9), set(5)}, {3, 4, Read(), old(4)}}, NotLinearizable},
		"an unknown swap is never applied":     {[]did{{1, 0, CompareAndSwap(5, 9), none}, {2, 3, Read(), old(5)}}, Linearizable},
		"an unknown swap is applied":           {[]did{{1, 0, CompareAndSwap(5, 9), none}, {2, 3, Read(), old(9)}}, Linearizable},
		"an unknown swap is applied late":      {[]did{{1, 0, CompareAndSwap(5, 9), none}, {2, 3, Read(), old(5)}, {8, 9, Read(), old(9)}}, Linearizable},
		"an unknown swap comes and goes":       {[]did{{1, 0, CompareAndSwap(5, 9), none}, {2, 3, Read(), old(9)}, {8, 9, Read(), old(5)}}, NotLinearizable},
		"an unknown swap comes too early":      {[]did{{1, 2, Read(), old(9)}, {3, 0, CompareAndSwap(5, 9), none}}, NotLinearizable},
		"an unknown swap never could match":    {[]did{{1, 0, CompareAndSwap(4, 9), none}, {2, 3, Read(), old(9)}}, NotLinearizable},
		"an unknown swap matched much later":   {[]did{{1, 0, CompareAndSwap(6, 9), none}, {2, 3, AtomicInc(1, 9), set(5)}, {4, 5, Read(), old(9)}}, Linearizable},
		"an unknown increment is applied once": {[]did{{1, 0, AtomicInc(1, 9), none}, {2, 3, Read(), old(6)}, {4, 5, Read(), old(6)}}, Linearizable},
		"an unknown increment is applied twice": {
			[]did{{1, 0, AtomicInc(1, 9), none}, {2, 3, Read(), old(6)}, {4, 5, Read(), old(7)}}, NotLinearizable,
		},
		"of unknown increments one is applied, and one never": {
			[]did{{1, 0, AtomicInc(1, 9), none}, {1, 0, AtomicInc(1, 9), none}, {2, 3, Read(), old(5)}, {4, 5, Read(), old(6)}, {6, 7, Read(), old(6)}}, Linearizable,
		},
		"unknown operations of which a later one is applied, and an earlier one never": {
			[]did{{1, 0, CompareAndSwap(5, 8), none}, {2, 0, CompareAndSwap(5, 9), none}, {3, 4, Read(), old(9)}, {5, 6, Read(), old(9)}}, Linearizable,
		},
		"an unknown read tells nothing": {[]did{{1, 0, Read(), none}, {2, 3, Read(), old(5)}}, Linearizable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := recorded(test.story).Check(patience); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestARejectedOperationIsNoPartOfTheHistory(t *testing.T) {
	for value, want := range map[int64]Verdict{5: Linearizable, 9: NotLinearizable} {
		h := NewHistory(5)
		id, _ := h.Begin(CompareAndSwap(5, 9), 1)
		h.Drop(id)
		id, _ = h.Begin(Read(), 2)
		h.End(id, Answer{Old: value}, 3)
		if got := h.Check(patience); got != want {
			t.Errorf("a read of %d: got %v, want %v", value, got, want)
		}
	}
}

func TestAHistoryWithTooManyUnknownEndsIsNotChecked(t *testing.T) {
	for unknown, want := range map[int]Verdict{6: NotLinearizable, 7: Unchecked} {
		story := []did{{1, 2, Read(), Answer{Old: 4}}}
		for range unknown {
			story = append(story, did{3, 0, AtomicInc(1, 9), Answer{}}, did{3, 0, Read(), Answer{}})
		}
		if got := recorded(story).Check(patience); got != want {
			t.Errorf("%d unknown: got %v, want %v", unknown, got, want)
		}
	}
}

func TestAHistoryThatTakesTooLongIsNotChecked(t *testing.T) {
	var story []did
	for i := range 40 { // all at once, and no order is right
		story = append(story, did{1, 2, AtomicInc(0, 1000), Answer{Updated: true, Old: int64(5 + i)}})
		story = append(story, did{1, 2, CompareAndSwapGreater(int64(i)), Answer{Old: 1000}})
		story = append(story, did{1, 2, Read(), Answer{Old: int64(5 + i)}})
	}
	if got := recorded(story).Check(time.Millisecond); got != Unchecked {
		t.Errorf("got %v, want %v", got, Unchecked)
	}
}

func TestAFullHistoryTakesNoMore(t *testing.T) {
	h := NewHistory(5)
	for i := range 200 {
		if h.Full() {
			t.Fatalf("full: got it after %d, want it after 200", i)
		}
		h.Begin(Read(), 1)
	}
	if _, ok := h.Begin(Read(), 1); ok || !h.Full() {
		t.Errorf("one more was taken, full: %v", h.Full())
	}
}

func TestSeveralMayRecordAtOnce(t *testing.T) {
	h := NewHistory(5)
	var register sync.Mutex
	value := int64(5)
	start := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				id, _ := h.Begin(AtomicInc(0, 9), time.Since(start))
				register.Lock()
				answer := Answer{Updated: true, Old: value}
				value, _ = AtomicInc(0, 9).Apply(value)
				register.Unlock()
				h.End(id, answer, time.Since(start))
			}
		})
	}
	all.Wait()
	if got := h.Check(patience); got != Linearizable {
		t.Errorf("got %v, want %v", got, Linearizable)
	}
}

// draw is any operation, with numbers so small that they meet.
func draw(t *rapid.T) Op {
	x, y := rapid.Int64Range(0, 6).Draw(t, "x"), rapid.Int64Range(0, 6).Draw(t, "y")
	return rapid.SampledFrom([]Op{
		Read(), CompareAndSwap(x, y), CompareAndSwapGreater(x), CompareAndSwapLess(x),
		AtomicInc(min(x, y), max(x, y)), AtomicDec(min(x, y), max(x, y)),
	}).Draw(t, "op")
}

// TestAnIdealRegisterIsNeverAccused applies each operation at one instant
// between its start and its end, or where that is unknown at any time later, or never.
func TestAnIdealRegisterIsNeverAccused(t *testing.T) {
	type flight struct {
		id      int
		op      Op
		answer  Answer
		applied bool
	}
	rapid.Check(t, func(t *rapid.T) {
		h, value := NewHistory(5), int64(5)
		var flying, adrift []*flight
		apply := func(f *flight) {
			if !f.applied {
				next, updated := f.op.Apply(value)
				f.answer, f.applied, value = Answer{updated, value}, true, next
			}
		}
		unknown := 0
		for step := range rapid.IntRange(50, 150).Draw(t, "steps") {
			now := time.Duration(step / 2) // so that instants are shared
			if len(flying) < 6 && rapid.Bool().Draw(t, "send") {
				f := &flight{op: draw(t)}
				f.id, _ = h.Begin(f.op, now)
				flying = append(flying, f)
			}
			if len(flying) == 0 {
				continue
			}
			i := rapid.IntRange(0, len(flying)-1).Draw(t, "which")
			f := flying[i]
			switch rapid.IntRange(0, 19).Draw(t, "what") {
			case 0, 1, 2, 3, 4, 5, 6, 7:
				apply(f)
				continue
			case 8:
				if len(adrift) > 0 {
					apply(adrift[0])
					adrift = adrift[1:]
				}
				continue
			case 9:
				adrift = append(adrift, f)
				if f.op != Read() {
					unknown++
				}
			case 10:
				if f.applied {
					continue
				}
				h.Drop(f.id)
			default:
				apply(f)
				h.End(f.id, f.answer, now)
			}
			flying = append(flying[:i], flying[i+1:]...)
		}
		for _, f := range flying {
			if f.op != Read() {
				unknown++
			}
		}
		want := Linearizable
		if unknown > maxUnknown {
			want = Unchecked
		}
		if got := h.Check(patience); got != want {
			t.Fatalf("with %d unknown: got %v, want %v", unknown, got, want)
		}
	})
}

// TestAPlantedBugInASequentialHistoryIsFound runs correct operations one after
// the other, then a wrong one, then correct ones again, of which the first reads.
func TestAPlantedBugInASequentialHistoryIsFound(t *testing.T) {
	for name, bug := range map[string]func(value, by int64) (Op, Answer, int64){
		"a swap overwrites a mismatch":            func(v, by int64) (Op, Answer, int64) { return CompareAndSwap(v+by, v-1), Answer{true, v}, v - 1 },
		"a swap overwrites a mismatch in secret":  func(v, by int64) (Op, Answer, int64) { return CompareAndSwap(v+by, v-1), Answer{false, v}, v - 1 },
		"a swap says that it set, and did not":    func(v, by int64) (Op, Answer, int64) { return CompareAndSwap(v, v+by), Answer{true, v}, v },
		"a swap for a greater one sets a less":    func(v, by int64) (Op, Answer, int64) { return CompareAndSwapGreater(v - by), Answer{true, v}, v - by },
		"a swap for a less one is lost":           func(v, by int64) (Op, Answer, int64) { return CompareAndSwapLess(v - by), Answer{true, v}, v },
		"an increment is applied twice":           func(v, by int64) (Op, Answer, int64) { return AtomicInc(v, v+1+by), Answer{true, v}, v + 2 },
		"an increment is lost":                    func(v, by int64) (Op, Answer, int64) { return AtomicInc(v-by, v+by), Answer{true, v}, v },
		"an increment ignores its wrap":           func(v, by int64) (Op, Answer, int64) { return AtomicInc(v-by, v), Answer{true, v}, v + 1 },
		"a decrement is applied twice":            func(v, by int64) (Op, Answer, int64) { return AtomicDec(v-1-by, v), Answer{true, v}, v - 2 },
		"a decrement ignores its wrap":            func(v, by int64) (Op, Answer, int64) { return AtomicDec(v, v+by), Answer{true, v}, v - 1 },
		"an increment answers with the new value": func(v, by int64) (Op, Answer, int64) { return AtomicInc(v, v+by), Answer{true, v + 1}, v + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				h, value, now := NewHistory(5), int64(5), time.Duration(0)
				record := func(op Op, answer Answer) {
					id, _ := h.Begin(op, now+1)
					now += 2
					h.End(id, answer, now)
				}
				right := func(op Op) {
					next, updated := op.Apply(value)
					record(op, Answer{updated, value})
					value = next
				}
				for range rapid.IntRange(0, 20).Draw(t, "before") {
					right(draw(t))
				}
				if got := h.Check(patience); got != Linearizable {
					t.Fatalf("before the bug: got %v, want %v", got, Linearizable)
				}
				op, answer, next := bug(value, rapid.Int64Range(1, 5).Draw(t, "by"))
				record(op, answer)
				value = next
				right(Read())
				for range rapid.IntRange(0, 20).Draw(t, "after") {
					right(draw(t))
				}
				if got := h.Check(patience); got != NotLinearizable {
					t.Fatalf("after it: got %v, want %v", got, NotLinearizable)
				}
			})
		})
	}
}
