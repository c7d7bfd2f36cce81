package main

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	livefeed "opensaves-soak/exporter/live"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load"
)

const (
	momentEvery = time.Second
	ratesOver   = 10 // moments
)

// sampled are the metrics that a moment is made of. All others cost several times
// as much to gather.
var sampled = []metric.Definition{
	metric.Requests, metric.ResponseTime, metric.ArrivalsDropped, metric.Checks, metric.CheckViolations, metric.InFlight,
}

// few registers all in one registry, and what is sampled also in one of its own.
type few struct {
	prometheus.Registerer
	sampled *prometheus.Registry
}

// MustRegister registers collectors; a metric.Factory calls nothing else.
func (f few) MustRegister(collectors ...prometheus.Collector) {
	f.Registerer.MustRegister(collectors...)
	for _, c := range collectors {
		if isSampled(c) {
			f.sampled.MustRegister(c)
		}
	}
}

func isSampled(c prometheus.Collector) (found bool) {
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		c.Describe(descriptions)
	}()
	for d := range descriptions {
		found = found || slices.ContainsFunc(sampled, func(of metric.Definition) bool {
			return d.String() == prometheus.NewDesc(of.Name, of.Help, of.Labels, nil).String()
		})
	}
	return found
}

// sampler makes a moment of each second.
type sampler struct {
	feed    *livefeed.Feed
	sampled *prometheus.Registry
	runner  *load.Runner
	aws     awsReader
	target  livefeed.Target
	started time.Time
	log     *slog.Logger

	last []sample // the oldest first
}

// sample is what was counted up to a time.
type sample struct {
	at     time.Time
	counts snapshot
}

func (d *daemon) newSampler() *sampler {
	target := d.config.Target
	return &sampler{
		feed: livefeed.NewFeed(), sampled: prometheus.NewRegistry(), aws: awsReader{gatherer: &d.aws},
		target:  livefeed.Target{Name: target.Label(), Protocol: target.Wire().String(), Backend: target.Backend},
		started: time.Now().UTC(), log: d.log.With("component", "live"),
	}
}

// run feeds until ctx ends, and ends the feed with it.
func (s *sampler) run(ctx context.Context) {
	defer s.feed.End()
	beat := time.NewTicker(momentEvery)
	defer beat.Stop()
	for now := time.Now(); ; {
		if err := s.sample(now); err != nil {
			s.log.Error("A moment is left out of the live view", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case now = <-beat.C:
		}
	}
}

func (s *sampler) sample(now time.Time) error {
	total, err := gather(s.sampled)
	if err != nil {
		return err
	}
	total.narrow(metric.ResponseTime)
	if err := s.aws.read(now); err != nil {
		return err
	}
	p := pace{seconds: math.NaN()} // of the first moment nothing is known
	if len(s.last) > 0 {
		p = s.last[0].until(sample{now, total})
	}
	if s.last = append(s.last, sample{now, total}); len(s.last) > ratesOver {
		s.last = slices.Delete(s.last, 0, 1)
	}
	return s.feed.Add(s.moment(now, total, p))
}

// until is what was counted from one sample to the next. At rest that is nothing,
// and costs nothing.
func (s sample) until(next sample) pace {
	p := pace{seconds: next.at.Sub(s.at).Seconds()}
	moved := func(of metric.Definition) bool { return next.counts.sum(of, nil) != s.counts.sum(of, nil) }
	if moved(metric.Requests) || moved(metric.ArrivalsDropped) {
		p.snapshot = next.counts.since(s.counts)
	}
	return p
}

// pace is what was counted in so many seconds; NaN: in no time at all.
type pace struct {
	snapshot
	seconds float64
}

func (p pace) rate(of metric.Definition, match labels) *float64 {
	return known(p.sum(of, match) / p.seconds)
}

// quantiles are the median and the p99 of the response times of successes, in seconds.
func (p pace) quantiles(match labels) (p50, p99 *float64) {
	times := p.histogram(metric.ResponseTime, match.and("outcome", metric.Success.String()))
	return known(times.quantile(0.5)), known(times.quantile(0.99))
}

// narrow drops the classic form of a histogram's series, which has the wider
// buckets, where the native one is there too: that halves the work with them.
func (s snapshot) narrow(of metric.Definition) {
	for id, one := range s[of.Name] {
		if one.histogram.native != nil {
			one.histogram.classic = nil
			s[of.Name][id] = one
		}
	}
}

// known is nil for what is no number.
func known(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}

// moment is made of all that was counted, and of what was counted lately.
func (s *sampler) moment(now time.Time, total snapshot, p pace) livefeed.Moment {
	status := s.runner.Status()
	wrong := 0.0
	for _, v := range violations(total) {
		if v.wrong() {
			wrong += float64(v.Count)
		}
	}
	p50, p99 := p.quantiles(labels{})
	unjudged := p.sum(metric.Checks, labels{"result": metric.Unjudged.String()}) / p.sum(metric.Checks, nil)
	return livefeed.Moment{
		Glance: livefeed.Glance{
			Time: now.UTC().Truncate(time.Millisecond), Started: s.started, Version: version.Version, Target: s.target,
			Asked: status.Replica.ShareRPS, Achieved: p.rate(metric.Requests, nil),
			Failed: p.rate(metric.Requests, labels{"outcome": metric.Failure.String()}), Dropped: p.rate(metric.ArrivalsDropped, nil),
			InFlight: total.sum(metric.InFlight, nil), P50: p50, P99: p99,
			Wrong: wrong, Judged: known(1 - unjudged), Warmup: !s.runner.WarmedUp(), USDPerHour: s.aws.usdPerHour, USDPerMio: s.aws.usdPerMio,
		},
		Load: status, Operations: p.operations(), Components: s.aws.components,
	}
}

// operations are those that there were requests of, by name.
func (p pace) operations() []livefeed.Operation {
	list := []livefeed.Operation{}
	for op := range metric.Operation(metric.Operations) {
		match := labels{"operation": op.String()}
		requests := p.sum(metric.Requests, match)
		if requests == 0 {
			continue
		}
		failed := p.sum(metric.Requests, match.and("outcome", metric.Failure.String()))
		p50, p99 := p.quantiles(match)
		list = append(list, livefeed.Operation{
			Operation: op.String(), RPS: requests / p.seconds, Failed: failed / requests, P50: p50, P99: p99,
		})
	}
	slices.SortFunc(list, func(a, b livefeed.Operation) int { return strings.Compare(a.Operation, b.Operation) })
	return list
}
