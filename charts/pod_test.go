package charts

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestProbesAskThePortThatNeedsNoPassword(t *testing.T) {
	for values, want := range map[string]struct {
		ports  []int32
		probe  string
		prefix string
	}{
		"":                   {[]int32{9842}, "http", ""},
		"routePrefix: /soak": {[]int32{9842}, "http", "/soak"},
		"webConfig: {existingSecret: web}\nroutePrefix: /soak": {[]int32{9842, 9843}, "probes", ""},
	} {
		container := daemon(t, withTarget+values).Spec.Containers[0]
		var ports []int32
		for _, port := range container.Ports {
			ports = append(ports, port.ContainerPort)
		}
		if diff := cmp.Diff(want.ports, ports); diff != "" || container.Ports[0].Name != "http" {
			t.Errorf("got %v, wanted http first and: wanted -, got +\n%s", container.Ports, diff)
		}
		for path, probe := range map[string]*corev1.Probe{"/-/healthy": container.LivenessProbe, "/-/ready": container.ReadinessProbe} {
			wanted := &corev1.HTTPGetAction{Path: want.prefix + path, Port: intstr.FromString(want.probe)}
			if diff := cmp.Diff(wanted, probe.HTTPGet); diff != "" {
				t.Errorf("%s: wanted -, got +\n%s", path, diff)
			}
		}
	}
}

func TestTheHeapIsBoundedAtNineTenthsOfTheMemory(t *testing.T) {
	for limit, want := range map[string]string{
		"512Mi": "483183820", "1Gi": "966367641", "1.5Gi": "1449551462", "600M": "540000000", "2G": "1800000000", "524288Ki": "483183820",
		"1000000000": "900000000", `"1000000000"`: "900000000", "1e9": "900000000", "300000k": "270000000", "1Ti": "989560464998", "null": "",
	} {
		got := ""
		for _, env := range daemon(t, withTarget+"resources: {limits: {memory: "+limit+"}}").Spec.Containers[0].Env {
			if env.Name == "GOMEMLIMIT" {
				got = env.Value
			}
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", limit, got, want)
		}
	}
}

func TestAPodHasTimeForItsLastRequestsAndTheCleanup(t *testing.T) {
	for values, want := range map[string]int64{
		"":                                           60,
		"data: {cleanup_timeout: 1m}":                100,
		"target: {timeout: 2m}":                      150,
		"target: {blob_timeout: 500ms}":              35,
		"target: {blob_timeout: 1h0.5s}":             3631,
		"terminationGracePeriodSeconds: 7":           7,
		"target: {timeout: 1m, blob_timeout: 1m30s}": 120,
	} {
		if got := *daemon(t, withImage+values).Spec.TerminationGracePeriodSeconds; got != want {
			t.Errorf("%s: got %d, want %d", values, got, want)
		}
	}
}

func TestAnImageIsNamedByDigestElseByTagElseByTheVersionOfTheProgram(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for values, want := range map[string]string{
		"image: {repository: a/b}":                                                 "a/b:0.1.0",
		"image: {repository: b, registry: r.example, tag: v2}":                     "r.example/b:v2",
		"image: {repository: b, registry: r, tag: v2, digest: \"" + digest + "\"}": "r/b@" + digest,
		"image: {repository: b, registry: r}\nglobal: {imageRegistry: m}":          "m/b:0.1.0",
	} {
		for _, pod := range pods(render(t, values)) {
			if got := pod.Spec.Containers[0].Image; got != want {
				t.Errorf("%s: got %s, want %s", values, got, want)
			}
		}
	}
}

func TestEveryVolumeIsMountedOnceAndNoVariableIsSetTwice(t *testing.T) {
	features(t, func(t *testing.T, values string) {
		objects := render(t, values)
		volumes := map[string]int{}
		for _, pod := range pods(objects) {
			for _, volume := range pod.Spec.Volumes {
				volumes[volume.Name]--
			}
			seen := map[string]bool{}
			for _, env := range pod.Spec.Containers[0].Env {
				if seen[env.Name] {
					t.Errorf("got %s twice, want it once", env.Name)
				}
				seen[env.Name] = true
			}
			for _, mount := range pod.Spec.Containers[0].VolumeMounts {
				volumes[mount.Name]++
				if mount.SubPath != "" {
					t.Errorf("%s: got a subPath, want none: its updates would not arrive", mount.Name)
				}
			}
		}
		for _, object := range objects {
			if set, ok := object.(*appsv1.StatefulSet); ok {
				for _, claim := range set.Spec.VolumeClaimTemplates {
					volumes[claim.Name]--
				}
			}
		}
		for name, n := range volumes {
			if n != 0 {
				t.Errorf("%s: got %d more mounts than volumes, want as many", name, n)
			}
		}
	})
}
