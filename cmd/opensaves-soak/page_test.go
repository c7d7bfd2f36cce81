package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"opensaves-soak/tools"
)

// daemonProcess starts a daemon of a small load as a process.
func daemonProcess(t *testing.T, address string, flags ...string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte("load: {rps: 50, max_rps: 200}\ndata: {records: 300, stores: 2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags = append([]string{"run", "--config.file=" + file, "--web.listen-address=" + address}, flags...)
	p, err := launch(exec.Command(name, flags...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.end(syscall.SIGKILL) }) // how it ends says nothing
	return p
}

// visitor looks at the page of a daemon.
type visitor struct {
	browser *tools.Browser
	*testing.T
	home string
}

func visit(t *testing.T, home string) *visitor {
	t.Helper()
	v := &visitor{tools.Chromium(t), t, home}
	v.does(chromedp.Navigate(home))
	return v
}

// notes are what the page said, and what it asked for elsewhere.
func (v *visitor) notes() (said, elsewhere []string) {
	said, asked := v.browser.Notes()
	return said, slices.DeleteFunc(asked, func(url string) bool { return strings.HasPrefix(url, v.home) || strings.HasPrefix(url, "data:") })
}

func (v *visitor) does(steps ...chromedp.Action[chromedp.Void]) {
	v.Helper()
	if err := chromedp.Do(v.browser, steps...); err != nil {
		v.Fatal(err)
	}
}

// sees waits until an element says what begins so.
func (v *visitor) sees(selector, want string) {
	v.Helper()
	v.becomes(fmt.Sprintf(`document.querySelector(%q)?.textContent.startsWith(%q) ?? false`, selector, want))
}

// becomes waits until a condition of the page is true.
func (v *visitor) becomes(condition string) {
	v.Helper()
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for end := time.Now().Add(patience); ; <-beat.C {
		so, err := chromedp.Run(v.browser, chromedp.Evaluate[bool](condition, chromedp.EvalAwaitPromise))
		if err != nil {
			v.Fatalf("%s: %v", condition, err)
		}
		if so {
			return
		}
		if time.Now().After(end) {
			text, err := chromedp.Run(v.browser, chromedp.Evaluate[string]("document.body.innerText"))
			v.Fatalf("waiting for %s: got %v and a page that says\n%s", condition, err, text)
		}
	}
}

// asks fills the form in and sends it.
func (v *visitor) asks(rps, reason string) {
	v.Helper()
	v.does(chromedp.SendKeys("#rps", rps), chromedp.SendKeys("#reason", reason+"\r"))
}

// points is a script that returns how many points the shortest chart has.
const points = `import(new URL("charts.js", location)).then(({ charts }) => Math.min(...charts.map(({ chart }) => chart.data[0].length)))`

func TestThePageShowsARealDaemonAndSteersIt(t *testing.T) {
	inTurn(t)
	p := daemonProcess(t, "127.0.0.1:0")
	v := visit(t, p.url+"/")
	v.sees("#state", "Live")
	v.becomes(points + `.then((n) => n > 3)`)
	v.becomes(`document.querySelector("#operations").rows.length > 3 && document.querySelector("#asked").textContent === "50 /s"`)
	v.becomes(`!document.querySelector("#steer-form").hidden`)

	v.asks("120", "try the page")
	v.sees("#outcome", "Done at")
	if err := becomes(p.url+"/metrics", `^opensaves_soak_fleet_target_rps 120$`); err != nil {
		t.Error(err)
	}
	v.sees("#asked", "120 /s")
	v.sees("#changes td:nth-child(4)", "try the page")
	if said, elsewhere := v.notes(); len(said) > 0 || len(elsewhere) > 0 {
		t.Errorf("got a page that says %q and asks for %q, want neither", said, elsewhere)
	}

	v.asks("201", "too much")
	v.sees("#outcome", "Not changed (422): refusing the change: rps: got 201, want at most 200 (load.max_rps)")

	_ = p.end(syscall.SIGKILL) // that is what it ends by
	v.sees("#state", "Connection lost since")
	daemonProcess(t, strings.TrimPrefix(p.url, "http://"))
	v.sees("#state", "Live")
	v.sees("#badges", "Daemon restarted")
	v.sees("#asked", "50 /s")
	if _, elsewhere := v.notes(); len(elsewhere) > 0 {
		t.Errorf("got a page that asks for %q, want nothing elsewhere", elsewhere)
	}
}

func TestThePageBelowAPrefixAsksForTheToken(t *testing.T) {
	inTurn(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := daemonProcess(t, "127.0.0.1:0", "--web.control-token-file="+file, "--web.external-url=https://tools.example/soak/")
	v := visit(t, p.url+"/soak/")
	v.sees("#state", "Live")
	v.becomes(`!document.querySelector("#token-form").hidden && document.querySelector("#steer-form").hidden`)
	v.does(chromedp.SendKeys("#token", "trout\r"))
	v.sees("#access", "This is not the control token.")
	v.does(chromedp.SendKeys("#token", "swordfish\r"))
	v.becomes(`document.querySelector("#token-form").hidden && !document.querySelector("#steer-form").hidden`)
	v.asks("120", "with the token")
	v.sees("#outcome", "Done at")
	if answer, err := ask(http.MethodGet, p.url+"/soak/api/v1/load", ""); err != nil || !strings.Contains(answer, `"rps":120,`) {
		t.Errorf("got %v and %s, want 120 requests a second", err, answer)
	}
	if _, elsewhere := v.notes(); len(elsewhere) > 0 {
		t.Errorf("got a page that asks for %q, want nothing elsewhere", elsewhere)
	}
}
