package load

import (
	"context"
	"math"
	"reflect"
	"slices"
	"time"

	"opensaves-soak/load/desired"
	"opensaves-soak/load/pace"
)

// conductor turns what is wanted into plans for the pacer: it follows the
// desired state, its own guards and the time.
type conductor struct {
	*Runner
	errors    *errorGuard
	cost      *costGuard
	bytes     byteGuard
	achieved  *window
	peaks     peaks
	fullUntil time.Duration // max_in_flight bound the load until then
	limit     float64       // by guards, of the plan in force
	planned   desired.Place
	elsewhere float64 // bytes that other replicas had uploaded
	want      desired.Mix
	serial    uint64 // of the state that the plan follows
	costOn    bool
}

// peaks are the rates of the last seconds.
type peaks struct {
	rates []float64
	next  int
}

func (p *peaks) add(rate float64) {
	p.rates[p.next] = rate
	p.next = (p.next + 1) % len(p.rates)
}

func newConductor(r *Runner) conductor {
	return conductor{
		Runner: r, errors: newErrorGuard(r.Safety), cost: newCostGuard(r.Safety, r.expectedPrice(r.world.Mix())),
		bytes: byteGuard{perDay: int64(r.Safety.MaxWrittenPerDay)}, achieved: newWindow(achievedOver),
		peaks: peaks{rates: make([]float64, int(r.Slowest/time.Second)+1)},
	}
}

// achievedOver is how many seconds the achieved rate is taken over.
const achievedOver = 5

// horizon is how far ahead a plan reaches; a new one is made long before.
const horizon = time.Minute

// run follows until ctx ends.
func (c *conductor) run(ctx context.Context) {
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		changed := c.store.Changed()
		now := time.Now()
		c.store.Advance(now)
		if !c.plan(ctx, now) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case next := <-c.places:
			c.place.Store(&next.Place)
			if !c.plan(ctx, time.Now()) {
				return
			}
			close(next.done)
		case <-c.next(now):
		case <-beat.C:
			c.tick(time.Now())
		}
	}
}

// next fires when the desired state next changes by itself; nil where it does not.
func (c *conductor) next(now time.Time) <-chan time.Time {
	if at := c.store.Get().Next(now); !at.IsZero() {
		return time.After(at.Sub(now))
	}
	return nil
}

// plan hands the pacer a new plan where the state or a guard's limit changed,
// or the one in force runs out; it reports false when ctx ended.
func (c *conductor) plan(ctx context.Context, now time.Time) bool {
	state, place := c.store.Get(), *c.place.Load()
	point, at := state.At(now), now.Sub(c.origin)
	limit := c.allowed(point, at)
	if state.Serial == c.serial && limit == c.limit && place == c.planned && point.For == 0 {
		return true
	}
	c.serial, c.limit, c.planned = state.Serial, limit, place
	c.guarded.Store(math.Float64bits(limit))
	c.applyMix(state.Mix(now))
	next := plan{at: at, segments: c.segments(state, now, limit), late: tooLate, until: pace.Never}
	if place.Count > 1 {
		next.late, next.offset = tooLateInFleet, float64(place.Index)/float64(place.Count)
	}
	if !place.Until.IsZero() {
		next.until = place.Until.Sub(c.origin)
	}
	left := next.until
	if left != pace.Never {
		left -= at
	}
	next.segments = pace.Part(next.segments, place.Share, left)
	c.raise(next.segments)
	select {
	case c.pacer.plans <- next:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *conductor) segments(state desired.State, now time.Time, limit float64) []pace.Segment {
	var segments []pace.Segment
	for _, s := range state.Segments(now, horizon) {
		segments = append(segments, pace.Segment(s))
	}
	return pace.Clip(segments, limit)
}

// allowed is the most that guards let through; without bounds where none is on.
func (c *conductor) allowed(point desired.Point, at time.Duration) float64 {
	limit := math.Inf(1)
	if c.Embedded {
		return limit
	}
	if c.errors.on {
		limit = c.errors.limit(max(point.From, point.To), at)
	}
	if bought := c.cost.limit(); bought > 0 {
		limit = min(limit, bought)
	}
	return limit
}

// applyMix lets arrivals do what is wanted from now on.
func (c *conductor) applyMix(want desired.Mix) {
	if reflect.DeepEqual(want, c.want) {
		return
	}
	c.want = want
	mix := c.mix(want)
	c.world.SetMix(mix)
	c.metrics.expect(mix, c.sizes())
	c.cost = newCostGuard(c.Safety, c.expectedPrice(mix))
}

// raise makes room for as many requests in flight as the plan may need: what
// 1.5 s of the highest rate bring that was in force while requests could last.
func (c *conductor) raise(segments []pace.Segment) {
	if c.Config.MaxInFlight > 0 {
		c.maxInFlight.Store(int64(c.Config.MaxInFlight))
		return
	}
	highest := slices.Max(c.peaks.rates)
	for _, s := range segments {
		highest = max(highest, s.From, s.To)
	}
	c.maxInFlight.Store(max(100, int64(1.5*highest)))
}

// tick takes stock of a second: guards, gauges, and what GET shows.
func (c *conductor) tick(now time.Time) {
	t := c.tally.take()
	at := now.Sub(c.origin)
	state := c.store.Get()
	point := state.At(now)
	others := c.Fleet.Others()
	c.world.Hear(others.Records, at)
	t.uploaded += int64(others.Counts[uploaded] - c.elsewhere)
	c.elsewhere = others.Counts[uploaded]
	c.guard(t, at, point)
	c.achieved.add(t)
	if t.full > 0 {
		c.fullUntil = at + achievedOver*time.Second
	}
	rate := c.share(now)
	c.peaks.add(rate)
	c.raise(nil)
	achieved := float64(c.achieved.sum().answered) / float64(max(1, c.achieved.count))
	c.Runner.achieved.Store(math.Float64bits(achieved))
	c.live.Store(&desired.Live{
		AchievedRPS:       achieved + others.AchievedRPS,
		SkippedOperations: names(c.world.Mix().Skipped()),
		LimitedBy:         c.limitedBy(point, now),
	})
	c.show(state, rate, now)
}

// guard lets the guards look at a second.
func (c *conductor) guard(t tally, at time.Duration, point desired.Point) {
	if c.Embedded {
		return
	}
	c.cost.update(t)
	wanted, bought := max(point.From, point.To), c.cost.limit()
	costs := bought > 0 && bought < wanted
	trips := map[string]bool{
		guardErrors: c.errors.update(t, at), guardBytes: c.bytes.update(t, at), guardCost: costs && !c.costOn,
	}
	c.costOn = costs
	for _, reason := range guardReasons {
		if trips[reason] {
			c.tripped(desired.Change{
				Time: c.origin.Add(at), From: wanted, To: min(wanted, c.allowed(point, at)), Source: desired.Guard, Reason: reason,
			})
		}
	}
	c.world.Hold(c.bytes.on)
}

func (c *conductor) tripped(trip desired.Change) {
	c.metrics.gauges.trips.WithLabelValues(trip.Reason).Inc()
	c.note(trip)
	c.Log.Warn("A safety guard holds the load down", "reason", trip.Reason)
}

func (c *conductor) limitedBy(point desired.Point, now time.Time) desired.Limit {
	wanted, at := max(point.From, point.To), now.Sub(c.origin)
	switch {
	case c.place.Load().Held(now):
		return desired.ByFleet
	case !c.Embedded && c.errors.limit(wanted, at) < wanted:
		return desired.ByErrors
	case c.costOn:
		return desired.ByCost
	case c.bytes.on:
		return desired.ByBytes
	case !c.world.Mutable():
		return desired.ByLedger
	case at < c.fullUntil:
		return desired.ByMaxInFlight
	}
	return desired.Unlimited
}

// show sets the gauges.
func (c *conductor) show(state desired.State, rate float64, now time.Time) {
	g, point := &c.metrics.gauges, state.At(now)
	g.show(point, state, now)
	g.target.Set(rate)
	g.fleet.Set(c.whole(now))
	g.warmup.Set(truth(!c.world.WarmedUp()))
	g.guard.WithLabelValues(guardErrors).Set(truth(c.errors.on))
	g.guard.WithLabelValues(guardCost).Set(truth(c.costOn))
	g.guard.WithLabelValues(guardBytes).Set(truth(c.bytes.on))
	g.transition.Set(truth(c.inTransition(state, point, now)))
	objects, bytes := c.world.Objects()
	for kind, n := range objects {
		g.objects.WithLabelValues(kind).Set(float64(n))
	}
	g.bytes.WithLabelValues("blob").Set(float64(bytes))
}

// settling is how long figures of the target may still show a change.
const settling = 10 * time.Minute

// inTransition says whether alerts on the target's figures should wait.
func (c *conductor) inTransition(state desired.State, point desired.Point, now time.Time) bool {
	ladder := point.Stage >= 0 && !state.Base.Repeat && point.For > 0
	return point.Paused || point.Ramping() || ladder || now.Sub(time.Unix(0, c.changedAt.Load())) < settling
}
