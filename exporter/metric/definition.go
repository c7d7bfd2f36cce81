package metric

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Definition is a metric as everybody knows it: the program that exports it,
// the tables in the documents, dashboards and rules.
type Definition struct {
	Name    string // with prefix and unit
	Type    string // counter, gauge, histogram
	Labels  []string
	Help    string
	Buckets []float64 // of a histogram's classic form, upper bounds in the metric's unit
}

// Factory makes metrics from definitions and registers them.
type Factory struct {
	Registerer prometheus.Registerer
	NoClassic  bool // leave out the classic buckets of histograms
}

// Counter registers the definition as a counter.
func (f Factory) Counter(d Definition) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
	f.Registerer.MustRegister(c)
	return c
}

// Gauge registers the definition as a gauge.
func (f Factory) Gauge(d Definition) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
	f.Registerer.MustRegister(g)
	return g
}

// GaugeFunc registers the definition, which has no labels, as a gauge that is
// read at each scrape.
func (f Factory) GaugeFunc(d Definition, read func() float64) {
	f.Registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, read))
}

// CounterFunc registers the definition, which has no labels, as a counter that
// is read at each scrape.
func (f Factory) CounterFunc(d Definition, read func() float64) {
	f.Registerer.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, read))
}

// Histogram registers the definition as a histogram in native form, with
// buckets that grow by at most a tenth, and in classic form beside it.
func (f Factory) Histogram(d Definition) *prometheus.HistogramVec {
	o := prometheus.HistogramOpts{
		Name: d.Name, Help: d.Help,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
		NativeHistogramZeroThreshold:    1e-5,
	}
	if !f.NoClassic {
		o.Buckets = d.Buckets
	}
	h := prometheus.NewHistogramVec(o, d.Labels)
	f.Registerer.MustRegister(h)
	return h
}
