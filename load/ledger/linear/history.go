package linear

import (
	"math"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// What a history may hold so that it can be checked.
const (
	maxOps     = 200
	maxUnknown = 6
)

// Verdict is the judgement on a history.
type Verdict uint8

// The verdicts. Unchecked says that too much is unknown, or that the time was
// too short: no evidence either way.
const (
	Unchecked Verdict = iota
	Linearizable
	NotLinearizable
)

// String returns the verdict in words.
func (v Verdict) String() string {
	return [...]string{"unchecked", "linearizable", "not linearizable"}[v]
}

// History is what was done to one fresh register, all of it: an operation that
// is not in here makes the verdict worthless. Times are since an origin that the
// caller keeps to. Safe for concurrent use.
type History struct {
	initial int64

	mu  sync.Mutex
	ops []entry
}

// entry is an operation; it has no end until it is answered.
type entry struct {
	op         Op
	call       time.Duration
	end        time.Duration
	answer     Answer
	answered   bool
	notApplied bool
}

// NewHistory starts the history of a register that was created with a value.
func NewHistory(initial int64) *History { return &History{initial: initial} }

// Begin notes an operation that is about to be sent, and returns its number. It
// returns false where the history is full: then it must not be sent.
func (h *History) Begin(op Op, now time.Duration) (id int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ops) == maxOps {
		return 0, false
	}
	h.ops = append(h.ops, entry{op: op, call: now})
	return len(h.ops) - 1, true
}

// End notes the answer of an operation that was acknowledged. One that nobody
// knows the end of has no End, like one that is still in flight: it may be
// applied at any time from its start on, or never.
func (h *History) End(id int, answer Answer, now time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := &h.ops[id]
	e.answer, e.end, e.answered = answer, now, true
}

// Drop notes that an operation was rejected: certainly not applied.
func (h *History) Drop(id int) {
	h.mu.Lock()
	h.ops[id].notApplied = true
	h.mu.Unlock()
}

// Full says that there is no room for another operation.
func (h *History) Full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ops) == maxOps
}

// Check judges what happened so far, and takes no longer than timeout (above 0).
func (h *History) Check(timeout time.Duration) Verdict {
	ops, unknown := h.operations()
	if unknown > maxUnknown {
		return Unchecked
	}
	switch porcupine.CheckOperationsTimeout(model(h.initial), ops, timeout) {
	case porcupine.Ok:
		return Linearizable
	case porcupine.Illegal:
		return NotLinearizable
	default:
		return Unchecked
	}
}

// operations returns those that may have been applied, and how many of them have
// no end. These get the latest end there is: the checker may then put them after
// all others, where nobody sees their effect, which is as good as never. So the
// model need not know of "never". A read without an answer tells nothing.
func (h *History) operations() (ops []porcupine.Operation, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.ops {
		op := porcupine.Operation{Input: e.op, Call: int64(e.call), Return: math.MaxInt64}
		switch {
		case e.notApplied, !e.answered && e.op.kind == read:
			continue
		case e.answered:
			op.Output, op.Return = e.answer, int64(e.end)
		default:
			unknown++
		}
		ops = append(ops, op)
	}
	return ops, unknown
}
