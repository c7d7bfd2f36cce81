// Package linear judges histories of one register, an integer property of a
// record that several writers change at once with operations that are not plain
// additions: whether some order of them, each at one instant between its start
// and its end, explains every answer. The search is Porcupine's
// (https://github.com/anishathalye/porcupine). The package sends nothing and has
// no clock.
package linear

import "github.com/anishathalye/porcupine"

// kind is what an operation does.
type kind uint8

const (
	read kind = iota
	compareAndSwap
	greater
	less
	inc
	dec
)

// Op is an operation on a register. The zero Op is a read.
type Op struct {
	kind kind
	x, y int64
}

// Answer is what the server said of an operation: whether it set the register,
// always false of a read, and what that held before.
type Answer struct {
	Updated bool
	Old     int64
}

// Read is an uncached read.
func Read() Op { return Op{} }

// CompareAndSwap sets the register to value if it holds old.
func CompareAndSwap(old, value int64) Op { return Op{compareAndSwap, old, value} }

// CompareAndSwapGreater sets the register to value if that is more than it holds.
func CompareAndSwapGreater(value int64) Op { return Op{kind: greater, x: value} }

// CompareAndSwapLess sets the register to value if that is less than it holds.
func CompareAndSwapLess(value int64) Op { return Op{kind: less, x: value} }

// AtomicInc adds one; from high, and from outside the bounds, it goes to low.
func AtomicInc(low, high int64) Op { return Op{inc, low, high} }

// AtomicDec takes one off; from low, and from outside the bounds, it goes to high.
func AtomicDec(low, high int64) Op { return Op{dec, low, high} }

// Apply returns what the operation makes of a register that holds old, and
// whether it says that it set it.
func (op Op) Apply(old int64) (value int64, updated bool) {
	switch op.kind {
	case compareAndSwap:
		return choose(old == op.x, op.y, old)
	case greater:
		return choose(op.x > old, op.x, old)
	case less:
		return choose(op.x < old, op.x, old)
	case inc:
		value, _ = choose(op.x <= old && old < op.y, old+1, op.x)
		return value, true
	case dec:
		value, _ = choose(op.x < old && old <= op.y, old-1, op.y)
		return value, true
	}
	return old, false
}

func choose(first bool, one, other int64) (int64, bool) {
	if first {
		return one, true
	}
	return other, false
}

// model is a register that starts with a value. Its inputs are Ops, its outputs
// Answers, or nil where nobody knows the answer.
func model(initial int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: step,
		Hash: func(state any) uint64 { return uint64(state.(int64)) },
	}
}

func step(state, input, output any) (bool, any) {
	old := state.(int64)
	value, updated := input.(Op).Apply(old)
	answer, known := output.(Answer)
	if known && answer != (Answer{Updated: updated, Old: old}) {
		return false, nil
	}
	return true, value
}
