package alerts

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"opensaves-soak/exporter/metric"
)

// foreign are the metrics of others that rules read, with the labels they have.
var foreign = map[string][]string{
	"kube_pod_container_status_restarts_total":         {"namespace", "pod", "container"},
	"kube_pod_container_status_last_terminated_reason": {"namespace", "pod", "container", "reason"},
	"container_memory_working_set_bytes":               {"namespace", "pod", "container"},
	"container_cpu_cfs_throttled_periods_total":        {"namespace", "pod", "container"},
	"container_cpu_cfs_periods_total":                  {"namespace", "pod", "container"},
}

// scraped are the labels that scraping sets.
var scraped = []string{"cluster", "namespace", "job", "instance", "pod"}

func TestRulesNameOnlyMetricsAndLabelsThatAreExported(t *testing.T) {
	known := maps.Clone(foreign)
	for _, d := range slices.Concat(metric.Soak, metric.AWS) {
		known[d.Name] = d.Labels
		if d.Type == "histogram" {
			known[d.Name+"_count"], known[d.Name+"_bucket"] = d.Labels, append([]string{"le"}, d.Labels...)
		}
	}
	for _, g := range Rules(DefaultObjectives(), DefaultSettings()) {
		for _, r := range g.Rules {
			if r.Record != "" {
				known[r.Record] = slices.Collect(maps.Keys(r.Labels))
				if r.Record == Latency99 {
					known[r.Record] = []string{"class"}
				}
			}
		}
	}
	for _, g := range Rules(DefaultObjectives(), DefaultSettings()) {
		for _, r := range g.Rules {
			for name, labels := range metricsIn(t, r.Expr) {
				has, ok := known[name]
				if !ok {
					t.Errorf("%s%s: got metric %q, which nobody exports", r.Record, r.Alert, name)
				}
				for _, label := range labels {
					if !slices.Contains(scraped, label) && !slices.Contains(has, label) {
						t.Errorf("%s%s: got label %q of %s, which has %v", r.Record, r.Alert, label, name, has)
					}
				}
			}
			grouped(t, r, known)
		}
	}
}

// grouped sees that each label by which a rule aggregates or joins is one of
// some metric in it.
func grouped(t *testing.T, r Rule, known map[string][]string) {
	t.Helper()
	has := slices.Clone(scraped)
	for name := range metricsIn(t, r.Expr) {
		has = append(has, known[name]...)
	}
	for _, found := range regexp.MustCompile(`\b(?:by|on|without|group_left|group_right|ignoring) \(([^)]*)\)`).FindAllStringSubmatch(r.Expr, -1) {
		for label := range strings.SplitSeq(found[1], ",") {
			if label = strings.TrimSpace(label); label != "" && !slices.Contains(has, label) {
				t.Errorf("%s%s: got label %q in %q, which none of its metrics has", r.Record, r.Alert, label, found[0])
			}
		}
	}
}

var selected = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:"(?:[^"\\]|\\.)*"|[^}"])*)\}`)

// metricsIn returns the metrics that an expression selects, with the labels by
// which it does. All selectors of our rules have braces.
func metricsIn(t *testing.T, expr string) map[string][]string {
	t.Helper()
	used := map[string][]string{}
	for _, found := range selected.FindAllStringSubmatch(expr, -1) {
		labels, err := matched(found[2])
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		}
		used[found[1]] = append(used[found[1]], labels...)
	}
	bare := selected.ReplaceAllString(expr, "{}")
	if found := regexp.MustCompile(`\b(?:opensaves|kube|container)_\w+|\b\w+:\w+:\w+`).FindString(bare); found != "" {
		t.Errorf("%s: got %q without braces, want all selectors to have them", expr, found)
	}
	return used
}

func TestOnlyAlertsOnEffectsOfTheLoadWaitUntilItIsSteady(t *testing.T) {
	for _, g := range Rules(DefaultObjectives(), DefaultSettings()) {
		for _, r := range g.Rules {
			want := strings.Contains(r.Alert, "Burn") || r.Alert != "" && (strings.HasSuffix(g.Name, ".components") || strings.HasSuffix(g.Name, ".drift"))
			if got := strings.HasSuffix(r.Expr, "unless on ("+kept+") (max by ("+kept+") ("+metric.LoadTransition.Name+`{job="opensaves-soak"}) == 1)`); got != want {
				t.Errorf("%s: waits %t, want %t", r.Alert, got, want)
			}
		}
	}
}
