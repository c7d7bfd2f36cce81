package cloudwatch

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// poller asks about one component, in one goroutine, and publishes what it
// knows for others to read.
type poller struct {
	source
	config  Config
	get     getMetricData
	ceiling *ceiling
	metrics componentMetrics
	once    *once
	log     *slog.Logger

	plan       plan
	relook     time.Time // when resources are to be looked at again
	series     map[string]*series
	groups     []*group
	settled    time.Time // end of the newest period of minutes that was answered completely
	began      time.Time
	told       estimate
	throttled  bool
	percentile probe

	published atomic.Pointer[snapshot]
}

// group are the queries of one period. They have one rhythm and one window.
type group struct {
	period   time.Duration
	lookback time.Duration
	every    time.Duration // at least so long between two polls
	answered time.Time     // end of the last window that was answered
	at       time.Time     // when that was
	newest   time.Time     // start of the newest period in which any of them has a value
}

// How often resources are looked at anew: when all is known, and when a look
// failed or AWS lacks something, which may be mended at any time.
const (
	relookKnown   = 10 * time.Minute
	relookMissing = time.Minute
)

func newPoller(s source, o Options, shared *shared) *poller {
	return &poller{
		source: s, config: o.Config, get: o.Calls.GetMetricData, ceiling: shared.ceiling,
		metrics: shared.metrics.of(s.component), once: newOnce(o.Log.With("component", s.component.String())),
		log: o.Log.With("component", s.component.String()), series: map[string]*series{},
		groups: []*group{
			{period: minutely, lookback: time.Duration(o.Config.Lookback), every: minutely},
			{period: fiveMinute, lookback: max(time.Duration(o.Config.Lookback), 3*fiveMinute), every: fiveMinute},
			{period: daily, lookback: 3 * daily, every: time.Hour},
		},
	}
}

// jitter keeps a fleet of exporters from asking in the same second.
const jitter = 5 * time.Second

// run polls until ctx ends, each time another minute has settled. A poll that
// takes longer than that is counted as so many skipped ones.
func (p *poller) run(ctx context.Context) {
	p.began = time.Now().UTC()
	due := p.began
	for {
		if !sleepUntil(ctx, due) {
			return
		}
		p.poll(ctx)
		next := nextPoll(due, p.delay)
		if late := nextPoll(time.Now(), p.delay); late.After(next) {
			p.metrics.skipped.Add(late.Sub(next).Minutes())
			next = late
		}
		due = next.Add(rand.N(jitter))
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// pollTimeout bounds a poll, so that it is over before the next one.
const pollTimeout = 30 * time.Second

// poll looks at resources where that is due, asks for what has settled, and publishes.
func (p *poller) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	start := time.Now().UTC()
	if !start.Before(p.relook) {
		p.look(ctx, start)
	}
	p.ask(ctx, start)
	p.metrics.took.Set(time.Since(start).Seconds())
	p.publish(start)
}

// look discovers resources, and makes series of what is new among them.
func (p *poller) look(ctx context.Context, now time.Time) {
	again := relookKnown
	p.plan = p.discover(ctx, func(name string, err error) {
		if err != nil {
			again = relookMissing
		}
		p.once.note("look:"+name, "AWS did not tell what there is", err)
	})
	for name, offered := range p.plan.sources {
		p.metrics.source(name, offered)
		if !offered {
			again = relookMissing
		}
	}
	p.relook = now.Add(again - jitter) // the poll that follows may be early by the jitter of this one
	known := p.series
	p.series = make(map[string]*series, len(p.plan.queries))
	for i := range p.plan.queries {
		q := &p.plan.queries[i]
		s := known[q.key()]
		if s == nil {
			s = &series{points: map[time.Time]*held{}}
		}
		s.query, s.retry = q, true
		p.series[q.key()] = s
	}
	p.estimate()
}

// estimate tells the ceiling, and once the log, what the plan costs.
func (p *poller) estimate() {
	var e estimate
	for l := range e {
		for _, g := range p.groups {
			e[l] += units(p.queriesOf(g, l)) * int(time.Hour/g.rhythm(l))
		}
	}
	p.ceiling.expect(p.component, e)
	if e != p.told {
		p.told = e
		p.log.Info("CloudWatch is asked for metrics", "billed_metrics_per_hour", e[whole], "usd_per_hour", float64(e[whole])*p.ceiling.price())
	}
}

func units(queries []*query) (n int) {
	for _, call := range batches(queries) {
		n += billed(call)
	}
	return n
}

// queriesOf are those of a group that a level of degradation leaves.
func (p *poller) queriesOf(g *group, level int) []*query {
	var chosen []*query
	for i := range p.plan.queries {
		q := &p.plan.queries[i]
		given := level >= noPods && q.row.detail == pods || level >= noReasons && q.row.detail == reasons
		if q.period() == g.period && !given {
			chosen = append(chosen, q)
		}
	}
	return chosen
}

// request is what a group is asked for now.
type request struct {
	*group
	window
	calls [][]*query
}

// ask polls the groups that have something new to ask for.
func (p *poller) ask(ctx context.Context, now time.Time) {
	level := p.ceiling.asking()
	var requests []request
	metrics := 0
	for _, g := range p.groups {
		w, due := g.due(now, p.delay, level)
		queries := p.awake(p.queriesOf(g, level), now)
		if due && len(queries) > 0 {
			requests = append(requests, request{g, w, batches(queries)})
			metrics += units(queries)
		}
	}
	if len(requests) == 0 || !p.admitted(now, metrics) {
		return
	}
	failed := false
	for _, r := range requests {
		failed = !p.askGroup(ctx, r, now) || failed
	}
	p.metrics.ended(!failed, now)
}

// due returns the window of a group, and whether it is time to ask for it. After
// an outage it reaches back to where that began.
func (g *group) due(now time.Time, delay time.Duration, level int) (window, bool) {
	if g.period == daily {
		return settled(now, daily, 0, g.lookback), now.Sub(g.at) >= g.every
	}
	w := settled(now, g.period, delay, g.lookback)
	news := w.end.Sub(g.answered)
	if g.answered.IsZero() {
		return w, true
	}
	if missed := news - g.period; missed > 0 {
		w.start = w.end.Add(-min(w.end.Sub(w.start)+missed, maxLookback))
	}
	return w, news >= g.rhythm(level)
}

// rhythm is how often the group is asked for at a level of degradation.
func (g *group) rhythm(level int) time.Duration {
	if level >= slow {
		return max(g.every, fiveMinute)
	}
	return g.every
}

// admitted asks the ceiling whether there is money for so many metrics.
func (p *poller) admitted(now time.Time, metrics int) bool {
	ok, warn := p.ceiling.admit(now, metrics)
	if warn {
		p.log.Warn("CloudWatch costs nearly what cloudwatch.max_usd_per_hour allows", "usd_per_hour", p.config.MaxUSDPerHour)
	}
	if !ok {
		p.metrics.skipped.Inc()
	}
	p.once.state("ceiling", !ok, "Polls pause: cloudwatch.max_usd_per_hour is reached")
	return ok
}

// silence is how long a pod that ended has said nothing.
const silence = 10 * time.Minute

// awake leaves out pods that have ended: CloudWatch lists them for three hours
// more. Each is asked for once more after a discovery, since a name may come back.
func (p *poller) awake(queries []*query, now time.Time) []*query {
	last := map[string]time.Time{}
	for _, q := range queries {
		s := p.series[q.key()]
		switch {
		case q.row.detail != pods:
		case s.retry:
			last[q.pod()] = now
		default:
			last[q.pod()] = latest(last[q.pod()], s.first, s.newest)
		}
	}
	return slices.DeleteFunc(queries, func(q *query) bool {
		return q.row.detail == pods && now.Sub(last[q.pod()]) > silence+p.delay
	})
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// askGroup makes the calls of a request and takes what they bring. It reports
// whether all was answered completely.
func (p *poller) askGroup(ctx context.Context, r request, now time.Time) bool {
	whole, answered := true, true
	for _, call := range r.calls {
		got, err := fetch(ctx, p.get, call, r.window)
		p.bill(now, got.pages*billed(call))
		p.once.note("GetMetricData", "CloudWatch did not answer", err)
		p.throttled = err != nil && strings.HasPrefix(errorCode(err), "Throttling")
		for _, m := range got.messages {
			p.once.message(aws.ToString(m.Code), aws.ToString(m.Value))
		}
		answered = answered && err == nil
		whole = p.take(r, call, got.answers, now) && whole
	}
	p.settle(r)
	p.percentile.look(p, r)
	if answered {
		r.group.answered, r.group.at = r.end, now
	}
	return whole && answered
}

func (p *poller) bill(now time.Time, metrics int) {
	p.ceiling.spend(now, metrics)
	p.metrics.billed.Add(float64(metrics))
	p.metrics.cost.Add(float64(metrics) * p.ceiling.price())
}

// take records the answers of a call, and reports whether all are complete.
func (p *poller) take(r request, call []*query, answers []answer, now time.Time) bool {
	whole := true
	consecutive := !r.answered.IsZero() && r.end.Sub(r.answered) <= r.every
	for i, q := range call {
		s, a := p.series[q.key()], answers[i]
		p.metrics.result(a.status)
		whole = whole && a.status == types.StatusCodeComplete
		if a.status == "" {
			continue // it was not reached
		}
		s.retry = false
		if s.first.IsZero() {
			s.first = now
		}
		news := s.record(reading{answer: a, window: r.window, now: now, since: p.began, consecutive: consecutive})
		p.metrics.revised.Add(float64(news.revised))
		for _, d := range news.delays {
			p.metrics.delay.Observe(d.Seconds())
		}
		if s.newest.After(r.newest) {
			r.group.newest = s.newest
		}
		if a.status == types.StatusCodeComplete && r.period == minutely {
			p.settled = r.end
		}
	}
	return whole
}

// settle makes samples of what the group was answered.
func (p *poller) settle(r request) {
	stamped := p.config.stamps(p.delay, r.period)
	for _, call := range r.calls {
		for _, q := range call {
			p.series[q.key()].settle(r.newest, stamped)
		}
	}
}
