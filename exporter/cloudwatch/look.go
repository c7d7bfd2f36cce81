package cloudwatch

import (
	"context"
	"math"
	"slices"
	"time"
)

// How often resources are looked at anew: when all is known, and when a look
// failed or AWS lacks something, which may be mended at any time.
const (
	relookKnown   = 10 * time.Minute
	relookMissing = time.Minute
)

// look discovers resources, and makes series of what is new among them.
func (p *poller) look(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	again := relookKnown
	p.blind = false
	p.plan = p.discover(ctx, func(name string, err error) {
		if err != nil {
			again = relookMissing
			p.blind = p.blind || !denied(err)
		}
		p.once.note("look:"+name, err)
	})
	for name, offered := range p.plan.sources {
		p.metrics.source(name, offered)
		if !offered {
			again = relookMissing
		}
	}
	p.relook = now.Add(again - jitter) // the poll that follows may be early by the jitter of this one
	p.adopt(now)
}

// adopt makes series of what is new in the plan, and forgets what is no longer there.
func (p *poller) adopt(now time.Time) {
	known := p.series
	p.series = make(map[string]*series, len(p.plan.queries))
	revive := now.Sub(p.revived) >= relookKnown
	if revive {
		p.revived = now
	}
	p.plan.queries = slices.DeleteFunc(p.plan.queries, func(q query) bool { // two names may be one resource
		_, twice := p.series[q.key()]
		s := known[q.key()]
		if s == nil {
			s = &series{points: map[time.Time]*held{}, retry: true}
		}
		s.retry = s.retry || revive
		p.series[q.key()] = s
		return twice
	})
	for i := range p.plan.queries {
		p.series[p.plan.queries[i].key()].query = &p.plan.queries[i]
	}
}

// estimate tells the ceiling, and once the log, what the plan costs.
func (p *poller) estimate() {
	var e estimate
	for l := range e {
		for _, g := range p.groups {
			e[l] += units(p.awake(p.queriesOf(g, l), false)) * int(time.Hour/g.rhythm(l))
		}
	}
	p.ceiling.expect(p.component, e)
	if e != p.told {
		p.told = e
		p.log.Info("CloudWatch is asked for metrics", "billed_metrics_per_hour", e[whole], "usd_per_hour", math.Round(1e5*float64(e[whole])*p.ceiling.price())/1e5)
	}
}

func units(queries []*query) (n int) {
	for _, call := range batches(queries, maxQueries) {
		n += billed(call)
	}
	return n
}

// queriesOf are those of a group that a level of degradation leaves.
func (p *poller) queriesOf(g *group, level int) []*query {
	var chosen []*query
	for i := range p.plan.queries {
		q := &p.plan.queries[i]
		given := level >= noPods && q.row.detail.comesAndGoes() && !q.row.probe || level >= noReasons && q.row.detail == reasons
		if q.period() == g.period && !given {
			chosen = append(chosen, q)
		}
	}
	return chosen
}
