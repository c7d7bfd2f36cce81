package cloudwatch

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
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
	ceiling *Ceiling
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
	failure    error // of a call of the last poll; nil: none failed
	level      int   // at which it was asked last
	blind      bool  // a look failed, and not for want of a permission
	revived    time.Time
	percentile probe

	published atomic.Pointer[snapshot]
}

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

// Bounds of the two parts of a poll, so that it is over before the next one and
// neither can keep the other from AWS.
const (
	lookTimeout = 15 * time.Second
	askTimeout  = 30 * time.Second
)

// poll looks at resources where that is due, asks for what has settled, and publishes.
func (p *poller) poll(ctx context.Context) {
	start := time.Now().UTC()
	p.failure = nil
	if !start.Before(p.relook) {
		p.look(ctx, start)
	}
	p.estimate()
	p.ask(ctx, start)
	p.metrics.took.Set(time.Since(start).Seconds())
	p.publish()
}

// request is what a group is asked for now.
type request struct {
	*group
	window
	calls [][]*query
}

// ask polls the groups that have something new to ask for.
func (p *poller) ask(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	level := p.ceiling.asking()
	if level != p.level {
		p.log.Warn("Polls are held back by cloudwatch.max_usd_per_hour", "degraded", level, "before", p.level)
	}
	p.level = level
	var requests []request
	metrics := 0
	for _, g := range p.groups {
		w, due := g.due(now, p.began, p.delay, level)
		queries := p.awake(p.queriesOf(g, level), true)
		if due && len(queries) > 0 {
			requests = append(requests, request{g, w, batches(queries, maxQueries)})
			metrics += units(queries)
		}
	}
	if len(requests) > 0 && !p.admitted(now, metrics) {
		return
	}
	failed := p.blind
	for _, r := range requests {
		failed = !p.askGroup(ctx, r, now) || failed
	}
	if len(requests) > 0 {
		p.once.note("GetMetricData", p.failure)
	}
	p.metrics.ended(!failed, now)
}

// admitted asks the ceiling whether there is money for so many metrics.
func (p *poller) admitted(now time.Time, metrics int) bool {
	ok, warn := p.ceiling.admit(now, p.component, metrics)
	if warn {
		p.log.Warn("CloudWatch costs nearly what cloudwatch.max_usd_per_hour allows", "usd_per_hour", p.config.MaxUSDPerHour)
	}
	if !ok {
		p.metrics.skipped.Inc()
	}
	p.once.pause(!ok)
	return ok
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// askGroup makes the calls of a request and takes what they bring. It reports
// whether all was answered completely.
func (p *poller) askGroup(ctx context.Context, r request, now time.Time) bool {
	whole, asked, owed := true, true, false
	for _, call := range r.calls {
		got, err := fetch(ctx, p.get, call, r.window)
		p.bill(now, got.pages*billed(call), billed(call))
		if err != nil {
			p.failure = err
		}
		for _, m := range got.messages {
			p.metrics.failures.WithLabelValues("GetMetricData", aws.ToString(m.Code)).Inc()
			p.once.message(aws.ToString(m.Code), aws.ToString(m.Value))
		}
		asked = asked && err == nil
		owed = owed || slices.ContainsFunc(got.answers, answer.failed)
		whole = p.take(r, call, got.answers, now) && whole
	}
	p.settle(r)
	p.percentile.look(p, r)
	if asked {
		r.group.asked, r.group.at = r.end, now
	}
	if asked && !owed {
		r.group.answered = r.end
	}
	return whole && asked
}

// bill notes what a call cost, of which a part was reserved.
func (p *poller) bill(now time.Time, metrics, reserved int) {
	p.ceiling.spend(now, metrics-reserved)
	p.metrics.bill(metrics, p.ceiling.price())
}

// take records the answers of a call, and reports whether all are complete.
func (p *poller) take(r request, call []*query, answers []answer, now time.Time) bool {
	whole := true
	consecutive := !r.asked.IsZero() && r.end.Sub(r.asked) <= r.every
	for i, q := range call {
		s, a := p.series[q.key()], answers[i]
		p.metrics.result(a.status)
		whole = whole && a.status == types.StatusCodeComplete
		if s.status = a.status; a.status == "" {
			continue // it was not reached
		}
		s.retry = false
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

// settle makes samples of what the group was answered. When nothing of the component
// has had a value for long, it is idle, and not late.
func (p *poller) settle(r request) {
	stamped, newest := p.config.stamps(p.delay, r.period), r.newest
	if last := r.end.Add(-r.period); !newest.IsZero() && last.Sub(newest) > idleAfter {
		newest = last
	}
	for _, call := range r.calls {
		for _, q := range call {
			p.series[q.key()].settle(newest, stamped)
		}
	}
}
