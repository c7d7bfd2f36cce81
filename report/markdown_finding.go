package report

import (
	"fmt"
	"strings"
)

func (s Scaling) section() section {
	if s.Refusal != "" {
		return section{Title: "Scaling", Text: []string{s.Refusal}}
	}
	peak := fmt.Sprintf("throughput peaks at %s, with %s in flight", perSecond(s.PeakRPS.Value), short(s.PeakN.Value))
	if !s.PeakN.Value.Known() {
		peak = "throughput approaches " + perSecond(s.PeakRPS.Value) + " and has no peak"
	}
	t := sheet{Caption: "Parameters of the Universal Scalability Law, with 95 % confidence", Words: 1, Columns: []string{"Parameter", "Estimate"}}
	for _, p := range []struct {
		name string
		of   Bounds
	}{
		{"λ, requests a second with one in flight", s.Lambda},
		{"σ, contention", s.Sigma},
		{"κ, coherence", s.Kappa},
		{"requests in flight at the peak", s.PeakN},
		{"requests a second at the peak", s.PeakRPS},
	} {
		t.Rows = append(t.Rows, row(p.name, p.of.text(short)))
	}
	return section{
		Title:  "Scaling",
		Text:   []string{fmt.Sprintf("By the Universal Scalability Law (R² %s) %s.", figure(s.R2, 3), peak)},
		Tables: []sheet{t},
	}
}

func (b Bottleneck) section() section {
	s := section{Title: "Bottleneck"}
	if b.Sentence != "" {
		s.Text = []string{b.Sentence}
	}
	t := sheet{
		Caption: "Components that were saturated, in order", Words: 2,
		Columns: []string{"Component", "Reading", "From", "Asked, a second", "Value", "Limit", "Remark"},
	}
	for _, o := range b.Onsets {
		remark := ""
		if o.Cold {
			remark = "cold capacity"
		}
		t.Rows = append(t.Rows, row(title(o.Component), o.Name, instant(o.At), rate(o.RPS), amount(o.Value, o.Unit), amount(o.Limit, o.Unit), remark))
	}
	if len(t.Rows) > 0 {
		s.Tables = []sheet{t}
	}
	for _, sentence := range b.Blind {
		s.Remarks = append(s.Remarks, remark{"Not seen:", sentence})
	}
	return s
}

func (c CostLine) section() section {
	s := section{Title: "Cost"}
	if c.Sentence != "" {
		s.Text = []string{c.Sentence}
	}
	return s
}

func drifts(trends []Trend) section {
	if len(trends) == 0 {
		return section{}
	}
	t := sheet{
		Caption: "Change a day in the longest level, with 95 % confidence", Words: 1,
		Columns: []string{"Figure", "A day", "Of its median a day", "Hours", "Finding"},
	}
	for _, d := range trends {
		finding := cell{Text: "no drift shown"}
		if d.Significant {
			finding = cell{"drifts", bad}
		}
		if d.Caveat != "" {
			finding.Text += ": " + d.Caveat
		}
		inUnit := func(f Figure) string { return amount(f, d.Unit) }
		cells := row(d.Name, d.PerDay.text(inUnit), d.Relative.text(roughly), fmt.Sprint(d.Hours))
		t.Rows = append(t.Rows, append(cells, finding))
	}
	return section{Title: "Drift", Tables: []sheet{t}}
}

func advise(list []Advice) section {
	s := section{Title: "Advice"}
	for _, a := range list {
		s.Remarks = append(s.Remarks, remark{strings.TrimPrefix(title(a.Component)+": ", ": ") + a.Do, a.Arithmetic})
	}
	return s
}
