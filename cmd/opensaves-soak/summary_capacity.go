package main

import (
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"

	"opensaves-soak/load/capacity"
)

// printCapacity writes what a search did and what it came to.
func printCapacity(to io.Writer, r capacity.Result) {
	fmt.Fprintln(to, "\nSteps of the search")
	t := newTable(to)
	t.AppendHeader(table.Row{"phase", "rate", "for", "became", "achieved", "p99", "in flight"})
	for _, d := range r.Steps {
		p99 := d.P99
		if p99 == 0 {
			p99 = math.NaN()
		}
		t.AppendRow(table.Row{
			d.Phase, capacity.Rate(d.RPS), shortly(d.For.Seconds()), became(d.Verdict),
			fmt.Sprintf("%.1f", d.Achieved), shortly(p99), fmt.Sprintf("%.0f", d.InFlight),
		})
	}
	t.Render()
	fmt.Fprintf(to, "\n%s\n", r)
}

// became is what became of a step.
func became(v capacity.Verdict) string {
	switch {
	case v.Invalid != "":
		return "invalid"
	case v.Doubtful:
		return "doubtful"
	case v.Held():
		return "held"
	}
	return "broke"
}

// capacityCase is failed where a search that was not ended early has proven nothing.
func (s *summary) capacityCase() junitCase {
	c := junitCase{Class: name + ".capacity", Name: "search"}
	switch {
	case s.Capacity.Proven:
		c.SystemOut = s.Capacity.String()
	case s.Complete:
		c.Failure = &junitMessage{Message: s.Capacity.String()}
	default:
		c.Skipped = &junitMessage{Message: "the run was ended early: " + s.Capacity.String()}
	}
	return c
}
