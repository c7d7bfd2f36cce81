package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"opensaves-soak/load/desired"
)

// leases is where members show that they live.
type leases interface {
	// list returns the Leases of all members, as they are now.
	list(ctx context.Context) ([]lease, error)
	// put replaces the Lease of our name, if it still has that version, and returns
	// the new one's; empty: there is none.
	put(ctx context.Context, v view, version string) (string, error)
	// drop deletes a Lease, if it still has that version.
	drop(ctx context.Context, name, version string) error
}

// member is this replica's part in the fleet.
type member struct {
	leases
	name    string
	hold    bool                                            // keep the share while there is no API server
	refresh func(context.Context) (version string, ok bool) // reads what the fleet keeps
	report  func() desired.Report
	log     *slog.Logger
	wake    chan struct{}

	load    string // version of the document that is followed
	failing bool

	mu      sync.Mutex
	roster  *roster
	inForce desired.Place
}

// quiet is the least time between two renewals.
const quiet = 100 * time.Millisecond

// retrying is when a renewal that failed is tried again.
const retrying = time.Second

// renewalTimeout bounds a renewal, so that one that hangs does not keep the next one away.
const renewalTimeout = 4 * time.Second

// errTaken says that nothing may be sent until the other process has been silent for
// long enough, as its pod may be alive on a node that nobody reaches.
var errTaken = errors.New("another process holds the Lease of this replica's name")

// run renews until ctx ends, and then leaves. act returns when the load keeps to
// the place that it is told.
func (m *member) run(ctx context.Context, act func(desired.Place)) {
	for ctx.Err() == nil {
		began := time.Now()
		err := m.renew(ctx, act)
		if err != nil {
			m.endure(err, began, act)
		}
		m.note(ctx, err)
		if !m.wait(ctx, began) {
			break
		}
	}
	m.leave(context.WithoutCancel(ctx))
}

// leave tells the others that this replica sends nothing any more. A renewal that
// was cut off may land meanwhile, so that it takes two tries.
func (m *member) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
	defer cancel()
	if m.roster.own == nil {
		return // it never took part
	}
	err := m.depart(ctx)
	if err != nil && !errors.Is(err, errTaken) {
		err = m.depart(ctx)
	}
	if err != nil {
		m.log.Warn("The fleet could not be told that this replica leaves: its share is taken over when its Lease expires", "err", err)
	}
}

// depart says in our Lease that we leave, and deletes it.
func (m *member) depart(ctx context.Context) error {
	if err := m.look(ctx); err != nil {
		return err
	}
	version, err := m.put(ctx, view{Schema: schema, Left: true}, m.roster.ours)
	if err != nil {
		return err
	}
	return m.drop(ctx, m.name, version)
}

// wait ends when it is time for the next renewal; it reports false when ctx ended.
func (m *member) wait(ctx context.Context, began time.Time) bool {
	due := began.Add(retrying)
	if !m.failing {
		due = m.due(began.Add(renewing))
	}
	pause := time.NewTimer(quiet)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-m.wake:
	}
	return true
}

// saw takes in what a watch shows of a Lease. A renewal follows at once where that
// is news, or where it is gone, even ours.
func (m *member) saw(l lease, gone bool) {
	m.mu.Lock()
	news := m.roster.note(l, time.Now()) || gone
	m.mu.Unlock()
	if !news {
		return
	}
	select {
	case m.wake <- struct{}{}:
	default: // it is on its way
	}
}

// due is when others must hear of us: when it is time, or who takes part changes.
func (m *member) due(latest time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if next := m.roster.next(time.Now()); next.Before(latest) {
		return next
	}
	return latest
}

// renew publishes what we see and keeps to what all see. A smaller share is kept
// to before it is published, and a larger one after a look at what the others
// published meanwhile: of two members that change their views at once, one at
// least sees the other's.
func (m *member) renew(ctx context.Context, act func(desired.Place)) error {
	ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
	defer cancel()
	if load, ok := m.refresh(ctx); ok {
		m.load = load
	}
	if err := m.look(ctx); err != nil {
		return err
	}
	next := m.narrow(act)
	next.Load, next.Report = m.load, m.report()
	sent := time.Now()
	if _, err := m.put(ctx, next, m.roster.ours); err != nil {
		return err
	}
	m.mu.Lock()
	m.roster.own = next.Members
	m.mu.Unlock()
	if err := m.look(ctx); err != nil {
		return err
	}
	m.widen(act, sent.Add(keeping))
	return nil
}

// look takes in what the others published.
func (m *member) look(ctx context.Context) error {
	listed, err := m.list(ctx)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.roster.see(listed, time.Now())
	taken, dead := m.roster.taken(time.Now()), m.roster.forgotten(time.Now())
	m.mu.Unlock()
	for _, l := range dead {
		if err := m.drop(ctx, l.name, l.version); err != nil {
			m.log.Warn("The Lease of a replica that is gone could not be deleted", "replica", l.name, "err", err)
		}
	}
	if taken {
		return errTaken
	}
	return nil
}

// narrow makes the view that is to be published, and has a smaller share kept
// to that follows from it.
func (m *member) narrow(act func(desired.Place)) view {
	m.mu.Lock()
	members := m.roster.members(time.Now())
	place := m.inForce
	place.Share = min(place.Share, part(members, m.name))
	m.mu.Unlock()
	m.keep(place, act)
	return view{Schema: schema, Members: members}
}

func (m *member) widen(act func(desired.Place), until time.Time) {
	m.mu.Lock()
	place := m.roster.place(time.Now(), until)
	m.mu.Unlock()
	m.keep(place, act)
}

// endure has the load go on without the API server where nobody else would take
// it over, or where that is wanted. A process that was stopped for so long that it
// had to end does not know what happened meanwhile, and waits for a renewal.
func (m *member) endure(err error, began time.Time, act func(desired.Place)) {
	m.mu.Lock()
	place := m.inForce
	alone := m.roster.alone(time.Now())
	m.mu.Unlock()
	switch {
	case errors.Is(err, errTaken):
		m.keep(desired.Place{}, act)
	case (alone || m.hold) && began.Before(place.Until):
		place.Until = began.Add(keeping)
		m.keep(place, act)
	}
}

// keep has the load keep to a place, unless it does.
func (m *member) keep(p desired.Place, act func(desired.Place)) {
	m.mu.Lock()
	same := p == m.inForce
	m.inForce = p
	m.mu.Unlock()
	if !same {
		act(p)
	}
}

// others adds up what the other replicas told.
func (m *member) others() desired.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.roster.others(time.Now())
}

// note says once that renewals fail, and once that they succeed again.
func (m *member) note(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() == nil && !m.failing:
		m.log.Warn("The replica cannot show the fleet that it lives: with others in it, sending stops", "err", err, "within", keeping)
	case err == nil && m.failing:
		m.log.Info("The replica shows the fleet again that it lives")
	}
	m.failing = err != nil
}
