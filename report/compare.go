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
	Notes  []string `json:"notes"` // what could not be compared, then the notes of A and of B
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
	Same   Verdict = "same"           // as far as the noise lets one tell
	Unsure Verdict = "cannot be told" // the noise is not known; no limit is held against it
)

// USDAMillion is the unit of what a million requests cost.
const USDAMillion Unit = "USD a million requests"

// sameRate is by how much the rates of levels that are compared differ at most, as
// a share of that in A.
const sameRate = 0.1

// Compare compares two reports. Levels belong together if the rates that were
// asked for differ by at most 10 %, the nearest first, each once. A figure is past
// the limit if it got worse beyond noise and by more than most, a share of A; wrong
// answers are if there are any more of a kind, and objectives if a level misses some
// that met all in A, whatever most says.
//
// The share of successes counts as it is: 5 % more failures are no more than that.
// What guards it tighter are the objectives, of each level and by the highest one
// that met them. Of levels that are not valid wrong answers alone are compared.
func Compare(a, b *Report, most float64) *Comparison {
	c := &Comparison{A: Range{a.Start, a.End}, B: Range{b.Start, b.End}, Most: Figure(most), Rows: []Row{}, Notes: []string{}}
	c.highest(a, b)
	outside := wrong(Measured{Violations: a.Outside}, Measured{Violations: b.Outside})
	for i := range outside {
		outside[i].name += ", outside of levels"
	}
	c.judge(none, none, outside)
	c.spoilt("A", a.Levels)
	c.spoilt("B", b.Levels)
	pairs := match(a.Levels, b.Levels)
	for _, p := range pairs {
		of, with := a.Levels[p.a], b.Levels[p.b]
		if p.spoilt > 0 {
			c.judge(of.RPS, with.RPS, wrong(of, with))
			continue
		}
		c.Levels++
		c.level(of, with)
	}
	c.unmatched("A", a.Levels, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.a == i }) })
	c.unmatched("B", b.Levels, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.b == i }) })
	c.carry("A", a.Notes)
	c.carry("B", b.Notes)
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

// Untold is of how many figures it cannot be told whether they changed.
func (c *Comparison) Untold() (n int) {
	for _, r := range c.Rows {
		if r.Verdict == Unsure {
			n++
		}
	}
	return n
}

// pair is the indices of levels that belong together.
type pair struct {
	a, b    int
	spoilt  int     // how many of the two are not valid
	between float64 // how far their rates are apart
}

// match finds the pairs, in the order of A. A level that is not valid gets what those
// that are leave.
func match(a, b []Measured) (pairs []pair) {
	var near []pair
	for i := range a {
		for j := range b {
			if between := math.Abs(float64(b[j].RPS/a[i].RPS - 1)); between <= sameRate+rounding {
				near = append(near, pair{i, j, a[i].spoilt() + b[j].spoilt(), between})
			}
		}
	}
	slices.SortStableFunc(near, func(p, q pair) int {
		return cmp.Or(cmp.Compare(p.spoilt, q.spoilt), cmp.Compare(p.between, q.between))
	})
	for _, p := range near {
		if !slices.ContainsFunc(pairs, func(q pair) bool { return p.a == q.a || p.b == q.b }) {
			pairs = append(pairs, p)
		}
	}
	slices.SortFunc(pairs, func(p, q pair) int { return cmp.Compare(p.a, q.a) })
	return pairs
}

// spoilt is 1 for a level that is not valid.
func (m Measured) spoilt() int {
	if m.Invalid == "" {
		return 0
	}
	return 1
}

// spoilt notes the levels that tell nothing of the target but its wrong answers,
// which are wrong however late the tester was.
func (c *Comparison) spoilt(side string, levels []Measured) {
	for _, l := range levels {
		if l.Invalid != "" {
			c.note("The level of %s of %s, from %s, is not valid, so of it only wrong answers are compared: %s", perSecond(l.RPS), side, zoned(l.Start), l.Invalid)
		}
	}
}

// judge takes in figures of two levels.
func (c *Comparison) judge(levelA, levelB Figure, list []compared) {
	for _, f := range list {
		c.Rows = append(c.Rows, f.row(levelA, levelB, float64(c.Most)))
	}
}

func (c *Comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// carry takes over what a report itself could not tell.
func (c *Comparison) carry(side string, notes []string) {
	for _, n := range notes {
		c.note("%s: %s", side, n)
	}
}

func (c *Comparison) unmatched(side string, levels []Measured, matched func(int) bool) {
	for i, l := range levels {
		if !matched(i) {
			c.note("Only %s has a level of %s, from %s.", side, perSecond(l.RPS), zoned(l.Start))
			if side == "B" {
				c.judge(none, l.RPS, wrong(Measured{}, l))
			}
		}
	}
}

// highest compares the highest levels that met all objectives, 0 where none did.
// Where the other report has no valid level as high, nobody knows what it could do.
func (c *Comparison) highest(a, b *Report) {
	f := compared{name: "highest level that met all objectives", unit: PerSecond, a: orZero(a.Highest), b: orZero(b.Highest), up: true}
	f.noise = sameRate * f.a
	tried := func(r *Report, rate Figure) bool {
		return rate == 0 || slices.ContainsFunc(r.Levels, func(l Measured) bool { return l.Invalid == "" && l.RPS >= (1-sameRate)*rate })
	}
	if !tried(a, f.b) || !tried(b, f.a) {
		c.note("The highest level that met all objectives cannot be compared: A has one of %s, B one of %s, and the other has no valid level of such a rate.",
			perSecond(f.a), rate(f.b))
		return
	}
	c.judge(none, none, []compared{f})
}

// level compares two levels that belong together.
func (c *Comparison) level(a, b Measured) {
	var onlyA, onlyB, untold []string
	for _, f := range figuresOf(a, b) {
		switch {
		case f.a.Known() && f.b.Known():
			r := f.row(a.RPS, b.RPS, float64(c.Most))
			c.Rows = append(c.Rows, r)
			if operation, tail := strings.CutPrefix(f.name, "p99 of "); tail && r.Verdict == Unsure {
				untold = append(untold, operation+" (p99 "+change(r.Change)+")")
			}
		case f.a.Known():
			onlyA = append(onlyA, f.name)
		case f.b.Known():
			onlyB = append(onlyB, f.name)
		}
	}
	if len(onlyA) > 0 {
		c.note("At %s only A has: %s.", perSecond(a.RPS), strings.Join(onlyA, ", "))
	}
	if len(onlyB) > 0 {
		c.note("At %s only B has: %s.", perSecond(b.RPS), strings.Join(onlyB, ", "))
	}
	if len(untold) > 0 {
		c.note("At %s it cannot be told whether latencies changed, and no limit was held against them, of: %s. %s",
			perSecond(b.RPS), strings.Join(untold, ", "), whyUntold)
	}
}

// union are the keys of both maps, in order.
func union[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}
