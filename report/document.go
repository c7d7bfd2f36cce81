package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const reportTitle = "Load report"

// section is a part of the report as it is read. Markdown and the page show the same
// sections.
type section struct {
	Title   string
	Text    []string // paragraphs
	Remarks []remark
	Charts  []chart // the page has them alone
	Tables  []sheet
	Folded  []section
	Open    bool // of a folded one: the page shows it at once
}

// drawn says whether there is nothing to read: charts at the most.
func (s section) drawn() bool {
	return len(s.Text)+len(s.Remarks)+len(s.Tables)+len(s.Folded) == 0
}

func (s section) empty() bool { return s.drawn() && len(s.Charts) == 0 }

// remark is an item of a list.
type remark struct{ Lead, Text string }

// fact is a line of the headline.
type fact struct {
	Name, Value, Text string
	State             state
}

// sheet is a table.
type sheet struct {
	Caption string
	Columns []string
	Words   int // how many columns are words, which stand to the left; numbers come after them
	Rows    [][]cell
}

// cell is a text, and whether it is good news.
type cell struct {
	Text  string
	State state
}

// state is good or bad news, or neither.
type state string

const (
	good state = "good"
	bad  state = "bad"
)

func row(texts ...string) []cell {
	cells := make([]cell, len(texts))
	for i, t := range texts {
		cells[i].Text = t
	}
	return cells
}

// sections are all parts that have something in them.
func (r *Report) sections() []section {
	levels := section{Title: "Single levels"}
	for i, m := range r.Levels {
		levels.Folded = append(levels.Folded, m.section(i+1))
	}
	notes := section{Title: "What could not be told"}
	for _, n := range r.Notes {
		notes.Remarks = append(notes.Remarks, remark{Text: n})
	}
	all := []section{
		r.levels(),
		{Title: "Charts", Charts: r.charts()},
		levels,
		r.Scaling.section(),
		r.Bottleneck.section(),
		r.Cost.section(),
		drifts(r.Drift),
		advise(r.Advice),
		notes,
	}
	return slices.DeleteFunc(all, section.empty)
}

func (r *Report) span() string {
	return fmt.Sprintf("%s to %s.", instant(r.Start), zoned(r.End))
}

// goal is the rate that the headline answers for, in requests a second.
const (
	goal     = 5000
	goalText = "5,000 requests a second"
)

// headline is what is asked first.
func (r *Report) headline() []fact {
	highest := fact{Name: "Highest level that met all objectives", Value: "none", State: bad}
	if r.Highest.Known() {
		highest.Value, highest.State = perSecond(r.Highest), good
	}
	switch {
	case len(r.Levels) == 0:
		highest.Text = "No level was measured."
	case r.Ceiling.Known():
		highest.Text = "Where more was asked for, " + perSecond(r.Ceiling) + " were served and no more: that is the capacity."
	}
	limit := fact{Name: "First to give way", Value: title(r.Bottleneck.Component), Text: r.Bottleneck.Sentence}
	if limit.Value == "" {
		limit.Value = "nothing seen"
	}
	facts := []fact{highest, r.enough(), limit, r.price()}
	if len(r.Outside) > 0 {
		facts = append(facts, fact{
			Name: "Wrong answers outside of levels", Value: figure(Figure(total(r.Outside)), 0), State: bad,
			Text: strings.Join(slices.Sorted(maps.Keys(r.Outside)), ", ") + ".",
		})
	}
	return facts
}

func perSecond(f Figure) string { return rate(f) + " requests a second" }

// enough answers whether the goal was reached.
func (r *Report) enough() fact {
	answer := fact{Name: goalText, Value: "not shown", Text: "No such level was held."}
	for _, l := range r.Levels {
		switch at := perSecond(l.RPS); {
		case !l.RPS.Known() || l.RPS < goal:
		case r.holds(l):
			return fact{Name: goalText, Value: "yes", Text: "All objectives were met at " + at + ".", State: good}
		case answer.State == bad, l.met(): // another level of its rate was not met
		case l.Invalid != "":
			answer.Text = "The level of " + at + " is not valid."
		default:
			answer = fact{Name: goalText, Value: "no", Text: "At " + at + " this was missed: " + l.Missed[0] + ".", State: bad}
		}
	}
	return answer
}

// price is the cost of the highest level that met all objectives.
func (r *Report) price() fact {
	answer := fact{Name: "Cost", Value: "not known"}
	if r.Highest.Known() {
		answer.Text = "That is, at " + perSecond(r.Highest) + ". " + unpriced
	}
	for _, l := range r.Levels {
		if hour := costs(l.CostAnHour); l.RPS == r.Highest && l.met() && hour.Known() {
			answer.Value = figure(hour, 2) + " USD an hour"
			answer.Text = "This is at " + perSecond(l.RPS) + "; a million requests cost " + short(costs(l.CostAMio)) + " USD."
		}
	}
	return answer
}
