package load

import (
	"context"
	"fmt"
	"math"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
)

// Status is what is wanted, what is, and why they differ.
func (r *Runner) Status() desired.Status {
	live := desired.Live{SkippedOperations: names(r.world.Mix().Skipped())}
	if known := r.live.Load(); known != nil {
		live = *known
	}
	now := time.Now()
	place := r.place.Load()
	live.Replica = desired.Replica{ShareRPS: r.share(now), Index: place.Index, Count: place.Count}
	return r.store.Get().Status(now, live)
}

// State is what is wanted: the configuration, and the override over it.
func (r *Runner) State() desired.State { return r.store.Get() }

// share is the rate of this replica at an instant, in requests a second.
func (r *Runner) share(now time.Time) float64 { return r.place.Load().At(now) * r.whole(now) }

// whole is the rate of the fleet at an instant, in requests a second.
func (r *Runner) whole(now time.Time) float64 {
	return min(r.store.Get().At(now).From, math.Float64frombits(r.guarded.Load()))
}

// Patch merges a document into the override and returns the state after it.
// Errors are those of desired.Store.
func (r *Runner) Patch(ctx context.Context, ifMatch string, document []byte) (desired.Status, error) {
	var err error
	if r.shared {
		err = r.patch(ctx, ifMatch, document)
	} else {
		_, err = r.store.Patch(time.Now(), ifMatch, document)
	}
	return r.Status(), err
}

// Reload puts another configuration under the override. Its operations must be
// those that the runner was made with.
func (r *Runner) Reload(c Config) { r.store.Reload(time.Now(), c.Base(r.Embedded)) }

// check refuses a state whose writes could not find records that no other
// write holds.
func (r *Runner) check(s desired.State) error {
	now := time.Now()
	rps := s.At(now).Target
	if o := s.Active(now); o == nil || o.RPS == nil {
		for _, stage := range s.Base.Stages {
			rps = max(rps, stage.RPS)
		}
	}
	if need := scenario.MinRecords(rps, r.mix(s.Mix(now)).Locked()); need > r.Data.Records {
		return fmt.Errorf("rps: got %v, which needs %d records in the working set, want at most what data.records, %d, allow", rps, need, r.Data.Records)
	}
	return nil
}

// changed is told of every change of what is wanted.
func (r *Runner) changed(c desired.Change) {
	r.note(c)
	r.changedAt.Store(c.Time.UnixNano())
	r.Log.Info("The load changes", "from", c.From, "to", c.To, "by", c.Source, "reason", c.Reason)
}

// mix makes the mix of what is wanted.
func (r *Runner) mix(want desired.Mix) *scenario.Mix {
	w := scenario.Want{Scenarios: want.Scenarios, ReadRatio: want.ReadRatio}
	if len(want.Scenarios) == 0 {
		w.Operations = r.Config.Operations
	}
	return scenario.NewMix(w, r.Protocol, r.Data.BlobSizes)
}

// expectedPrice is what an arrival of a mix costs on average, in USD.
func (r *Runner) expectedPrice(mix *scenario.Mix) (usd float64) {
	blob := r.Data.BlobSizes.Mean()
	for op := range metric.Operation(metric.Operations) {
		usd += mix.Share(op) * r.Price(op, r.recordBytes, blob)
	}
	return usd
}

func names(operations []metric.Operation) []string {
	list := make([]string, len(operations))
	for i, op := range operations {
		list[i] = op.String()
	}
	return list
}
