package sandbox

import (
	"slices"
	"strings"

	"opensaves-soak/opensaves/sandbox/fault"
)

// asked is what a query's lies need to know of it.
type asked interface {
	matches(*record) bool
	most() int // 0: no limit
	tied(a, b *record) bool
}

// distort tells the lies of queries in an answer that is in order of keys.
func (d *database) distort(found []*record, ask asked, how manner) []*record {
	switch how.lie {
	case fault.Corrupt:
		if len(found) > 0 {
			found[0] = found[0].falsified()
		}
	case fault.QueryOrder:
		swapNeighbours(found, ask)
	case fault.QueryShape:
		return twice(found, ask.most())
	case fault.QueryMismatch:
		if wrong := d.stranger(ask); wrong != nil {
			return intrude(found, wrong, ask.most())
		}
	}
	return found
}

// swapNeighbours lets the first two change places whose order is not free.
func swapNeighbours(found []*record, ask asked) {
	for i := 1; i < len(found); i++ {
		if !ask.tied(found[i-1], found[i]) {
			found[i-1], found[i] = found[i], found[i-1]
			return
		}
	}
}

// twice repeats the first record.
func twice(found []*record, limit int) []*record {
	switch {
	case len(found) == 0:
		return found
	case len(found) > 1 && len(found) == limit:
		return slices.Concat(found[:1], found[:1], found[2:])
	}
	return slices.Insert(found, 1, found[0])
}

// intrude puts a record where its key belongs, in place of another if the
// answer is full.
func intrude(found []*record, wrong *record, limit int) []*record {
	at, _ := slices.BinarySearchFunc(found, wrong, func(a, b *record) int { return strings.Compare(a.key, b.key) })
	if len(found) > 0 && len(found) == limit {
		found[min(at, len(found)-1)] = wrong
		return found
	}
	return slices.Insert(found, at, wrong)
}

// stranger returns a record that does not match, nil if there is none.
func (d *database) stranger(ask asked) *record {
	var wrong *record
	d.shelves.Range(func(_, value any) bool {
		s := value.(*shelf)
		s.mu.RLock()
		defer s.mu.RUnlock()
		s.scan(func(r *record) bool {
			if !ask.matches(r) {
				wrong = r
			}
			return wrong == nil
		})
		return wrong == nil
	})
	return wrong
}
