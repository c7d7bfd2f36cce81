package load

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
)

// tend settles what is in doubt, every second.
func (r *Runner) tend(ctx context.Context) {
	t := scenario.NewTask(rand.Uint64(), rand.Uint64())
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			r.world.Tend(ctx, r.allowance(), r.now, r.background(metric.Cleanup))
			r.judgeHistories(ctx, t)
			r.selfTest(ctx, t)
		}
	}
}

// judgeHistories judges the atomic operations that are complete.
func (r *Runner) judgeHistories(ctx context.Context, t *scenario.Task) {
	do := r.background(metric.Verify)
	read := func() (time.Duration, error) {
		err := do(context.WithoutCancel(ctx), &t.Call, &t.Answer)
		return r.now(), err
	}
	report := func(t *scenario.Task, operations int) {
		r.metrics.checks[t.Result.Check][t.Result.Verdict].Add(float64(operations))
	}
	r.world.Histories(t, r.now(), read, report)
	r.world.Sums(t, r.now(), read, report)
}

// selfTest has the oracle tested, and counts what comes of it.
func (r *Runner) selfTest(ctx context.Context, t *scenario.Task) {
	do := r.background(metric.Verify)
	send := func(t *scenario.Task) error { return do(context.WithoutCancel(ctx), &t.Call, &t.Answer) }
	r.world.SelfTest(t, r.now, send, func(kind ledger.Kind, result string) {
		for _, each := range []string{scenario.Injected, scenario.Caught, scenario.Missed} {
			r.metrics.selfTest[each].WithLabelValues(kind.String()) // a child in each
		}
		r.metrics.selfTest[result].WithLabelValues(kind.String()).Inc()
		if result == scenario.Missed {
			r.Log.Error("The self-test made a wrong answer that the checks did not find", "kind", kind.String())
		}
	})
}

// verifying is how often what arrivals do not verify in time is verified.
const verifying = 100 * time.Millisecond

// verify makes the calls that confirm suspicions and read acknowledged writes,
// where arrivals do not.
func (r *Runner) verify(ctx context.Context) {
	beat := time.NewTicker(verifying)
	defer beat.Stop()
	t, do := scenario.NewTask(rand.Uint64(), rand.Uint64()), r.background(metric.Verify)
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if !r.world.Overdue(t, r.now()) {
				continue
			}
			err := do(context.WithoutCancel(ctx), &t.Call, &t.Answer)
			r.world.Settle(t, err, r.now())
			r.metrics.observeCheck(arrival{task: t})
			t.Release()
		}
	}
}

// tending is how many doubts are settled in a second at the most.
const tending = 20

// allowance is how many doubts may be settled now: what they cost comes on top
// of the load, so it stays a tenth of it, and none while the load is paused.
func (r *Runner) allowance() int { return min(tending, int(math.Ceil(r.share(time.Now())/10))) }
