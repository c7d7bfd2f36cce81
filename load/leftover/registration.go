package leftover

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Registration is a run's own note in the registry. It is safe for concurrent
// use.
type Registration struct {
	Options
	registry registry
	restored bool
	beaten   func(error) // told of each heartbeat of Run

	mu      sync.Mutex // held while the note is written, so that its versions come in order
	note    note
	open    bool // the store is there
	exists  bool // the note is
	missing int  // lists in a row without the note

	reserved [2]atomic.Uint64 // numbers that may be used, by kind
	wanted   [2]atomic.Uint64 // numbers that are to be reserved
	low      chan struct{}    // a kind runs out of numbers
	proven   atomic.Int64     // instant of the last heartbeat that was acknowledged and then read unclaimed; a time.Duration
	claimed  atomic.Bool
	lost     atomic.Bool
}

// never is an instant before all others.
const never = math.MinInt64 / 2

// NewRegistration makes the registration of o.Identity, which is suspended until
// Reserve or Beat first succeeds. restored says that the run remembers objects of
// before a restart: then it is lost if its note is gone. beaten is told how each
// heartbeat of Run ended.
func NewRegistration(o Options, restored bool, beaten func(error)) *Registration {
	r := &Registration{
		Options: o, registry: registry{do: o.Do, protocol: o.Protocol}, restored: restored, beaten: beaten, low: make(chan struct{}, 1),
		note: note{
			Schema: schema, Run: o.Identity.Run, Replica: o.Identity.Replica, After: period(o.After),
			Protocol: o.Protocol.String(), Epochs: make([]numbers, o.Identity.Epoch+1),
		},
	}
	r.proven.Store(never)
	return r
}

// Suspended says whether the run must not write nor judge now: it was claimed,
// or for half of After it could not show that it lives and read that nobody
// claims it.
func (r *Registration) Suspended(now time.Duration) bool {
	return r.claimed.Load() || r.lost.Load() || now-time.Duration(r.proven.Load()) >= r.After/2
}

// Lost says that the run was swept: the process must go on as a new one.
func (r *Registration) Lost() bool { return r.lost.Load() }

// kindIndex tells kinds apart whose numbers are reserved; -1: needs no reservation,
// for a list shows what there is.
func kindIndex(kind byte) int { return slices.Index(letters, kind) }

// ahead is how many numbers are reserved at a time.
const ahead = 256

// Allows says whether a number of a kind may be used, and sees to it that more
// are reserved before they run out. It does not wait.
func (r *Registration) Allows(kind byte, number uint64) bool {
	i := kindIndex(kind)
	if i < 0 {
		return true
	}
	upTo := r.reserved[i].Load()
	if number+ahead/2 > upTo {
		r.want(i, number+ahead)
		select {
		case r.low <- struct{}{}:
		default:
		}
	}
	return number <= upTo
}

func (r *Registration) want(i int, upTo uint64) {
	for old := r.wanted[i].Load(); old < upTo && !r.wanted[i].CompareAndSwap(old, upTo); old = r.wanted[i].Load() {
	}
}

// Reserve notes that numbers of a kind may be used from now on, 1 to upTo. They
// must not be before it returns without error.
func (r *Registration) Reserve(ctx context.Context, kind byte, upTo uint64) error {
	i := kindIndex(kind)
	if i < 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want(i, upTo)
	return r.beat(ctx)
}

// Beat shows that the run lives, reserves what is wanted, and reads whether
// anybody claims the run. Run calls it.
func (r *Registration) Beat(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beat(ctx)
}

// Run beats until ctx ends. After a failure it waits for the next beat even
// where numbers run out.
func (r *Registration) Run(ctx context.Context) {
	tick := time.NewTicker(r.After / Beats)
	defer tick.Stop()
	for low := r.low; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-low:
		}
		err := r.Beat(ctx)
		if ctx.Err() != nil {
			return
		}
		r.beaten(err)
		if low = r.low; err != nil {
			low = nil
		}
	}
}

// Clean deletes all that the run made, and then its note, for its own end; the
// run must have stopped, Run too. stores and metadata are the keys of all that may
// exist; both nil: every number that was reserved is looked for. It sends over
// do. An error means that something is left, and the note with it, for a sweeper.
func (r *Registration) Clean(ctx context.Context, do Do, stores, metadata []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost.Load() {
		return ErrLost
	}
	o := r.Options
	o.Do = do
	c := newCleaner(o, r.note, nil)
	if err := c.own(ctx, stores, metadata); err != nil {
		return fmt.Errorf("cleaning up: %w; the rest is left to a sweeper", err)
	}
	r.lost.Store(true)
	return c.forget(ctx, r.note.key())
}
