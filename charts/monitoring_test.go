package charts

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"opensaves-soak/alerts"
	"opensaves-soak/dashboards"
	"opensaves-soak/tools"
)

func TestGeneratedDashboardsAreThoseOfTheProgram(t *testing.T) {
	for _, board := range boards(t) {
		tools.Golden(t, filepath.Join(chart, "files/dashboards", board.Name+".json"), string(board.JSON))
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

// operator is the Prometheus operator whose kinds are installed. It is older than
// the key scrapeNativeHistograms.
const operator = "github.com/prometheus-operator/prometheus-operator@v0.85.0"

// define installs kinds of the operator, and returns once they are served.
func (c *cluster) define(t *testing.T, plurals ...string) {
	t.Helper()
	definitions := dynamic.NewForConfigOrDie(c.config).Resource(kubeschema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions",
	})
	directory := filepath.Join(downloaded(t, operator), "example", "prometheus-operator-crd")
	for _, plural := range plurals {
		text, err := os.ReadFile(filepath.Join(directory, "monitoring.coreos.com_"+plural+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents(t, text) {
			if _, err := definitions.Create(t.Context(), plainObject(t, document), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for deadline := time.After(time.Minute); !c.discovers(t, "monitoring.coreos.com", plurals); {
		select {
		case <-deadline:
			t.Fatalf("got no %v served within a minute, want them", plurals)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// downloaded returns the directory of a module that this one does not require.
func downloaded(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	var found struct{ Dir string }
	if err != nil || json.Unmarshal(out, &found) != nil {
		t.Fatalf("downloading %s: got %v, %s, want its directory", module, err, out)
	}
	return found.Dir
}

// discovers asks the server for all that it serves, and says whether some resources of
// a group are among that.
func (c *cluster) discovers(t *testing.T, group string, plurals []string) bool {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(c.admin.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
	return !slices.ContainsFunc(plurals, func(plural string) bool {
		_, err := c.mapper.KindFor(kubeschema.GroupVersionResource{Group: group, Resource: plural})
		return err != nil
	})
}

func (c *cluster) leavesOut(t *testing.T) {
	for key, want := range map[string]string{
		"true": `strict decoding error: unknown field "spec.scrapeNativeHistograms"`, "null": "<nil>",
	} {
		objects := manifests(t, withTarget+"serviceMonitor: {enabled: true, scrapeNativeHistograms: "+key+"}")
		monitor := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ServiceMonitor" })
		if got := fmt.Sprint(c.dryRun(t, objects[monitor])); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}
