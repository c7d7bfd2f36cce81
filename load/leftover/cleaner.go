package leftover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// cleaner deletes what one run made.
type cleaner struct {
	Options
	registry registry
	run      note
	dry      bool     // nothing is deleted nor written, only counted
	counted  sync.Map // by a dry run, which finds again what it was cut short in
	tally    func(Kind, Result)
	slots    chan struct{}
	planted  bool
}

// inFlight is how many of a cleaner's calls are under way at the most.
const inFlight = 8

// newCleaner makes one for a run; tally is told of every object as o.Result is; nil: nobody.
func newCleaner(o Options, run note, tally func(Kind, Result)) *cleaner {
	return &cleaner{
		Options: o, registry: registry{do: o.Do, protocol: o.Protocol}, run: run, tally: tally, slots: make(chan struct{}, inFlight),
	}
}

// errUnsent marks a call for which there was no time.
var errUnsent = errors.New("got no leave to send in time")

// outOfTime says whether an error tells nothing of the target.
func outOfTime(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, errUnsent))
}

// send sends a call when it may.
func (c *cleaner) send(ctx context.Context, call opensaves.Call) (*opensaves.Answer, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errUnsent, ctx.Err())
	}
	if c.Allow != nil {
		if err := c.Allow(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", errUnsent, err)
		}
	}
	return c.registry.call(ctx, call)
}

func (c *cleaner) count(kind Kind, result Result) {
	for _, tell := range []func(Kind, Result){c.Result, c.tally} {
		if tell != nil {
			tell(kind, result)
		}
	}
}

// failed counts an object whose fate is open, but where only time ran out.
func (c *cleaner) failed(ctx context.Context, kind Kind, key string, err error) error {
	if !outOfTime(ctx, err) {
		c.count(kind, Failed)
	}
	return fmt.Errorf("cleaning up the %s %s: %w", kind, key, err)
}

// remove deletes an object that was found to be ours. REST says of nothing but a
// blob that it is not found, and then it may as well have failed to look.
func (c *cleaner) remove(ctx context.Context, kind Kind, key string, call opensaves.Call) error {
	if c.dry {
		if _, again := c.counted.LoadOrStore(string(kind)+" "+key, true); !again {
			c.count(kind, Deleted)
		}
		return nil
	}
	_, err := c.send(ctx, call)
	switch code := opensaves.CodeOf(err); {
	case code == metric.OK, code == metric.NotFound && c.Protocol == metric.GRPC:
		c.count(kind, Deleted)
	case code == metric.FailedPrecondition && kind == BlobKind: // the record has none
	case code == metric.FailedPrecondition && kind == StoreKind: // somebody wrote to it just now
		c.count(kind, Kept)
	default:
		return c.failed(ctx, kind, key, err)
	}
	return nil
}

// forget deletes the run's note.
func (c *cleaner) forget(ctx context.Context, key string) error {
	return c.remove(ctx, RunKind, key, opensaves.Call{Op: metric.DeleteRecord, Store: registryStore, Key: key})
}

// block cleans a few objects at once.
func (c *cleaner) block(ctx context.Context, kind byte, keys []string) error {
	clean := c.store
	if kind == ledger.Metadata {
		if c.Protocol != metric.HTTP {
			return nil
		}
		clean = c.metadata
		if err := c.plant(ctx); err != nil {
			return err
		}
	}
	absent := make([]bool, len(keys))
	var group errgroup.Group
	group.SetLimit(inFlight)
	for i, key := range keys {
		group.Go(func() (err error) {
			absent[i], err = clean(ctx, key)
			return err
		})
	}
	if err := group.Wait(); err != nil || !slices.Contains(absent, true) {
		return err
	}
	return c.confirm(ctx, kind)
}

// confirm makes sure that what was not found is not there: on REST a failing
// backend answers so too, and then cannot read what is there for certain.
func (c *cleaner) confirm(ctx context.Context, kind byte) error {
	call := opensaves.Call{Op: metric.GetStore, Store: registryStore}
	if kind == ledger.Metadata {
		call = opensaves.Call{Op: metric.GetMetadata, Store: registryStore, Key: sentinelID}
	}
	if c.Protocol == metric.GRPC || kind == ledger.Metadata && c.dry {
		return nil
	}
	if _, err := c.send(ctx, call); err != nil {
		return fmt.Errorf("confirming that objects are absent: %w", err)
	}
	return nil
}

// wrote says whether the run wrote a text under a key.
func (c *cleaner) wrote(text, key string, kind byte) bool {
	h, _, ok := ledger.ParseHeader(text)
	return ok && h.Key == key && c.run.owns(key, kind)
}

// store cleans a store with all that is ours in it, and says whether there was
// none. It has no header; its name ends in its key.
func (c *cleaner) store(ctx context.Context, key string) (absent bool, err error) {
	answer, err := c.send(ctx, opensaves.Call{Op: metric.GetStore, Store: key})
	switch {
	case opensaves.CodeOf(err) == metric.NotFound:
		return true, nil
	case err == nil && len(answer.Stores) != 1:
		err = errors.New("got no store, want one")
	}
	if err != nil {
		return false, c.failed(ctx, StoreKind, key, err)
	}
	if !strings.HasSuffix(answer.Stores[0].Name, " "+key) {
		c.count(StoreKind, Kept)
		return false, nil
	}
	s := shelf{cleaner: c, store: key, gone: map[string]bool{}, size: pageSize}
	if err := s.clear(ctx); err != nil {
		return false, err
	}
	if s.strangers > 0 {
		for range s.strangers {
			c.count(RecordKind, Kept)
		}
		c.count(StoreKind, Kept)
		return false, nil
	}
	return false, c.remove(ctx, StoreKind, key, opensaves.Call{Op: metric.DeleteStore, Store: key})
}
