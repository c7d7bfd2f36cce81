package page_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"

	"opensaves-soak/exporter"
)

// withPassword serves the daemon once more, behind basic authentication of the user
// ops with the password "secret", and returns the address of its page.
func (d *daemon) withPassword(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yml")
	write(t, file, "basic_auth_users:\n  ops: $2a$04$rudPBgiP32uQsLbDP1a0C.LOu4zS.e6i4m6Vjm44Ju6PsGL8/qFxq\n")
	listeners, err := exporter.ListenOn(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() {
		served <- exporter.Serve(ctx, listeners, d.Config.Handler, file, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() {
		d.feed.End()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listeners[0].Addr().String() + prefix + "/"
}

// knows lets the browser answer prompts for a password, and counts them.
func (b *browser) knows(t *testing.T, user, password string) *atomic.Int64 {
	t.Helper()
	var prompts atomic.Int64
	var target *chromedp.Target
	yes := true
	b.does(t, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		target = tab
		_, err := cdp.Call(ctx, tab, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &yes, Patterns: []*fetch.RequestPattern{{URLPattern: "*"}}})
		return err
	}))
	answer := fetch.AuthChallengeResponse{Response: "ProvideCredentials", Username: user, Password: password}
	err := chromedp.Listen(b, func(event any) {
		switch e := event.(type) { // the calls fail when the test is over, and only then
		case *fetch.EventAuthRequired:
			prompts.Add(1)
			go func() {
				_, _ = cdp.Call(b, target, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: e.RequestID, AuthChallengeResponse: &answer})
			}()
		case *fetch.EventRequestPaused:
			go func() {
				_, _ = cdp.Call(b, target, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
			}()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &prompts
}
