package desired

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// Change is a change of what is wanted.
type Change struct {
	Time     time.Time
	From, To float64 // the rate in force before, and the one aimed at from now on; 0 where paused
	Source   Source  // Stages, API, Reload, TTL, Guard or Fleet
	Reason   string  // that was sent with the change itself; empty where none was
}

// Hooks are what a Store asks and tells. They are called one at a time and
// must not call the Store. Any may be nil.
type Hooks struct {
	// Check refuses a state that a PATCH would make, with all reasons.
	Check func(State) error
	// OnChange is told of every change, in order.
	OnChange func(Change)
}

// Store is what one process knows of what is wanted. It keeps it in memory; a
// fleet keeps it in a document that its replicas merge changes into and adopt. It
// may be used by several goroutines at once.
type Store struct {
	hooks Hooks

	mu      sync.Mutex
	state   State
	last    Point // when last looked at
	boot    int64 // tells our versions from those of the process before
	kept    kept  // the document adopted last
	shared  bool  // a document was adopted
	changed chan struct{}
}

// NewStore returns a store with a base whose stages begin now, and no override.
func NewStore(now time.Time, base Base, hooks Hooks) *Store {
	s := &Store{hooks: hooks, boot: now.UnixNano(), changed: make(chan struct{})}
	base.Began = now
	s.state = s.named(State{Base: base})
	s.last = s.state.At(now)
	return s
}

// named gives a state its serial number, and its version, unless the fleet does.
func (s *Store) named(next State) State {
	next.Serial = s.state.Serial + 1
	if !s.shared {
		next.Version = fmt.Sprintf("%x-%d", s.boot, next.Serial)
	}
	return next
}

// Get returns what is wanted.
func (s *Store) Get() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Changed returns a channel that is closed when the state next changes. Ask
// for it before Get, so that no change falls in between.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Patch merges a document into the override and returns the new state.
// ifMatch is the header of that name, empty where there is none. Errors are
// ErrDocument, ErrRefused or ErrStale, and change nothing.
func (s *Store) Patch(now time.Time, ifMatch string, document []byte) (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	if !matches(ifMatch, s.state.Version) {
		return s.state, fmt.Errorf("%w: got If-Match %.100s, want %q", ErrStale, ifMatch, s.state.Version)
	}
	next, reason, err := s.changedBy(s.state, document, now)
	if err != nil || reflect.DeepEqual(next, s.state) {
		return s.state, err
	}
	s.become(next, Change{Time: now, From: s.state.At(now).From, Source: API, Reason: reason})
	return s.state, nil
}

// changedBy is a state with a document merged into its override, and the document's
// reason.
func (s *Store) changedBy(state State, document []byte, now time.Time) (next State, reason string, err error) {
	change, err := parse(document)
	if err != nil {
		return state, "", err
	}
	next = state
	if next.Override, err = state.merged(change, now); err != nil {
		return state, "", err
	}
	return next, string(value(change.Reason)), s.check(next)
}

func (s *Store) check(next State) error {
	if s.hooks.Check != nil {
		if err := s.hooks.Check(next); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	return nil
}

// Reload replaces the base and leaves the override alone. Stages that did not
// change go on where they are; base.Began is not looked at.
func (s *Store) Reload(now time.Time, base Base) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	next := s.state
	if next.Base = s.kept.begin(base.after(s.state.Base, now)); !reflect.DeepEqual(next, s.state) {
		s.become(next, Change{Time: now, From: s.state.At(now).From, Source: Reload})
	}
}

// Advance does what is due: it takes away an override whose time is over and
// tells OnChange of a stage that began. Call it when State.Next says so.
func (s *Store) Advance(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
}

func (s *Store) advance(now time.Time) {
	if s.state.Override != nil && s.state.Override.expired(now) {
		next := s.state
		next.Override = nil
		s.become(next, Change{Time: now, From: s.state.At(s.state.Override.Expires.Add(-1)).From, Source: TTL})
	}
	before := s.last
	if s.last = s.state.At(now); s.last.Stage != before.Stage {
		s.tell(Change{Time: now, From: before.aimed(), Source: Stages})
	}
}

// become makes next the state, by a change.
func (s *Store) become(next State, change Change) {
	s.state = s.named(next)
	s.last = next.At(change.Time)
	close(s.changed)
	s.changed = make(chan struct{})
	s.tell(change)
}

// tell tells of a change, whose To is what is aimed at now.
func (s *Store) tell(change Change) {
	if s.hooks.OnChange != nil {
		change.To = s.last.aimed()
		s.hooks.OnChange(change)
	}
}

// matches compares as RFC 9110 section 13.1.1 does, "*" is any, but for a weak tag:
// ours are strong, and a proxy that compresses answers makes them weak.
func matches(ifMatch, version string) bool {
	if ifMatch = strings.TrimSpace(ifMatch); ifMatch == "" || ifMatch == "*" {
		return true
	}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == `"`+version+`"` {
			return true
		}
	}
	return false
}
