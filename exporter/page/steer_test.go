package page_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
	"opensaves-soak/tools"
)

// ready opens a page that may steer.
func ready(t *testing.T) (*daemon, *browser) {
	t.Helper()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	d.heard(t, b)
	return d, b
}

// heard says ordinary moments until the page shows them and knows who may steer.
func (d *daemon) heard(t *testing.T, b *browser) {
	t.Helper()
	const shown = `document.querySelector("#state").textContent === "Live" && document.body.dataset.access !== undefined && document.querySelector("#rps-hint").textContent !== ""`
	if !soon(func() bool { d.say(t, d.moment()); return value[bool](t, b, shown) }) {
		t.Fatalf("got a page that shows no moment:\n%s", value[string](t, b, "document.body.innerText"))
	}
}

// outcome is a script that returns what came of a change, without the time.
const outcome = `document.querySelector("#outcome").textContent.replace(/\d\d:\d\d:\d\d/g, "…")`

func TestTheFormChangesWhatIsFilledInAndNothingElse(t *testing.T) {
	t.Parallel()
	d, b := ready(t)
	offered := value[[]string](t, b, `[...document.querySelectorAll("#weights label")].map(e => e.textContent)`)
	if diff := cmp.Diff(scenario.Names(), offered); diff != "" {
		t.Errorf("scenarios: wanted -, got +\n%s", diff)
	}
	b.does(t, chromedp.Click("summary"))
	b.types(t, "rps", "1000", "ttl", "2h", "weight-cache", "3", "read-ratio", "0.5", "reason", "launch <b>rehearsal</b>")
	b.does(t, chromedp.Click("button.main"))
	b.becomes(t, outcome, "Done at … UTC: 1,000 requests a second are asked, 50 % reads in mixed, until … UTC.")
	got := d.Status()
	want := got
	want.RPS, want.Source, want.Scenarios, want.ReadRatio = 1000, desired.API, map[string]float64{"mixed": 1, "cache": 3}, 0.5
	if diff := cmp.Diff(want, got); diff != "" || got.Expires == nil {
		t.Errorf("wanted -, with an end, got +\n%s", diff)
	}
	d.say(t, d.moment())
	b.reads(t, "#changes td:nth-child(n+2)", "500 → 1,000\nAPI\nlaunch <b>rehearsal</b>")
	b.becomes(t, `[...document.querySelectorAll("#steer-form input")].map(e => e.value).join("")`, "")

	b.types(t, "reason", "calm")
	b.does(t, chromedp.Click("#pause"))
	b.becomes(t, outcome, "Done at … UTC: the load is paused, 50 % reads in mixed, until … UTC.")
	b.types(t, "reason", "go on")
	b.does(t, chromedp.Click("#pause"))
	b.becomes(t, outcome, "Done at … UTC: 1,000 requests a second are asked, 50 % reads in mixed, until … UTC.")
	b.types(t, "reason", "over\r") // the Enter key applies what is filled in: nothing
	b.becomes(t, outcome, "Nothing is filled in but the reason.")
	b.does(t, chromedp.Click("button[value=configuration]"))
	b.becomes(t, outcome, "Done at … UTC: 500 requests a second are asked, 80 % reads in mixed.")
	d.say(t, d.moment())
	b.becomes(t, `document.querySelector("#changes tr").cells[3].textContent`, "over")
	b.types(t, "ramp", "30s", "ttl", "2h", "reason", "too little\r")
	b.becomes(t, outcome, "Nothing has changed: it is so already. A ramp or a time limit needs something that is set over the API.")
	b.quiet(t)
}

func TestAChangeThatIsRefusedSaysWhyAndKeepsTheFields(t *testing.T) {
	t.Parallel()
	d, b := ready(t)
	b.types(t, "rps", "9000")
	b.does(t, chromedp.Click("button.main"))
	if got := value[bool](t, b, `document.activeElement.id === "reason" && document.activeElement.validity.valueMissing`); !got {
		t.Error("got a change without a reason sent, want the reason asked for")
	}
	b.types(t, "reason", "too much")
	b.does(t, chromedp.Click("button.main"))
	b.becomes(t, outcome, "Not changed (422): refusing the change: rps: got 9000, want at most 5000 (load.max_rps)")
	b.becomes(t, `document.querySelector("#rps").value`, "9000")
	if got := d.Status().RPS; got != 500 {
		t.Errorf("got %v requests a second, want 500", got)
	}
	b.does(t, chromedp.Click("summary"))
	b.types(t, "read-ratio", "80")
	b.does(t, chromedp.Click("summary"), chromedp.Click("button.main"))
	b.becomes(t, `document.querySelector("details").open && document.activeElement.id`, "read-ratio")
	b.does(t, chromedp.Click("#pause")) // which asks for no other field
	b.becomes(t, outcome, "Done at … UTC: the load is paused, 80 % reads in mixed.")
}

func TestTwoPagesDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	d, b := ready(t)
	b.types(t, "rps", "1000", "reason", "mine")
	b.becomes(t, `import(new URL("steer.js", location)).then(m => m.begun()).then(from => String(from.said.rps))`, "500")
	d.patched(t, `{"rps": 300, "reason": "theirs"}`)
	b.does(t, chromedp.Click("button.main"))
	b.becomes(t, outcome, "Not changed (412): somebody else changed the load since you began. Now 300 requests a second are asked. Press again to change that.")
	if got := d.Status().RPS; got != 300 {
		t.Errorf("got %v requests a second, want theirs, 300", got)
	}
	b.does(t, chromedp.Click("button.main"))
	b.becomes(t, outcome, "Done at … UTC: 1,000 requests a second are asked, 80 % reads in mixed.")
}

func TestPauseNeverResumes(t *testing.T) {
	t.Parallel()
	d, b := ready(t)
	d.patched(t, `{"paused": true, "reason": "theirs"}`) // which the page has not heard of
	b.types(t, "reason", "mine")
	b.does(t, chromedp.Click("#pause"))
	b.becomes(t, outcome, "Done at … UTC: the load is paused, 80 % reads in mixed.")
	b.reads(t, "#pause", "Resume")
	b.types(t, "reason", "go on")
	b.does(t, chromedp.Click("#pause"))
	b.becomes(t, outcome, "Done at … UTC: 500 requests a second are asked, 80 % reads in mixed.")

	b.types(t, "reason", "mine")
	b.becomes(t, `import(new URL("steer.js", location)).then(m => m.begun()).then(from => String(from.said.paused))`, "false")
	d.patched(t, `{"paused": true, "reason": "theirs"}`)
	b.does(t, chromedp.Click("#pause"))
	b.becomes(t, outcome, "Not changed (412): somebody else changed the load since you began. Now 500 requests a second are asked, paused. Press again to change that.")
	b.reads(t, "#pause", "Resume")
	if !d.Status().Paused {
		t.Error("got a load that runs, want theirs, paused")
	}
}

func TestATokenIsAskedForWhereOneIsNeeded(t *testing.T) {
	t.Parallel()
	d := start(t, "swordfish")
	b := look(t, d, "light", 390)
	d.heard(t, b)
	const needed = "Who steers needs the control token. It is kept until this tab is closed."
	b.reads(t, "#access", needed)
	b.types(t, "token", "trout\r")
	b.reads(t, "#access", "This is not the control token. "+needed)
	b.types(t, "token", "swordfish\r")
	b.becomes(t, `String(document.querySelector("#steer-form").hidden)`, "false")
	b.types(t, "rps", "1000", "reason", "with a token\r")
	b.becomes(t, outcome, "Done at … UTC: 1,000 requests a second are asked, 80 % reads in mixed.")
	b.does(t, chromedp.Navigate(b.home))
	d.heard(t, b)
	b.becomes(t, `String(document.querySelector("#token-form").hidden)`, "true")
	b.becomes(t, `Object.keys(sessionStorage).join()`, "opensaves-soak control token "+prefix+"/") // others of this origin have their own

	write(t, d.token, "")
	b.does(t, chromedp.Navigate(b.home))
	b.reads(t, "#access", "The daemon does not say whether this page may steer, and is asked again: the control token cannot be read.")
	write(t, d.token, "swordfish")
	b.becomes(t, `String(document.querySelector("#steer-form").hidden)`, "false")
	b.reads(t, "#access", "")
}

func TestThePasswordIsAskedForOnceWhateverTheTokenIs(t *testing.T) {
	t.Parallel()
	d := start(t, "swordfish")
	b := &browser{tools.Chromium(t), d.withPassword(t)}
	prompts := b.knows(t, "ops", "secret")
	b.does(t, chromedp.Navigate(b.home))
	d.heard(t, b)
	b.types(t, "token", "trout\r")
	b.reads(t, "#access", "This is not the control token. Who steers needs the control token. It is kept until this tab is closed.")
	b.types(t, "token", "swordfish\r")
	b.becomes(t, `String(document.querySelector("#steer-form").hidden)`, "false")
	b.types(t, "rps", "1000", "reason", "with both\r")
	b.becomes(t, outcome, "Done at … UTC: 1,000 requests a second are asked, 80 % reads in mixed.")
	d.say(t, d.moment())
	b.reads(t, "#asked", "1,000 /s")
	if got := prompts.Load(); got != 1 {
		t.Errorf("got asked for the password %d times, want once", got)
	}
}

func TestAPageThatMayOnlyReadSaysWhy(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	b.does(t, forwarded(), chromedp.Reload())
	d.heard(t, b)
	b.reads(t, "#badges li", "Read-only")
	if got := value[string](t, b, text("#access")); !strings.HasPrefix(got, "Read-only: got a call from elsewhere than loopback") || !strings.Contains(got, "--web.control-token-file") {
		t.Errorf("got %q, want that it is read-only, and the flag", got)
	}
	if got := value[string](t, b, text("form")); got != "" {
		t.Errorf("got a form, want none")
	}
}
