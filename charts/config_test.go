package charts

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// config is the text of the configuration file; empty: the release has none.
func config(objects []runtime.Object) string {
	for _, object := range objects {
		if m, ok := object.(*corev1.ConfigMap); ok {
			if text, ok := m.Data["config.yaml"]; ok {
				return text
			}
		}
	}
	return ""
}

// settings is the configuration file of values, read.
func settings(t *testing.T, values string) (read map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(config(render(t, values))), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTheProgramAcceptsTheConfigurationOfEveryFeature(t *testing.T) {
	features(t, func(t *testing.T, values string) {
		text := config(render(t, values))
		if text == "" {
			return // another's ConfigMap
		}
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := program(t, "check-config", path); err != nil {
			t.Errorf("got %v, want it accepted\n%s\n%s", err, said, text)
		}
	})
}

func TestTheConfigurationHasTheSectionsThatAreSetAndNoOthers(t *testing.T) {
	want := map[string]any{}
	all := withImage
	for _, section := range []string{"target", "load", "data", "verify", "objectives", "safety", "cloudwatch", "cost", "tracing", "storage"} {
		all += section + ": {key: 1000000, more: [1.5, {text: \"true\"}]}\n"
		want[section] = map[string]any{"key": 1000000, "more": []any{1.5, map[string]any{"text": "true"}}}
	}
	for values, want := range map[string]map[string]any{
		withImage: {}, all: want, withImage + "load: {rps: 5}": {"load": map[string]any{"rps": 5}},
	} {
		if diff := cmp.Diff(want, settings(t, values)); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", values, diff)
		}
	}
}

func TestAVolumeHoldsTheLedgerAndKeepsTheData(t *testing.T) {
	target := map[string]any{"address": "http://open-saves.open-saves.svc:8080"}
	for values, want := range map[string]map[string]any{
		"": {"storage": map[string]any{"path": "/var/lib/opensaves-soak"}, "data": map[string]any{"cleanup": false}},
		"storage: {path: /ledger}\ndata: {stores: 3, cleanup: true}": {
			"storage": map[string]any{"path": "/ledger"}, "data": map[string]any{"stores": 3, "cleanup": true},
		},
	} {
		values = withTarget + "persistence: {enabled: true}\n" + values
		want["target"] = target
		if diff := cmp.Diff(want, settings(t, values)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		mounts := daemon(t, values).Spec.Containers[0].VolumeMounts
		path := want["storage"].(map[string]any)["path"].(string)
		if !slices.ContainsFunc(mounts, func(m corev1.VolumeMount) bool { return m.Name == "ledger" && m.MountPath == path }) {
			t.Errorf("got %v, want the ledger at %s", mounts, path)
		}
	}
}

func TestHeadersOfASecretJoinThoseOfTheConfiguration(t *testing.T) {
	got := settings(t, withImage+`
target: {address: "saves:6000", header_files: {X-Mine: /mine}}
targetHeaders: {existingSecret: open-saves, headers: {Authorization: token}}
`)
	want := map[string]any{"target": map[string]any{
		"address": "saves:6000", "header_files": map[string]any{"X-Mine": "/mine", "Authorization": "/etc/opensaves-soak/headers/token"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func checksum(t *testing.T, values string) string {
	t.Helper()
	return daemon(t, values).Annotations["checksum/config"]
}

func TestOnlyAChangeThatTheRunningProgramCannotApplyRestartsPods(t *testing.T) {
	source, err := os.ReadFile("../cmd/opensaves-soak/reload.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^var live = .*$`).Find(source)
	live := map[string]string{
		"rps": "7", "max_rps": "70", "default_ttl": "1h", "stages": "[{rps: 1, duration: 1m}]", "repeat": "true", "scenarios": "{crud: 1}", "read_ratio": "0.5",
	}
	var want []string
	for _, key := range regexp.MustCompile(`"load\.(\w+)"`).FindAllSubmatch(declared, -1) {
		want = append(want, string(key[1]))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(live))); diff != "" {
		t.Errorf("live keys of the program: wanted -, got +\n%s", diff)
	}
	before := checksum(t, withTarget)
	for key, value := range live {
		values := withTarget + "load: {" + key + ": " + value + "}"
		if got := checksum(t, values); got != before {
			t.Errorf("%s: got another checksum, want the same", key)
		}
		if got := settings(t, values)["load"]; got == nil {
			t.Errorf("%s: got no section load, want it", key)
		}
	}
	for _, values := range []string{"data: {records: 5}", "load: {arrivals: poisson}", "load: {rps: 7, operations: {ping: 1}}", "verify: {self_test: false}"} {
		if checksum(t, withTarget+values) == before {
			t.Errorf("%s: got the same checksum, want another", values)
		}
	}
}

func TestAnothersConfigurationIsMountedAndNoneMade(t *testing.T) {
	values := withImage + "existingConfigMap: ours\ntarget: {address: \"saves:6000\"}\n"
	if got := config(render(t, values)); got != "" {
		t.Errorf("got %q, want no configuration", got)
	}
	pod := daemon(t, values)
	if got := pod.Spec.Volumes[0].ConfigMap; got == nil || got.Name != "ours" {
		t.Errorf("got %v, want the ConfigMap ours", got)
	}
	if got, ok := pod.Annotations["checksum/config"]; ok {
		t.Errorf("got checksum %s, want none of what the chart does not know", got)
	}
}
