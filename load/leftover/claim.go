package leftover

import (
	"context"
	"time"
)

// job is a run that this sweeper claims.
type job struct {
	claim    note
	text     string        // of the run's note when it was claimed
	claimed  time.Duration // instant of the acknowledgement
	marked   time.Duration // of the claim that says there is no way back
	deleting bool
	fresh    bool // the last look was good
	failures int  // whole passes with failures
	cleaner  *cleaner
	pass     pass
}

// rival returns a claim of a living sweeper on the run, that goes before ours
// if we have one; nil: there is none.
func (s *Sweeper) rival(run *watch) *watch {
	for _, w := range s.watched {
		if w.By == "" || w.By == s.me() || w.target() != run.key() || w.dead(s.sent, s.After) {
			continue
		}
		if run.job == nil || w.ranks(&run.job.claim) {
			return w
		}
	}
	return nil
}

// decide goes one step on with a run.
func (s *Sweeper) decide(ctx context.Context, w *watch) error {
	j := w.job
	switch {
	case j == nil && (!w.dead(s.sent, s.After) || s.rival(w) != nil):
		return nil
	case j == nil:
		return s.claim(ctx, w)
	case s.DryRun:
		j.fresh = true
		return nil
	}
	standing := s.watched[j.claim.key()] != nil
	switch {
	case j.deleting && !w.there && !standing: // somebody else has ended it
		delete(s.watched, w.key())
		return nil
	case !j.deleting && (w.text != j.text || !standing || s.rival(w) != nil):
		return s.release(ctx, w)
	}
	return s.advance(ctx, w, standing)
}

// claim tells the run and other sweepers.
func (s *Sweeper) claim(ctx context.Context, w *watch) error {
	j := &job{text: w.text, deleting: s.DryRun, fresh: s.DryRun, claim: note{
		Schema: schema, Run: w.Run, Replica: w.Replica, By: s.me(),
		After: max(period(s.After), w.After), Protocol: s.Protocol.String(),
	}}
	j.cleaner = newCleaner(s.Options, w.note, w.counts.add)
	if j.cleaner.dry = s.DryRun; !s.DryRun {
		_, exists := s.watched[j.claim.key()] // an earlier attempt
		if err := s.registry.write(ctx, j.claim, exists); err != nil {
			return err
		}
	}
	j.claimed = s.Now()
	w.job = j
	return nil
}

// advance beats the claim, and takes the next step when it is time: first the
// claim waits; then it says that there is no way back, so that a run that comes
// back from then on gives itself up; then, if it had not come back just before,
// its objects go.
func (s *Sweeper) advance(ctx context.Context, w *watch, standing bool) error {
	j, span := w.job, w.span(s.After)
	next := j.claim
	next.Beat++
	next.Sweeping = j.claim.Sweeping || s.sent-j.claimed >= span/3
	deleting := j.deleting || j.claim.Sweeping && s.sent-j.marked >= span/Beats
	j.claim.Beat++ // even if the write fails: it may come through
	if err := s.registry.write(ctx, next, standing); err != nil {
		return err
	}
	if next.Sweeping && !j.claim.Sweeping {
		j.marked = s.Now()
	}
	j.claim, j.deleting, j.fresh = next, deleting, true
	return nil
}

// release lets a run go that nothing was deleted of. A claim that is not listed
// yet is removed when it is.
func (s *Sweeper) release(ctx context.Context, w *watch) error {
	if key := w.job.claim.key(); s.watched[key] != nil {
		if err := s.registry.remove(ctx, key); err != nil {
			return err
		}
		delete(s.watched, key)
	}
	w.job = nil
	return nil
}

// tidy removes claims that nobody needs: ours where we have let go, and those of
// dead sweepers, unless they tell a run that it is lost.
func (s *Sweeper) tidy(ctx context.Context) (errs []error) {
	for key, w := range s.watched {
		run := s.watched[w.target()]
		switch {
		case w.By == "":
		case w.By == s.me() && (run == nil || run.job == nil),
			w.By != s.me() && w.dead(s.sent, s.After) && (run == nil || !w.Sweeping):
			errs = append(errs, s.registry.remove(ctx, key))
		}
	}
	return errs
}
