package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"opensaves-soak/exporter/metric"
)

// print writes the summary for people.
func (s *summary) print(to io.Writer) {
	fmt.Fprintf(to, "\nTarget %s (%s), %s after a warm-up of %s\n\n", s.Target.Name, s.Target.Protocol, shortly(float64(s.Duration)), shortly(float64(s.Warmup)))
	t := newTable(to)
	t.AppendHeader(table.Row{"operation", "requests", "per s", "errors", "aborted", "p50", "p95", "p99", "max ≤"})
	for _, o := range s.Operations {
		t.AppendRow(table.Row{
			o.Operation, o.Requests.whole(), fmt.Sprintf("%.1f", o.Rate), o.Errors.whole(), o.Aborted.whole(),
			shortly(float64(o.P50)), shortly(float64(o.P95)), shortly(float64(o.P99)), shortly(float64(o.Max)),
		})
	}
	t.Render()
	s.printTotals(to)
	s.printObjectives(to)
	s.printViolations(to)
	if !s.Complete {
		fmt.Fprintln(to, "\nThe run was ended early: what it missed of its objectives does not count.")
	}
	if s.Capacity != nil {
		printCapacity(to, *s.Capacity)
	}
	if s.Bottleneck != nil {
		fmt.Fprintln(to, s.Bottleneck.Sentence)
	}
}

// newTable makes a table whose columns stand to the right, the first excepted.
func newTable(to io.Writer) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(to)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	var columns []table.ColumnConfig
	for number := 2; number <= 9; number++ {
		columns = append(columns, table.ColumnConfig{Number: number, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

func (s *summary) printTotals(to io.Writer) {
	t := s.Totals
	fmt.Fprintf(to, "\nArrivals    %s scheduled, %s answered; dropped:", t.Scheduled.whole(), t.Answered.whole())
	for reason := range metric.DropReason(metric.DropReasons) {
		fmt.Fprintf(to, " %s %s", t.Dropped[reason.String()].whole(), reason)
	}
	fmt.Fprintf(to, "; %s converted, %s unknown writes\nChecks     ", t.Converted.whole(), t.UnknownWrites.whole())
	for result := range metric.Result(metric.Results) {
		fmt.Fprintf(to, " %s %s", t.Checks[result.String()].whole(), result)
	}
	fmt.Fprintln(to)
}

func (s *summary) printObjectives(to io.Writer) {
	if len(s.Objectives) == 0 { // a search has proven no rate
		return
	}
	fmt.Fprintln(to, "Objectives")
	names := map[status]string{met: "met    ", missed: "MISSED ", noData: "no data"}
	for _, o := range s.Objectives {
		fmt.Fprintf(to, "  %s  %s: %s\n", names[o.Status], o.Name, o)
	}
}

func (s *summary) printViolations(to io.Writer) {
	fmt.Fprintln(to, "Wrong answers in the whole run, warm-up included")
	none := true
	for _, v := range s.Violations {
		if v.Count > 0 {
			none = false
			fmt.Fprintf(to, "  %s  %s: %s\n", v.Count.whole(), v.Check, v.Kind)
		}
	}
	if none {
		fmt.Fprintln(to, "  none")
	}
}

// whole writes a count.
func (n number) whole() string { return fmt.Sprintf("%.0f", n) }

// shortly writes a time in seconds with three digits, and at least in whole seconds.
func shortly(seconds float64) string {
	switch {
	case math.IsNaN(seconds):
		return "-"
	case math.IsInf(seconds, 1):
		return "∞"
	}
	d := time.Duration(seconds * float64(time.Second))
	unit := time.Duration(1)
	for d/unit >= 1000 && unit < time.Second {
		unit *= 10
	}
	return d.Round(unit).String()
}
