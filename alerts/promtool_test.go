package alerts

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/tools"
)

// scene is what Prometheus has scraped, and who is told.
type scene struct {
	alert, name string
	form        string // of its histograms: classic, native; empty: it has none
	input       []input
	at          time.Duration
	every       time.Duration // evaluation; 0: a minute
	fires       []told        // none: it is silent
	alone       bool          // no tester is there
}

// input is a series and its values, 30 s apart, as promtool writes them.
type input struct{ series, values string }

// told is an alert that fires: its labels beside severity, and its value as the
// description shows it.
type told struct {
	labels map[string]string
	value  string
}

// epoch is when scenes begin.
const epoch = 1700000000

func TestEveryAlertFiresWhenItShouldAndIsSilentWhenItShould(t *testing.T) {
	directory := t.TempDir()
	groups := Rules(DefaultObjectives(), DefaultSettings())
	for _, g := range groups {
		writeRules(t, filepath.Join(directory, g.Name+".yaml"), []Group{g})
	}
	promtool := tools.Path(t, "promtool")
	for _, g := range groups {
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			for _, file := range testFiles(t, g, groups) {
				text, err := yaml.Marshal(file)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(directory, fmt.Sprintf("%s.%s.test.yaml", g.Name, file["evaluation_interval"]))
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
				if said, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
					t.Errorf("got %v, want no difference\n%s", err, said)
				}
			}
		})
	}
}

// testFiles writes the scenes of a group as promtool has them, one file for each
// interval of evaluation.
func testFiles(t *testing.T, g Group, groups []Group) (files []map[string]any) {
	t.Helper()
	byInterval := map[time.Duration][]any{}
	for _, s := range scenes() {
		i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.Alert == s.alert })
		if i >= 0 {
			every := max(s.every, time.Minute)
			byInterval[every] = append(byInterval[every], s.test(g.Rules[i]))
		}
	}
	names := []string{g.Name}
	if reads(g, groups[1]) && g.Name != groups[1].Name {
		names = []string{groups[1].Name, g.Name}
	}
	var rules []string
	for _, name := range names {
		rules = append(rules, name+".yaml")
	}
	for every, tests := range byInterval {
		files = append(files, map[string]any{
			"rule_files": rules, "group_eval_order": names, "evaluation_interval": model.Duration(every).String(), "tests": tests,
		})
	}
	return files
}

// reads says whether a group needs what another one records.
func reads(g, recorder Group) bool {
	return slices.ContainsFunc(g.Rules, func(r Rule) bool {
		return slices.ContainsFunc(recorder.Rules, func(made Rule) bool { return made.Record != "" && strings.Contains(r.Expr, made.Record) })
	})
}

// test is a scene as promtool has it.
func (s scene) test(r Rule) map[string]any {
	var series, alerts []map[string]any
	if !slices.ContainsFunc(s.input, func(i input) bool { return strings.HasPrefix(i.series, metric.TargetRPS.Name) }) && !s.alone {
		s.input = append([]input{running}, s.input...)
	}
	for _, i := range s.input {
		series = append(series, map[string]any{"series": i.series, "values": i.values})
	}
	for _, f := range s.fires {
		labels := maps.Clone(f.labels)
		maps.Copy(labels, r.Labels)
		annotations := map[string]string{}
		for name, text := range r.Annotations {
			annotations[name] = rendered(text, labels, f.value)
		}
		alerts = append(alerts, map[string]any{"exp_labels": labels, "exp_annotations": annotations})
	}
	return map[string]any{
		"name": s.alert + " " + s.form + " " + s.name, "interval": "30s", "start_timestamp": epoch, "input_series": series,
		"alert_rule_test": []any{map[string]any{"eval_time": model.Duration(s.at).String(), "alertname": s.alert, "exp_alerts": alerts}},
	}
}

var placeholder = regexp.MustCompile(`\{\{ \$(value|labels\.(\w+))[^}]*\}\}`)

// rendered fills the placeholders of an annotation.
func rendered(text string, labels map[string]string, value string) string {
	return placeholder.ReplaceAllStringFunc(text, func(found string) string {
		if label := placeholder.FindStringSubmatch(found)[2]; label != "" {
			return labels[label]
		}
		return value
	})
}

func TestEveryAlertHasAFiringAndASilentScene(t *testing.T) {
	groups := Rules(DefaultObjectives(), DefaultSettings())
	seen := map[string]bool{}
	for _, s := range scenes() {
		seen[fmt.Sprint(s.alert, s.form, len(s.fires) > 0)] = true
		seen[s.alert] = true
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			delete(seen, r.Alert)
			forms := []string{""}
			if ofHistogram(t, r.Expr, groups) {
				forms = []string{"classic", "native"}
			}
			for _, form := range forms {
				for _, fires := range []bool{true, false} {
					if key := fmt.Sprint(r.Alert, form, fires); !seen[key] {
						t.Errorf("%s, form %q, fires %t: got no scene, want one", r.Alert, form, fires)
					}
				}
			}
		}
	}
	for key := range seen {
		if !strings.HasSuffix(key, "true") && !strings.HasSuffix(key, "false") {
			t.Errorf("got a scene of %s, which is no alert", key)
		}
	}
}

// ofHistogram says whether an expression comes to read a histogram.
func ofHistogram(t *testing.T, expr string, groups []Group) bool {
	t.Helper()
	for name := range metricsIn(t, expr) {
		if slices.ContainsFunc(metric.Soak, func(d metric.Definition) bool { return d.Type == "histogram" && d.Name == name }) {
			return true
		}
		for _, g := range groups {
			if slices.ContainsFunc(g.Rules, func(r Rule) bool { return r.Record == name && ofHistogram(t, r.Expr, groups) }) {
				return true
			}
		}
	}
	return false
}
