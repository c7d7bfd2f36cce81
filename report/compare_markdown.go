package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes what changed, short enough for a pull request: figures that
// stayed the same are counted only, and those that cannot be told are named.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Load comparison\n\n- A, the base: %s\n- B: %s\n\n%s\n", c.A, c.B, c.headline())
	changed := sheet{Caption: "What changed", Columns: []string{"Figure", "Level", "A", "B", "Change", "Noise", "B is"}, Words: 1}
	for _, r := range c.Rows {
		if r.Verdict == Better || r.Verdict == Worse {
			changed.Rows = append(changed.Rows, row(r.Name, r.level(), r.text(r.A), r.text(r.B), change(r.Change), roughly(r.Noise), r.verdict()))
		}
	}
	if len(changed.Rows) > 0 {
		section{Tables: []sheet{changed}}.markdown(&b)
	}
	if len(c.Notes) > 0 {
		notes := section{}
		for _, n := range c.Notes {
			notes.Remarks = append(notes.Remarks, remark{Text: n})
		}
		b.WriteString("\n## What could not be told or compared\n")
		notes.markdown(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// headline is what a reviewer reads first.
func (c *Comparison) headline() string {
	counts := map[Verdict]int{}
	for _, r := range c.Rows {
		counts[r.Verdict]++
	}
	if counts[Same] == len(c.Rows) {
		what := "Nothing"
		if len(c.Notes) > 0 {
			what = "Nothing of what could be compared"
		}
		return fmt.Sprintf("**%s changed beyond noise.** Levels compared: %d, figures: %d.", what, c.Levels, len(c.Rows))
	}
	text := fmt.Sprintf("**Past the limit of %s: %d.** Worse: %d, better: %d, the same: %d, cannot be told: %d; levels compared: %d.",
		roughly(c.Most), len(c.Regressions()), counts[Worse], counts[Better], counts[Same], counts[Unsure], c.Levels)
	if counts[Unsure] > 0 {
		text += " **No limit was held against what cannot be told.**"
	}
	return text
}

// String writes the range as a reader has it.
func (r Range) String() string { return instant(r.Start) + " to " + zoned(r.End) }

// String is the row as a sentence has it.
func (r Row) String() string {
	at := ""
	if r.LevelB.Known() {
		at = " at " + perSecond(r.LevelB)
	}
	return fmt.Sprintf("%s%s from %s to %s (%s)", r.Name, at, r.text(r.A), r.text(r.B), change(r.Change))
}

// level is the rate of the row's level, or of both where they differ.
func (r Row) level() string {
	a, b := rate(r.LevelA), rate(r.LevelB)
	if a != b {
		return a + ", " + b
	}
	return a
}

// text is a figure in the row's unit.
func (r Row) text(f Figure) string {
	switch r.Unit {
	case Share:
		return percent(f)
	case Seconds:
		return seconds(f)
	case USDAMillion:
		return short(f) + " USD"
	case PerSecond:
		return rate(f)
	}
	return figure(f, 0)
}

// verdict marks what a gate stops for.
func (r Row) verdict() string {
	if r.Past {
		return "**" + string(r.Verdict) + "**"
	}
	return string(r.Verdict)
}

// change is a share with its sign.
func change(f Figure) string {
	if f > 0 && f.Known() {
		return "+" + roughly(f)
	}
	return roughly(f)
}
