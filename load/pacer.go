package load

import (
	"context"
	"math/rand/v2"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/pace"
	"opensaves-soak/load/scenario"
)

// tooLate is how late an arrival may be sent at the most. Beyond that the
// generator was held up itself, and its load would not be the one asked for.
const tooLate = time.Second

// tooLateInFleet keeps what a replica catches up with within a hundredth of ten
// seconds' load, which others may have taken over meanwhile.
const tooLateInFleet = 100 * time.Millisecond

// plan is the rate from an instant on.
type plan struct {
	at       time.Duration
	segments []pace.Segment
	until    time.Duration // nothing is sent from then on
	late     time.Duration // how late an arrival may be sent
	offset   float64       // of the first arrival, in arrivals; 0: a whole one
}

// pacer releases arrivals when they are due. It never waits for an answer, and
// at rate 0 it does not wake.
type pacer struct {
	schedule *pace.Schedule // nil before the first plan
	plan     plan           // in force
	gap      func() float64 // between arrivals, as pace.New has it
	throttle pace.Throttle
	rand     *rand.Rand
	plans    chan plan
	now      func() time.Duration

	draw     func(*rand.Rand) scenario.Draw
	capacity func() int64                               // how many may be in flight
	inFlight func(delta int64) int64                    // counts them
	start    func(d scenario.Draw, due time.Duration)   // must not block
	drop     func(d scenario.Draw, r metric.DropReason) // an arrival that is not sent
}

// run releases until ctx ends; what is due by then and was not sent is dropped.
func (p *pacer) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := p.release()
		if wait != pace.Never {
			timer.Reset(max(wait, 0))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			p.drain()
			return
		case next := <-p.plans:
			p.follow(next)
		case <-timer.C:
		}
	}
}

func (p *pacer) follow(next plan) {
	if p.schedule == nil {
		p.schedule = pace.New(1-next.offset, p.gap)
	}
	p.plan = next
	p.schedule.Change(next.at, next.segments, false)
	p.throttle.Forget()
}

// burst is how many arrivals are released before the pacer looks up.
const burst = 64

// release sends what is due, and returns how long there is nothing to do.
func (p *pacer) release() time.Duration {
	if p.schedule == nil {
		return pace.Never
	}
	now := p.now()
	for range burst {
		due := p.schedule.Due()
		if due > now {
			if due == pace.Never {
				return pace.Never
			}
			return due - now
		}
		if now-due > p.plan.late || now >= p.plan.until {
			p.schedule.Take()
			p.drop(p.draw(p.rand), metric.Stall)
			continue
		}
		if now-due > pace.Grain {
			if ready := p.throttle.Ready(now); ready > now {
				return ready - now
			}
			p.throttle.Released(now, p.schedule.Rate(due))
		}
		p.schedule.Take()
		p.admit(p.draw(p.rand), due)
	}
	return 0
}

func (p *pacer) admit(d scenario.Draw, due time.Duration) {
	if p.inFlight(1) > p.capacity() {
		p.inFlight(-1)
		p.drop(d, metric.MaxInFlight)
		return
	}
	p.start(d, due)
}

// drain drops what was due and not sent.
func (p *pacer) drain() {
	for now := p.now(); p.schedule != nil && p.schedule.Due() <= now; p.schedule.Take() {
		p.drop(p.draw(p.rand), metric.Shutdown)
	}
}
