// Package fleet shares one load among the replicas of a Kubernetes workload. A
// ConfigMap keeps what is wanted, a Lease each shows who takes part, and one more
// Lease who leads. It sends nothing to the target.
package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"opensaves-soak/load/desired"
)

// Options are what a Fleet is made of.
type Options struct {
	Cluster   *rest.Config // the API server
	Namespace string
	Name      string // of the fleet; its ConfigMap is NAME-load, its leader's Lease NAME-leader
	Replica   string // of this one, unique in the fleet: the pod's name
	Pod       string // uid of the pod: a process before us in the same one is over; empty: unknown
	Hold      bool   // keep the last share while there is no API server
	// Adopt puts what the fleet keeps in force. Errors are those of desired.Store.
	Adopt func(ctx context.Context, document []byte, version string) error
	// Report is what the others are told of this replica.
	Report func() desired.Report
	Log    *slog.Logger
}

// Fleet is this replica's view of all.
type Fleet struct {
	Options
	document *document
	leases   *leaseStore
	member   *member
	leader   *leader

	mu      sync.Mutex
	refused string // version of the document that was refused last
	lost    bool   // the document could not be read
}

// New makes a fleet that nobody has joined yet.
func New(o Options) (*Fleet, error) {
	cluster, err := connect(o)
	if err != nil {
		return nil, fmt.Errorf("preparing calls of the API server: %w", err)
	}
	holder := o.Pod + "_" + rand.Text()
	mine := func(l lease) bool {
		return l.holder == holder || o.Pod != "" && strings.HasPrefix(l.holder, o.Pod+"_")
	}
	f := &Fleet{
		Options: o, document: &document{cluster}, leases: &leaseStore{cluster, holder},
		leader: newLeader(cluster, holder),
	}
	f.member = &member{
		leases: f.leases, name: o.Replica, hold: o.Hold, refresh: f.refresh, report: o.Report,
		log: o.Log, wake: make(chan struct{}, 1), roster: newRoster(o.Replica, mine),
	}
	return f, nil
}

// Run follows what the fleet keeps, and stands for leader, until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() {
		f.document.watch(ctx, func(document []byte, version string) { _ = f.adopt(ctx, document, version) })
	})
	parts.Go(func() { f.leader.run(ctx, f.Log) })
	parts.Wait()
	return nil
}

// Join takes part until ctx ends, and then leaves. act is told of every place
// that this replica gets, and returns when the load keeps to it.
func (f *Fleet) Join(ctx context.Context, act func(desired.Place)) {
	var watch sync.WaitGroup
	watch.Go(func() { f.leases.watch(ctx, f.member.saw) })
	f.member.run(ctx, act)
	watch.Wait()
}

// Lead calls do whenever this replica leads, with a context that ends when it does
// not any more, and returns when ctx ends.
func (f *Fleet) Lead(ctx context.Context, do func(context.Context)) { f.leader.lead(ctx, do) }

// Leads says whether this replica leads.
func (f *Fleet) Leads() bool { return f.leader.leads() }

// Others adds up what the other replicas last told of themselves; Counts is
// what they have counted since this process first saw them.
func (f *Fleet) Others() desired.Report { return f.member.others() }

// Read returns what the fleet keeps, and its version.
func (f *Fleet) Read(ctx context.Context) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f.document.read(ctx)
}

// Write replaces the document of that version and returns the new one's. It
// returns desired.ErrConflict where that is not the version any more.
func (f *Fleet) Write(ctx context.Context, document []byte, version string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return f.document.write(ctx, document, version)
}

// refresh reads what the fleet keeps past all caches, and says its version. That it
// cannot be read is told once, and leaves the last load in force.
func (f *Fleet) refresh(ctx context.Context) (version string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout/2)
	defer cancel()
	document, version, err := f.document.read(ctx)
	if err == nil {
		err = f.adopt(ctx, document, version)
	}
	f.mu.Lock()
	first := (err != nil) != f.lost
	f.lost = err != nil
	f.mu.Unlock()
	if first && err != nil {
		f.Log.Warn("What the fleet keeps cannot be read or completed: the last load stays in force", "configmap", f.Name+"-load", "err", err)
	}
	return version, err == nil
}

// adopt puts a document in force. One that is broken leaves the last good one in
// force, and is told once.
func (f *Fleet) adopt(ctx context.Context, document []byte, version string) error {
	err := f.Adopt(ctx, document, version)
	if !errors.Is(err, desired.ErrDocument) && !errors.Is(err, desired.ErrRefused) {
		return err
	}
	f.mu.Lock()
	told := f.refused == version
	f.refused = version
	f.mu.Unlock()
	if !told {
		f.Log.Error("What the fleet keeps cannot be used: the last good load stays in force", "configmap", f.Name+"-load", "err", err)
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := f.document.complain(ctx, err); err != nil {
			f.Log.Warn("The event of it could not be written", "err", err)
		}
	}
	return nil
}

// timeout bounds what is asked of the API server, but for renewals and watches.
const timeout = 5 * time.Second
