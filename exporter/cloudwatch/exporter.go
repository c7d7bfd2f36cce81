package cloudwatch

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// Options are what an exporter is made of.
type Options struct {
	Config  Config
	Connect Connection
	Price   func() float64 // USD of a metric that GetMetricData is asked for
	Ceiling *Ceiling       // that outlives the exporter; nil: it has one of its own
	Metrics metric.Factory
	Log     *slog.Logger
	Calls   Calls // made by New
}

// Exporter polls AWS and shows what it knows. It is a prometheus.Collector.
type Exporter struct {
	options Options
	pollers []*poller
	shared  *shared
}

// shared is what all pollers share.
type shared struct {
	*metrics
	ceiling *Ceiling
}

var _ prometheus.Collector = (*Exporter)(nil)

// New connects and registers the exporter. Nothing is asked before Run. An
// error is that of a broken AWS configuration file or environment.
func New(ctx context.Context, o Options) (*Exporter, error) {
	if o.Ceiling == nil {
		o.Ceiling = NewCeiling(o.Config.MaxUSDPerHour, o.Price)
	}
	e := &Exporter{shared: &shared{newMetrics(o.Metrics), o.Ceiling}}
	o.Connect.Log = o.Log
	var err error
	if o.Calls, err = e.shared.Connect(ctx, o.Connect); err != nil {
		return nil, err
	}
	e.options = o
	for _, s := range sources(o) {
		e.pollers = append(e.pollers, newPoller(s, o, e.shared))
	}
	o.Metrics.Registerer.MustRegister(e)
	return e, nil
}

// sources are the components that the configuration names.
func sources(o Options) []source {
	var named []source
	for _, s := range []struct {
		named bool
		make  func(Options) source
	}{
		{o.Config.EKS.Cluster != "", newEKS},
		{len(o.Config.DynamoDB.Tables) > 0, newDynamoDB},
		{len(o.Config.S3.Buckets) > 0, newS3},
		{len(o.Config.Redis.Clusters)+len(o.Config.Redis.ReplicationGroups)+len(o.Config.Redis.Serverless) > 0, newRedis},
	} {
		if s.named {
			named = append(named, s.make(o))
		}
	}
	return named
}

// Calls returns the operations of AWS, for others that use them.
func (e *Exporter) Calls() Calls { return e.options.Calls }

// Run polls until ctx ends, also where there is nothing to poll.
func (e *Exporter) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range e.pollers {
		all.Go(func() { p.run(ctx) })
	}
	all.Wait()
	<-ctx.Done()
}

// Describe implements prometheus.Collector. It names nothing: which series
// there are shows only when AWS has answered.
func (e *Exporter) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector. It only reads.
func (e *Exporter) Collect(to chan<- prometheus.Metric) {
	now, throttled := time.Now(), 0.0
	for _, p := range e.pollers {
		s := p.published.Load()
		if s == nil {
			continue
		}
		if s.throttled {
			throttled = 1
		}
		for i := range s.entries {
			if m, ok := s.entries[i].metric(now); ok {
				to <- m
			}
		}
		s.collectSelf(p.component.String(), now, to)
	}
	gauge(to, metric.CloudWatchDegraded, float64(e.shared.ceiling.level()), "cost")
	gauge(to, metric.CloudWatchDegraded, throttled, "throttle")
}

// collectSelf shows what is known of the component's data.
func (s *snapshot) collectSelf(component string, now time.Time, to chan<- prometheus.Metric) {
	counts := map[string]int{"fresh": 0, "stale": 0, "nodata": 0, "forbidden": 0}
	for _, state := range s.states {
		counts[state.name(now)]++
	}
	for name, n := range maps.All(counts) {
		gauge(to, metric.CloudWatchSeries, float64(n), component, name)
	}
	if !s.settled.IsZero() {
		gauge(to, metric.CloudWatchDataAge, now.Sub(s.settled).Seconds(), component)
	}
}

func gauge(to chan<- prometheus.Metric, d metric.Definition, value float64, labels ...string) {
	to <- prometheus.MustNewConstMetric(descs[d.Name], prometheus.GaugeValue, value, labels...)
}
