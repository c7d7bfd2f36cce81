package load

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
)

// gauges show the state of the load; they are set about every second.
type gauges struct {
	target, fleet, limit, warmup               prometheus.Gauge
	override, overrideStart, stage, transition prometheus.Gauge
	valid                                      prometheus.Gauge
	objects, bytes, guard                      *prometheus.GaugeVec
	trips, changes                             *prometheus.CounterVec
}

func newGauges(f metric.Factory) gauges {
	g := gauges{
		target:        f.Gauge(metric.TargetRPS).WithLabelValues(),
		fleet:         f.Gauge(metric.FleetTargetRPS).WithLabelValues(),
		limit:         f.Gauge(metric.MaxRPS).WithLabelValues(),
		warmup:        f.Gauge(metric.Warmup).WithLabelValues(),
		override:      f.Gauge(metric.OverrideActive).WithLabelValues(),
		overrideStart: f.Gauge(metric.OverrideStart).WithLabelValues(),
		stage:         f.Gauge(metric.Stage).WithLabelValues(),
		transition:    f.Gauge(metric.LoadTransition).WithLabelValues(),
		objects:       f.Gauge(metric.WorkingSetObjects),
		bytes:         f.Gauge(metric.WorkingSetBytes),
		guard:         f.Gauge(metric.GuardActive),
		trips:         f.Counter(metric.GuardTrips),
		changes:       f.Counter(metric.LoadChanges),
	}
	g.valid = f.Gauge(metric.FleetLoadValid).WithLabelValues()
	g.valid.Set(1) // what nobody keeps is not broken
	g.warmup.Set(1)
	g.bytes.WithLabelValues("blob")
	for _, source := range []desired.Source{desired.API, desired.Stages, desired.Reload, desired.TTL, desired.Guard, desired.Fleet} {
		g.changes.WithLabelValues(string(source))
	}
	for _, reason := range guardReasons {
		g.guard.WithLabelValues(reason)
		g.trips.WithLabelValues(reason)
	}
	return g
}

// show sets the gauges of what is wanted at an instant.
func (g *gauges) show(p desired.Point, s desired.State, at time.Time) {
	g.limit.Set(s.Base.MaxRPS)
	g.stage.Set(float64(p.Stage + 1))
	started := 0.0 // set once: a scrape may come at any time
	o := s.Active(at)
	if o != nil {
		started = float64(o.Started.UnixMilli()) / 1000
	}
	g.override.Set(truth(o != nil))
	g.overrideStart.Set(started)
}

// truth is 1 or 0.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
