package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opensaves-soak/load/desired"
)

// office is an API server in simulated time: it keeps Leases, and is slow.
type office struct {
	mu      sync.Mutex
	leases  map[string]lease
	last    map[string]lease // of members that dropped theirs
	version int
	down    bool
	rand    *rand.Rand
}

// outage begins or ends one.
func (o *office) outage(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down = down
}

// replica is a member with its line to the office, and what goes wrong with both.
type replica struct {
	*office
	name   string
	holder string
	member *member
	leave  context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	place  desired.Place
	cut    bool          // no call comes through
	deaf   bool          // the watch stalls
	frozen chan struct{} // closed when the process goes on; nil: it runs
	dead   bool
	over   bool             // the load has ended
	shown  map[string]lease // by the watch
}

// pass is what every call goes through, on its way and back.
func (r *replica) pass(ctx context.Context) error {
	r.thawed()
	r.office.mu.Lock()
	delay := time.Duration(r.rand.ExpFloat64() * float64(30*time.Millisecond))
	r.office.mu.Unlock()
	time.Sleep(delay)
	r.thawed()
	r.mu.Lock()
	lost := r.cut || r.dead
	r.mu.Unlock()
	r.office.mu.Lock()
	lost = lost || r.down
	r.office.mu.Unlock()
	if lost {
		<-ctx.Done()
		r.thawed()
	}
	return ctx.Err()
}

// thawed returns when the process runs.
func (r *replica) thawed() {
	for {
		r.mu.Lock()
		frozen := r.frozen
		r.mu.Unlock()
		if frozen == nil {
			return
		}
		<-frozen
	}
}

func (r *replica) list(ctx context.Context) ([]lease, error) {
	if err := r.pass(ctx); err != nil {
		return nil, err
	}
	r.office.mu.Lock()
	var all []lease
	for _, l := range r.leases {
		all = append(all, l)
	}
	r.office.mu.Unlock()
	return all, r.pass(ctx)
}

func (r *replica) put(ctx context.Context, v view, version string) (string, error) {
	if err := r.pass(ctx); err != nil {
		return "", err
	}
	r.office.mu.Lock()
	conflict := r.leases[r.name].version != version
	if !conflict {
		r.version++
		version = strconv.Itoa(r.version)
		r.leases[r.name] = lease{name: r.name, holder: r.holder, version: version, view: v}
	}
	r.office.mu.Unlock()
	if conflict {
		return "", errors.New("another version")
	}
	return version, r.pass(ctx)
}

func (r *replica) drop(ctx context.Context, name, version string) error {
	if err := r.pass(ctx); err != nil {
		return err
	}
	r.office.mu.Lock()
	if r.leases[name].version == version {
		r.last[name] = r.leases[name]
		delete(r.leases, name)
	}
	r.office.mu.Unlock()
	return nil
}

// sends is the share of the rate that goes out now.
func (r *replica) sends() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead || r.frozen != nil {
		return 0
	}
	return r.place.At(time.Now())
}

// act is the load: it keeps to a place at once, if its process runs.
func (r *replica) act(p desired.Place) {
	r.thawed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.place = p
	}
}

// fleetOf is replicas in simulated time, and the rule that is kept at every instant.
type fleetOf struct {
	t      *testing.T
	office *office
	all    []*replica
	most   float64 // of the rate that may go out
}

func newFleetOf(t *testing.T, seed uint64) *fleetOf {
	return &fleetOf{t: t, most: 1, office: &office{leases: map[string]lease{}, last: map[string]lease{}, rand: rand.New(rand.NewPCG(seed, 1))}}
}

func (f *fleetOf) join() *replica {
	return f.start(fmt.Sprintf("soak-%d", len(f.all)))
}

// start starts a process of a name, which another one may have.
func (f *fleetOf) start(name string) *replica {
	r := &replica{office: f.office, name: name, holder: fmt.Sprintf("process %d", len(f.all))}
	r.member = &member{
		leases: r, name: r.name, log: slog.New(slog.DiscardHandler), wake: make(chan struct{}, 1),
		refresh: func(ctx context.Context) (string, bool) { return "1", r.pass(ctx) == nil },
		report:  func() desired.Report { return desired.Report{AchievedRPS: 10} },
		roster:  newRoster(r.name, func(l lease) bool { return l.holder == r.holder }),
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	r.leave = cancel
	r.ended.Go(func() { r.member.run(ctx, r.act) })
	f.all = append(f.all, r)
	return r
}

// stop ends a replica as SIGTERM does: it sends nothing any more, then leaves.
func (r *replica) stop() {
	r.set(func(r *replica) { r.place, r.over = desired.Place{}, true })
	r.leave()
}

func (r *replica) set(change func(*replica)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *replica) freeze() { r.set(func(r *replica) { r.frozen = make(chan struct{}) }) }

func (r *replica) thaw() {
	r.set(func(r *replica) {
		if r.frozen != nil {
			close(r.frozen)
		}
		r.frozen = nil
	})
}

// sum is what all send.
func (f *fleetOf) sum() (sum float64) {
	for _, r := range f.all {
		sum += r.sends()
	}
	return sum
}

// run lets time pass, keeps the rule, and wakes members as their watches do.
func (f *fleetOf) run(d time.Duration) {
	f.t.Helper()
	const step = 5 * time.Millisecond
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(step) {
		if sum := f.sum(); sum > f.most+1e-9 {
			f.t.Fatalf("got %v of the rate, want at most %v: %s", sum, f.most, f)
		}
		f.watch()
	}
}

// until runs until all is sent again, and returns how long that took.
func (f *fleetOf) until(limit time.Duration) time.Duration {
	f.t.Helper()
	start := time.Now()
	for f.sum() < 1-1e-9 {
		if time.Since(start) > limit {
			f.t.Fatalf("got %v of the rate after %s, want all of it: %s", f.sum(), limit, f)
		}
		f.run(10 * time.Millisecond)
	}
	return time.Since(start)
}

// watch shows the Leases to each member that hears of them.
func (f *fleetOf) watch() {
	f.office.mu.Lock()
	leases, last := maps.Clone(f.office.leases), maps.Clone(f.office.last)
	down := f.office.down
	f.office.mu.Unlock()
	for _, r := range f.all {
		r.mu.Lock()
		hears := !down && !r.cut && !r.deaf && !r.dead && r.frozen == nil
		r.mu.Unlock()
		if !hears {
			continue
		}
		for _, l := range leases {
			r.member.saw(l, false)
		}
		for name, l := range r.shown {
			if _, there := leases[name]; !there {
				if dropped, known := last[name]; known {
					l = dropped
				}
				r.member.saw(l, true)
			}
		}
		r.shown = leases
	}
}

func (f *fleetOf) String() (text string) {
	for _, r := range f.all {
		r.mu.Lock()
		r.member.mu.Lock()
		text += fmt.Sprintf("\n%s: share %v of %d, own %v, dead %v cut %v frozen %v", r.name, r.place.At(time.Now()), r.place.Count, r.member.roster.own, r.dead, r.cut, r.frozen != nil)
		for name, p := range r.member.roster.peers {
			text += fmt.Sprintf("\n    %s: unchanged for %s, shows %v", name, time.Since(p.changed).Round(time.Millisecond), p.view.Members)
		}
		r.member.mu.Unlock()
		r.mu.Unlock()
	}
	return text
}

// end lets every member end, whatever had befallen it.
func (f *fleetOf) end() {
	f.office.outage(false)
	for _, r := range f.all {
		r.set(func(r *replica) { r.cut, r.dead = false, false })
		r.thaw()
		r.leave()
	}
	for _, r := range f.all {
		r.ended.Wait()
	}
}

// simulate plays with a fleet in simulated time.
func simulate(t *testing.T, seed uint64, play func(*fleetOf)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleetOf(t, seed)
		defer f.end()
		play(f)
	})
}

// befall has something happen to one of the fleet, or to all.
func (f *fleetOf) befall(random *rand.Rand) {
	r := f.all[random.IntN(len(f.all))]
	r.member.mu.Lock()
	lone := r.member.inForce.Count == 1
	r.member.mu.Unlock()
	switch random.IntN(13) {
	case 0, 1:
		if len(f.all) < 12 {
			f.join()
		}
	case 2:
		r.stop()
	case 3:
		r.set(func(r *replica) { r.dead = true })
	case 4, 5:
		r.thaw()
		r.freeze()
	case 6, 7:
		r.thaw()
	case 8:
		// Who is alone goes on without the API server; that others have it then is
		// the one case that is not covered.
		r.set(func(r *replica) { r.cut = !r.cut && !lone })
	case 9:
		r.set(func(r *replica) { r.deaf = !r.deaf })
	case 10:
		if len(f.all) < 16 {
			f.start(r.name)
		}
	case 11, 12:
		f.office.mu.Lock()
		f.office.down = !f.office.down
		f.office.mu.Unlock()
	}
}
