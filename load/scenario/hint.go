package scenario

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"opensaves-soak/load/ledger"
)

// A record's payload carries hints for other replicas: numbers of records of the
// same writer in the same store, each with its highest acknowledged version, as
//
//	hints=12.3,40.1;
//
// in front of its filling, which has neither "=" nor ";".

const (
	hintMark = "hints="
	hintEnd  = ';'
	// hintsARecord is how many a payload carries at the most.
	hintsARecord = 8
)

// hints writes what others may know of a few records on the shelf of one.
func (w *World) hints(b []byte, r *rand.Rand, o *ledger.Object) []byte {
	shelf := w.shelf(o)
	b = append(b[:0], hintMark...)
	for range hintsARecord {
		other := shelf.From(r.IntN(max(1, shelf.Len())), anyObject)
		if other == nil || other == o {
			continue
		}
		if version := other.Told(); version > 0 {
			b = strconv.AppendUint(b, other.Number, 10)
			b = append(b, '.')
			b = append(strconv.AppendUint(b, uint64(version), 10), ',')
		}
	}
	if len(b) == len(hintMark) {
		return b[:0]
	}
	b[len(b)-1] = hintEnd
	return b
}

// hinted reads the hints of a payload, whatever it is.
func hinted(filling string, hear func(number uint64, version uint32)) {
	list, marked := strings.CutPrefix(filling, hintMark)
	list, _, ended := strings.Cut(list, string(hintEnd))
	if !marked || !ended {
		return
	}
	n := 0
	for one := range strings.SplitSeq(list, ",") {
		number, version, _ := strings.Cut(one, ".")
		a, err1 := strconv.ParseUint(number, 10, 64)
		b, err2 := strconv.ParseUint(version, 10, 32)
		if n++; err1 != nil || err2 != nil || n > hintsARecord {
			return
		}
		hear(a, uint32(b))
	}
}
