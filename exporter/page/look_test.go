package page_test

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/live"
	"opensaves-soak/load/desired"
)

// sight is what look.js finds in the page.
type sight struct {
	Wider    bool // than the window
	Paper    string
	Out      []string // of the window
	Drawn    int      // charts
	Faint    []string // with too little contrast
	Cut      []string // with text that does not fit
	Nameless []string // fields, buttons and links
	Small    []string // to hit
}

//go:embed testdata/look.js
var lookScript string

func TestThePageLooksWellEverywhereAndAsksNobodyElse(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	papers := map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
	for scheme, paper := range papers {
		for _, width := range []int64{1280, 390, 360} {
			t.Run(fmt.Sprint(scheme, width), func(t *testing.T) {
				b.show(t, scheme, width)
				d.heard(t, b)
				if diff := cmp.Diff(sight{Paper: paper, Drawn: 3}, value[sight](t, b, lookScript)); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
			})
		}
	}
	b.quiet(t)
}

func TestThePageShowsEachState(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	b.becomes(t, `fetch("").then(r => r.text()).then(html => new DOMParser().parseFromString(html, "text/html").querySelector("#state").textContent)`, "Loading …")
	d.heard(t, b)
	again := d.now
	for _, test := range []struct {
		name          string
		change        func(*live.Moment)
		limit         desired.Limit
		badges, notes string
	}{
		{"ordinary", func(*live.Moment) {}, "", "", "Nothing holds the load down."},
		{"warm-up", func(m *live.Moment) { m.Warmup = true }, "", "Warm-up", "Nothing holds the load down.\nWarm-up: the working set is being written; these figures count for no objective yet."},
		{"guard", func(*live.Moment) {}, desired.ByErrors, "", "The error guard holds the rate down: too many requests failed. It climbs back by itself."},
		{"restart", func(m *live.Moment) { m.Started = again }, "", "Daemon restarted", "Nothing holds the load down.\nThe daemon restarted at … UTC: its counts began anew."},
	} {
		t.Run(test.name, func(t *testing.T) {
			d.live.LimitedBy = test.limit
			m := d.moment()
			test.change(&m)
			d.say(t, m)
			b.reads(t, "#state", "Live")
			b.reads(t, "#badges li", test.badges)
			b.becomes(t, text("#notes li")+`.replace(/[\d:]{8}/, "…")`, test.notes)
		})
	}
	d.live.LimitedBy, d.live.Replica = "", desired.Replica{ShareRPS: 166.7, Index: 0, Count: 3}
	d.patched(t, `{"paused": true}`)
	m := d.moment()
	m.Started = again
	d.say(t, m)
	b.reads(t, "#badges li", "Paused\nReplica 1 of 3\nDaemon restarted")
	b.reads(t, "#pause", "Resume")
	b.quiet(t)
}

func TestAPageThatHearsNothingForFiveSecondsSaysSinceWhen(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	b.becomes(t, `document.querySelector("#state").textContent.replace(/[\d:]+/, "…")`, "Connection lost since … UTC")
	d.heard(t, b)
	d.CloseClientConnections()
	b.becomes(t, `document.querySelector("#state").textContent.replace(/[\d:]+/, "…")`, "Connection lost since … UTC")
	d.heard(t, b)
}

func TestFiguresAndTablesSayWhatTheDaemonSays(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	d.heard(t, b)
	m := d.moment()
	*m.Dropped, m.Wrong, m.USDPerHour = 0.25, 3, nil
	d.say(t, m)
	b.reads(t, "#figures dd", "500 /s\nconfiguration, cap 5,000\n499 /s\n99.8 % of asked\n12.3 ms\np50 4 ms\n3\nsince the start; 99.95 % judged\n0.25 /s\n0.05 % of asked\n0 /s\n0 % of requests\n–\nAWS is not watched")
	b.becomes(t, `document.title`, "(3 wrong) open-saves.open-saves:8080 · opensaves-soak")
	b.reads(t, "#operations td", "get_record\n400.2\n0 %\n4 ms\n11 ms\nupdate_record\n99.6\n< 0.01 %\n6.1 ms\n–")
	b.reads(t, "#components td", "DynamoDB\nread capacity units\n120.5 /s\n–\n3 min\nRedis\nhost CPU\n50 %\n45 %\n1 min")
	b.reads(t, "#components tr.over td:nth-child(2)", "host CPU")
	b.reads(t, "#changes td", "No change since the daemon started.")
	if got, want := value[[]int](t, b, `import(new URL("charts.js", location)).then(m => m.charts.map(c => c.chart.data[0].length))`), d.said; !slices.Equal(got, []int{want, want, want}) {
		t.Errorf("got charts of %d points, want %d each", got, want)
	}
	// Rates are over ten seconds, costs of minutes before.
	m = d.moment()
	m.Asked, *m.Achieved, *m.Dropped = 60, 414, 46 // asked were 500 until now
	d.say(t, m)
	b.reads(t, "#achieved-note, #dropped-note, #cost-note", "90 % of asked\n10 % of asked\n$0.04 a million")
	d.now = d.now.Add(-5 * time.Minute) // the clock is set back
	for range 3 {
		d.say(t, d.moment())
	}
	b.becomes(t, points, "3")
	b.quiet(t)
}

func TestEverythingCanBeReachedByKeys(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "dark", 1280)
	d.heard(t, b)
	const focus = `(() => { const e = document.activeElement, s = getComputedStyle(e); return (e.id || e.getAttribute("aria-labelledby") || e.textContent.split(/ \d/)[0] || e.className) + (s.outlineStyle === "solid" && parseFloat(s.outlineWidth) >= 2 ? "" : " unseen") })()`
	var got []string
	for range 40 {
		b.does(t, chromedp.KeyEvent(kb.Tab))
		at := value[string](t, b, focus)
		if at == "Ready" {
			break
		}
		got = append(got, at)
	}
	want := []string{
		"Skip to steering", "Asked", "Achieved", "Failed", "Dropped", "plot", "p50", "p99", "plot", "In flight", "plot",
		"rps", "ramp", "ttl", "Mix", "reason", "Apply", "pause", "Back to the configuration",
		"changes-title", "operations-title", "components-title", "Metrics", "Load", "All changes", "API description", "Healthy",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	b.does(t, chromedp.Focus("#rate-chart .plot"), chromedp.KeyEvent(kb.ArrowLeft))
	b.becomes(t, `document.querySelector("#rate-chart small").textContent.replace(/[\d:]+/, "…")`, "at … UTC")
	b.does(t, chromedp.Focus("#rate-chart button"), chromedp.KeyEvent(" "))
	b.becomes(t, `import(new URL("charts.js", location)).then(m => String(m.charts[0].chart.series[1].show))`, "false")
}

func TestHiddenPagesLeaveTheConnectionsToTheOneThatIsShown(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	first := look(t, d, "light", 1280)
	d.heard(t, first)
	m := d.moment()
	m.Wrong = 3
	d.say(t, m)
	const title = "document.title"
	first.becomes(t, title, "(3 wrong) open-saves.open-saves:8080 · opensaves-soak")
	last := first
	for range 6 { // connections that a browser opens to a host
		last.hide(t, true)
		last = last.tab(t)
		d.heard(t, last)
	}
	last.types(t, "rps", "700", "reason", "from the seventh page\r")
	last.becomes(t, outcome, "Done at … UTC: 700 requests a second are asked, 80 % reads in mixed.")
	d.say(t, d.moment())
	last.reads(t, "#asked", "700 /s")
	last.hide(t, true)
	first.becomes(t, title, "open-saves.open-saves:8080 · opensaves-soak")
	first.reads(t, "#asked", "500 /s")
	first.reads(t, "#state", "Loading …")
	first.hide(t, false)
	d.heard(t, first)
	first.reads(t, "#asked", "700 /s")
	first.becomes(t, points, fmt.Sprint(d.said))
	first.hide(t, true)
	first.reads(t, "#state", "Loading …")
	d.now = d.now.Add(-5 * time.Minute) // the clock is set back
	for range 7 {
		d.say(t, d.moment())
	}
	first.hide(t, false)
	first.becomes(t, points, "7")
}

// TestTheBrowserNotesWhatAPageShouldNotDo shows that the tests of the page can fail,
// and that its policy holds.
func TestTheBrowserNotesWhatAPageShouldNotDo(t *testing.T) {
	t.Parallel()
	d := start(t, "")
	b := look(t, d, "light", 1280)
	d.heard(t, b)
	value[string](t, b, `console.log("hello"); (document.body.appendChild(document.createElement("script"))).textContent = "document.title = 'inline'"; document.title`)
	value[string](t, b, `fetch("http://127.0.0.1:1/").then(() => "sent", () => "refused")`)
	heard, _ := b.Notes()
	said := strings.Join(heard, "\n")
	if !strings.HasPrefix(said, "log\n") || strings.Count(said, "Content Security Policy") < 2 {
		t.Errorf("got a page that says %q, want a log, and a script and a request refused", heard)
	}
}
