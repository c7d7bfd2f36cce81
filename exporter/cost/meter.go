package cost

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// MeterOptions are what a Meter is made of; all are needed.
type MeterOptions struct {
	Config  Config
	Prices  *Prices
	Counts  func() Own                 // since the tester began
	Measure func() (Measurement, bool) // the newest that is settled, from minute to minute, if there is one; quick
	Log     *slog.Logger
}

// Meter tells what the deployment costs, as a prometheus.Collector. It costs out
// the newest measurement at each scrape, and so that it can say what the tester did
// meanwhile, Run remembers the tester's counts.
type Meter struct {
	options MeterOptions
	history atomic.Pointer[history]
	found   map[string]bool // items that were wanted, and whether it was said that they have no price
}

// NewMeter makes a meter that remembers nothing yet.
func NewMeter(o MeterOptions) *Meter {
	m := &Meter{options: o, found: map[string]bool{}}
	m.history.Store(&history{})
	return m
}

// tooLate is how long after the beginning of a minute counts are no longer those of
// its beginning.
const tooLate = time.Second

// Run takes the tester's counts at each minute of the clock, and has the prices of
// new machines and caches looked up, until ctx ends.
func (m *Meter) Run(ctx context.Context) {
	for ctx.Err() == nil {
		minute := time.Now().Truncate(time.Minute).Add(time.Minute)
		timer := time.NewTimer(time.Until(minute))
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
			m.take(minute)
			m.look()
		}
	}
}

func (m *Meter) take(minute time.Time) {
	own := m.options.Counts()
	if time.Since(minute).Abs() > tooLate {
		return
	}
	h := m.history.Load().with(count{minute, own})
	m.history.Store(&h)
}

// look asks for the prices of items when they are first seen, and says once of which
// there still are none a minute later.
func (m *Meter) look() {
	measured, ok := m.options.Measure()
	if !ok {
		return
	}
	for _, item := range measured.items() {
		said, seen := m.found[item]
		_, priced := m.options.Prices.USD(item)
		if seen && !priced && !said {
			m.options.Log.Warn("There is no price, so the cost of its component is unknown", "item", item)
			said = true
		}
		m.found[item] = said
		m.options.Prices.Want(item)
	}
}

var (
	perHourDesc    = desc(metric.CostPerHour)
	perMillionDesc = desc(metric.CostPerMillion)
	sharedDesc     = desc(metric.CostShared)
	budgetDesc     = desc(metric.CostBudget)
)

// Describe sends the descriptions of the gauges.
func (m *Meter) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{perHourDesc, perMillionDesc, sharedDesc, budgetDesc} {
		ch <- d
	}
}

// Collect sends the budget and what the newest measurement costs. Costs for a million
// requests and the marks of what is shared need counts that reach back to its start.
func (m *Meter) Collect(ch chan<- prometheus.Metric) {
	ch <- gauge(budgetDesc, m.options.Config.BudgetUSDPerHour)
	measured, ok := m.options.Measure()
	if !ok {
		return
	}
	own := m.history.Load().between(measured.Start, measured.End)
	lines := Bill(measured, m.options.Config.Fixed, m.options.Prices, own)
	for _, l := range lines {
		ch <- gauge(perHourDesc, l.USDPerHour, l.Component.String(), l.Kind.String())
	}
	if own == nil {
		return
	}
	if own.Requests > 0 {
		hours := measured.End.Sub(measured.Start).Hours()
		for _, l := range lines {
			ch <- gauge(perMillionDesc, l.USDPerHour*hours*1e6/own.Requests, l.Component.String(), l.Kind.String())
		}
	}
	collectShared(ch, lines, *own, measured.Calls)
}

// mostlyOwn is the share of the calls to DynamoDB from which on they pass for the
// tester's alone.
const mostlyOwn = 0.95

// collectShared marks the components whose cost is set against the tester's load,
// all as DynamoDB: nothing else tells whose work it is.
func collectShared(ch chan<- prometheus.Metric, lines []Line, own Own, calls float64) {
	if math.IsNaN(calls) {
		return
	}
	shared := 0.0
	if own.calls() < mostlyOwn*calls {
		shared = 1
	}
	var marked [metric.Components]bool
	for _, l := range lines {
		if !marked[l.Component] && (own.Requests > 0 || l.Kind == KindVariable) {
			marked[l.Component] = true
			ch <- gauge(sharedDesc, shared, l.Component.String())
		}
	}
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}
