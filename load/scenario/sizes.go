package scenario

import "math/rand/v2"

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

// draw returns a size by chance.
func (z sizes) draw(r *rand.Rand) int64 { return z.share(r.Float64()) }

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
