package cloudwatch

import (
	"maps"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// snapshot is what a poller knows at one moment. It is never changed.
type snapshot struct {
	entries   []entry
	states    []state
	settled   time.Time // zero: nothing was answered, or there is nothing to ask for
	resources resources
	consumed  map[string]consumption // by the key of the query
	ended     time.Time              // end of the newest minute that has a value; zero: none
	throttled bool                   // AWS refused the last poll as too much
}

// entry is a series at a scrape.
type entry struct {
	metric.Definition
	labels  []string
	value   float64
	end     time.Time     // of the period that the value is of
	keeps   time.Duration // how old it may become
	stamped bool
}

// state tells what there is of a query's data.
type state struct {
	forbidden bool
	end       time.Time // of its sample; zero: none
	keeps     time.Duration
}

// consumption are the sums of a query's minutes, as CloudWatch gives them.
type consumption struct {
	labels  []string
	into    string    // name of the metric
	settled time.Time // end of the newest minute that was answered completely
	minutes map[time.Time]float64
}

// How long values hold that are measured seldom.
const (
	keepDaily   = 72 * time.Hour
	keepFacts   = 2 * time.Hour
	keepSeldom  = 15 * time.Minute
	keepMinutes = 2 * time.Hour // for the sums of consumption, which may be late by the longest delay
)

// keeps is how old a sample of the query may become before it is dropped.
func (p *poller) keeps(q *query) time.Duration {
	stale := p.config.staleAfter(p.delay)
	switch {
	case q.period() == daily:
		return keepDaily
	case q.period() == fiveMinute:
		return max(keepSeldom, stale+fiveMinute)
	case p.level >= slow:
		return stale + fiveMinute
	}
	return stale
}

// publish makes a snapshot of what is known.
func (p *poller) publish() {
	s := &snapshot{resources: p.plan.billed, consumed: map[string]consumption{}, ended: p.minuteEnd(), throttled: throttled(p.failure)}
	for i := range p.plan.queries {
		p.publishQuery(s, &p.plan.queries[i])
	}
	for _, r := range p.plan.ratios {
		if e, ok := p.share(r); ok {
			s.entries = append(s.entries, e)
		}
	}
	for _, f := range p.plan.facts {
		s.entries = append(s.entries, entry{Definition: f.into, labels: f.labels, value: f.value, end: f.at, keeps: keepFacts})
	}
	if len(p.queriesOf(p.groups[0], whole)) > 0 {
		s.settled = p.settled
	}
	p.published.Store(s)
}

func (p *poller) minuteEnd() time.Time {
	if newest := p.groups[0].newest; !newest.IsZero() {
		return newest.Add(minutely)
	}
	return time.Time{}
}

func (p *poller) publishQuery(s *snapshot, q *query) {
	known, keeps := p.series[q.key()], p.keeps(q)
	s.states = append(s.states, state{forbidden: known.status == types.StatusCodeForbidden, end: known.gauge.end, keeps: keeps})
	stamped := p.config.stamps(p.delay, q.period()) && q.period() != daily
	if q.row.into.Name != "" && !known.gauge.end.IsZero() {
		s.entries = append(s.entries, entry{q.row.into, q.labels, known.gauge.value, known.gauge.end, keeps, stamped})
	}
	if q.row.total.Name != "" && !known.settled.IsZero() && known.status != types.StatusCodeForbidden {
		s.entries = append(s.entries, entry{q.row.total, q.labels, known.total * float64(q.row.unit), known.settled, keeps, stamped})
	}
	if q.row.rate && q.period() == minutely {
		s.consumed[q.key()] = consumption{q.labels, q.row.into.Name, known.settled, known.recent(p.settled)}
	}
}

// recent copies the values of the last minutes before end.
func (s *series) recent(end time.Time) map[time.Time]float64 {
	minutes := map[time.Time]float64{}
	for at, h := range maps.All(s.points) {
		if end.Sub(at) <= keepMinutes {
			minutes[at] = h.value
		}
	}
	return minutes
}

// share makes the entry of a ratio of two series, at the newest period for which
// both are told. Where one of them has no value then, it is 0.
func (p *poller) share(r ratio) (entry, bool) {
	part, rest := p.series[r.part], p.series[r.rest]
	if part.gauge.end.IsZero() || rest.gauge.end.IsZero() {
		return entry{}, false
	}
	end := part.gauge.end
	if rest.gauge.end.Before(end) {
		end = rest.gauge.end
	}
	at := end.Add(-part.query.period())
	value := portion(part.at(at), rest.at(at))
	if math.IsNaN(value) {
		return entry{}, false
	}
	stamped := p.config.stamps(p.delay, part.query.period())
	return entry{r.into, r.labels, value, end, p.keeps(part.query), stamped}, true
}

// descs are the descriptions of all metrics, by name.
var descs = describe(metric.AWS)

func describe(definitions []metric.Definition) map[string]*prometheus.Desc {
	made := map[string]*prometheus.Desc{}
	for _, d := range definitions {
		made[d.Name] = prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
	}
	return made
}

// metric makes what a scrape shows, unless the value is too old.
func (e *entry) metric(now time.Time) (prometheus.Metric, bool) {
	if now.Sub(e.end) > e.keeps {
		return nil, false
	}
	kind := prometheus.GaugeValue
	if e.Type == "counter" {
		kind = prometheus.CounterValue
	}
	m := prometheus.MustNewConstMetric(descs[e.Name], kind, e.value, e.labels...)
	if e.stamped {
		m = prometheus.NewMetricWithTimestamp(e.end, m)
	}
	return m, true
}

// name is the state as a label.
func (s state) name(now time.Time) string {
	switch {
	case s.forbidden:
		return "forbidden"
	case s.end.IsZero():
		return "nodata"
	case now.Sub(s.end) > s.keeps:
		return "stale"
	}
	return "fresh"
}
