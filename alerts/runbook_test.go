package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/tools"
)

func TestEveryAlertHasARunbookAndEveryRunbookAnAlert(t *testing.T) {
	var want, got []string
	for _, g := range Rules(DefaultObjectives(), DefaultSettings()) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				want = append(want, r.Alert+".md")
			}
		}
	}
	files, err := os.ReadDir("../docs/runbooks")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		got = append(got, f.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestRunbooksAskOnlyForWhatIsExportedAndInPromQL(t *testing.T) {
	known := map[string]bool{}
	for _, d := range slices.Concat(metric.Soak, metric.AWS) {
		known[d.Name], known[d.Name+"_bucket"], known[d.Name+"_count"] = true, true, true
	}
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := Group{Name: "runbooks", Interval: time.Minute}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`(?:^|[^:\w])(opensaves_\w+)`).FindAllStringSubmatch(string(text), -1) {
			if !known[name[1]] {
				t.Errorf("%s: got metric %q, which nobody exports", file, name[1])
			}
		}
		for _, block := range regexp.MustCompile("(?s)```\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(block[1]) {
				if !strings.HasPrefix(line, "kubectl ") && !strings.HasPrefix(line, "curl ") {
					queries.Rules = append(queries.Rules, Rule{Record: "runbook:query:" + fmt.Sprint(len(queries.Rules)), Expr: line})
				}
			}
		}
	}
	path := filepath.Join(t.TempDir(), "queries.yaml")
	writeRules(t, path, []Group{queries})
	if said, err := exec.CommandContext(t.Context(), tools.Path(t, "promtool"), "check", "rules", "--lint=none", path).CombinedOutput(); err != nil {
		t.Errorf("got %v, want PromQL\n%s", err, said)
	}
}

func TestLinksBeginWithTheAddressesOfTheSettings(t *testing.T) {
	s := DefaultSettings()
	s.RunbookURL, s.DashboardURL = "https://runbooks.example/soak/", "https://grafana.example"
	got := Rules(DefaultObjectives(), s)[0].Rules[0].Annotations
	want := map[string]string{
		"runbook_url":   "https://runbooks.example/soak/OpenSavesSoakWrongData.md",
		"dashboard_url": "https://grafana.example/d/opensaves-soak-overview" + boardVariables,
		"summary":       got["summary"], "description": got["description"],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}
