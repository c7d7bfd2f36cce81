package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/report"
)

// told is what the program says.
type told struct {
	status         int
	stdout, stderr string
}

// tell runs report in this process.
func tell(t *testing.T, args ...string) told {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := Run(t.Context(), append([]string{"report"}, args...), &stdout, &stderr)
	return told{status, stdout.String(), stderr.String()}
}

// about is a narrow bucket around a latency.
func about(f report.Figure) report.Bucket { return report.Bucket{Low: 0.99 * f, High: 1.01 * f} }

// measured writes a report of one level, and returns the file's name.
func measured(t *testing.T, file string, rps, p99 report.Figure) string {
	t.Helper()
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), file)
	text, err := json.Marshal(report.Report{Schema: 1, Start: start, End: start.Add(time.Hour), Highest: rps, Levels: []report.Measured{{
		RPS: rps, Start: start, End: start.Add(time.Hour), Achieved: rps, Success: 1, Covered: 1,
		Operations: []report.Operation{{Name: "get_record", RPS: rps, Mean: 0.01, P50: 0.01, P95: 0.01, P99: p99, Ends50: about(0.01), Ends95: about(0.01), Ends99: about(p99)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text))
	return path
}

func TestComparingTellsWhatChangedAndStopsAtARegression(t *testing.T) {
	a, b := measured(t, "a.json", 100, 0.02), measured(t, "b.json", 100, 0.03)
	saved, brief := filepath.Join(t.TempDir(), "comparison.json"), filepath.Join(t.TempDir(), "brief.json")
	text, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	write(t, brief, strings.Replace(string(text), `"p99_noise":0`, `"p99_noise":null`, 1))
	const row, nothing = "| p99 of get_record | 100 | 20 ms | 30 ms | +50 % | 2.5 % | ", "**Nothing changed beyond noise.**"
	for _, c := range []struct {
		args string
		want told
	}{
		{"--compare " + a + " " + a, told{0, nothing, ""}},
		{a + " --compare " + a + " --max-regression=0", told{0, nothing, ""}},
		{"--compare " + b + " " + a, told{0, "| -33.3 % | 1.67 % | better |", ""}},
		{"--compare " + brief + " " + b, told{0, "cannot be told: 4;", "of 4 figures it cannot be told whether they changed: no limit was held against them\n"}},
		{"--compare " + a + " " + b + " --max-regression=0.6", told{0, row + "worse |", ""}},
		{"--compare " + a + " " + b, told{
			1, row + "**worse** |",
			"comparing: got worse past --max-regression=0.1: p99 of get_record at 100 requests a second from 20 ms to 30 ms (+50 %)\n",
		}},
		{"--compare " + a + " " + b + " --output=" + saved, told{1, "", "(+50 %)"}},
	} {
		got := tell(t, strings.Fields(c.args)...)
		if got.status != c.want.status || !strings.Contains(got.stdout, c.want.stdout) || !strings.Contains(got.stderr, c.want.stderr) || (c.want.stderr == "") != (got.stderr == "") {
			t.Errorf("%s: got %+v, want %+v", c.args, got, c.want)
		}
	}
	var comparison report.Comparison
	if text, err := os.ReadFile(saved); err != nil || json.Unmarshal(text, &comparison) != nil || len(comparison.Rows) != 7 || len(comparison.Regressions()) != 1 {
		t.Errorf("got %s, want seven rows, one of them past the limit", text)
	}
}

func TestComparingWhatCannotBeComparedIsWrongUsage(t *testing.T) {
	a, far := measured(t, "a.json", 100, 0.02), measured(t, "far.json", 200, 0.02)
	other := filepath.Join(t.TempDir(), "other.json")
	write(t, other, `{"operations": []}`)
	const ranges = "--prometheus.url=http://127.0.0.1:1 --compare -- "
	for args, want := range map[string]string{
		"":                                      "--prometheus.url: got none, want",
		a:                                       "--max-regression, A, B: got them without --compare",
		"--max-regression=0.2":                  "--max-regression, A, B: got them without --compare",
		"--compare":                             `--compare: got "" and "", want two JSON files or ranges`,
		"--compare " + a:                        `.json" and "", want two`,
		"--compare " + a + " " + a + " " + a:    "unexpected ",
		"--compare --start=-1h " + a + " " + a:  "--start, --end: got them with --compare",
		"--compare --end= " + a + " " + a:       "--start, --end: got them with --compare",
		"--compare --max-regression=-1 x y":     "--max-regression: got -1, want a share from 0",
		"--compare --max-regression=NaN x y":    "--max-regression: got NaN, want",
		"--compare --max-regression=Inf x y":    "--max-regression: got +Inf, want",
		"--compare --output=x.html x y":         "--output: got x.html, want a name that ends in .md or .json with --compare",
		"--compare --output=x " + a + " " + a:   "--output: got x, want a name that ends in",
		"--compare " + a + " b.txt":             `--compare: got "b.txt", want a file that ends in .json, or a range START/END`,
		"--compare " + a + " no.json":           "--compare: open no.json: no such file",
		"--compare " + other + " " + a:          `other.json: reading a report: json: unknown field "operations"`,
		"--compare " + a + " " + far:            "--compare: got 1 levels in A and 1 levels in B, want at least one valid level of the same rate in both",
		"--compare " + a + " -- -2h/-1h":        "--prometheus.url: got none, want",
		ranges + "-1h/-2h -1h/":                 "--compare: -1h/-2h: got a begin at ",
		ranges + "yesterday/ -1h/":              `--compare: yesterday/: got "yesterday", want RFC 3339`,
		"--prometheus.url=http://x --start=x":   `--start, --end: got "x", want RFC 3339`,
		"--prometheus.url=http://x --start=-0s": "--start, --end: got a begin at ",
	} {
		got := tell(t, strings.Fields(args)...)
		if got.status != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, name+": ") || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: got %+v, want %s", args, got, want)
		}
	}
}

func TestARangeIsAskedOfPrometheus(t *testing.T) {
	t.Parallel()
	p := startPrometheus(t, "127.0.0.1:1", "scrape_native_histograms: false", "none.yaml")
	got := tell(t, "--prometheus.url="+p.url, "--compare", "2026-11-20T12:00:00Z/2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z/")
	want := told{1, "", name + ": got no series of the tester in the range: 2026-11-20T12:00:00Z to 2026-11-20T13:00:00Z, job=\"opensaves-soak\"\n"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// entries are the names in a directory, with their permissions.
func entries(t *testing.T, dir string) (list []string) {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range found {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, info.Mode().String()+" "+entry.Name())
	}
	return list
}

func TestAReportThatCannotBeWrittenLeavesTheOldOne(t *testing.T) {
	page := filepath.Join(t.TempDir(), "report.html")
	write(t, page, "old")
	before := entries(t, filepath.Dir(page))
	err := (&command{}).save(&report.Comparison{}, page)
	text, lost := os.ReadFile(page)
	if err == nil || lost != nil || string(text) != "old" {
		t.Errorf("got error %v, %q and error %v, want an error and the old page", err, text, lost)
	}
	if diff := cmp.Diff(before, entries(t, filepath.Dir(page))); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestASavedReportHasThePermissionsOfTheOldOneOrOfAnyNewFile(t *testing.T) {
	dir, like := t.TempDir(), filepath.Join(t.TempDir(), "new.md")
	if err := create(like, func(io.Writer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "old.md")
	write(t, old, "old")
	if err := os.Chmod(old, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{old, filepath.Join(dir, "new.md")} {
		if err := (&command{}).save(&report.Comparison{}, path); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "# Load comparison\n") {
			t.Errorf("got %q and error %v, want a comparison", text, err)
		}
	}
	want := append(entries(t, filepath.Dir(like)), "-rw-r----- old.md")
	if diff := cmp.Diff(want, entries(t, dir)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestALinkIsWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link.md")
	write(t, file, "old")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	err := (&command{}).save(&report.Comparison{}, link)
	to, broken := os.Readlink(link)
	if text, lost := os.ReadFile(file); err != nil || broken != nil || lost != nil || to != file || !strings.HasPrefix(string(text), "# Load comparison\n") {
		t.Errorf("got errors %v, %v, %v, a link to %s and %q, want a comparison in %s", err, broken, lost, to, text, file)
	}
}
