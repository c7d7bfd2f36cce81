package ledger

import (
	"slices"
	"sync"
)

// TotalVerdict is what an answer says of a counter.
type TotalVerdict uint8

// The verdicts; the names stand in the labels "result" and "kind".
const (
	TotalOK       TotalVerdict = iota
	TotalUnjudged              // it cannot be told, or the counter is known to be wrong
	TotalWrong                 // no order of the additions leads to this value
	TotalTwice                 // two acknowledged additions found the same value

	totalVerdicts = int(TotalTwice) + 1
)

// String returns the label value, for example "double_applied".
func (v TotalVerdict) String() string {
	return [totalVerdicts]string{"ok", "unjudged", "atomic_total", "double_applied"}[v]
}

// When a counter is retired, so that neither doubt nor memory grows for ever.
const (
	totalUnknown      = 20
	totalAcknowledged = 1000
)

// Total is the truth about one counter that several writers add to at once, all
// in one direction. Its value moves one way only, so that the old values of the
// acknowledged additions order them: each takes the counter from its old value
// over its delta, and no two overlap. What lies between them is the work of
// additions in flight or unknown, each of which may be in there once, or not at
// all, or not yet.
//
//	base   A      ?     B   C     now
//	  |--------|.....|-----|----|..|
//
// Safe for concurrent use. After a violation nothing more is judged.
type Total struct {
	sign int64 // -1 where the counter falls: inside, all counters rise

	mu      sync.Mutex
	sum     int64   // the base and all acknowledged deltas
	floor   int64   // what the counter has reached for certain
	taken   []taken // by acknowledged additions, in the order of old values
	loose   []int64 // deltas in flight or unknown
	unknown int
	wrong   bool
}

// taken is the way of one acknowledged addition.
type taken struct{ old, delta int64 }

// Addition is an operation on a Total between Begin and End.
type Addition struct{ delta, floor int64 }

// NewTotal makes the truth about a counter that holds base. One that falls is
// subtracted from; no counter may be both added to and subtracted from.
func NewTotal(base int64, falls bool) *Total {
	t := &Total{sign: 1}
	if falls {
		t.sign = -1
	}
	t.sum, t.floor = t.sign*base, t.sign*base
	return t
}

// Begin announces an addition, or subtraction, of delta (above 0) before it is
// sent. Each Begin needs one End.
func (t *Total) Begin(delta int64) Addition {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loose = append(t.loose, delta)
	return Addition{delta: delta, floor: t.floor}
}

// End says how an addition ended, and judges the old value that an acknowledged
// one was answered with; other ends have none and are not judged.
func (t *Total) End(a Addition, how End, old int64) TotalVerdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	if how == Unknown { // it may still be applied: it stays loose
		t.unknown++
		return TotalUnjudged
	}
	last := len(t.loose) - 1
	t.loose[slices.Index(t.loose, a.delta)] = t.loose[last]
	t.loose = t.loose[:last]
	if how == Rejected || t.wrong {
		return TotalUnjudged
	}
	return t.acknowledge(taken{old: t.sign * old, delta: a.delta}, a.floor)
}

func (t *Total) acknowledge(a taken, floor int64) TotalVerdict {
	at, verdict := t.judge(a.old, floor)
	if at < len(t.taken) {
		switch next := t.taken[at].old; {
		case next == a.old:
			verdict = TotalTwice
		case next < a.old+a.delta:
			verdict = TotalWrong
		}
	}
	if verdict > TotalUnjudged {
		t.wrong = true
		return verdict
	}
	t.taken = slices.Insert(t.taken, at, a)
	t.sum += a.delta
	t.floor = max(t.floor, a.old+a.delta)
	return verdict
}

// TotalRead is what is known of a counter when a read of it is sent.
type TotalRead struct{ floor int64 }

// BeforeRead returns what a read that is about to be sent must show at least.
func (t *Total) BeforeRead() TotalRead {
	t.mu.Lock()
	defer t.mu.Unlock()
	return TotalRead{floor: t.floor}
}

// Judge compares the value that an uncached read showed with what it may show:
// all that was acknowledged when it was sent, and any part of what was in flight
// since, or is unknown.
func (t *Total) Judge(before TotalRead, value int64) TotalVerdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wrong {
		return TotalUnjudged
	}
	_, verdict := t.judge(t.sign*value, before.floor)
	t.wrong = verdict == TotalWrong
	return verdict
}

// Retired says that the counter should not be used any more: too much of it is
// unknown, it is old, or it is wrong. What is under way is judged all the same.
func (t *Total) Retired() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.wrong || t.unknown >= totalUnknown || len(t.taken) >= totalAcknowledged
}

// judge says whether the counter may have held value after floor was reached,
// and where that is among the acknowledged additions. Those below came before,
// for the counter only rises; what they do not account for, loose ones must.
func (t *Total) judge(value, floor int64) (int, TotalVerdict) {
	at, gap := len(t.taken), value-t.sum
	for ; at > 0 && t.taken[at-1].old >= value; at-- { // from the end: it is near
		gap += t.taken[at-1].delta
	}
	if value < floor || at > 0 && t.taken[at-1].old+t.taken[at-1].delta > value {
		return at, TotalWrong
	}
	return at, subsum(t.loose, gap)
}

// sums is a set of numbers below maxSum.
type sums [64]uint64

const maxSum = int64(len(sums{}) * 64)

// subsum says whether some of the deltas add up to gap, each used at most once.
func subsum(deltas []int64, gap int64) TotalVerdict {
	if gap == 0 {
		return TotalOK
	}
	var all int64
	for _, delta := range deltas {
		all += delta
	}
	if gap < 0 || gap > all {
		return TotalWrong
	}
	gap = min(gap, all-gap) // some of them add up to it if the others add up to the rest
	if gap >= maxSum {
		return TotalUnjudged
	}
	reached := sums{1}
	for _, delta := range deltas {
		if delta <= gap {
			reached.add(delta, gap)
		}
	}
	if reached[gap/64]>>(gap%64)&1 == 0 {
		return TotalWrong
	}
	return TotalOK
}

// add puts each number plus delta into the set, as far as the word of limit.
func (s *sums) add(delta, limit int64) {
	words, bits := delta/64, delta%64
	for i := limit / 64; i >= words; i-- { // downwards: what is read is not yet changed
		shifted := s[i-words] << bits
		if i > words {
			shifted |= s[i-words-1] >> (64 - bits)
		}
		s[i] |= shifted
	}
}
