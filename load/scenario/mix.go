package scenario

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sort"

	"opensaves-soak/exporter/metric"
)

// Want is what decides over the mix.
type Want struct {
	Scenarios  map[string]float64 // weights by name; ignored where Operations are given
	Operations map[string]float64 // weights by operation: a scenario of the user's own
	ReadRatio  float64            // share of reads in mixed
}

// Draw is an arrival before it is admitted: what it is to do, and for blobs
// how large the blob is in bytes.
type Draw struct {
	Op        metric.Operation
	Size      int64
	Hot       bool // it belongs to the scenario cache
	Contended bool // it belongs to the scenario contended
}

// Mix draws operations by weight. It never changes once made.
type Mix struct {
	rows    []Draw
	upTo    []float64 // cumulative share
	share   [metric.Operations]float64
	apart   [metric.Operations]float64 // of the share, what is contended: on keys of its own
	skipped []metric.Operation
	blobs   sizes
}

// NewMix makes the mix of what is wanted, as far as the protocol has it.
func NewMix(want Want, protocol metric.Protocol, blobs Spread) *Mix {
	m := &Mix{blobs: newSizes(blobs)}
	if len(want.Operations) > 0 {
		m.add(protocol, named(want.Operations), 1, Draw{})
	} else {
		for _, name := range slices.Sorted(maps.Keys(want.Scenarios)) {
			weights := scenarios[name]
			switch name {
			case mixed:
				weights = balanced(weights, protocol, want.ReadRatio)
			case contended:
				weights = slices.DeleteFunc(slices.Clone(weights), func(w Weight) bool { return !slices.Contains(lanes[protocol], w.Op) })
			}
			m.add(protocol, weights, want.Scenarios[name], Draw{Hot: name == cache, Contended: name == contended})
		}
	}
	m.finish()
	return m
}

// add appends the operations of one scenario that the protocol has, each drawn
// as d but for its operation; together they weigh what the scenario weighs.
func (m *Mix) add(protocol metric.Protocol, weights []Weight, total float64, d Draw) {
	sum := 0.0
	for _, w := range weights {
		if w.Op.On(protocol) {
			sum += w.Weight
		} else if total > 0 && w.Weight > 0 && !slices.Contains(m.skipped, w.Op) {
			m.skipped = append(m.skipped, w.Op)
		}
	}
	for _, w := range weights {
		if share := w.Weight * total; w.Op.On(protocol) && share > 0 {
			d.Op = w.Op
			m.rows = append(m.rows, d)
			m.upTo = append(m.upTo, share/sum)
		}
	}
}

// finish turns weights into cumulative shares.
func (m *Mix) finish() {
	sum := 0.0
	for _, w := range m.upTo {
		sum += w
	}
	upTo := 0.0
	for i, w := range m.upTo {
		m.share[m.rows[i].Op] += w / sum
		if m.rows[i].Contended {
			m.apart[m.rows[i].Op] += w / sum
		}
		upTo += w / sum
		m.upTo[i] = upTo
	}
	slices.Sort(m.skipped)
}

// Draw returns the next arrival's operation. A mix without any, because the
// protocol has none of them, pings.
func (m *Mix) Draw(r *rand.Rand) Draw {
	if len(m.rows) == 0 {
		return Draw{Op: metric.Ping}
	}
	i := sort.SearchFloat64s(m.upTo, r.Float64())
	d := m.rows[min(i, len(m.rows)-1)]
	switch {
	case !d.Op.OfBlob():
	case d.Contended:
		d.Size = contendedBytes
	default:
		d.Size = m.blobs.draw(r)
	}
	return d
}

// Share is the part of arrivals that an operation makes up.
func (m *Mix) Share(op metric.Operation) float64 { return m.share[op] }

// Has says whether the mix has an operation.
func (m *Mix) Has(op metric.Operation) bool { return m.share[op] > 0 }

// Skipped are the operations that were wanted and that the protocol lacks.
func (m *Mix) Skipped() []metric.Operation { return m.skipped }

// Locked is the share of arrivals that take the lock of an existing record of
// the working set.
func (m *Mix) Locked() (share float64) {
	for op := range metric.Operation(metric.Operations) {
		if steps[op].locks {
			share += m.share[op] - m.apart[op]
		}
	}
	return share
}

// balanced scales the reads of a scenario to their share, and the writes to the rest.
func balanced(weights []Weight, protocol metric.Protocol, reads float64) []Weight {
	var sums [2]float64
	for _, w := range weights {
		if w.Op.On(protocol) {
			sums[side(w.Op)] += w.Weight
		}
	}
	out := slices.Clone(weights)
	for i, w := range out {
		out[i].Weight *= [2]float64{reads, 1 - reads}[side(w.Op)] / sums[side(w.Op)]
	}
	return out
}

// side is 0 for operations that change nothing, 1 for others.
func side(op metric.Operation) int {
	switch op {
	case metric.GetBlob, metric.GetBlobChunk, metric.CreateChunkURLs:
		return 0
	}
	if op.Class(0) == metric.Read {
		return 0
	}
	return 1
}

func named(weights map[string]float64) (list []Weight) {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if op, known := metric.ParseOperation(name); known {
			list = append(list, Weight{op, weights[name]})
		}
	}
	return list
}
