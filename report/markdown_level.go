package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// levels is the table of all.
func (r *Report) levels() section {
	if len(r.Levels) == 0 {
		return section{}
	}
	t := sheet{
		Caption: "Levels by time (rates in requests a second)", Words: 1,
		Columns: []string{"Level", "From", "Minutes", "Asked", "Achieved", "Success", "Wrong answers", "In flight", "USD an hour", "USD a million", "Objectives"},
	}
	for i, m := range r.Levels {
		cells := row(
			fmt.Sprint(i+1), instant(m.Start), fmt.Sprintf("%.1f", m.End.Sub(m.Start).Minutes()), rate(m.RPS), figure(m.Achieved, 1), percent(m.Success),
			figure(Figure(total(m.Violations)), 0), figure(m.InFlight, 1), figure(costs(m.CostAnHour), 2), short(costs(m.CostAMio)),
		)
		t.Rows = append(t.Rows, append(cells, m.verdict()))
	}
	return section{Title: "Levels", Tables: []sheet{t}}
}

// verdict is how a level did.
func (m Measured) verdict() cell {
	verdict := cell{"met", good}
	if len(m.Missed) > 0 {
		verdict = cell{"missed", bad}
	}
	if m.Invalid != "" {
		verdict = cell{verdict.Text + ", not valid", bad}
	}
	return verdict
}

// met says whether a level met all objectives, as far as it tells.
func (m Measured) met() bool { return len(m.Missed) == 0 && m.Invalid == "" }

// section tells of one level.
func (m Measured) section(number int) section {
	s := section{
		Title:   fmt.Sprintf("Level %d: %s (objectives %s)", number, perSecond(m.RPS), m.verdict().Text),
		Text:    []string{fmt.Sprintf("From %s to %s.", instant(m.Start), zoned(m.End))},
		Remarks: m.remarks(),
		Open:    !m.met(),
	}
	for _, t := range []sheet{m.operations(), m.blobs(), m.readings(), m.bill()} {
		if len(t.Rows) > 0 {
			s.Tables = append(s.Tables, t)
		}
	}
	return s
}

func (m Measured) remarks() (list []remark) {
	add := func(lead, format string, args ...any) {
		list = append(list, remark{lead, fmt.Sprintf(format, args...)})
	}
	if m.Invalid != "" {
		add("Not valid:", "%s", m.Invalid)
	}
	for _, sentence := range m.Missed {
		add("Missed:", "%s.", sentence)
	}
	for _, code := range slices.Sorted(maps.Keys(m.Errors)) {
		add("Errors:", "%s, %s a second.", code, short(Figure(m.Errors[code])))
	}
	for _, kind := range slices.Sorted(maps.Keys(m.Violations)) {
		add("Wrong answers:", "%s, %s.", kind, figure(Figure(m.Violations[kind]), 0))
	}
	if m.Dropped > 0 {
		add("Not sent:", "%s arrivals a second.", short(m.Dropped))
	}
	return list
}

func (m Measured) operations() sheet {
	t := sheet{
		Caption: "Response times of successes", Words: 1,
		Columns: []string{"Operation", "A second", "Failed", "Average", "p50", "p95", "p99", "Error of p99", "Noise of p99"},
	}
	for _, o := range m.Operations {
		margin := unknown
		switch {
		case o.Error.Known():
			margin = "± " + roughly(o.Error)
		case math.IsInf(float64(o.Error), 1):
			margin = "or more"
		}
		t.Rows = append(t.Rows, row(o.Name, figure(o.RPS, 1), percent(o.Failed), seconds(o.Mean), seconds(o.P50), seconds(o.P95), seconds(o.P99), margin, roughly(o.Noise)))
	}
	return t
}

func (m Measured) blobs() sheet {
	t := sheet{Caption: "Blobs by size, to their last byte", Words: 1, Columns: []string{"Size up to", "A second", "Average", "p99"}}
	for _, b := range m.Blobs {
		t.Rows = append(t.Rows, row(b.Name, figure(b.RPS, 1), seconds(b.Mean), seconds(b.P99)))
	}
	return t
}

func (m Measured) readings() sheet {
	t := sheet{Caption: "Components", Words: 2, Columns: []string{"Component", "Reading", "Mean", "Highest", "Limit", "State"}}
	for _, r := range m.Components {
		cells := row(title(r.Component), r.Name, amount(r.Mean, r.Unit), amount(r.Highest, r.Unit), amount(r.Limit, r.Unit))
		t.Rows = append(t.Rows, append(cells, r.state()))
	}
	return t
}

// state compares a reading with its limit.
func (r Reading) state() cell {
	switch {
	case !r.Limit.Known():
		return cell{Text: unknown}
	case r.Saturated:
		return cell{"over the limit", bad}
	case r.Highest > r.Limit:
		return cell{Text: "over it at times"}
	}
	return cell{"within", good}
}

func (m Measured) bill() sheet {
	t := sheet{Caption: "Cost", Words: 1, Columns: []string{"Component", "USD an hour", "USD a million requests"}}
	of := func(values map[string]float64, component string) Figure {
		if v, ok := values[component]; ok {
			return Figure(v)
		}
		return none
	}
	all := maps.Clone(m.CostAnHour)
	if all == nil {
		all = map[string]float64{}
	}
	maps.Copy(all, m.CostAMio)
	for _, component := range slices.Sorted(maps.Keys(all)) {
		name := title(component)
		if slices.Contains(m.Shared, component) {
			name += " (others use it too)"
		}
		t.Rows = append(t.Rows, row(name, figure(of(m.CostAnHour, component), 3), short(of(m.CostAMio, component))))
	}
	if len(t.Rows) > 1 {
		t.Rows = append(t.Rows, row("all", figure(costs(m.CostAnHour), 3), short(costs(m.CostAMio))))
	}
	return t
}
