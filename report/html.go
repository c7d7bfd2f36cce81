package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
)

//go:embed page.html.tmpl
var pageText string

// page is parsed when it is first written.
var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(pageText)) })

// WriteHTML writes the report as one page that needs nothing else: no script, no
// request. It follows the reader's choice of light or dark, and prints in light.
func (r *Report) WriteHTML(w io.Writer) error {
	err := page().Execute(w, struct {
		Title, Span string
		Headline    []fact
		Sections    []section
	}{reportTitle, r.span(), r.headline(), r.sections()})
	if err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
