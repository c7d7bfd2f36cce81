package cloudwatch

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
)

// metrics is what the pollers say of themselves.
type metrics struct {
	up, lastSuccess, took   *prometheus.GaugeVec
	billed, revised, skips  *prometheus.CounterVec
	results                 *prometheus.CounterVec
	delay                   *prometheus.HistogramVec
	enabled                 *prometheus.GaugeVec
	cost                    prometheus.Counter
	calls, failures, trials *prometheus.CounterVec
	durations               *prometheus.HistogramVec
}

func newMetrics(f metric.Factory) *metrics {
	return &metrics{
		up: f.Gauge(metric.CloudWatchUp), lastSuccess: f.Gauge(metric.CloudWatchLastSuccess), took: f.Gauge(metric.CloudWatchPollDuration),
		billed: f.Counter(metric.CloudWatchBilled), revised: f.Counter(metric.CloudWatchRevised), skips: f.Counter(metric.CloudWatchSkipped),
		results: f.Counter(metric.CloudWatchResults), delay: f.Histogram(metric.CloudWatchPublishDelay), enabled: f.Gauge(metric.CloudWatchSource),
		cost:  f.Counter(metric.CloudWatchCost).WithLabelValues(),
		calls: f.Counter(metric.CloudWatchRequests), failures: f.Counter(metric.CloudWatchErrors), trials: f.Counter(metric.CloudWatchRetries),
		durations: f.Histogram(metric.CloudWatchDuration),
	}
}

// componentMetrics are those of one component.
type componentMetrics struct {
	*metrics
	component       string
	up, lastSuccess prometheus.Gauge
	took            prometheus.Gauge
	billed          prometheus.Counter
	revised         prometheus.Counter
	skipped         prometheus.Counter
	delay           prometheus.Observer
}

func (m *metrics) of(c metric.Component) componentMetrics {
	name := c.String()
	return componentMetrics{
		metrics: m, component: name,
		up: m.up.WithLabelValues(name), lastSuccess: m.lastSuccess.WithLabelValues(name), took: m.took.WithLabelValues(name),
		billed: m.billed.WithLabelValues(name), revised: m.revised.WithLabelValues(name), skipped: m.skips.WithLabelValues(name),
		delay: m.delay.WithLabelValues(name),
	}
}

// bill notes what a call cost, at a price of USD a metric.
func (m *componentMetrics) bill(metrics int, price float64) {
	m.billed.Add(float64(metrics))
	m.cost.Add(float64(metrics) * price)
}

// ended notes how a poll ended.
func (m *componentMetrics) ended(whole bool, now time.Time) {
	if !whole {
		m.up.Set(0)
		return
	}
	m.up.Set(1)
	m.lastSuccess.Set(float64(now.UnixMilli()) / 1e3)
}

// result counts the status of an answer.
func (m *componentMetrics) result(status types.StatusCode) {
	if status == "" {
		status = "Unanswered"
	}
	m.results.WithLabelValues(string(status)).Inc()
}

// source notes whether AWS offers a source of data.
func (m *componentMetrics) source(name string, offered bool) {
	value := 0.0
	if offered {
		value = 1
	}
	m.enabled.WithLabelValues(m.component, name).Set(value)
}
