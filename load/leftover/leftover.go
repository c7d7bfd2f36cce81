// Package leftover deletes what dead runs left on a target. Each run keeps a
// note in a registry, a store on the target itself: how far the numbers of its
// keys go, and a counter that moves while the run lives. Who sees a counter
// stand still for long enough claims the run, waits, and deletes what carries
// its content, and nothing else. No two clocks are compared: everybody goes by
// his own.
package leftover

import (
	"context"
	"errors"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// Do sends a call to the target.
type Do func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error

// Options are what both sides of the registry need: those who are in it and
// those who watch it.
type Options struct {
	Do       Do
	Protocol metric.Protocol
	Identity ledger.Identity
	After    time.Duration        // how long a run is silent before it counts as dead; longer where the run itself says so
	Now      func() time.Duration // since any origin, monotonic

	// Allow returns when an operation that deletes, or that looks for what to
	// delete, may be sent; nil: at once. It paces.
	Allow func(context.Context) error
	// Result is told of every object that was come across; nil: nobody is. It is called concurrently.
	Result func(Kind, Result)
}

// Kind is what was come across; the value of the label "kind".
type Kind string

// The kinds. RunKind is a run's note in the registry.
const (
	StoreKind    Kind = "store"
	RecordKind   Kind = "record"
	BlobKind     Kind = "blob"
	MetadataKind Kind = "metadata"
	RunKind      Kind = "run"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{StoreKind, RecordKind, BlobKind, MetadataKind, RunKind} }

// Result is what became of it; the value of the label "result".
type Result string

// The results. Kept is what bears one of our names and another's content, or
// holds something of another's.
const (
	Deleted Result = "deleted"
	Kept    Result = "kept"
	Failed  Result = "failed"
)

// Results are all of them.
func Results() []Result { return []Result{Deleted, Kept, Failed} }

// ErrLost says that the run was swept, or has ended: its keys must not be used
// any more.
var ErrLost = errors.New("the run is no longer in the registry")

// Beats is how many heartbeats, or looks of a sweeper, fit into Options.After.
const Beats = 30

// MaxAfter is the longest that Options.After may be.
const MaxAfter = 30 * 24 * time.Hour
