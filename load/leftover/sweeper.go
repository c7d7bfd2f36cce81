package leftover

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// Sweeper finds dead runs in the registry and deletes what they left. It is to
// be used by one goroutine.
type Sweeper struct {
	Options
	// DryRun sends nothing but reads: what would be deleted is only counted.
	DryRun bool

	registry registry
	watched  map[string]*watch // by key of the note
	sent     time.Duration     // instant of the last look
	turn     int
}

// NewSweeper makes a sweeper that signs with o.Identity, whose own run it
// leaves alone. With o.After 0 every run that it finds counts as dead at once.
func NewSweeper(o Options) *Sweeper {
	return &Sweeper{Options: o, registry: registry{do: o.Do, protocol: o.Protocol}, watched: map[string]*watch{}}
}

// Run looks and sweeps until ctx ends; After must be over 0. ended is told how
// each round ended.
func (s *Sweeper) Run(ctx context.Context, ended func(error)) {
	tick := time.NewTicker(s.After / Beats)
	defer tick.Stop()
	for {
		round, cancel := context.WithTimeout(ctx, s.After/Beats)
		err := s.Round(round)
		cancel()
		if ctx.Err() != nil {
			return
		}
		ended(err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Round is a Look and a Sweep. That ctx ended is no error.
func (s *Sweeper) Round(ctx context.Context) error {
	err := errors.Join(s.Look(ctx), s.Sweep(ctx))
	if ctx.Err() != nil {
		err = nil
	}
	return err
}

// Sweep deletes until all is gone that may go by the last Look, or ctx ends,
// which is no error: the next one goes on from there.
func (s *Sweeper) Sweep(ctx context.Context) error {
	var errs []error
	runs := s.runs()
	s.turn++ // so that a run that takes long does not keep others waiting
	for i := range runs {
		w := runs[(s.turn+i)%len(runs)]
		if w.job != nil && w.job.deleting && w.job.fresh && ctx.Err() == nil {
			errs = append(errs, s.sweep(ctx, w))
		}
	}
	return errors.Join(errs...)
}

// runs returns the runs under watch, in order, without our own.
func (s *Sweeper) runs() []*watch {
	var runs []*watch
	for _, key := range slices.Sorted(maps.Keys(s.watched)) {
		if w := s.watched[key]; w.By == "" && nameOf(w.Run, w.Replica) != s.me() {
			runs = append(runs, w)
		}
	}
	return runs
}

func (s *Sweeper) me() string { return nameOf(s.Identity.Run, s.Identity.Replica) }

// Look reads the registry and decides on every run. A thirtieth of After should
// lie between two. Where it fails, nothing is known and nothing goes on.
func (s *Sweeper) Look(ctx context.Context) error {
	for _, w := range s.watched {
		if w.job != nil {
			w.job.fresh = false
		}
	}
	s.sent = s.Now()
	notes, err := s.registry.read(ctx)
	if err != nil {
		return err
	}
	errs := s.observe(ctx, notes)
	for _, w := range s.runs() {
		if w.Protocol == s.Protocol.String() && !w.done {
			errs = append(errs, s.decide(ctx, w))
		}
	}
	if !s.DryRun {
		errs = append(errs, s.tidy(ctx)...)
	}
	return errors.Join(errs...)
}

// observe takes what was read into account. A note that is not there any more
// proves nothing, and is forgotten, but for a run that is being deleted.
func (s *Sweeper) observe(ctx context.Context, notes map[string]note) (errs []error) {
	answered := s.Now()
	for key, w := range s.watched {
		if _, w.there = notes[key]; w.there || w.job != nil && w.job.deleting {
			continue
		}
		if w.job != nil {
			if err := s.release(ctx, w); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		delete(s.watched, key)
	}
	for key, n := range notes {
		if s.watched[key] == nil {
			s.watched[key] = &watch{}
		}
		s.watched[key].see(n, s.sent, answered, s.After)
	}
	return errs
}

// sweep deletes what a run left, then its note, then the claims on it.
func (s *Sweeper) sweep(ctx context.Context, w *watch) error {
	stopped, err := w.job.pass.run(ctx, w.job.cleaner)
	if stopped {
		return nil
	}
	if err == nil && !s.DryRun {
		err = s.finish(ctx, w)
	}
	if outOfTime(ctx, err) {
		return nil
	}
	if err != nil {
		w.job.failures++
		return err
	}
	w.done, w.job = true, nil
	return nil
}

// finish removes a run's note, and then the claims on it: ours, and those of
// the dead.
func (s *Sweeper) finish(ctx context.Context, w *watch) error {
	if w.there {
		if err := w.job.cleaner.forget(ctx, w.key()); err != nil {
			return err
		}
	}
	for key, c := range s.watched {
		if c.By == "" || c.target() != w.key() || c.By != s.me() && !c.dead(s.sent, s.After) {
			continue
		}
		if err := s.registry.remove(ctx, key); err != nil {
			return err
		}
		delete(s.watched, key)
	}
	return nil
}

// Runs returns what is known of each run after the last round, but of our own.
// A run that was swept is in it once at least.
func (s *Sweeper) Runs() []Status {
	var all []Status
	for _, w := range s.runs() {
		all = append(all, Status{Run: w.Run, Replica: w.Replica, State: s.state(w), Counts: w.counts.all})
	}
	return all
}

func (s *Sweeper) state(w *watch) State {
	switch {
	case w.Protocol != s.Protocol.String():
		return Other
	case w.done:
		return Swept
	case w.job != nil && w.job.failures > 0:
		return Partly
	case w.job != nil:
		return Dead
	case s.rival(w) != nil:
		return Contended
	case w.moved:
		return Alive
	}
	return Watching
}
