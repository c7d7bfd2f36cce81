package charts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestWhatTheReplicasWriteIsRenderedEmpty(t *testing.T) {
	objects := render(t, withTarget)
	wanted := named[*corev1.ConfigMap](t, objects, "opensaves-soak-load")
	if wanted.Data != nil || wanted.BinaryData != nil || wanted.Annotations["opensaves-soak/data"] == "" {
		t.Errorf("got data %v, annotations %v, want no data and the reason", wanted.Data, wanted.Annotations)
	}
	leader := named[*coordinationv1.Lease](t, objects, "opensaves-soak-leader")
	if diff := cmp.Diff(coordinationv1.LeaseSpec{}, leader.Spec); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestTheDaemonMayDoWhatAFleetNeedsAndNothingElse(t *testing.T) {
	objects := render(t, withTarget)
	leases := []string{"coordination.k8s.io"}
	want := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"opensaves-soak-load"}, Verbs: []string{"get", "list", "watch", "update"}},
		{APIGroups: leases, Resources: []string{"leases"}, ResourceNames: []string{"opensaves-soak-leader"}, Verbs: []string{"get", "update"}},
		{APIGroups: leases, Resources: []string{"leases"}, Verbs: []string{"create", "list", "watch", "get", "update", "delete"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create"}},
	}
	if diff := cmp.Diff(want, named[*rbacv1.Role](t, objects, release).Rules); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	binding := named[*rbacv1.RoleBinding](t, objects, release)
	pod := daemon(t, withTarget).Spec
	subject := []rbacv1.Subject{{Kind: "ServiceAccount", Name: pod.ServiceAccountName, Namespace: namespace}}
	if diff := cmp.Diff(subject, binding.Subjects); diff != "" || binding.RoleRef.Name != release || !*pod.AutomountServiceAccountToken {
		t.Errorf("got role %s, token %t, want %s, true; wanted -, got +\n%s", binding.RoleRef.Name, *pod.AutomountServiceAccountToken, release, diff)
	}
}

// kinds counts objects by their Go types.
func kinds(objects []runtime.Object) map[string]int {
	count := map[string]int{}
	for _, object := range objects {
		count[object.GetObjectKind().GroupVersionKind().Kind]++
	}
	return count
}

func TestEachModeHasItsObjectsAndNoOthers(t *testing.T) {
	finite := func(kind string) map[string]int {
		return map[string]int{kind: 1, "ConfigMap": 1, "Service": 1, "ServiceAccount": 1}
	}
	for mode, want := range map[string]map[string]int{
		"daemon": {"StatefulSet": 1, "ConfigMap": 2, "Lease": 1, "Service": 2, "ServiceAccount": 1, "Role": 1, "RoleBinding": 1, "Pod": 1},
		"job":    finite("Job"), "cronjob": finite("CronJob"),
	} {
		if diff := cmp.Diff(want, kinds(render(t, withTarget+"mode: "+mode))); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", mode, diff)
		}
	}
	got := kinds(render(t, withTarget+"rbac: {create: false}\nserviceAccount: {create: false}"))
	if diff := cmp.Diff(map[string]int{"StatefulSet": 1, "ConfigMap": 2, "Lease": 1, "Service": 2, "Pod": 1}, got); diff != "" {
		t.Errorf("without accounts: wanted -, got +\n%s", diff)
	}
}

func TestServicesFindTheTestersAndNotThePodOfHelmTest(t *testing.T) {
	objects := render(t, withTarget+"podLabels: {app.kubernetes.io/component: other}\nnameOverride: soak\ncommonLabels: {a: b}")
	set := named[*appsv1.StatefulSet](t, objects, release)
	try := named[*corev1.Pod](t, objects, "opensaves-soak-test")
	for name, headless := range map[string]bool{"opensaves-soak": false, "opensaves-soak-headless": true} {
		service := named[*corev1.Service](t, objects, name)
		selector := labels.SelectorFromSet(service.Spec.Selector)
		if !selector.Matches(labels.Set(set.Spec.Template.Labels)) || selector.Matches(labels.Set(try.Labels)) {
			t.Errorf("%s: got selector %s, want testers alone", name, selector)
		}
		if got := service.Spec.ClusterIP == corev1.ClusterIPNone && service.Spec.PublishNotReadyAddresses; got != headless {
			t.Errorf("%s: got headless %t, want %t", name, got, headless)
		}
	}
	if set.Spec.ServiceName != "opensaves-soak-headless" || set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement {
		t.Errorf("got service %s, policy %s, want opensaves-soak-headless, Parallel", set.Spec.ServiceName, set.Spec.PodManagementPolicy)
	}
}

func TestThePodOfHelmTestTriesTheService(t *testing.T) {
	for values, want := range map[string][]string{
		"": {"try", "--url=http://opensaves-soak:9842"},
		"service: {port: 80}\ncontrolToken: {existingSecret: a}": {"try", "--url=http://opensaves-soak:80", "--token-file=/etc/opensaves-soak/control-token/token"},
		"webConfig: {existingSecret: a, scheme: http}":           {"try", "--url=http://opensaves-soak:9842"},
		"routePrefix: /soak": {"try", "--url=http://opensaves-soak:9842/soak"},
	} {
		try := named[*corev1.Pod](t, render(t, withTarget+values), "opensaves-soak-test")
		if diff := cmp.Diff(want, try.Spec.Containers[0].Args); diff != "" || try.Annotations["helm.sh/hook"] != "test" {
			t.Errorf("got annotations %v; wanted -, got +\n%s", try.Annotations, diff)
		}
	}
	if got := kinds(render(t, withTarget+"webConfig: {existingSecret: a}"))["Pod"]; got != 0 {
		t.Errorf("got %d pods with TLS, want none: the program would not trust the certificate", got)
	}
}

func TestPodsKeepAwayFromTheTargetAndFromEachOther(t *testing.T) {
	var got []string
	for _, term := range daemon(t, withTarget).Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		where := "here"
		if term.PodAffinityTerm.NamespaceSelector != nil {
			where = "anywhere"
		}
		got = append(got, labels.FormatLabels(term.PodAffinityTerm.LabelSelector.MatchLabels)+" "+where)
	}
	want := []string{"app=open-saves anywhere", "app.kubernetes.io/component=tester,app.kubernetes.io/instance=opensaves-soak,app.kubernetes.io/name=opensaves-soak here"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestTheNetworkPolicyLetsOutToThePortOfTheTarget(t *testing.T) {
	for address, want := range map[string][]int32{
		"http://saves": {80}, "https://saves/": {443}, "http://saves:8080": {8080}, "http://[fd00::1]:81/": {81}, "saves:6000": {6000}, "dns:///saves:6001": {6001}, "": nil,
	} {
		objects := render(t, withImage+"target: {address: \""+address+"\"}\nnetworkPolicy: {enabled: true}")
		policy := named[*networkingv1.NetworkPolicy](t, objects, release)
		var got []int32
		for _, rule := range policy.Spec.Egress {
			if len(rule.Ports) == 1 && rule.To == nil {
				got = append(got, rule.Ports[0].Port.IntVal)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: wanted -, got +\n%s", address, diff)
		}
		in := policy.Spec.Ingress
		if len(in) != 1 || in[0].From != nil || *in[0].Ports[0].Port != intstr.FromString("http") {
			t.Errorf("got ingress %v, want the port http from anywhere", in)
		}
	}
}
