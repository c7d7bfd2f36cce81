package page_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"opensaves-soak/tools"
)

// patience bounds what a test waits for; the machine may be busy.
const patience = time.Minute

// browser shows the page.
type browser struct {
	*tools.Browser
	home string // address of the page
}

// look opens the page in a window of a width, in pixels.
func look(t *testing.T, d *daemon, scheme string, width int64) *browser {
	t.Helper()
	b := &browser{tools.Chromium(t), d.page()}
	b.show(t, scheme, width)
	return b
}

func (b *browser) show(t *testing.T, scheme string, width int64) {
	t.Helper()
	b.does(t, tools.View{Scheme: scheme, Width: width}.Open(b.home))
}

// tab opens the page in one more tab.
func (b *browser) tab(t *testing.T) *browser {
	t.Helper()
	ctx, end := chromedp.NewContext(b.Context)
	t.Cleanup(end)
	more := &browser{&tools.Browser{Context: ctx}, b.home}
	more.does(t, chromedp.Navigate(b.home))
	return more
}

// hide lets the page think that its tab is hidden, or shown again.
func (b *browser) hide(t *testing.T, hidden bool) {
	t.Helper()
	value[bool](t, b, fmt.Sprintf(`Object.defineProperty(document, "hidden", {value: %v, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`, hidden))
}

// points is a script that returns how many points the charts have.
const points = `import(new URL("charts.js", location)).then(({ charts }) => String(charts[0].chart.data[0].length))`

// forwarded lets the browser's calls look as if they came through a proxy.
func forwarded() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": "10.1.2.3"}})
		return err
	})
}

// quiet fails the test where the page said something, or asked elsewhere.
func (b *browser) quiet(t *testing.T) {
	t.Helper()
	said, asked := b.Notes()
	elsewhere := slices.DeleteFunc(asked, func(url string) bool { return strings.HasPrefix(url, b.home) || strings.HasPrefix(url, "data:") })
	if len(said) > 0 || len(elsewhere) > 0 {
		t.Errorf("got a page that says %q and asks for %q, want neither", said, elsewhere)
	}
}

func (b *browser) does(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates a script, which may return a promise.
func value[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	got, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return got
}

// soon waits until something is so; false: it never was.
func soon(so func() bool) bool {
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for end := time.Now().Add(patience); !so(); <-beat.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// becomes waits until a script returns what is wanted.
func (b *browser) becomes(t *testing.T, script, want string) {
	t.Helper()
	got := ""
	if !soon(func() bool { got = value[string](t, b, script); return got == want }) {
		t.Fatalf("%s: got %q, want %q", script, got, want)
	}
}

// text is a script that returns what an element says, lines for a list.
func text(selector string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.textContent).join("\n")`, selector)
}

// reads waits until what can be read of an element is what is wanted.
func (b *browser) reads(t *testing.T, selector, want string) {
	t.Helper()
	b.becomes(t, text(selector), want)
}

// types fills fields in: their ids, each with its keys.
func (b *browser) types(t *testing.T, fields ...string) {
	t.Helper()
	for field := range slices.Chunk(fields, 2) {
		b.does(t, chromedp.SendKeys("#"+field[0], field[1]))
	}
}
