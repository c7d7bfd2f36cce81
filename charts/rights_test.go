package charts

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"opensaves-soak/load/desired"
	"opensaves-soak/load/fleet"
)

// account returns what a client with the release's own ServiceAccount needs.
func (c *cluster) account(t *testing.T) *rest.Config {
	t.Helper()
	accounts := c.admin.CoreV1().ServiceAccounts(namespace)
	request, err := accounts.CreateToken(t.Context(), release, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = request.Status.Token
	return config
}

// replica is the first pod of a release, as far as the API server sees it.
type replica struct {
	*testing.T
	*fleet.Fleet
	store *desired.Store
	said  bytes.Buffer // warnings and errors; to be read once all has ended
}

func (c *cluster) replica(t *testing.T) *replica {
	t.Helper()
	r := &replica{T: t, store: desired.NewStore(time.Now(), desired.Base{RPS: 5, MaxRPS: 100}, desired.Hooks{})}
	var err error
	r.Fleet, err = fleet.New(fleet.Options{
		Cluster: c.account(t), Namespace: namespace, Name: release, Replica: release + "-0",
		Adopt: func(_ context.Context, document []byte, version string) error {
			_, err := r.store.Adopt(time.Now(), document, version, desired.Fleet)
			return err
		},
		Report: func() desired.Report { return desired.Report{} },
		Log:    slog.New(slog.NewTextHandler(&r.said, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// shares has a replica live a whole life.
func (c *cluster) shares(t *testing.T) {
	r := c.replica(t)
	ctx, leave := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	defer parts.Wait()
	defer leave()
	parts.Go(func() { _ = r.Fleet.Run(ctx) }) // it has no error but the end of ctx
	leads := make(chan bool, 1)
	parts.Go(func() {
		r.Lead(ctx, func(office context.Context) {
			leads <- true
			<-office.Done()
		})
	})
	await(t, "leader", leads)
	// The first is perhaps listed; the second is watched.
	r.change(6)
	r.change(7)
	places := make(chan desired.Place, 1)
	parts.Go(func() { r.Join(ctx, places) })
	r.takesAll(places) // its Lease is made
	r.takesAll(places) // and renewed
	c.complains(r)

	leave()
	parts.Wait()
	if _, err := c.admin.CoordinationV1().Leases(namespace).Get(t.Context(), release+"-0", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want the Lease of a replica that left gone", err)
	}
	if bytes.Contains(r.said.Bytes(), []byte("forbidden")) {
		t.Errorf("got %s, want nothing forbidden", r.said.Bytes())
	}
}

// Join tells of the places with a share, and of none that nobody waits for.
func (r *replica) Join(ctx context.Context, places chan<- desired.Place) {
	r.Fleet.Join(ctx, func(p desired.Place) {
		if p.Share > 0 {
			select {
			case places <- p:
			default:
			}
		}
	})
}

func (r *replica) takesAll(places <-chan desired.Place) {
	r.Helper()
	got := await(r.T, "place", places)
	got.Until = time.Time{}
	if diff := cmp.Diff(desired.Place{Share: 1, Count: 1}, got); diff != "" {
		r.Errorf("wanted -, got +\n%s", diff)
	}
}

// change merges a rate into what the fleet keeps, waits until the watch has it in
// force, and reads it again.
func (r *replica) change(rps float64) {
	r.Helper()
	document, version, err := r.Read(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	wanted, err := r.store.Merge(time.Now(), document, version, "", fmt.Appendf(nil, `{"rps": %v}`, rps))
	if err != nil {
		r.Fatal(err)
	}
	changed := r.store.Changed()
	r.write(wanted, version)
	await(r.T, "change", changed)
	if o := r.store.Get().Override; o == nil || *o.RPS != rps {
		r.Errorf("got override %v, want %v requests a second", o, rps)
	}
}

// write replaces what the fleet keeps, and reads it again.
func (r *replica) write(document []byte, version string) {
	r.Helper()
	version, err := r.Write(r.Context(), document, version)
	if err != nil {
		r.Fatal(err)
	}
	got, at, err := r.Read(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff([]string{string(document), version}, []string{string(got), at}); diff != "" {
		r.Errorf("wanted -, got +\n%s", diff)
	}
}

// complains breaks what the fleet keeps, waits for the event of it, and mends it.
func (c *cluster) complains(r *replica) {
	r.Helper()
	watch, err := c.admin.CoreV1().Events(namespace).Watch(r.Context(), metav1.ListOptions{FieldSelector: "reason=LoadRefused"})
	if err != nil {
		r.Fatal(err)
	}
	defer watch.Stop()
	good, version, err := r.Read(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	r.write([]byte("{"), version)
	if got := await(r.T, "event", watch.ResultChan()).Object.(*corev1.Event).InvolvedObject.Name; got != release+"-load" {
		r.Errorf("got an event of %s, want one of %s-load", got, release)
	}
	if _, version, err = r.Read(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.write(good, version)
}

// limits holds what the ServiceAccount may ask for to what is allowed, and to
// nothing that somebody would want of it.
func (c *cluster) limits(t *testing.T) {
	const leases = "coordination.k8s.io"
	load := authorizationv1.ResourceAttributes{Namespace: namespace, Resource: "configmaps", Name: release + "-load"}
	client := kubernetes.NewForConfigOrDie(c.account(t))
	for _, of := range []struct {
		authorizationv1.ResourceAttributes
		may, not []string
	}{
		{load, []string{"get", "list", "watch", "update"}, []string{"patch", "delete"}},
		{at("", "configmaps", "opensaves-soak-config"), nil, []string{"get", "update", "patch", "delete"}},
		{at("", "configmaps", ""), nil, []string{"create", "get", "list", "watch", "update", "deletecollection"}},
		{at(leases, "leases", ""), []string{"create", "get", "list", "watch", "update", "delete"}, []string{"patch", "deletecollection"}},
		{authorizationv1.ResourceAttributes{Namespace: "monitoring", Group: leases, Resource: "leases"}, nil, []string{"create", "get", "list", "update", "delete"}},
		{at("", "events", ""), []string{"create"}, []string{"get", "list", "watch", "update", "patch", "delete"}},
		{at("", "secrets", ""), nil, []string{"create", "get", "list", "watch"}},
		{at("", "pods", ""), nil, []string{"create", "get", "list", "delete"}},
		{at("", "serviceaccounts", ""), nil, []string{"create", "get", "impersonate"}},
		{authorizationv1.ResourceAttributes{Namespace: namespace, Resource: "serviceaccounts", Subresource: "token", Name: release}, nil, []string{"create"}},
		{at("apps", "statefulsets", release), nil, []string{"get", "update", "patch", "delete"}},
		{at("rbac.authorization.k8s.io", "roles", ""), nil, []string{"create", "get", "list", "update", "bind", "escalate"}},
		{at("rbac.authorization.k8s.io", "rolebindings", ""), nil, []string{"create", "get", "update"}},
		{authorizationv1.ResourceAttributes{Resource: "nodes"}, nil, []string{"get", "list"}},
		{authorizationv1.ResourceAttributes{Resource: "namespaces"}, nil, []string{"create", "list", "delete"}},
	} {
		want := map[string]bool{}
		for _, verb := range of.may {
			want[verb] = true
		}
		for _, verb := range of.not {
			want[verb] = false
		}
		if diff := cmp.Diff(want, verdicts(t, client, of.ResourceAttributes, want)); diff != "" {
			t.Errorf("%s %s %s in %q: wanted -, got +\n%s", of.Resource, of.Subresource, of.Name, of.Namespace, diff)
		}
	}
}

// at is what is asked about in the namespace of the release.
func at(group, resource, name string) authorizationv1.ResourceAttributes {
	return authorizationv1.ResourceAttributes{Namespace: namespace, Group: group, Resource: resource, Name: name}
}

// verdicts returns whether a client may do each of some verbs.
func verdicts(t *testing.T, client kubernetes.Interface, to authorizationv1.ResourceAttributes, verbs map[string]bool) map[string]bool {
	t.Helper()
	may := map[string]bool{}
	for verb := range verbs {
		to.Verb = verb
		review, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &to},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		may[verb] = review.Status.Allowed
	}
	return may
}

// await returns what comes within a minute.
func await[T any](t *testing.T, what string, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(time.Minute):
		t.Fatalf("got no %s within a minute, want one", what)
	}
	return got
}
