package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteMarkdown writes the report as a pull request or a wiki shows it well.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Load report\n\n%s to %s (UTC).\n\n", r.Start.Format(time.DateTime), r.End.Format(time.DateTime))
	b.WriteString(r.headline())
	r.levels(&b)
	for _, l := range r.Levels {
		l.write(&b)
	}
	r.Scaling.write(&b)
	if len(r.Notes) > 0 {
		b.WriteString("## What could not be told\n\n")
		for _, n := range r.Notes {
			b.WriteString("- " + n + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// goal is the rate that the headline answers for, in requests a second.
const goal = 5000

// headline is what is asked first.
func (r *Report) headline() string {
	if !r.Highest.Known() {
		return "**No level met all objectives.**\n\n"
	}
	enough := "not shown: no such level was held"
	for _, l := range r.Levels {
		switch {
		case l.RPS >= goal && len(l.Missed) == 0:
			enough = "yes"
		case l.RPS >= goal && enough != "yes":
			enough = "no"
		}
	}
	return fmt.Sprintf("**The highest level that met all objectives: %.0f requests a second. 5,000 a second: %s.**\n\n", float64(r.Highest), enough)
}

func (r *Report) levels(b *strings.Builder) {
	t := newTable("Level", "From", "Minutes", "Asked", "Achieved", "Success", "Wrong answers", "In flight", "USD an hour", "Objectives")
	for i, l := range r.Levels {
		verdict := "met"
		if len(l.Missed) > 0 {
			verdict = "missed"
		}
		t.AppendRow(table.Row{
			i + 1, l.Start.Format(time.DateTime), fmt.Sprintf("%.0f", l.End.Sub(l.Start).Minutes()), figure(l.RPS, 0), figure(l.Achieved, 1),
			percent(l.Success), figure(Figure(total(l.Violations)), 0), figure(l.InFlight, 1), figure(costs(l.CostAnHour), 2), verdict,
		})
	}
	b.WriteString("## Levels\n\n" + t.RenderMarkdown() + "\n\n")
}

// write tells of one level.
func (m Measured) write(b *strings.Builder) {
	fmt.Fprintf(b, "### %.0f requests a second, from %s to %s\n\n", float64(m.RPS), m.Start.Format(time.DateTime), m.End.Format(time.DateTime))
	for _, sentence := range m.Missed {
		b.WriteString("- Missed: " + sentence + ".\n")
	}
	for _, code := range slices.Sorted(maps.Keys(m.Errors)) {
		fmt.Fprintf(b, "- %s: %.3g a second.\n", code, m.Errors[code])
	}
	for _, kind := range slices.Sorted(maps.Keys(m.Violations)) {
		fmt.Fprintf(b, "- Wrong answers, %s: %.0f.\n", kind, m.Violations[kind])
	}
	if m.Lag > laggard {
		fmt.Fprintf(b, "- The tester itself was late by %s at p99: the latencies of this level are partly its own.\n", seconds(m.Lag))
	}
	for _, component := range slices.Sorted(maps.Keys(m.CostAMio)) {
		fmt.Fprintf(b, "- A million requests cost %.4g USD of %s.\n", m.CostAMio[component], component)
	}
	t := newTable("Operation", "A second", "Failed", "Average", "p50", "p95", "p99")
	for _, o := range m.Operations {
		t.AppendRow(table.Row{o.Name, figure(o.RPS, 1), percent(o.Failed), seconds(o.Mean), seconds(o.P50), seconds(o.P95), seconds(o.P99)})
	}
	b.WriteString("\n" + t.RenderMarkdown() + "\n\n")
}

// laggard is the schedule lag at p99 in seconds above which a level says little of the target.
const laggard = 0.01

func (s Scaling) write(b *strings.Builder) {
	b.WriteString("## Scaling\n\n")
	if s.Refusal != "" {
		b.WriteString(s.Refusal + "\n\n")
		return
	}
	fmt.Fprintf(b, "By the Universal Scalability Law (R² %.3f) throughput peaks at %s requests a second, with %s in flight. Contention σ %s, coherence κ %s.\n\n",
		float64(s.R2), s.PeakRPS, s.PeakN, s.Sigma, s.Kappa)
}

// String writes an estimate with its interval.
func (e Bounds) String() string {
	return fmt.Sprintf("%.3g (%.3g to %.3g)", float64(e.Value), float64(e.Low), float64(e.High))
}

func newTable(columns ...any) table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row(columns))
	var right []table.ColumnConfig
	for i := range columns {
		if i > 0 {
			right = append(right, table.ColumnConfig{Number: i + 1, Align: text.AlignRight})
		}
	}
	t.SetColumnConfigs(right)
	return t
}

func figure(f Figure, digits int) string {
	if !f.Known() {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, float64(f))
}

func percent(f Figure) string {
	if !f.Known() {
		return "–"
	}
	return fmt.Sprintf("%.3f %%", 100*float64(f))
}

// seconds writes a time with three figures.
func seconds(f Figure) string {
	if !f.Known() {
		return "–"
	}
	return fmt.Sprintf("%.3g ms", 1000*float64(f))
}

func total(values map[string]float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// costs is the sum over components, none where nothing is known.
func costs(values map[string]float64) Figure {
	if len(values) == 0 {
		return none
	}
	return Figure(total(values))
}
