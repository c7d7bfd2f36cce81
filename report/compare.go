package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Comparison is two reports side by side: A, the base, and B.
type Comparison struct {
	A      Range    `json:"a"`
	B      Range    `json:"b"`
	Most   Figure   `json:"max_regression"`   // share by which a figure may get worse
	Levels int      `json:"levels_in_common"` // how many were compared
	Rows   []Row    `json:"rows"`
	Notes  []string `json:"notes"` // what only one of the two has
}

// Range is the time of a report.
type Range struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Row is one figure of both reports.
type Row struct {
	LevelA  Figure  `json:"level_a_rps"` // asked for, requests a second; null: the figure is of the whole report
	LevelB  Figure  `json:"level_b_rps"`
	Name    string  `json:"name"` // for example "p99 of get_record"
	Unit    Unit    `json:"unit"`
	A       Figure  `json:"a"`
	B       Figure  `json:"b"`
	Change  Figure  `json:"change"` // of B from A, as a share of A; null: A is 0
	Noise   Figure  `json:"noise"`  // what a change must exceed to count, likewise
	Verdict Verdict `json:"verdict"`
	Past    bool    `json:"past_limit"` // it is worse by more than may be
}

// Verdict is what a row says of B.
type Verdict string

// The verdicts.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Same   Verdict = "same" // as far as the noise lets one tell
)

// USDAMillion is the unit of what a million requests cost.
const USDAMillion Unit = "USD a million requests"

// sameRate is by how much the rates of levels that are compared differ at most, as
// a share of that in A.
const sameRate = 0.1

// Compare compares two reports. Levels belong together if the rates that were
// asked for differ by at most 10 %, the nearest first, each once. A figure is past
// the limit if it got worse beyond noise and by more than most, a share of A; wrong
// answers are if there are any more of a kind, whatever most says.
//
// The share of successes counts as it is: 5 % more failures are no more than that.
// What guards it tighter are the objectives, by the highest level that met them.
func Compare(a, b *Report, most float64) *Comparison {
	c := &Comparison{A: Range{a.Start, a.End}, B: Range{b.Start, b.End}, Most: Figure(most), Rows: []Row{}, Notes: []string{}}
	c.highest(a, b)
	for _, f := range wrong(Measured{Violations: a.Outside}, Measured{Violations: b.Outside}) {
		f.name += ", outside of levels"
		c.Rows = append(c.Rows, f.row(none, none, most))
	}
	a, b = c.valid("A", a), c.valid("B", b)
	pairs := match(a.Levels, b.Levels)
	c.Levels = len(pairs)
	for _, p := range pairs {
		c.level(a.Levels[p.a], b.Levels[p.b])
	}
	c.unmatched("A", a.Levels, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.a == i }) })
	c.unmatched("B", b.Levels, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.b == i }) })
	return c
}

// Regressions are the rows that are past the limit.
func (c *Comparison) Regressions() (past []Row) {
	for _, r := range c.Rows {
		if r.Past {
			past = append(past, r)
		}
	}
	return past
}

// pair is the indices of levels that belong together.
type pair struct {
	a, b    int
	between float64 // how far their rates are apart
}

// match finds the pairs, in the order of A.
func match(a, b []Measured) (pairs []pair) {
	var near []pair
	for i := range a {
		for j := range b {
			if between := math.Abs(float64(b[j].RPS/a[i].RPS - 1)); between <= sameRate+rounding {
				near = append(near, pair{i, j, between})
			}
		}
	}
	slices.SortStableFunc(near, func(p, q pair) int { return cmp.Compare(p.between, q.between) })
	for _, p := range near {
		if !slices.ContainsFunc(pairs, func(q pair) bool { return p.a == q.a || p.b == q.b }) {
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(p, q pair) int { return cmp.Compare(p.a, q.a) })
	return pairs
}

// valid is a report without the levels that tell nothing of the target.
func (c *Comparison) valid(side string, r *Report) *Report {
	clean := *r
	clean.Levels = nil
	for _, l := range r.Levels {
		if l.Invalid == "" {
			clean.Levels = append(clean.Levels, l)
		} else {
			c.note("The level of %s of %s, from %s, is not valid: %s", perSecond(l.RPS), side, zoned(l.Start), l.Invalid)
		}
	}
	return &clean
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

func (c *Comparison) unmatched(side string, levels []Measured, matched func(int) bool) {
	for i, l := range levels {
		if !matched(i) {
			c.note("Only %s has a level of %.0f requests a second, from %s.", side, float64(l.RPS), zoned(l.Start))
			if side == "B" {
				for _, f := range wrong(Measured{}, l) {
					c.Rows = append(c.Rows, f.row(none, l.RPS, float64(c.Most)))
				}
			}
		}
	}
}

// highest compares the highest levels that met all objectives, 0 where none did.
// Where the other report has no level as high, nobody knows what it could do.
func (c *Comparison) highest(a, b *Report) {
	f := compared{name: "highest level that met all objectives", unit: PerSecond, a: orZero(a.Highest), b: orZero(b.Highest), up: true}
	f.noise = sameRate * f.a
	tried := func(r *Report, rate Figure) bool {
		return rate == 0 || slices.ContainsFunc(r.Levels, func(l Measured) bool { return l.Invalid == "" && l.RPS >= (1-sameRate)*rate })
	}
	if !tried(a, f.b) || !tried(b, f.a) {
		c.note("The highest level that met all objectives cannot be compared: A has one of %.0f requests a second, B one of %.0f, and the other asked for no such rate.",
			float64(f.a), float64(f.b))
		return
	}
	c.Rows = append(c.Rows, f.row(none, none, float64(c.Most)))
}

// level compares two levels that belong together.
func (c *Comparison) level(a, b Measured) {
	var onlyA, onlyB []string
	for _, f := range figuresOf(a, b) {
		switch {
		case f.a.Known() && f.b.Known():
			c.Rows = append(c.Rows, f.row(a.RPS, b.RPS, float64(c.Most)))
		case f.a.Known():
			onlyA = append(onlyA, f.name)
		case f.b.Known():
			onlyB = append(onlyB, f.name)
		}
	}
	if len(onlyA) > 0 {
		c.note("At %.0f requests a second only A has: %s.", float64(a.RPS), strings.Join(onlyA, ", "))
	}
	if len(onlyB) > 0 {
		c.note("At %.0f requests a second only B has: %s.", float64(b.RPS), strings.Join(onlyB, ", "))
	}
}

// union are the keys of both maps, in order.
func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
