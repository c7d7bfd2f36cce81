package charts

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"opensaves-soak/tools/kube"
)

func TestTheChartWorksOnARealAPIServer(t *testing.T) {
	c := startCluster(t)
	t.Run("every object of every feature is accepted strictly and without a warning", c.accepts)
	t.Run("an operator that does not know native histograms needs their key left out", c.leavesOut)
	t.Run("a release comes, works and goes", c.lives)
}

// cluster is an API server with the kinds of the Prometheus operator. No controller
// and no kubelet is there.
type cluster struct {
	server *kube.Server
	config *rest.Config // of the admin
	admin  kubernetes.Interface
	mapper meta.RESTMapper // of what it serves, once the kinds are defined
	env    []string        // of Helm
}

func startCluster(t *testing.T) *cluster {
	c := &cluster{server: kube.Start(t)}
	c.config = c.server.Config()
	c.config.QPS, c.config.WarningHandler = -1, rest.NoWarnings{}
	c.admin = kubernetes.NewForConfigOrDie(c.config)
	// A cache in the home directory might be that of an earlier server on the same port.
	c.env = []string{"KUBECONFIG=" + c.server.Kubeconfig(), "KUBECACHEDIR=" + t.TempDir()}
	for _, name := range []string{namespace, "monitoring"} {
		restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
		made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: restricted}}
		if _, err := c.admin.CoreV1().Namespaces().Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c.define(t, "servicemonitors", "prometheusrules")
	return c
}

// strict turns what the server warns of into failures.
type strict struct{ *testing.T }

func (s strict) HandleWarningHeader(_ int, _, text string) {
	s.Errorf("got warning %q, want none", text)
}

// dryRun asks whether the server would create an object, for a release in namespace.
func (c *cluster) dryRun(t *testing.T, object *unstructured.Unstructured) error {
	t.Helper()
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Fatal(err)
	}
	config := rest.CopyConfig(c.config)
	config.WarningHandler = strict{t}
	where := object.GetNamespace()
	if where == "" {
		where = namespace
	}
	_, err = dynamic.NewForConfigOrDie(config).Resource(mapping.Resource).Namespace(where).Create(t.Context(), object, metav1.CreateOptions{
		DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict,
	})
	return err
}

// manifests returns what Helm renders, as it is sent.
func manifests(t *testing.T, values string) (all []*unstructured.Unstructured) {
	t.Helper()
	out, err := helm(t, values, "template", release, chart)
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents(t, out) {
		all = append(all, plainObject(t, document))
	}
	return all
}

func (c *cluster) accepts(t *testing.T) {
	// The Grafana operator would be one more download, for a single kind.
	unknown := []string{"GrafanaDashboard"}
	features(t, func(t *testing.T, values string) {
		for _, object := range manifests(t, values) {
			if slices.Contains(unknown, object.GetKind()) {
				continue
			}
			if err := c.dryRun(t, object); err != nil {
				t.Errorf("%s %s: got %v, want it accepted", object.GetKind(), object.GetName(), err)
			}
		}
	})
}

// everything is a release with all kinds of objects that the server knows.
const everything = withTarget + `
replicaCount: 2
networkPolicy: {enabled: true}
serviceMonitor: {enabled: true, scrapeNativeHistograms: null}
prometheusRule: {enabled: true}
dashboards: {enabled: true}
extraManifests: [{apiVersion: v1, kind: Secret, metadata: {name: more}}]
`

func (c *cluster) lives(t *testing.T) {
	before := c.inventory(t)
	c.helm(t, everything, "install", release, chart, "--values=-")
	t.Run("its ServiceAccount may share the load", c.shares)
	t.Run("its ServiceAccount may do nothing else", c.limits)
	t.Run("no change of it touches what the replicas wrote", c.keeps)
	t.Run("helm test leaves no pod behind that succeeded", c.tries)
	// The replica has left by now. One that still ran would lose its rights before it could delete its Lease.
	c.helm(t, "", "uninstall", release)
	if diff := cmp.Diff(before, c.inventory(t)); diff != "" {
		t.Errorf("left behind: before -, after +\n%s", diff)
	}
}

// helm runs Helm on the server, without waiting for what no controller does.
func (c *cluster) helm(t *testing.T, input string, args ...string) {
	t.Helper()
	if _, err := runHelm(t, c.env, input, args...); err != nil {
		t.Fatal(err)
	}
}

// inventory names what is in the namespace, but for events, which end by themselves.
func (c *cluster) inventory(t *testing.T) (all []string) {
	t.Helper()
	lists, err := c.admin.Discovery().ServerPreferredNamespacedResources()
	if err != nil {
		t.Fatal(err)
	}
	resources, err := discovery.GroupVersionResources(discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists))
	if err != nil {
		t.Fatal(err)
	}
	for resource := range resources {
		if resource.Resource != "events" {
			all = append(all, c.names(t, resource)...)
		}
	}
	slices.Sort(all)
	return all
}

func (c *cluster) names(t *testing.T, resource kubeschema.GroupVersionResource) (all []string) {
	t.Helper()
	found, err := dynamic.NewForConfigOrDie(c.config).Resource(resource).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range found.Items {
		all = append(all, resource.Resource+"/"+found.Items[i].GetName())
	}
	return all
}

// written is what the replicas own of a release.
type written struct {
	Load   map[string]string
	Leader coordinationv1.LeaseSpec
}

// written returns what the replicas wrote, and the label team that it stands under.
func (c *cluster) written(t *testing.T) (w written, team string) {
	t.Helper()
	load, err := c.admin.CoreV1().ConfigMaps(namespace).Get(t.Context(), release+"-load", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	leader, err := c.admin.CoordinationV1().Leases(namespace).Get(t.Context(), release+"-leader", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return written{load.Data, leader.Spec}, load.Labels["team"]
}

func (c *cluster) keeps(t *testing.T) {
	want, _ := c.written(t)
	if want.Load["load"] == "" || want.Leader.AcquireTime == nil {
		t.Fatalf("got %v, want what the replicas wrote", want)
	}
	upgrade := []string{"upgrade", release, chart, "--values=-"}
	for _, step := range []struct {
		team, input string
		args        []string
	}{
		{"a", everything + "load: {rps: 7}\ncommonLabels: {team: a}", upgrade},
		{"b", everything + "replicaCount: 3\ncommonLabels: {team: b}", append(upgrade, "--reset-values")},
		{"", "", []string{"rollback", release, "1"}},
	} {
		c.helm(t, step.input, step.args...)
		got, team := c.written(t)
		if diff := cmp.Diff(want, got); diff != "" || team != step.team {
			t.Errorf("%s: got team %q, want %q; wanted -, got +\n%s", step.args, team, step.team, diff)
		}
	}
}

// tries is the kubelet of the pod of helm test.
func (c *cluster) tries(t *testing.T) {
	pods := c.admin.CoreV1().Pods(namespace)
	watch, err := pods.Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	tested := make(chan error, 1)
	go func() {
		_, err := runHelm(t, c.env, "", "test", release, "--timeout=1m")
		tested <- err
	}()
	pod := await(t, "pod", watch.ResultChan()).Object.(*corev1.Pod)
	pod.Status.Phase = corev1.PodSucceeded
	if _, err := pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := await(t, "end of helm test", tested); err != nil {
		t.Fatal(err)
	}
	if got := c.names(t, corev1.SchemeGroupVersion.WithResource("pods")); got != nil {
		t.Errorf("got %v, want no pods", got)
	}
}
