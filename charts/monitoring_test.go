package charts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"opensaves-soak/alerts"
	"opensaves-soak/dashboards"
)

func TestGeneratedDashboardsAreThoseOfTheProgram(t *testing.T) {
	for _, board := range boards(t) {
		upToDate(t, "files/dashboards/"+board.Name+".json", func([]byte) []byte { return board.JSON })
	}
}

// boards are those of dashboards/json, which the package there holds to its code.
func boards(t *testing.T) []dashboards.Board {
	t.Helper()
	all, err := dashboards.Boards(dashboards.Options{Objectives: alerts.DefaultObjectives()})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachDashboardIsAConfigMapAndAResourceOfTheOperator(t *testing.T) {
	objects := render(t, withTarget+"dashboards: {enabled: true, grafanaDashboard: {enabled: true}}")
	resources := map[string]any{}
	for _, resource := range custom(objects, "GrafanaDashboard") {
		resources[resource.GetName()] = resource.Object["spec"]
	}
	want := map[string]any{}
	for _, board := range boards(t) {
		text := strings.TrimSpace(string(board.JSON))
		config := named[*corev1.ConfigMap](t, objects, "opensaves-soak-dashboard-"+board.Name)
		if diff := cmp.Diff(map[string]string{board.Name + ".json": text}, config.Data); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", board.Name, diff)
		}
		if config.Labels["grafana_dashboard"] != "1" || config.Annotations["grafana_folder"] != "Open Saves soak" {
			t.Errorf("got labels %v, annotations %v, want those that the sidecar looks for", config.Labels, config.Annotations)
		}
		want["opensaves-soak-"+board.Name] = map[string]any{
			"instanceSelector": map[string]any{"matchLabels": map[string]any{"dashboards": "grafana"}}, "allowCrossNamespaceImport": true,
			"folder": "Open Saves soak", "json": text,
		}
	}
	if diff := cmp.Diff(want, resources); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAScrapeIsNamedAsTheRulesSelectIt(t *testing.T) {
	job := map[string]any{"action": "replace", "targetLabel": "job", "replacement": "opensaves-soak"}
	selector := map[string]any{"matchLabels": map[string]any{
		"app.kubernetes.io/name": "opensaves-soak", "app.kubernetes.io/instance": "opensaves-soak", "app.kubernetes.io/component": "api",
	}}
	endpoint := func(scheme string, relabelings ...any) map[string]any {
		return map[string]any{
			"port": "http", "path": "/metrics", "scheme": scheme, "interval": "30s", "scrapeTimeout": "10s",
			"trackTimestampsStaleness": true, "relabelings": append([]any{job}, relabelings...),
		}
	}
	secured := endpoint("https", map[string]any{"action": "labeldrop", "regex": "pod"})
	secured["tlsConfig"] = map[string]any{"serverName": "a"}
	for values, want := range map[string]map[string]any{
		"serviceMonitor: {enabled: true}": {
			"selector": selector, "scrapeNativeHistograms": true, "scrapeClassicHistograms": true, "endpoints": []any{endpoint("http")},
		},
		"webConfig: {existingSecret: a}\n" +
			"serviceMonitor: {enabled: true, scrapeNativeHistograms: null, relabelings: [{action: labeldrop, regex: pod}], tlsConfig: {serverName: a}}": {
			"selector": selector, "scrapeClassicHistograms": true, "endpoints": []any{secured},
		},
	} {
		monitors := custom(render(t, withTarget+values), "ServiceMonitor")
		if len(monitors) != 1 {
			t.Fatalf("got %d ServiceMonitors, want 1", len(monitors))
		}
		if diff := cmp.Diff(want, monitors[0].Object["spec"]); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	}
}
