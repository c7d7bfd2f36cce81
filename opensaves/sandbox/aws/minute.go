package aws

import (
	"cmp"
	"math"
	"slices"
)

// maxDistinct is how many different values of a minute are told apart exactly.
const maxDistinct = 1024

// minute is what was observed of a metric in a minute.
type minute struct {
	start           int64 // Unix seconds
	count, sum      float64
	lowest, highest float64
	values          []Value // in order of value
}

// observed says whether CloudWatch takes the value.
func (v Value) observed() bool {
	return !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) && v.Count >= 0 && !math.IsInf(v.Count, 0)
}

// add counts an observation. Its sum, minimum and maximum are exact; so are the
// percentiles until the minute has very many different values, whose last ones
// are rounded by less than a percent, so that a minute cannot fill the memory.
func (m *minute) add(v Value) {
	n := cmp.Or(v.Count, 1)
	if m.count == 0 {
		m.lowest, m.highest = v.Value, v.Value
	}
	m.count += n
	m.sum += n * v.Value
	m.lowest, m.highest = min(m.lowest, v.Value), max(m.highest, v.Value)
	if len(m.values) >= maxDistinct {
		v.Value = roughly(v.Value)
	}
	m.observe(v.Value, n)
}

func (m *minute) observe(value, count float64) {
	i, found := slices.BinarySearchFunc(m.values, value, func(v Value, value float64) int {
		return cmp.Compare(v.Value, value)
	})
	if found {
		m.values[i].Count += count
		return
	}
	m.values = slices.Insert(m.values, i, Value{value, count})
}

// roughly rounds to seven bits.
func roughly(v float64) float64 {
	fraction, exponent := math.Frexp(v)
	return math.Ldexp(math.Round(fraction*128)/128, exponent)
}
