package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	limit "golang.org/x/time/rate"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/leftover"
	"opensaves-soak/load/scenario"
)

// leftovers is what the run does about what it, or a dead one, leaves on the
// target; nil where the target does not outlive the run.
type leftovers struct {
	*Runner
	own     *leftover.Registration
	sweeper *leftover.Sweeper
	pace    *limit.Limiter
	ending  atomic.Bool   // there is no load any more
	lost    chan struct{} // is closed when the run was swept
}

func (r *Runner) newLeftovers() *leftovers {
	if !r.Register {
		return nil
	}
	l := &leftovers{Runner: r, pace: limit.NewLimiter(1, atOnce), lost: make(chan struct{})}
	results := r.Metrics.Counter(metric.CleanupObjects)
	for _, kind := range leftover.Kinds() {
		for _, result := range leftover.Results() {
			results.WithLabelValues(string(kind), string(result))
		}
	}
	o := leftover.Options{
		Protocol: r.Protocol, Identity: r.Identity, After: time.Duration(r.Data.LeftoversAfter), Now: r.now, Allow: l.allow,
		Result: func(kind leftover.Kind, result leftover.Result) {
			results.WithLabelValues(string(kind), string(result)).Inc()
		},
	}
	o.Do = leftover.Do(r.background(metric.Heartbeat))
	l.own = leftover.NewRegistration(o, r.world.Remembers(), l.beaten())
	o.Do = leftover.Do(r.background(metric.Sweep))
	l.sweeper = leftover.NewSweeper(o)
	return l
}

// atOnce is how many deletions may be sent at once.
const atOnce = 16

// allow paces what is deleted: a tenth of the load beside it, all of it after.
func (l *leftovers) allow(ctx context.Context) error {
	if !l.ending.Load() {
		l.pace.SetLimit(limit.Limit(max(1, l.share(time.Now())/10)))
	}
	return l.pace.Wait(ctx)
}

// beaten returns what is told of each heartbeat: it says once when they fail,
// and once when they come through again.
func (l *leftovers) beaten() func(error) {
	var failing bool
	return func(err error) {
		switch {
		case errors.Is(err, leftover.ErrLost):
			l.Log.Error("The run was swept while it could not show that it lives", "err", err)
			close(l.lost)
			return
		case err != nil && !failing:
			l.Log.Warn("The heartbeat in the registry failed: writing and judging stop if it stays so", "err", err, "within", l.own.After/2)
		case err == nil && failing:
			l.Log.Info("The heartbeat in the registry comes through again")
		}
		failing = err != nil
	}
}

// ErrSwept says that another took the run for dead and deleted what it made:
// the process must begin again as a new run.
var ErrSwept = errors.New("the run was swept by another one")

// run beats and sweeps until ctx ends. It returns ErrSwept when the run was swept.
func (l *leftovers) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{}, 2)
	go func() { l.own.Run(ctx); done <- struct{}{} }()
	go func() {
		l.Fleet.Lead(ctx, func(ctx context.Context) { l.sweeper.Run(ctx, l.swept) })
		done <- struct{}{}
	}()
	var err error
	select {
	case <-ctx.Done():
	case <-l.lost:
		err = ErrSwept
	}
	cancel()
	<-done
	<-done
	return err
}

// swept says how a round of the sweeper ended.
func (l *leftovers) swept(err error) {
	if err != nil {
		l.Log.Warn("Leftovers of dead runs could not all be looked after", "err", err)
	}
}

// open registers the run before it makes anything.
func (l *leftovers) open(ctx context.Context) error {
	for _, kind := range [...]byte{ledger.Store, ledger.Metadata} {
		if err := l.own.Reserve(ctx, kind, firstNumbers+uint64(l.Data.Stores)); err != nil {
			return fmt.Errorf("registering the run: %w", err)
		}
	}
	return nil
}

// firstNumbers are reserved before the load begins, of stores beside those that
// hold the records.
const firstNumbers = 256

// leastCleaning is how many objects are deleted a second, at least, when the run ends.
const leastCleaning = 100

// clean deletes what the run made, if that is asked for, and says whether all of
// it is gone.
func (l *leftovers) clean() bool {
	if !l.Cleanup {
		return false
	}
	l.ending.Store(true)
	l.pace.SetLimit(limit.Limit(max(leastCleaning, l.share(time.Now()))))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(l.Data.CleanupTimeout))
	defer cancel()
	l.Log.Info("Deleting what the run made", "timeout", time.Duration(l.Data.CleanupTimeout))
	stores, metadata := l.world.Keys()
	err := l.own.Clean(ctx, leftover.Do(l.background(metric.Cleanup)), stores, metadata)
	if err != nil {
		l.Log.Warn("Not all that the run made is deleted", "err", err)
	}
	return err == nil
}

// registered is what the world asks before it uses a key or writes at all.
func (l *leftovers) registered() scenario.Registered {
	if l == nil {
		return scenario.Registered{}
	}
	return scenario.Registered{Allows: l.own.Allows, Suspended: l.own.Suspended}
}
