package leftover

import (
	"context"
	"errors"
	"fmt"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

func (r *Registration) beat(ctx context.Context) error {
	if r.lost.Load() {
		return ErrLost
	}
	if r.Identity.Epoch >= maxEpochs {
		return r.lose("it was started too often for its note")
	}
	sent := r.Now()
	if err := r.join(ctx); err != nil {
		return err
	}
	fresh := !r.exists
	wrote := r.write(ctx)
	notes, err := r.registry.read(ctx, r.note.key())
	if err != nil {
		r.open = opensaves.CodeOf(err) != metric.NotFound
		return errors.Join(wrote, err)
	}
	if err := r.look(notes, fresh); err != nil || wrote != nil {
		return errors.Join(wrote, err)
	}
	r.claimed.Store(false)
	r.proven.Store(int64(sent))
	return nil
}

// join finds the note of this run from before a restart. A run that was
// restored and has none was swept meanwhile; but where the registry itself is
// missing, which nobody deletes, the target has lost what it had, and what the run
// remembers must be looked for.
func (r *Registration) join(ctx context.Context) error {
	if r.open {
		return nil
	}
	missing, err := r.registry.open(ctx)
	if err != nil {
		return err
	}
	if missing {
		r.exists, r.restored = false, false
	}
	notes, err := r.registry.read(ctx, r.note.key())
	if err != nil {
		return err
	}
	found, there := notes[r.note.key()]
	if !there && !r.exists && r.restored {
		return r.strike()
	}
	if there && !r.exists {
		r.exists, r.note.Beat = true, found.Beat
		r.note.adopt(found.Epochs)
	}
	r.open = true
	return nil
}

// adopt takes over what earlier epochs have used.
func (n *note) adopt(epochs []numbers) {
	for epoch, found := range epochs {
		if epoch >= len(n.Epochs) {
			n.Epochs = append(n.Epochs, found)
		}
		mine := &n.Epochs[epoch]
		mine.Stores, mine.Metadata = max(mine.Stores, found.Stores), max(mine.Metadata, found.Metadata)
	}
}

// write writes the note. Its counter moves even if the last write failed, for
// that one may have come through.
func (r *Registration) write(ctx context.Context) error {
	r.note.Beat++
	mine := &r.note.Epochs[r.Identity.Epoch]
	mine.Stores, mine.Metadata = max(mine.Stores, r.wanted[0].Load()), max(mine.Metadata, r.wanted[1].Load())
	if err := r.registry.write(ctx, r.note, r.exists); err != nil {
		r.open = r.exists // else an earlier attempt may have written it
		return err
	}
	r.exists = true
	r.reserved[0].Store(mine.Stores)
	r.reserved[1].Store(mine.Metadata)
	return nil
}

// look finds out from the notes whether the run is claimed or gone.
func (r *Registration) look(notes map[string]note, fresh bool) error {
	claimant := ""
	for _, n := range notes {
		if n.By == "" || n.target() != r.note.key() {
			continue
		}
		claimant = n.By
		r.claimed.Store(true)
		if n.Sweeping {
			return r.lose("it is swept by " + n.By)
		}
	}
	if _, there := notes[r.note.key()]; !there && !fresh {
		return r.strike()
	}
	r.missing = 0
	if claimant != "" {
		return fmt.Errorf("reading the registry: got a claim of %s on this run, want none", claimant)
	}
	return nil
}

// strikes is how many lists in a row without the note say that it is gone: one
// alone may be old.
const strikes = 2

func (r *Registration) strike() error {
	if r.missing++; r.missing >= strikes {
		return r.lose("its note is gone")
	}
	return errors.New("reading the registry: got no note of this run, want one")
}

func (r *Registration) lose(why string) error {
	r.lost.Store(true)
	return fmt.Errorf("%w: %s", ErrLost, why)
}
