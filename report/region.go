package report

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// rays is how many directions a face is searched in: as many miss the far end of
// the region by about a percent of its width.
const rays = 200

// region returns coefficients all around those that the points do not tell from
// the best, whose sum of squares is least; none if the points cannot tell.
func (c *curve) region(optima [len(faces)]theta, j judgement, least float64) (edge []theta) {
	if j.df == 0 {
		return nil
	}
	limit := least + j.variance*distuv.F{D1: 1, D2: float64(j.df)}.Quantile(confidence)
	random := rand.New(rand.NewPCG(1, 2))
	for i, from := range optima {
		if room := limit - c.sse(from); room > 0 {
			list := c.directions(from, faces[i], random)
			if list == nil {
				return nil
			}
			edge = append(edge, from)
			for _, d := range list {
				edge = append(edge, c.walk(from, d, math.Sqrt(room), limit))
			}
		}
	}
	return edge
}

// directions are evenly spread in how far the sum of squares rises along them:
// by 1 in a step, if the law were linear. There are none if the points do not
// tell the coefficients from each other.
func (c *curve) directions(from theta, free face, random *rand.Rand) (list []theta) {
	var chol mat.Cholesky
	var upper, inverse mat.TriDense
	if !chol.Factorize(c.information(from, free)) {
		return nil
	}
	chol.UTo(&upper)
	if inverse.InverseTri(&upper) != nil {
		return nil
	}
	for range rays {
		list = append(list, along(&inverse, unit(free, random)))
	}
	return list
}

// unit draws a direction on a face, all alike.
func unit(free face, random *rand.Rand) (t theta) {
	length := 0.0
	for k := range t {
		if free[k] {
			t[k] = random.NormFloat64()
			length = math.Hypot(length, t[k])
		}
	}
	for k := range t {
		t[k] /= length
	}
	return t
}

func along(m *mat.TriDense, direction theta) (t theta) {
	for i := range t {
		for k := range t {
			t[i] += m.At(i, k) * direction[k]
		}
	}
	return t
}

// walk goes along a direction as long as the coefficients keep their bounds and
// the sum of squares its limit.
func (c *curve) walk(from, direction theta, step, limit float64) theta {
	at := func(r float64) (t theta) {
		for k := range t {
			t[k] = from[k] + r*direction[k]
		}
		return t
	}
	within := func(r float64) bool {
		t := at(r)
		return t[0] >= negligible && t[1] >= 0 && t[2] >= 0 && c.sse(t) <= limit
	}
	near, far := 0.0, step
	for range 20 {
		if !within(far) {
			break
		}
		near, far = far, 2*far
	}
	for range 8 {
		if middle := (near + far) / 2; within(middle) {
			near = middle
		} else {
			far = middle
		}
	}
	return at(near)
}
