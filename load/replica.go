package load

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"opensaves-soak/load/desired"
)

// Fleet is the replicas that share the load.
type Fleet interface {
	// Join takes part until ctx ends, and then leaves. act is told of every place
	// that this replica gets, and returns when the load keeps to it.
	Join(ctx context.Context, act func(desired.Place))
	// Lead calls do whenever this replica leads, with a context that ends when it
	// does not any more, and returns when ctx ends.
	Lead(ctx context.Context, do func(context.Context))
	// Leads says whether this replica leads.
	Leads() bool
	// Others adds up what the other replicas last told of themselves.
	Others() desired.Report
	Document
}

// Document is where a fleet keeps what is wanted.
type Document interface {
	// Read returns what is kept, and its version.
	Read(ctx context.Context) (document []byte, version string, err error)
	// Write replaces the document of that version and returns the new one's. It
	// returns desired.ErrConflict where that is not the version any more.
	Write(ctx context.Context, document []byte, version string) (string, error)
}

// alone is the fleet of a process that shares with nobody.
type alone struct{ Document }

func (alone) Join(_ context.Context, act func(desired.Place)) { act(desired.Alone()) }

func (alone) Lead(ctx context.Context, do func(context.Context)) { do(ctx) }

func (alone) Leads() bool { return true }

func (alone) Others() desired.Report { return desired.Report{} }

// Adopt puts what the fleet keeps in force. Errors are those of desired.Store;
// others say that the document could not be completed, which is tried again
// with the next one.
func (r *Runner) Adopt(ctx context.Context, document []byte, version string) error {
	next, err := r.store.Adopt(time.Now(), document, version, desired.Fleet)
	r.metrics.gauges.valid.Set(truth(err == nil))
	if err != nil || next == nil {
		return err
	}
	switch version, err = r.Fleet.Write(ctx, next, version); {
	case errors.Is(err, desired.ErrConflict):
		return nil // another replica was first
	case err != nil:
		return fmt.Errorf("keeping the beginning of the stages: %w", err)
	}
	_, err = r.store.Adopt(time.Now(), next, version, desired.Fleet)
	return err
}

// patch merges a change into what the fleet keeps. A race that is lost is run
// once more.
func (r *Runner) patch(ctx context.Context, ifMatch string, change []byte) error {
	err := r.patchOnce(ctx, ifMatch, change)
	if errors.Is(err, desired.ErrConflict) {
		err = r.patchOnce(ctx, ifMatch, change)
	}
	if errors.Is(err, desired.ErrConflict) {
		return fmt.Errorf("%w: got other changes at the same time, twice", desired.ErrStale)
	}
	return err
}

func (r *Runner) patchOnce(ctx context.Context, ifMatch string, change []byte) error {
	document, version, err := r.Fleet.Read(ctx)
	if err != nil {
		return err
	}
	next, err := r.store.Merge(time.Now(), document, version, ifMatch, change)
	if err != nil {
		return err
	}
	if next == nil {
		next = document
	} else if version, err = r.Fleet.Write(ctx, next, version); err != nil {
		return err
	}
	_, err = r.store.Adopt(time.Now(), next, version, desired.API)
	return err
}

// Report is what the other replicas of the fleet are told.
func (r *Runner) Report() desired.Report {
	report := desired.Report{AchievedRPS: math.Float64frombits(r.achieved.Load()), Counts: r.Work().Counts(), Records: r.world.Tell()}
	report.Counts[uploaded] = float64(r.uploaded.Load())
	return report
}

// uploaded names bytes among the counts, where operations have their own names.
const uploaded = "uploaded_bytes"

// placed is a place that the load must keep to before done is closed.
type placed struct {
	desired.Place
	done chan struct{}
}

// act returns what a fleet tells of places; it waits for the load until ctx ends.
func (r *Runner) act(ctx context.Context) func(desired.Place) {
	return func(p desired.Place) {
		next := placed{p, make(chan struct{})}
		select {
		case r.places <- next:
		case <-ctx.Done():
			return
		}
		select {
		case <-next.done:
		case <-ctx.Done():
		}
	}
}
