// Package load sends players to Open Saves: arrivals come when the schedule
// says so, whatever the target does, and every answer is measured from the
// moment its request was due and checked against the ledger.
package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
	"opensaves-soak/load/leftover"
	"opensaves-soak/load/pace"
	"opensaves-soak/load/scenario"
	"opensaves-soak/load/trace"
	"opensaves-soak/opensaves"
)

// Options are what a Runner is made of.
type Options struct {
	Config   Config
	Safety   SafetyConfig
	Data     scenario.DataConfig
	Protocol metric.Protocol
	Identity ledger.Identity
	Register bool          // keep a note of the run on the target, which outlives it, and sweep what dead runs left
	Cleanup  bool          // delete at the end what the run made; only with Register
	Fleet    Fleet         // the replicas that share the load; nil: this one makes all of it alone
	Store    *store.Store  // the ledger on disk, which the runner closes; nil: it is in memory
	Embedded bool          // the target is the embedded sandbox: no guards
	Slowest  time.Duration // how long a request can take at the most
	Connect  func(opensaves.Options) (opensaves.Client, error)
	World    func(*scenario.Mix, func(scenario.Violation)) (*scenario.World, error)
	Price    func(op metric.Operation, recordBytes, blobBytes int64) float64 // USD an operation
	Trace    *trace.Tracer                                                   // of each request; nil: none
	Metrics  metric.Factory
	Log      *slog.Logger
}

// Runner makes the load. New makes one, Run runs it once.
type Runner struct {
	Options
	client  opensaves.Client
	world   *scenario.World
	store   *desired.Store
	metrics *metrics
	pacer   *pacer
	origin  time.Time
	tasks   sync.Pool
	pending sync.WaitGroup
	report  reporter

	inFlight    atomic.Int64
	maxInFlight atomic.Int64
	tally       counts
	recordBytes int64
	live        atomic.Pointer[desired.Live]
	shared      bool // with other replicas
	place       atomic.Pointer[desired.Place]
	places      chan placed
	achieved    atomic.Uint64 // answers a second; bits of a float64
	uploaded    atomic.Int64  // bytes
	guarded     atomic.Uint64 // the rate that guards let through, fleet-wide; bits of a float64
	ready       atomic.Bool
	changedAt   atomic.Int64 // when the load last changed, guards excepted; Unix nanoseconds
	recent      changes
	conduct     conductor
	leftovers   *leftovers
}

// counts is the tally of the second under way.
type counts struct {
	answered, failed, arrivals, uploaded, full, nanoUSD atomic.Int64
}

// take returns what was counted and begins anew.
func (c *counts) take() tally {
	return tally{
		answered: c.answered.Swap(0), failed: c.failed.Swap(0), arrivals: c.arrivals.Swap(0),
		uploaded: c.uploaded.Swap(0), full: c.full.Swap(0), usd: float64(c.nanoUSD.Swap(0)) / 1e9,
	}
}

// New makes a runner, its working set still empty.
func New(o Options) (*Runner, error) {
	shared := o.Fleet != nil
	if !shared {
		o.Fleet = alone{}
	}
	r := &Runner{Options: o, shared: shared, origin: time.Now(), metrics: newMetrics(o.Metrics), report: reporter{log: o.Log}}
	r.recordBytes = o.Data.RecordBytes.Mean()
	r.place.Store(&desired.Place{})
	if !shared {
		lone := desired.Alone()
		r.place.Store(&lone)
	}
	r.places = make(chan placed)
	r.guarded.Store(math.Float64bits(math.Inf(1)))
	base := o.Config.Base(o.Embedded)
	r.store = desired.NewStore(r.origin, base, desired.Hooks{Check: r.check, OnChange: r.changed})
	mix := r.mix(desired.Mix{Scenarios: base.Scenarios, ReadRatio: base.ReadRatio})
	var err error
	if r.world, err = o.World(mix, r.violated); err != nil {
		return nil, err
	}
	if r.client, err = o.Connect(opensaves.Options{MaxInFlight: r.capacity, OnAttempt: r.attempt}); err != nil {
		return nil, err
	}
	r.metrics.expect(mix, r.sizes())
	if skipped := mix.Skipped(); len(skipped) > 0 {
		o.Log.Info("Operations are left out that the protocol lacks", "protocol", o.Protocol.String(), "operations", names(skipped))
	}
	r.leftovers = r.newLeftovers()
	r.world.Register(r.leftovers.registered())
	r.pacer = r.newPacer()
	r.conduct = newConductor(r)
	o.Metrics.CounterFunc(metric.AbandonedRecords, r.world.Abandoned)
	r.ledgerMetrics()
	o.Metrics.CounterFunc(metric.SupersededUnread, r.world.Superseded)
	o.Metrics.CounterFunc(metric.LateWrites, r.world.Late)
	o.Metrics.GaugeFunc(metric.Leader, func() float64 { return truth(o.Fleet.Leads()) })
	o.Metrics.GaugeFunc(metric.InFlight, func() float64 { return float64(r.inFlight.Load()) })
	r.tasks.New = func() any { return scenario.NewTask(rand.Uint64(), rand.Uint64()) }
	return r, nil
}

func (r *Runner) newPacer() *pacer {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var gap func() float64
	if r.Config.Arrivals == Poisson {
		gap = pace.Exponential(random.Float64)
	}
	return &pacer{
		gap: gap, rand: random, plans: make(chan plan), now: r.now,
		draw:     func(random *rand.Rand) scenario.Draw { return r.world.Mix().Draw(random) },
		capacity: r.maxInFlight.Load, inFlight: r.inFlight.Add,
		start: r.start, drop: r.drop,
	}
}

// Run makes the load until ctx ends, and returns when the last request is over.
// Stores that hold the records are made first, for as long as that takes. It
// returns ErrSwept where another took the run for dead.
func (r *Runner) Run(ctx context.Context) error {
	keeper, flush := r.keep(), r.Trace.Start()
	over, err := r.work(ctx)
	err = errors.Join(err, r.client.Close(), keeper())
	flush()
	if over && r.Store != nil { // the ledger is about what is not there any more
		err = errors.Join(err, r.Store.Remove())
	}
	return err
}

// work makes the load, and says whether nothing of the run is left on the target.
func (r *Runner) work(ctx context.Context) (over bool, err error) {
	if err := r.setup(ctx); err != nil {
		return errors.Is(err, ErrSwept), err
	}
	if ctx.Err() != nil {
		return false, nil
	}
	r.Log.Info("The load begins", "run", r.world.Identity.Run, "protocol", r.Protocol.String(), "rps", r.Status().RPS, "max_rps", r.Status().MaxRPS)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	member, leave := context.WithCancel(context.WithoutCancel(ctx)) // it leaves when nothing is sent any more
	var actors sync.WaitGroup
	actors.Go(func() {
		defer leave()
		r.pacer.run(ctx)
	})
	actors.Go(func() { r.conduct.run(ctx) })
	actors.Go(func() { r.Fleet.Join(member, r.act(ctx)) })
	actors.Go(func() { r.tend(ctx) })
	actors.Go(func() { r.verify(ctx) })
	if r.leftovers != nil {
		actors.Go(func() {
			defer cancel()
			err = r.leftovers.run(ctx)
		})
	}
	actors.Wait()
	r.Log.Info("Arrivals have stopped, waiting for requests in flight", "in_flight", r.inFlight.Load())
	r.pending.Wait()
	r.conduct.tick(time.Now())
	r.report.flush()
	return err != nil || r.leftovers != nil && r.leftovers.clean(), err
}

// Ready says whether the ledger is open and the load can begin, which the target
// has no part in.
func (r *Runner) Ready() bool { return r.ready.Load() }

// WarmedUp says whether the working set has been nine tenths full once.
func (r *Runner) WarmedUp() bool { return r.world.WarmedUp() }

func (r *Runner) now() time.Duration { return time.Since(r.origin) }

func (r *Runner) capacity() int { return int(r.maxInFlight.Load()) }

func (r *Runner) attempt(op metric.Operation) { r.metrics.attemptsOf(op).Inc() }

// background returns how to send calls that no arrival made.
func (r *Runner) background(purpose metric.Purpose) scenario.Do {
	return func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
		err := r.client.Do(ctx, call, answer)
		r.metrics.backgroundOf(purpose, opensaves.CodeOf(err)).Inc()
		return err
	}
}

// setup makes the stores that hold records, again and again until it succeeds or
// ctx ends. Its error is ErrSwept.
func (r *Runner) setup(ctx context.Context) error {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := r.prepare(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, leftover.ErrLost):
			return fmt.Errorf("%w: %w", ErrSwept, err)
		}
		if ctx.Err() == nil {
			r.Log.Warn("Stores could not be created", "err", err, "retry_in", wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// prepare opens the ledger and makes the stores.
func (r *Runner) prepare(ctx context.Context) error {
	if err := r.world.Open(ctx); err != nil {
		return err
	}
	r.ready.Store(true)
	if r.leftovers != nil {
		if err := r.leftovers.open(ctx); err != nil {
			return err
		}
	}
	return r.world.Setup(ctx, r.now, r.background(metric.Setup))
}

// sizes are one blob size of each class that the mix has.
func (r *Runner) sizes() []int64 {
	var small, large []int64
	for _, size := range r.Data.BlobSizes.Sizes() {
		if size > metric.SmallBlobLimit {
			large = []int64{int64(size)}
		} else {
			small = []int64{int64(size)}
		}
	}
	return append(small, large...)
}
