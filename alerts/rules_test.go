package alerts

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/tools"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	groups := Rules(DefaultObjectives(), DefaultSettings())
	of := func(write func(io.Writer, []Group) error) func(io.Writer) error {
		return func(w io.Writer) error { return write(w, groups) }
	}
	for name, write := range map[string]func(io.Writer) error{
		"prometheus.yaml":     of(WritePrometheus),
		"prometheusrule.yaml": of(WritePrometheusRule),
		"grafana.yaml":        of(WriteGrafana),
		"cloudformation.yaml": of(WriteCloudFormation),
		"alertmanager.yaml":   WriteInhibitions,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			tools.Golden(t, filepath.Join("rules", name), got.String())
		})
	}
}

func TestPromtoolHasNoComplaintAboutTheRules(t *testing.T) {
	for _, s := range []Settings{
		DefaultSettings(),
		{Selector: `cluster="a",namespace=~"b|c",job!="d"`, Pods: `pod=~"x\\.y.*"`, Shorten: 60},
	} {
		path := filepath.Join(t.TempDir(), "rules.yaml")
		writeRules(t, path, Rules(DefaultObjectives(), s))
		said, err := exec.CommandContext(t.Context(), tools.Path(t, "promtool"), "check", "rules", "--lint=all", "--lint-fatal", path).CombinedOutput()
		if err != nil {
			t.Errorf("got %v, want no complaint\n%s", err, said)
		}
	}
}

func TestThePrometheusRuleHoldsTheRuleFile(t *testing.T) {
	groups := Rules(DefaultObjectives(), DefaultSettings())
	var file, resource bytes.Buffer
	if err := WritePrometheus(&file, groups); err != nil {
		t.Fatal(err)
	}
	if err := WritePrometheusRule(&resource, groups); err != nil {
		t.Fatal(err)
	}
	var want, got struct {
		APIVersion, Kind string
		Spec, Groups     any
	}
	for text, into := range map[*bytes.Buffer]any{&file: &want, &resource: &got} {
		if err := yaml.Unmarshal(text.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]any{"groups": want.Groups}, got.Spec); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestShortenedRulesKeepTheirNames(t *testing.T) {
	long, s := Rules(DefaultObjectives(), DefaultSettings()), DefaultSettings()
	s.Shorten = 60
	names := func(groups []Group) (all []string) {
		for _, g := range groups {
			for _, r := range g.Rules {
				all = append(all, r.Record+r.Alert)
			}
		}
		return all
	}
	short := Rules(DefaultObjectives(), s)
	if diff := cmp.Diff(names(long), names(short)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got := short[1].Interval; got != time.Second {
		t.Errorf("interval: got %s, want 1s", got)
	}
}

func TestBurnFactorsAreThoseOfTheWorkbookAndNeverBelowOne(t *testing.T) {
	month, week := DefaultObjectives(), DefaultObjectives()
	week.Window = month.Window / 30 * 7
	var got [][2]float64
	for _, b := range Burns {
		got = append(got, [2]float64{b.Factor(month), b.Factor(week)})
	}
	if diff := cmp.Diff([][2]float64{{14.4, 3.36}, {6, 1.4}, {3, 1}, {1, 1}}, got, cmp.Comparer(near)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestSelectorsThatRulesCannotUseAreRefused(t *testing.T) {
	for selector, want := range map[string]string{
		`job="a"`:                        "",
		`cluster=~"x|y", namespace!="z"`: "",
		`job="a\"b\\"`:                   "",
		``:                               "want matchers",
		`job`:                            "want matchers",
		`{job="a"}`:                      "want matchers",
		`job="a"} or {x="y"`:             "want matchers",
		`job=~"("`:                       "missing closing",
		`pod="a"`:                        `got label "pod", want cluster, namespace or job`,
	} {
		s := DefaultSettings()
		s.Selector = selector
		if got := s.Validate(); (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
			t.Errorf("%s: got %v, want %q", selector, got, want)
		}
	}
}

func FuzzASelectorThatPassesStaysWithinItsBraces(f *testing.F) {
	for _, seed := range []string{`job="a"`, `job=~"a|b",cluster!="c"`, `job="}"`, `job="\"}"`, "job=\"\n\"", `x!~"y" ,`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, selector string) {
		s := Settings{Selector: selector, Pods: `pod="x"`}
		if s.Validate() != nil {
			return
		}
		if used := metricsIn(t, "up{"+selector+"}"); len(used) != 1 || used["up"] == nil {
			t.Errorf("%q: got %v, want the labels of one metric", selector, used)
		}
	})
}

func writeRules(t *testing.T, path string, groups []Group) {
	t.Helper()
	var text bytes.Buffer
	if err := WritePrometheus(&text, groups); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCloudFormationAcceptsTheTemplates(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), tools.Path(t, "cfn-lint"), "rules/cloudformation.yaml", "rules/cloudformation-access.yaml").CombinedOutput()
	if err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}
