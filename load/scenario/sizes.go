package scenario

import (
	"math/rand/v2"

	"github.com/alecthomas/units"
)

// sizes draws from a spread of sizes by weight.
type sizes struct {
	bytes []int64
	upTo  []float64 // cumulative share
}

func newSizes(s Spread) (z sizes) {
	var sum float64
	for _, size := range s.Sizes() {
		sum += s[size]
		z.bytes, z.upTo = append(z.bytes, int64(size)), append(z.upTo, sum)
	}
	for i := range z.upTo {
		z.upTo[i] /= sum
	}
	return z
}

// thresholds are sizes in bytes at which servers take another way: inline or out
// of line, the longest message, several parts.
var thresholds = [...]int64{int64(64 * units.KiB), int64(4 * units.MiB), int64(5 * units.MiB)}

// nearThreshold is one in so many draws that are moved to a threshold.
const nearThreshold = 20

// draw returns a size by chance: one of the spread, or now and then a threshold
// that is not above it, exactly, one below or one above.
func (z sizes) draw(r *rand.Rand) int64 {
	size := z.share(r.Float64())
	if r.IntN(nearThreshold) > 0 {
		return size
	}
	if near := thresholds[r.IntN(len(thresholds))] + int64(r.IntN(3)) - 1; near <= size {
		return near
	}
	return size
}

// at returns the size that a hash chooses.
func (z sizes) at(hash uint64) int64 { return z.share(float64(hash>>11) / (1 << 53)) }

func (z sizes) share(x float64) int64 {
	for i, upTo := range z.upTo {
		if x < upTo {
			return z.bytes[i]
		}
	}
	return z.bytes[len(z.bytes)-1]
}

// Mean is the average size in bytes.
func (s Spread) Mean() int64 {
	var sum, weight float64
	for size, w := range s {
		sum += w * float64(size)
		weight += w
	}
	return int64(sum / weight)
}
