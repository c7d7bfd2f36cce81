package report

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
	"gonum.org/v1/gonum/stat"
)

// theta is the coefficients a, b, c of the scaled law y = x / (a + bx + cx(x−1/m)),
// where x = N/m, y = X/max(X), and m is the highest N: each is about 1 where it
// matters. The bounds of the law are a > 0, b ≥ 0, c ≥ 0.
type theta [3]float64

// negligible is a coefficient that changes nothing any more.
const negligible = 1e-9

// bounded returns the nearest coefficients within the bounds.
func (t theta) bounded() theta {
	t[0] = max(t[0], negligible)
	for k := 1; k < len(t); k++ {
		if t[k] < negligible {
			t[k] = 0
		}
	}
	return t
}

// curve is the points, scaled.
type curve struct {
	x, y, w    []float64
	maxN, maxX float64
}

func newCurve(points []Point) *curve {
	c := &curve{}
	heaviest := 0.0
	for _, p := range points {
		c.maxN, c.maxX = max(c.maxN, p.N), max(c.maxX, p.X)
		heaviest = max(heaviest, weight(p))
	}
	for _, p := range points {
		c.x = append(c.x, p.N/c.maxN)
		c.y = append(c.y, p.X/c.maxX)
		c.w = append(c.w, weight(p)/heaviest)
	}
	return c
}

func weight(p Point) float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// basis is what the coefficients are multiplied by at x.
func (c *curve) basis(x float64) theta { return theta{1, x, x * (x - 1/c.maxN)} }

// at returns the basis at point i, the denominator and the residual there.
func (c *curve) at(i int, t theta) (basis theta, denominator, residual float64) {
	basis = c.basis(c.x[i])
	for k := range t {
		denominator += t[k] * basis[k]
	}
	return basis, denominator, c.y[i] - c.x[i]/denominator
}

// sse is the weighted sum of squared residuals; infinite where the law has no meaning.
func (c *curve) sse(t theta) (sum float64) {
	for i := range c.x {
		_, denominator, residual := c.at(i, t)
		if !(denominator > 0) {
			return math.Inf(1)
		}
		sum += c.w[i] * residual * residual
	}
	return sum
}

// slope is the gradient of sse.
func (c *curve) slope(t theta) (g theta) {
	for i := range c.x {
		basis, denominator, residual := c.at(i, t)
		for k := range g {
			g[k] += 2 * c.w[i] * residual * c.x[i] * basis[k] / (denominator * denominator)
		}
	}
	return g
}

// information is the sum of the outer products of the gradients of the law
// (JᵀWJ) by the coefficients that are free, and 1 for the others.
func (c *curve) information(t theta, free face) *mat.SymDense {
	sum := mat.NewSymDense(len(t), nil)
	for k := range free {
		if !free[k] {
			sum.SetSym(k, k, 1)
		}
	}
	for i := range c.x {
		basis, denominator, _ := c.at(i, t)
		for k := range free {
			if !free[k] {
				basis[k] = 0
			}
		}
		factor := c.x[i] / (denominator * denominator)
		sum.SymRankOne(sum, c.w[i]*factor*factor, mat.NewVecDense(len(t), basis[:]))
	}
	return sum
}

// line is the sum of squares that the best straight line through the origin leaves.
func (c *curve) line() (sum float64) {
	var xy, xx float64
	for i, x := range c.x {
		xy, xx = xy+c.w[i]*x*c.y[i], xx+c.w[i]*x*x
	}
	for i, x := range c.x {
		residual := c.y[i] - x*xy/xx
		sum += c.w[i] * residual * residual
	}
	return sum
}

// spread is the sum of squares about the mean.
func (c *curve) spread() (sum float64) {
	mean := stat.Mean(c.y, c.w)
	for i, y := range c.y {
		sum += c.w[i] * (y - mean) * (y - mean)
	}
	return sum
}

// face is which coefficients are free; the others are 0.
type face [3]bool

// faces are where the coefficients may be: the first within all bounds, the
// others on some.
var faces = [...]face{{true, true, true}, {true, true, false}, {true, false, true}, {true, false, false}}

// optima are the coefficients that minimise sse on each of the faces.
func (c *curve) optima() (list [len(faces)]theta) {
	for i, free := range faces {
		list[i] = c.fit(free)
	}
	return list
}

// best is the least of the optima: the first is not always, because its search
// does not always get to a bound.
func (c *curve) best(optima [len(faces)]theta) theta {
	return slices.MinFunc(optima[:], func(s, t theta) int { return cmp.Compare(c.sse(s), c.sse(t)) })
}

// fit minimises sse on a face. What it searches in has no bounds: ln a, √b and √c.
func (c *curve) fit(free face) theta {
	problem := optimize.Problem{
		Func: func(p []float64) float64 { return c.sse(inside(p)) },
		Grad: func(grad, p []float64) {
			t := inside(p)
			g := c.slope(t)
			grad[0], grad[1], grad[2] = g[0]*t[0], g[1]*2*p[1], g[2]*2*p[2]
		},
	}
	start := c.guess(free)
	settings := &optimize.Settings{GradientThreshold: 1e-14, MajorIterations: 1000}
	// An error tells that no step leads further down, which is where it is to end.
	result, _ := optimize.Minimize(problem, []float64{math.Log(start[0]), math.Sqrt(start[1]), math.Sqrt(start[2])}, settings, &optimize.BFGS{})
	if result == nil || !(result.F <= c.sse(start)) {
		return start.bounded()
	}
	return inside(result.X).bounded()
}

func inside(p []float64) theta { return theta{math.Exp(p[0]), p[1] * p[1], p[2] * p[2]} }

// guess solves x/y = a + bx + cx(x−1/m) by linear least squares, and moves away
// from the bounds, where the gradient of a square vanishes.
func (c *curve) guess(free face) theta {
	design, want := mat.NewDense(len(c.x), 3, nil), mat.NewVecDense(len(c.x), nil)
	for i := range c.x {
		basis := c.basis(c.x[i])
		scale := math.Sqrt(c.w[i]) * c.y[i] * c.y[i] / c.x[i] // as an error of y counts
		for k := range basis {
			design.Set(i, k, scale*basis[k])
		}
		want.SetVec(i, scale*c.x[i]/c.y[i])
	}
	var solved mat.VecDense
	t := theta{1, 1, 1}
	if err := solved.SolveVec(design, want); err == nil {
		t = theta(solved.RawVector().Data)
	}
	for k := range t {
		if t[k] = max(t[k], 1e-3); !free[k] {
			t[k] = 0
		}
	}
	return t
}

// meaning returns λ, σ, κ, N* and X(N*) in the units of the points.
func (c *curve) meaning(t theta) [5]float64 {
	scale := c.maxN / c.maxX
	first, linear, square := t[0]*scale, t[1]*scale/c.maxN, t[2]*scale/c.maxN/c.maxN
	lambda := 1 / (first + linear)
	least := linear - square + 2*math.Sqrt(first*square) // 1/X at the peak
	peak := math.Inf(1)
	if least > 0 {
		peak = 1 / least
	}
	return [5]float64{lambda, lambda * linear, lambda * square, math.Sqrt(first / square), peak}
}
