package report

import (
	"fmt"
	"math"
)

// compared is a figure of both sides.
type compared struct {
	name   string
	unit   Unit
	a, b   Figure
	noise  Figure // what a difference must exceed, in the unit; none: not known
	up     bool   // more of it is better
	always bool   // past the limit as soon as it is worse
}

// row judges.
func (f compared) row(levelA, levelB Figure, most float64) Row {
	difference := f.b - f.a
	r := Row{LevelA: levelA, LevelB: levelB, Name: f.name, Unit: f.unit, A: f.a, B: f.b, Verdict: Same}
	if r.Change, r.Noise = difference/f.a, f.noise/f.a; difference == 0 {
		r.Change = 0
	}
	switch {
	case !f.noise.Known():
		r.Verdict = Unsure
	case math.Abs(float64(difference)) > float64(f.noise):
		r.Verdict = Worse
		if (difference > 0) == f.up {
			r.Verdict = Better
		}
	}
	r.Past = r.Verdict == Worse && (f.always || math.Abs(float64(r.Change)) > most)
	return r
}

// figuresOf are all that is compared of two levels. What only one has is unknown
// of the other.
func figuresOf(a, b Measured) []compared {
	list := []compared{achieved(a, b), succeeded(a, b)}
	list = append(list, objectives(a, b)...)
	list = append(list, wrong(a, b)...)
	list = append(list, latencies(a, b)...)
	return append(list, prices(a, b)...)
}

const (
	// deviations is how many standard errors of a difference are noise where counts
	// tell the error: chance goes beyond them one time in twenty.
	deviations = 2
	// fewDeviations is that where five parts of each level tell it, which makes the
	// error uncertain itself: the 97.5 % quantile of Student's t of 4 degrees of freedom.
	// Welch's rule gives 4 to 8, by how equal the scatters are, so that chance goes
	// beyond it one time in twenty at the most.
	fewDeviations = 2.776
)

// requests is how many were asked for at a level.
func (m Measured) requests() float64 { return float64(m.RPS) * m.End.Sub(m.Start).Seconds() }

// achieved is the share that was sent of what was asked for. Of random arrivals
// (Poisson) as many come as expected, give or take the square root, which as a
// share of the n that were asked for is √(share/n). Arrivals at constant distances
// scatter less.
func achieved(a, b Measured) compared {
	f := compared{name: "achieved, of the rate asked for", unit: Share, a: share(a.Achieved, a.RPS), b: share(b.Achieved, b.RPS), up: true}
	f.noise = Figure(deviations * math.Sqrt(float64(f.a)/a.requests()+float64(f.b)/b.requests()))
	return f
}

// succeeded is the share of successes. Its noise is the standard error of the
// difference of two binomial shares, with the share p of both together, as fits
// the assumption that nothing changed: √(p(1−p)(1/n + 1/m)), where n and m are the
// requests. It takes failures for independent; those of an outage are not, and
// count as a change, which an outage is.
func succeeded(a, b Measured) compared {
	n, m := a.requests(), b.requests()
	p := (float64(a.Success)*n + float64(b.Success)*m) / (n + m)
	noise := deviations * math.Sqrt(max(0, p*(1-p))*(1/n+1/m))
	return compared{name: "success", unit: Share, a: a.Success, b: b.Success, noise: Figure(noise), up: true}
}

// objectives is how many were missed, where one level met all and the other did not.
// Where both missed some, the figures themselves tell by how much.
func objectives(a, b Measured) []compared {
	f := compared{name: "objectives missed", unit: Count, a: Figure(len(a.Missed)), b: Figure(len(b.Missed)), always: true}
	if (f.a == 0) == (f.b == 0) {
		return nil
	}
	return []compared{f}
}

// wrong are the wrong answers by kind, as whole numbers: the increase of a counter
// is extrapolated. There is no noise in them, for there must be none.
func wrong(a, b Measured) (list []compared) {
	for _, kind := range union(a.Violations, b.Violations) {
		list = append(list, compared{
			name: "wrong answers, " + kind, unit: Count, always: true,
			a: Figure(math.Round(a.Violations[kind])), b: Figure(math.Round(b.Violations[kind])),
		})
	}
	return list
}

// prices are what a million requests cost, by component. Prices do not scatter, but
// what they are averaged over does a little.
func prices(a, b Measured) (list []compared) {
	for _, component := range union(a.CostAMio, b.CostAMio) {
		f := compared{name: "cost of " + component, unit: USDAMillion, a: none, b: none}
		if usd, ok := a.CostAMio[component]; ok {
			f.a = Figure(usd)
		}
		if usd, ok := b.CostAMio[component]; ok {
			f.b = Figure(usd)
		}
		f.noise = costNoise * f.a
		list = append(list, f)
	}
	return list
}

// costNoise is the share by which costs differ without a reason.
const costNoise = 0.01

// partial says whether the latencies are known not to be those of all answers.
func (m Measured) partial() bool {
	return m.Covered.Known() && (m.Covered < 0.95 || m.Covered > 1.05)
}

// latencies are those of the operations that both have. Where those of a level are
// partial nothing can be told.
func latencies(a, b Measured) (list []compared) {
	inA, inB := byName(a.Operations), byName(b.Operations)
	for _, name := range union(inA, inB) {
		o, ofA := inA[name]
		p, ofB := inB[name]
		if !ofA || !ofB {
			f := compared{name: name, a: none, b: none}
			if f.a = o.RPS; !ofA {
				f.a, f.b = none, p.RPS
			}
			list = append(list, f)
			continue
		}
		with := p.latencies()
		for i, f := range o.latencies() {
			g := with[i]
			noise := latencyNoise(f, g)
			if a.partial() || b.partial() {
				noise = none
			}
			list = append(list, compared{name: f.name + " of " + name, unit: Seconds, a: f.value, b: g.value, noise: noise})
		}
	}
	return list
}

func byName(list []Operation) map[string]Operation {
	named := map[string]Operation{}
	for _, o := range list {
		named[o.Name] = o
	}
	return named
}

// latency is one that a comparison is of, in seconds.
type latency struct {
	name  string
	value Figure
	ends  Bucket // that it was read off
	noise Figure // as Operation has it
}

// meanNoise is the share of an average that counts as noise in any case: it is read off
// no bucket, but the scatter of p99, which is taken for it, may be hidden in one.
const meanNoise = 0.01

func (o Operation) latencies() []latency {
	return []latency{
		{"average", o.Mean, Bucket{(1 - meanNoise) * o.Mean, (1 + meanNoise) * o.Mean}, o.Noise},
		{"p50", o.P50, o.Ends50, o.Noise},
		{"p95", o.P95, o.Ends95, o.Noise},
		{"p99", o.P99, o.Ends99, o.Noise},
	}
}

// latencyNoise is by how much the latencies a and b may differ where nothing changed,
// with the deviations s of both:
//
//	(high − lower value) + (higher value − low) + t·√((s·a)² + (s'·b)²) / √(5−1)
//
// The first part is what the buckets hide: the lower one may in truth be as much as
// the high end of its bucket, the higher one as little as the low end of its own. That
// is no chance which a longer level would even out, so it adds up. The last part is
// chance: s is what the five parts of a level scatter by about their own mean, the
// standard error of which is s/√(5−1), since a deviation from one's own mean is short
// by √(4/5); variances of independent means add up, and t is fewDeviations. It is known
// of p99 only and taken for the other latencies too, which scatter less: of these a
// small change may go untold, but none is told that is not there.
//
// Where a deviation is not known, or the lower one is in a bucket without an end,
// nothing can be told, however far they are apart: there is no noise.
func latencyNoise(a, b latency) Figure {
	lower, higher := a, b
	if b.value < a.value {
		lower, higher = b, a
	}
	hidden := lower.ends.High - lower.value + higher.value - higher.ends.Low
	scatter := math.Hypot(float64(a.noise*a.value), float64(b.noise*b.value))
	return hidden + Figure(fewDeviations*scatter/math.Sqrt(parts-1))
}

// whyUntold says when latencies have no noise. Two scrapes in each part, which are a
// sixth of a level, make a rate.
var whyUntold = fmt.Sprintf("Either the level is too short for its scrape interval to tell their noise (levels of %d scrapes do), "+
	"or a sixth of it has no answers, or both are beyond the last bucket, or they are not those of all answers.", 2*(parts+1))

func orZero(f Figure) Figure {
	if !f.Known() {
		return 0
	}
	return f
}
