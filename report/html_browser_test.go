package report

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/tools"
)

// sight is what look.js finds in a page.
type sight struct {
	Wider   bool     // than the window
	Paper   string   // colour of the background
	Figures int      // all
	Drawn   int      // figures with one chart that can be sight
	Lines   []string // colours of the lines of the first chart
	Faint   []string // texts with too little contrast
	Hidden  int      // tables that cannot be sight
}

//go:embed testdata/look.js
var lookScript string

// saved writes a page to a file and returns its address.
func saved(t *testing.T, page string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + file
}

func TestABrowserShowsThePageWellAndAsksForNothingElse(t *testing.T) {
	text, _ := asPage(t, rich())
	url := saved(t, text)
	b := tools.Chromium(t)
	const white, dark = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
	lightLines, darkLines := []string{"rgb(9, 105, 218)", "rgb(188, 76, 0)", "rgb(26, 127, 55)"}, []string{"rgb(88, 166, 255)", "rgb(240, 136, 62)", "rgb(86, 211, 100)"}
	const folded = 5 * 4 // tables of the levels that met all objectives
	for _, test := range []struct {
		tools.View
		want sight
	}{
		{tools.View{Scheme: "light", Medium: "screen", Width: 1280}, sight{Paper: white, Lines: lightLines, Hidden: folded}},
		{tools.View{Scheme: "dark", Medium: "screen", Width: 1280}, sight{Paper: dark, Lines: darkLines, Hidden: folded}},
		{tools.View{Scheme: "light", Medium: "screen", Width: 390}, sight{Paper: white, Lines: lightLines, Hidden: folded}},
		{tools.View{Scheme: "dark", Medium: "screen", Width: 390}, sight{Paper: dark, Lines: darkLines, Hidden: folded}},
		{tools.View{Scheme: "dark", Medium: "print", Width: 718}, sight{Paper: white, Lines: lightLines}},
	} {
		t.Run(fmt.Sprint(test.View), func(t *testing.T) {
			if err := chromedp.Do(b, test.Open(url)); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(b, chromedp.Evaluate[sight](lookScript))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Figures, test.want.Drawn = 6, 6
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
			if said, asked := b.Notes(); len(said) > 0 || !slices.Equal(asked, []string{url}) {
				t.Errorf("got a page that says %q and asks for %q, want itself alone", said, asked)
			}
		})
	}
}

// TestTheWitnessHearsWhatAPageShouldNotDo shows that the test of the page can fail.
func TestTheWitnessHearsWhatAPageShouldNotDo(t *testing.T) {
	url := saved(t, `<!DOCTYPE html><body style="width: 2000px; color: #999"><p>faint</p><img src="missing.png"><script>console.log("hello")</script>`)
	b := tools.Chromium(t)
	if err := chromedp.Do(b, tools.View{Scheme: "light", Medium: "screen", Width: 390}.Open(url)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(b, chromedp.Evaluate[sight](lookScript))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Wider || len(got.Faint) != 1 || !strings.HasPrefix(got.Faint[0], "faint") {
		t.Errorf("got %+v, want a page that is too wide, and faint", got)
	}
	if said, asked := b.Notes(); !slices.Contains(said, "log") || len(asked) != 2 {
		t.Errorf("got a page that says %q and asks for %q, want a log and an image", said, asked)
	}
}
