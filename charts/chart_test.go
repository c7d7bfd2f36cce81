package charts

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestHelmHasNoComplaintAboutAnyFeature(t *testing.T) {
	features(t, func(t *testing.T, values string) {
		if out, err := helm(t, values, "lint", "--strict", chart); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestAReleaseWithoutAnImageIsRefusedWithTheCommandsThatMakeOne(t *testing.T) {
	got := refused(t, "{}")
	for _, want := range []string{
		"image.repository: got none", "docker build", "aws ecr create-repository", "aws ecr get-login-password", "docker push", "--set image.repository=",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

func TestTheNotesNameTheNextCommands(t *testing.T) {
	for values, wants := range map[string][]string{
		"": {
			"tests http://open-saves", "port-forward service/opensaves-soak 9842:9842", "curl http://localhost:9842/api/v1/load",
			"curl -X PATCH http://localhost:9842/api/v1/load -d", "/metrics | grep",
		},
		"controlToken: {existingSecret: a, key: b}\nwebConfig: {existingSecret: c}": {
			"curl --insecure -X PATCH https://", "get secret a --output go-template='{{ index .data \"b\" | base64decode }}'",
		},
		"mode: job":     {"logs --follow --selector"},
		"mode: cronjob": {"create job opensaves-soak-now --from=cronjob/opensaves-soak"},
	} {
		got, err := helm(t, withTarget+values, "install", release, chart, "--dry-run=client")
		if err != nil {
			t.Fatal(err)
		}
		_, notes, _ := strings.Cut(string(got), "\nNOTES:\n")
		for _, want := range wants {
			if !strings.Contains(notes, want) {
				t.Errorf("%q: got %q, want %q in it", values, notes, want)
			}
		}
	}
}

func TestValuesThatCannotBeMeantAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"replicas: 2":                                    "additional properties 'replicas' not allowed",
		"image: {repo: a}":                               "additional properties 'repo' not allowed",
		"dashboards: {grafanaDashboard: {x: 1}}":         "additional properties 'x' not allowed",
		"mode: deployment":                               "value must be one of 'daemon', 'job', 'cronjob'",
		"replicaCount: two":                              "/replicaCount",
		"target: open-saves:6000":                        "/target",
		`prometheusRule: {selector: 'pod="a"'}`:          "/prometheusRule/selector",
		`prometheusRule: {pods: 'a="b"} or x{'}`:         "/prometheusRule/pods",
		"existingConfigMap: ours\nload: {rps: 1}":        "load: got it with existingConfigMap",
		"mode: job\npersistence: {enabled: true}":        "persistence.enabled: got true with mode job",
		"persistence: {enabled: true}":                   "persistence.enabled: got true without target.address",
		"mode: cronjob\nprometheusRule: {enabled: true}": "prometheusRule.enabled: got true with mode cronjob",
		"resources: {limits: {memory: 5Xi}}":             `resources.limits.memory: got "5Xi"`,
		"target: {timeout: soon}":                        `got duration "soon"`,
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			if got := refused(t, withImage+values); !strings.Contains(got, want) {
				t.Errorf("got %q, want %q in it", got, want)
			}
		})
	}
}

func TestEveryPodIsWithinTheRestrictedStandard(t *testing.T) {
	id, yes, no := int64(65532), true, false
	mismatch := corev1.FSGroupChangeOnRootMismatch
	wantPod := &corev1.PodSecurityContext{
		RunAsNonRoot: &yes, RunAsUser: &id, RunAsGroup: &id, FSGroup: &id, FSGroupChangePolicy: &mismatch,
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	wantContainer := &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	features(t, func(t *testing.T, values string) {
		all := pods(render(t, values))
		if len(all) == 0 {
			t.Error("got no pods, want some")
		}
		for _, pod := range all {
			if diff := cmp.Diff(wantPod, pod.Spec.SecurityContext); diff != "" {
				t.Errorf("pod: wanted -, got +\n%s", diff)
			}
			if n := len(pod.Spec.Containers) + len(pod.Spec.InitContainers); n != 1 {
				t.Errorf("got %d containers, want 1", n)
			}
			if diff := cmp.Diff(wantContainer, pod.Spec.Containers[0].SecurityContext); diff != "" {
				t.Errorf("container: wanted -, got +\n%s", diff)
			}
			if got := pod.Spec.Containers[0].Name; got != "opensaves-soak" {
				t.Errorf("got container %s, want opensaves-soak, by which rules select it", got)
			}
		}
	})
}

func TestNothingIsOutsideItsNamespaceButDashboardsThatAreToBe(t *testing.T) {
	features(t, func(t *testing.T, values string) {
		for _, object := range render(t, values) {
			o, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{namespace}
			switch {
			case strings.Contains(o.GetName(), "-dashboard-") && strings.Contains(values, "namespace: monitoring"):
				want = []string{"monitoring"}
			case strings.Contains(values, "extraManifests"):
				want = []string{namespace, ""}
			}
			if got := o.GetNamespace(); !slices.Contains(want, got) {
				t.Errorf("%s: got namespace %q, want %q", o.GetName(), got, want)
			}
		}
	})
}

func TestExtraManifestsAreRenderedWithTheirTemplates(t *testing.T) {
	objects := render(t, withImage+`extraManifests:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ include "opensaves-soak.fullname" . }}-map'}, data: {mode: "{{ .Values.mode }}"}}
- '{apiVersion: v1, kind: ConfigMap, metadata: {name: {{ .Release.Name }}-text}, data: {mode: "{{ .Values.mode }}"}}'
`)
	for _, name := range []string{"opensaves-soak-map", "opensaves-soak-text"} {
		if diff := cmp.Diff(map[string]string{"mode": "daemon"}, named[*corev1.ConfigMap](t, objects, name).Data); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestABudgetOfDisruptionsIsThereWhereThereAreReplicas(t *testing.T) {
	for values, want := range map[string]int{"": 0, "replicaCount: 2": 1, "replicaCount: 2\npodDisruptionBudget: {enabled: false}": 0} {
		var got int
		for _, object := range render(t, withImage+values) {
			if budget, ok := object.(*policyv1.PodDisruptionBudget); ok {
				got++
				if diff := cmp.Diff(intstr.FromInt32(1), *budget.Spec.MaxUnavailable); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
			}
		}
		if got != want {
			t.Errorf("%q: got %d budgets, want %d", values, got, want)
		}
	}
}
