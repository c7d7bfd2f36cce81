package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	typedcoordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const (
	// manager is who we are in what the API server notes.
	manager = "opensaves-soak"
	// label has the fleet's name at the Lease of each member.
	label = "opensaves-soak/fleet"
	// annotation has the member's view.
	annotation = "opensaves-soak/view"
)

// cluster is the API server, with the names of what we keep there.
type cluster struct {
	core                      typedcore.CoreV1Interface
	coordination              typedcoordination.CoordinationV1Interface
	namespace, fleet, replica string
	owner                     atomic.Pointer[meta.OwnerReference] // of Leases; nil until the ConfigMap was read
}

// connect makes clients; it calls nobody. Each call ends within timeout, but for
// watches, which have clients of their own.
func connect(o Options) (*cluster, error) {
	config := rest.CopyConfig(o.Cluster)
	config.UserAgent = manager
	config.QPS = -1 // a renewal must not wait; what we send is bounded by its rhythm
	one, err := typedcore.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	other, err := typedcoordination.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &cluster{core: one, coordination: other, namespace: o.Namespace, fleet: o.Name, replica: o.Replica}, nil
}

// follow tells the handler of all objects, and of each change, until ctx ends.
func follow(ctx context.Context, watched cache.ListerWatcher, kind runtime.Object, handler cache.ResourceEventHandler) {
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: watched, ObjectType: kind, Handler: handler})
	controller.RunWithContext(ctx)
}

// leaseStore keeps the Leases of members.
type leaseStore struct {
	*cluster
	holder string
}

func (s *leaseStore) selector() string { return label + "=" + s.fleet }

func (s *leaseStore) list(ctx context.Context) ([]lease, error) {
	found, err := s.coordination.Leases(s.namespace).List(ctx, meta.ListOptions{LabelSelector: s.selector()})
	if err != nil {
		return nil, fmt.Errorf("listing Leases: %w", err)
	}
	all := make([]lease, len(found.Items))
	for i := range found.Items {
		all[i] = read(&found.Items[i])
	}
	return all, nil
}

const (
	viewLimit    = 64 << 10 // bytes
	countsLimit  = 100
	recordsLimit = 16
)

// read never fails: a view that cannot be read, or is too large, names no members.
func read(l *coordination.Lease) lease {
	one := lease{name: l.Name, version: l.ResourceVersion}
	if l.Spec.HolderIdentity != nil {
		one.holder = *l.Spec.HolderIdentity
	}
	text := l.Annotations[annotation]
	if len(text) > viewLimit || json.Unmarshal([]byte(text), &one.view) != nil {
		one.view = view{}
	}
	r := &one.view.Report
	if len(r.Counts) > countsLimit {
		r.Counts = nil
	}
	r.Records = r.Records[:min(len(r.Records), recordsLimit)]
	return one
}

func (s *leaseStore) put(ctx context.Context, v view, version string) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("writing the view: %w", err)
	}
	client, l := s.coordination.Leases(s.namespace), s.ours(string(text))
	if l.ResourceVersion = version; version == "" {
		l, err = client.Create(ctx, l, meta.CreateOptions{FieldManager: manager})
	} else {
		l, err = client.Update(ctx, l, meta.UpdateOptions{FieldManager: manager})
	}
	if err != nil {
		return "", fmt.Errorf("writing our Lease: %w", err)
	}
	return l.ResourceVersion, nil
}

// ours is our Lease, which says what we see.
func (s *leaseStore) ours(view string) *coordination.Lease {
	seconds, now := int32(expiring.Seconds()), meta.NowMicro()
	l := &coordination.Lease{}
	l.Name, l.Namespace = s.replica, s.namespace
	if owner := s.owner.Load(); owner != nil { // so that Leases go with an installation that is deleted under its pods
		l.OwnerReferences = []meta.OwnerReference{*owner}
	}
	l.Labels, l.Annotations = map[string]string{label: s.fleet}, map[string]string{annotation: view}
	l.Spec = coordination.LeaseSpec{HolderIdentity: &s.holder, LeaseDurationSeconds: &seconds, RenewTime: &now}
	return l
}

func (s *leaseStore) drop(ctx context.Context, name, version string) error {
	err := s.coordination.Leases(s.namespace).Delete(ctx, name, meta.DeleteOptions{Preconditions: &meta.Preconditions{ResourceVersion: &version}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil // somebody was first, or it lives
	}
	return err
}

// watch tells of every Lease that is there, of every change, and of those that
// are gone, until ctx ends.
func (s *leaseStore) watch(ctx context.Context, saw func(l lease, gone bool)) {
	watched := cache.NewFilteredListWatchFromClient(s.coordination.RESTClient(), "leases", s.namespace, func(o *meta.ListOptions) { o.LabelSelector = s.selector() })
	tell := func(object any, gone bool) {
		if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = last.Obj
		}
		if l, ok := object.(*coordination.Lease); ok {
			saw(read(l), gone)
		}
	}
	follow(ctx, watched, &coordination.Lease{}, cache.ResourceEventHandlerFuncs{
		AddFunc:    func(after any) { tell(after, false) },
		UpdateFunc: func(_, after any) { tell(after, false) },
		DeleteFunc: func(before any) { tell(before, true) },
	})
}
