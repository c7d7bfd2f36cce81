package report

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/tools"
)

// view is what a page is looked at with.
type view struct {
	scheme, medium string
	width          int64
}

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

// witness notes what a page says and asks for.
type witness struct {
	sync.Mutex
	said, asked []string
}

func (w *witness) hear(event any) {
	w.Lock()
	defer w.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		w.said = append(w.said, string(e.Type))
	case *runtime.EventExceptionThrown:
		w.said = append(w.said, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		w.said = append(w.said, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		w.asked = append(w.asked, e.Request.URL)
	}
}

// notes returns what was noted, and forgets it.
func (w *witness) notes() (said, asked []string) {
	w.Lock()
	defer w.Unlock()
	said, asked = w.said, w.asked
	w.said, w.asked = nil, nil
	return said, asked
}

// open shows a page in a view.
func (v view) open(url string) chromedp.Action[chromedp.Void] {
	media := emulation.SetEmulatedMediaParams{Media: v.medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}}
	return chromedp.Steps(
		chromedp.EmulateViewport(v.width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Navigate(url),
	)
}

// browse starts a browser and what listens to it.
func browse(t *testing.T) (context.Context, *witness) {
	t.Helper()
	ctx, w := tools.Chromium(t), &witness{}
	if err := chromedp.Listen(ctx, w.hear); err != nil {
		t.Fatal(err)
	}
	return ctx, w
}

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
	ctx, w := browse(t)
	const white, dark = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
	lightLines, darkLines := []string{"rgb(9, 105, 218)", "rgb(188, 76, 0)", "rgb(26, 127, 55)"}, []string{"rgb(88, 166, 255)", "rgb(240, 136, 62)", "rgb(86, 211, 100)"}
	const folded = 5 * 4 // tables of the levels that met all objectives
	for _, test := range []struct {
		view
		want sight
	}{
		{view{"light", "screen", 1280}, sight{Paper: white, Lines: lightLines, Hidden: folded}},
		{view{"dark", "screen", 1280}, sight{Paper: dark, Lines: darkLines, Hidden: folded}},
		{view{"light", "screen", 390}, sight{Paper: white, Lines: lightLines, Hidden: folded}},
		{view{"dark", "screen", 390}, sight{Paper: dark, Lines: darkLines, Hidden: folded}},
		{view{"dark", "print", 718}, sight{Paper: white, Lines: lightLines}},
	} {
		t.Run(fmt.Sprint(test.view), func(t *testing.T) {
			if err := chromedp.Do(ctx, test.open(url)); err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(ctx, chromedp.Evaluate[sight](lookScript))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Figures, test.want.Drawn = 6, 6
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
			if said, asked := w.notes(); len(said) > 0 || !slices.Equal(asked, []string{url}) {
				t.Errorf("got a page that says %q and asks for %q, want itself alone", said, asked)
			}
		})
	}
}

// TestTheWitnessHearsWhatAPageShouldNotDo shows that the test of the page can fail.
func TestTheWitnessHearsWhatAPageShouldNotDo(t *testing.T) {
	url := saved(t, `<!DOCTYPE html><body style="width: 2000px; color: #999"><p>faint</p><img src="missing.png"><script>console.log("hello")</script>`)
	ctx, w := browse(t)
	if err := chromedp.Do(ctx, view{"light", "screen", 390}.open(url)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[sight](lookScript))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Wider || len(got.Faint) != 1 || !strings.HasPrefix(got.Faint[0], "faint") {
		t.Errorf("got %+v, want a page that is too wide, and faint", got)
	}
	if said, asked := w.notes(); !slices.Contains(said, "log") || len(asked) != 2 {
		t.Errorf("got a page that says %q and asks for %q, want a log and an image", said, asked)
	}
}
