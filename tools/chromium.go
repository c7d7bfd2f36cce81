package tools

import (
	"context"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is the context in which chromedp drives a tab. It notes what pages say and
// ask for.
type Browser struct {
	context.Context

	mu          sync.Mutex
	said, asked []string
}

// Notes returns what pages have said, on the console or by an error, and the
// addresses that they have asked for, since it was called last.
func (b *Browser) Notes() (said, asked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	said, asked = b.said, b.asked
	b.said, b.asked = nil, nil
	return said, asked
}

func (b *Browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.said = append(b.said, string(e.Type))
	case *runtime.EventExceptionThrown:
		b.said = append(b.said, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.said = append(b.said, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// View is what a page is looked at with: a colour scheme, a medium (screen or
// print), and a width in pixels.
type View struct {
	Scheme, Medium string
	Width          int64
}

// Open shows a page.
func (v View) Open(url string) chromedp.Action[chromedp.Void] {
	media := emulation.SetEmulatedMediaParams{Media: v.Medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.Scheme}}}
	return chromedp.Steps(
		chromedp.EmulateViewport(v.Width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
			return err
		}),
		chromedp.Navigate(url),
	)
}

// Chromium starts a browser without a window, which ends with the test. Its sandbox
// is off for root alone, who cannot have one.
func Chromium(t testing.TB) *Browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromiumPath(t)))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting Chromium: %v", err)
	}
	b := &Browser{Context: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

func chromiumPath(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("finding a browser: got neither chromium nor chromium-browser in the PATH; Debian has it in the package chromium (apt-get install chromium)")
	return ""
}
