package fleet

import (
	"context"
	"log/slog"
	"sync"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// A leader that dies is followed within term + 2.2 × trying, 13.3 s: the library
// spreads its tries over up to so much. One that reaches nobody gives up after at
// most trying + 2 × deadline, 9.5 s, the second for its release, and so before.
const (
	term     = 10 * time.Second
	deadline = 4 * time.Second
	trying   = 1500 * time.Millisecond
)

// leader is the office of one of the fleet.
type leader struct {
	*cluster
	identity string

	mu      sync.Mutex
	office  context.Context // of ours; it is over while another holds it
	changed chan struct{}   // closed when that changes
}

// over is the office of nobody.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func newLeader(c *cluster, identity string) *leader {
	return &leader{cluster: c, identity: identity, office: over, changed: make(chan struct{})}
}

// run stands for the office until ctx ends, and gives it up at once then.
func (l *leader) run(ctx context.Context, log *slog.Logger) {
	lock := &resourcelock.LeaseLock{
		LeaseMeta: meta.ObjectMeta{Name: l.fleet + "-leader", Namespace: l.namespace}, Client: l.coordination,
		LockConfig: resourcelock.ResourceLockConfig{Identity: l.identity},
	}
	for ctx.Err() == nil {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: lock, LeaseDuration: term, RenewDeadline: deadline, RetryPeriod: trying, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(office context.Context) {
					log.Info("This replica leads the fleet")
					l.take(office)
				},
				OnStoppedLeading: func() {
					if l.take(over) {
						log.Info("This replica leads the fleet no more")
					}
				},
			},
		})
	}
}

// take enters an office, and says whether another one was left.
func (l *leader) take(office context.Context) (left bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left = l.office != over
	l.office = office
	close(l.changed)
	l.changed = make(chan struct{})
	return left
}

func (l *leader) leads() bool {
	office, _ := l.held()
	return office.Err() == nil
}

func (l *leader) held() (office context.Context, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.office, l.changed
}

// lead calls do during each time in office.
func (l *leader) lead(ctx context.Context, do func(context.Context)) {
	for {
		office, changed := l.held()
		if office.Err() == nil {
			during, cancel := context.WithCancel(ctx)
			stop := context.AfterFunc(office, cancel)
			do(during)
			stop()
			cancel()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
