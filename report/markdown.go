package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteMarkdown writes the report as a pull request or a wiki shows it well: what it
// says of single levels is folded.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", reportTitle, r.span())
	for _, f := range r.headline() {
		remark{f.Name + ": " + f.Value + ".", f.Text}.markdown(&b)
	}
	for _, s := range r.sections() {
		if s.drawn() {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", s.Title)
		s.markdown(&b)
		for _, l := range s.Folded {
			fmt.Fprintf(&b, "\n<details>\n<summary>%s</summary>\n", plain(l.Title))
			l.markdown(&b)
			b.WriteString("\n</details>\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s section) markdown(b *strings.Builder) {
	for _, paragraph := range s.Text {
		b.WriteString("\n" + plain(paragraph) + "\n")
	}
	if len(s.Remarks) > 0 {
		b.WriteString("\n")
	}
	for _, r := range s.Remarks {
		r.markdown(b)
	}
	for _, t := range s.Tables {
		fmt.Fprintf(b, "\n%s:\n\n%s\n", t.Caption, t.markdown())
	}
}

func (r remark) markdown(b *strings.Builder) {
	b.WriteString("-")
	if r.Lead != "" {
		b.WriteString(" **" + plain(r.Lead) + "**")
	}
	if r.Text != "" {
		b.WriteString(" " + plain(r.Text))
	}
	b.WriteString("\n")
}

func (t sheet) markdown() string {
	w := table.NewWriter()
	var header table.Row
	var right []table.ColumnConfig
	for i, name := range t.Columns {
		header = append(header, name)
		if i >= t.Words {
			right = append(right, table.ColumnConfig{Number: i + 1, Align: text.AlignRight})
		}
	}
	w.AppendHeader(header)
	w.SetColumnConfigs(right)
	for _, cells := range t.Rows {
		var row table.Row
		for _, c := range cells {
			row = append(row, plain(c.Text))
		}
		w.AppendRow(row)
	}
	return w.RenderMarkdown()
}

// plain keeps a text from being HTML or a link, and on one line.
func plain(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", "[", "&#91;", "\r", " ", "\n", " ").Replace(s)
}
