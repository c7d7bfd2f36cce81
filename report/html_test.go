package report

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"opensaves-soak/tools"
)

// last is the rich report with the three levels at its end.
func last() *Report {
	r := rich()
	r.Levels = r.Levels[4:]
	return r
}

func asMarkdown(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func asPage(t *testing.T, r *Report) (text string, root *html.Node) {
	t.Helper()
	var b strings.Builder
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), root
}

// readAloud is the text of a page, a line for each that stands alone.
func readAloud(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode && strings.TrimSpace(n.Data) != "" && !within(n, "style", "svg"):
			b.WriteString(strings.TrimSpace(n.Data) + " ")
		case slices.Contains([]string{"h1", "h2", "h3", "p", "li", "dt", "tr", "figcaption", "caption"}, n.Data):
			b.WriteString("\n" + n.Data + ": ")
		case n.Data == "td" || n.Data == "th":
			b.WriteString("| ")
		case n.Data == "div" && attribute(n, "role") == "img":
			b.WriteString("\nimage: " + attribute(n, "aria-label"))
		}
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}

func within(n *html.Node, elements ...string) bool {
	for a := range n.Ancestors() {
		if slices.Contains(elements, a.Data) {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestTheMarkdownIsAsItWas(t *testing.T) {
	tools.Golden(t, "testdata/report.md", asMarkdown(t, last()))
}

func TestTheTextOfThePageIsAsItWas(t *testing.T) {
	_, root := asPage(t, last())
	tools.Golden(t, "testdata/report.html.txt", readAloud(root))
}

func TestThePageRunsNothingAndAsksForNothing(t *testing.T) {
	text, root := asPage(t, rich())
	policy := false
	for n := range root.Descendants() {
		if slices.Contains([]string{"script", "link", "img", "iframe", "object", "embed", "base", "use", "image"}, n.Data) && n.Type == html.ElementNode {
			t.Errorf("got an element %s, want none", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "src" || a.Key == "href" || a.Key == "action" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("got %s=%q in %s, want nothing of the kind", a.Key, a.Val, n.Data)
			}
		}
		policy = policy || attribute(n, "http-equiv") == "Content-Security-Policy" && strings.HasPrefix(attribute(n, "content"), "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	}
	if !policy || strings.Contains(text, "url(") || strings.Contains(text, "@import") {
		t.Errorf("got a page whose policy is there: %v, or whose style asks for something", policy)
	}
}

func TestATableSaysWhatItsCellsAreOfAndAChartWhatItShows(t *testing.T) {
	_, root := asPage(t, rich())
	charts, tables := 0, 0
	for n := range root.Descendants() {
		switch {
		case n.Data == "th" && attribute(n, "scope") == "":
			t.Errorf("got a heading of a table without a scope: %v", n.FirstChild)
		case n.Data == "table" && n.Type == html.ElementNode:
			tables++
			if n.FirstChild.NextSibling.Data != "caption" {
				t.Errorf("got a table that begins with %q, want a caption", n.FirstChild.NextSibling.Data)
			}
		case n.Data == "svg":
			charts++
			if attribute(n.Parent, "role") != "img" || len(attribute(n.Parent, "aria-label")) < 50 {
				t.Errorf("got a chart that says only %q", attribute(n.Parent, "aria-label"))
			}
		}
	}
	if charts != 6 || tables != 1+7*4+3 {
		t.Errorf("got %d charts and %d tables, want 6 and 32", charts, tables)
	}
}

// alter applies a change to all strings and figures in a value, the keys of maps too.
func alter(v reflect.Value, change func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		alter(v.Elem(), change)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if field.CanSet() {
				alter(field, change)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			alter(v.Index(i), change)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			altered, value := reflect.New(key.Type()).Elem(), reflect.New(v.Type().Elem()).Elem()
			altered.Set(key)
			value.Set(v.MapIndex(key))
			v.SetMapIndex(key, reflect.Value{})
			alter(altered, change)
			alter(value, change)
			v.SetMapIndex(altered, value)
		}
	case reflect.String, reflect.Float64:
		change(v)
	}
}

func TestWhatAReportQuotesStaysText(t *testing.T) {
	const hostile = `</title></style></svg></summary>"'><script>alert(1)</script><img src=x onerror=alert(1)> | ` + "\n# heading"
	r := rich()
	alter(reflect.ValueOf(r), func(v reflect.Value) {
		if v.Kind() == reflect.String && v.Type() != reflect.TypeFor[Unit]() {
			v.SetString(v.String() + hostile)
		}
	})
	text, root := asPage(t, r)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "img") {
			t.Errorf("got an element %s within %s", n.Data, n.Parent.Data)
		}
	}
	if n := strings.Count(text, "&lt;script&gt;alert(1)"); n < 50 {
		t.Errorf("got the text %d times, want all that is quoted", n)
	}
	markdown := asMarkdown(t, r)
	if strings.Contains(markdown, "<script") || strings.Contains(markdown, "<img") || strings.Contains(markdown, "\n# heading") {
		t.Error("got Markdown that has what is quoted as HTML, or as lines of its own")
	}
}

func TestAReportThatKnowsNothingIsWrittenAllTheSame(t *testing.T) {
	blank := func(value float64) *Report {
		r := rich()
		alter(reflect.ValueOf(r), func(v reflect.Value) {
			if v.Kind() == reflect.Float64 {
				v.SetFloat(value)
			}
		})
		return r
	}
	bare := rich()
	bare.Levels, bare.Start = []Measured{{}, {}}, time.Time{}
	for name, r := range map[string]*Report{
		"nothing": {}, "no number": blank(math.NaN()), "infinite": blank(math.Inf(1)), "negative": blank(-1), "zero": blank(0), "huge": blank(1e300), "tiny": blank(1e-300), "bare levels": bare,
	} {
		t.Run(name, func(t *testing.T) {
			_, root := asPage(t, r)
			for form, text := range map[string]string{"Markdown": asMarkdown(t, r), "page": readAloud(root)} {
				if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") || !strings.Contains(text, reportTitle) {
					t.Errorf("%s: got\n%s", form, text)
				}
			}
		})
	}
}

func TestTheHeadlineAnswersForTheGoal(t *testing.T) {
	missed := Measured{RPS: 6000, Missed: []string{"availability: got 90 %, want at least 99.9 %"}}
	late := Measured{RPS: 6000, Invalid: "late"}
	for name, test := range map[string]struct {
		levels []Measured
		want   fact
	}{
		"no level":  {nil, fact{Name: goalText, Value: "not shown", Text: "No such level was held."}},
		"below":     {[]Measured{{RPS: 4999}}, fact{Name: goalText, Value: "not shown", Text: "No such level was held."}},
		"met":       {[]Measured{missed, late, {RPS: 5000}}, fact{goalText, "yes", "All objectives were met at 5000 requests a second.", good}},
		"both":      {[]Measured{{RPS: 6000}, missed}, fact{goalText, "no", "At 6000 requests a second this was missed: availability: got 90 %, want at least 99.9 %.", bad}},
		"missed":    {[]Measured{late, missed}, fact{goalText, "no", "At 6000 requests a second this was missed: availability: got 90 %, want at least 99.9 %.", bad}},
		"not valid": {[]Measured{{RPS: 6000, Invalid: "late", Missed: missed.Missed}}, fact{Name: goalText, Value: "not shown", Text: "The level of 6000 requests a second is not valid."}},
	} {
		if diff := cmp.Diff(test.want, (&Report{Levels: test.levels}).enough()); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestRatesHaveThreeFiguresBelow100AndAreWholeFromThereOn(t *testing.T) {
	for f, want := range map[Figure]string{
		0: "0", 0.5: "0.5", 1.5: "1.5", 2.5: "2.5", 12.346: "12.3", 99.97: "100", 100: "100", 100.4: "100", 1000: "1000", 1234.6: "1235", none: unknown,
	} {
		if got := perSecond(f); got != want+" requests a second" {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	r := &Report{Levels: []Measured{{RPS: 2.5}}, Bottleneck: Bottleneck{Onsets: []Onset{{RPS: 0.5}}}}
	if asked, at := r.levels().Tables[0].Rows[0][3].Text, r.Bottleneck.section().Tables[0].Rows[0][3].Text; asked != "2.5" || at != "0.5" {
		t.Errorf("got %s and %s in tables, want 2.5 and 0.5", asked, at)
	}
}
