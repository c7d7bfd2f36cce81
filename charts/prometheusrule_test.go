package charts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

const day = 24 * time.Hour

// rulesOf is a release with rules, and what they must be made of.
type rulesOf struct {
	values     string
	objectives alerts.Objectives
	settings   alerts.Settings
}

func TestTheRulesAreThoseOfTheProgramWhateverTheObjectives(t *testing.T) {
	here := alerts.DefaultSettings()
	here.Selector = `namespace="soak",job="opensaves-soak"`
	elsewhere := alerts.Settings{
		Selector: `cluster="a",job=~"x|y\\.z"`, Pods: `pod=~"x\\.y.*"`,
		RunbookURL: "https://runbooks.example/", DashboardURL: "https://grafana.example/",
	}
	strict, loose, other := alerts.DefaultObjectives(), alerts.DefaultObjectives(), alerts.DefaultObjectives()
	strict.Window, strict.Availability, strict.AchievedRate, strict.StaleRatio = model.Duration(90*day), 0.99999, 1, 0.00001
	strict.Latency = everyLatency()
	loose.Window, loose.Availability, loose.Latency = model.Duration(7*day), 0.9, nil
	other.Window = model.Duration(30 * day)
	other.Latency = []alerts.Latency{{Class: "read", Threshold: model.Duration(time.Second), Ratio: 0.5}}
	for name, of := range map[string]rulesOf{
		"the defaults":      {"", alerts.DefaultObjectives(), here},
		"strict ones":       {withObjectives(strict), strict, here},
		"loose ones":        {"objectives: {window: 168h, availability: 0.9, latency: []}", loose, here},
		"written otherwise": {"objectives: {window: 4w2d, availability: null, latency: [{class: read, threshold: 0.5s500ms, ratio: 0.5}]}", other, here},
		"another place": {
			fmt.Sprintf("prometheusRule: {selector: %q, pods: %q, runbookURL: %q, dashboardURL: %q}",
				elsewhere.Selector, elsewhere.Pods, elsewhere.RunbookURL, elsewhere.DashboardURL),
			alerts.DefaultObjectives(), elsewhere,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(plain(t, groups(t, of.objectives, of.settings)), plain(t, renderedGroups(t, of.values))); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

// everyLatency is an objective for each class and threshold.
func everyLatency() (all []alerts.Latency) {
	for class := range metric.Classes {
		for i, seconds := range metric.LatencyBuckets {
			threshold := time.Duration(seconds * float64(time.Second))
			all = append(all, alerts.Latency{Class: metric.Class(class).String(), Threshold: model.Duration(threshold), Ratio: 0.9 + float64(i)/1000})
		}
	}
	return all
}

// withObjectives writes objectives as values. Times are as Go writes them, which
// loses nothing of 2.5ms.
func withObjectives(o alerts.Objectives) string {
	var latency []string
	for _, l := range o.Latency {
		latency = append(latency, fmt.Sprintf("{class: %s, threshold: %s, ratio: %v}", l.Class, time.Duration(l.Threshold), l.Ratio))
	}
	return fmt.Sprintf("objectives: {window: %s, availability: %v, achieved_rate: %v, stale_ratio: %v, latency: [%s]}",
		time.Duration(o.Window), o.Availability, o.AchievedRate, o.StaleRatio, strings.Join(latency, ", "))
}

// renderedGroups returns the groups of a release's PrometheusRule.
func renderedGroups(t *testing.T, values string) any {
	t.Helper()
	enabled := "prometheusRule: {enabled: true}"
	if strings.HasPrefix(values, "prometheusRule: {") {
		values, enabled = strings.Replace(values, "{", "{enabled: true, ", 1), ""
	}
	rules := custom(render(t, withTarget+values+"\n"+enabled), "PrometheusRule")
	if len(rules) != 1 {
		t.Fatalf("got %d PrometheusRules, want 1", len(rules))
	}
	return rules[0].Object["spec"].(map[string]any)["groups"]
}

// plain is rules as text, without the last digits of quotients, in which decimal
// and binary arithmetic differ.
func plain(t *testing.T, groups any) []string {
	t.Helper()
	text, err := yaml.Marshal(groups)
	if err != nil {
		t.Fatal(err)
	}
	rounded := regexp.MustCompile(`\d+\.\d{13,}`).ReplaceAllStringFunc(string(text), func(number string) string {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(f, 'g', 12, 64)
	})
	return strings.Split(rounded, "\n")
}

func TestPromtoolHasNoComplaintAboutTheRules(t *testing.T) {
	features(t, func(t *testing.T, values string) {
		for _, rule := range custom(render(t, values), "PrometheusRule") {
			text, err := yaml.Marshal(rule.Object["spec"])
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "rules.yaml")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if said, err := exec.CommandContext(t.Context(), tool(t, "promtool"), "check", "rules", "--lint=all", "--lint-fatal", path).CombinedOutput(); err != nil {
				t.Errorf("got %v, want no complaint\n%s", err, said)
			}
		}
	})
}

func TestObjectivesThatNoRuleCanBeMadeOfAreRefused(t *testing.T) {
	for _, latency := range []string{
		"{class: blob, threshold: 1s, ratio: 0.9}", "{class: read, threshold: 200ms, ratio: 0.9}", "{class: read, threshold: 1s}",
	} {
		got := refused(t, withTarget+"prometheusRule: {enabled: true}\nobjectives: {latency: ["+latency+"]}")
		if want := "objectives.latency: got {"; !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
