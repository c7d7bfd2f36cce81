package load

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
)

// child is the one of a metric's children that some label values name. It is
// looked up once, so that a request needs no look-up.
type child[T any] struct{ known atomic.Pointer[T] }

func (c *child[T]) of(look func() T) T {
	if known := c.known.Load(); known != nil {
		return *known
	}
	found := look()
	c.known.Store(&found)
	return found
}

// metrics are what the load says of itself. Children that can be known exist
// from the start, the others from when they first count.
type metrics struct {
	requestsVec                                 *prometheus.CounterVec
	durationVec, responseVec, blobVec, cacheVec *prometheus.HistogramVec
	convertedVec, payloadVec, backgroundVec     *prometheus.CounterVec
	stalenessVec                                *prometheus.HistogramVec
	attemptsVec, violationsVec                  *prometheus.CounterVec

	requests  [metric.Operations][metric.Classes][metric.Outcomes][metric.Codes]child[prometheus.Counter]
	duration  [metric.Operations][metric.Classes]child[*traced]
	response  [metric.Operations][metric.Classes][metric.Outcomes]child[*traced]
	blob      [metric.Operations][metric.BlobSizes][2]child[*traced]
	cache     [metric.Operations][hints][2]child[*traced]
	converted [metric.Operations][metric.Operations]child[prometheus.Counter]
	payload   [metric.Operations][2]child[prometheus.Counter]
	staleness [metric.Operations]child[*traced]
	attempts  [metric.Operations]child[prometheus.Counter]

	background   [metric.Purposes][metric.Codes]child[prometheus.Counter]
	lag, wait    prometheus.Observer
	arrivals     prometheus.Counter
	dropped      [metric.DropReasons][metric.Classes]prometheus.Counter
	checks       [metric.ChecksCount][metric.Results]prometheus.Counter
	violations   [metric.ChecksCount][ledger.Kinds]child[prometheus.Counter]
	unknown      prometheus.Counter
	nonMonotonic prometheus.Counter

	selfTest map[string]*prometheus.CounterVec // by result

	gauges gauges
}

// The values of the label "hint".
const (
	hintDefault = iota
	hintSkip
	hintNone
	hints
)

var (
	hintNames      = [hints]string{"default", "skip_cache", "none"}
	accessNames    = [2]string{"repeat", "first"}
	phaseNames     = [2]string{"total", "first_byte"}
	directionNames = [2]string{"sent", "received"}
)

func newMetrics(f metric.Factory) *metrics {
	m := &metrics{
		requestsVec:  f.Counter(metric.Requests),
		durationVec:  f.Histogram(metric.RequestDuration),
		responseVec:  f.Histogram(metric.ResponseTime),
		blobVec:      f.Histogram(metric.BlobDuration),
		cacheVec:     f.Histogram(metric.CacheReadDuration),
		convertedVec: f.Counter(metric.ArrivalsConverted),
		payloadVec:   f.Counter(metric.PayloadBytes),
		stalenessVec: f.Histogram(metric.Staleness),
		attemptsVec:  f.Counter(metric.WireAttempts),

		violationsVec: f.Counter(metric.CheckViolations),
		backgroundVec: f.Counter(metric.BackgroundRequests),
		lag:           f.Histogram(metric.ScheduleLag).WithLabelValues(),
		wait:          f.Histogram(metric.ConnectionWait).WithLabelValues(),
		arrivals:      f.Counter(metric.Arrivals).WithLabelValues(),
		unknown:       f.Counter(metric.UnknownWrites).WithLabelValues(),
		nonMonotonic:  f.Counter(metric.NonMonotonic).WithLabelValues(),
		gauges:        newGauges(f),
		selfTest: map[string]*prometheus.CounterVec{
			scenario.Injected: f.Counter(metric.SelfTestInjected),
			scenario.Caught:   f.Counter(metric.SelfTestCaught),
			scenario.Missed:   f.Counter(metric.SelfTestMissed),
		},
	}
	m.known(f)
	return m
}

// known makes the children that are the same in every run.
func (m *metrics) known(f metric.Factory) {
	dropped := f.Counter(metric.ArrivalsDropped)
	checks := f.Counter(metric.Checks)
	for reason := range m.dropped {
		for class := range m.dropped[reason] {
			m.dropped[reason][class] = dropped.WithLabelValues(metric.DropReason(reason).String(), metric.Class(class).String())
		}
	}
	for check := range m.checks {
		name := metric.Check(check).String()
		for result := range m.checks[check] {
			m.checks[check][result] = checks.WithLabelValues(name, metric.Result(result).String())
		}
		for _, kind := range scenario.KindsOf(metric.Check(check)) {
			m.violationsOf(metric.Check(check), kind)
		}
	}
	for purpose := range metric.Purpose(metric.Purposes) {
		m.backgroundOf(purpose, metric.OK)
	}
}

// expect makes the children of the operations that a mix may send. In warm-up
// any mix creates records.
func (m *metrics) expect(mix *scenario.Mix, sizes []int64) {
	m.requestsOf(metric.CreateRecord, metric.Write, metric.Success, metric.OK)
	for op := range metric.Operation(metric.Operations) {
		if !mix.Has(op) {
			continue
		}
		m.attemptsOf(op)
		if scenario.Judged(op) {
			m.stalenessOf(op)
		}
		m.convertedOf(op, metric.CreateRecord)
		m.payloadOf(op, 0)
		m.payloadOf(op, 1)
		for _, size := range sizes {
			class := op.Class(size)
			m.requestsOf(op, class, metric.Success, metric.OK)
			m.durationOf(op, class)
			m.responseOf(op, class, metric.Success)
			if op.Transfers() {
				m.blobOf(op, metric.BlobSizeOf(size), 0)
			}
		}
	}
}

func (m *metrics) requestsOf(op metric.Operation, class metric.Class, outcome metric.Outcome, code metric.Code) prometheus.Counter {
	return m.requests[op][class][outcome][code].of(func() prometheus.Counter {
		return m.requestsVec.WithLabelValues(op.String(), class.String(), outcome.String(), code.String())
	})
}

func (m *metrics) durationOf(op metric.Operation, class metric.Class) *traced {
	return m.duration[op][class].of(func() *traced {
		return newTraced(m.durationVec.WithLabelValues(op.String(), class.String()), metric.LatencyBuckets)
	})
}

func (m *metrics) responseOf(op metric.Operation, class metric.Class, outcome metric.Outcome) *traced {
	return m.response[op][class][outcome].of(func() *traced {
		return newTraced(m.responseVec.WithLabelValues(op.String(), class.String(), outcome.String()), metric.LatencyBuckets)
	})
}

func (m *metrics) blobOf(op metric.Operation, size metric.BlobSize, phase int) *traced {
	return m.blob[op][size][phase].of(func() *traced {
		return newTraced(m.blobVec.WithLabelValues(op.String(), size.String(), phaseNames[phase]), metric.LatencyBuckets)
	})
}

func (m *metrics) cacheOf(op metric.Operation, hint, access int) *traced {
	return m.cache[op][hint][access].of(func() *traced {
		return newTraced(m.cacheVec.WithLabelValues(op.String(), hintNames[hint], accessNames[access]), metric.LatencyBuckets)
	})
}

func (m *metrics) convertedOf(op, became metric.Operation) prometheus.Counter {
	return m.converted[op][became].of(func() prometheus.Counter {
		return m.convertedVec.WithLabelValues(op.String(), became.String())
	})
}

func (m *metrics) payloadOf(op metric.Operation, direction int) prometheus.Counter {
	return m.payload[op][direction].of(func() prometheus.Counter {
		return m.payloadVec.WithLabelValues(op.String(), directionNames[direction])
	})
}

func (m *metrics) stalenessOf(op metric.Operation) *traced {
	return m.staleness[op].of(func() *traced {
		return newTraced(m.stalenessVec.WithLabelValues(op.String()), metric.StalenessBuckets)
	})
}

func (m *metrics) attemptsOf(op metric.Operation) prometheus.Counter {
	return m.attempts[op].of(func() prometheus.Counter {
		return m.attemptsVec.WithLabelValues(op.String())
	})
}

func (m *metrics) backgroundOf(purpose metric.Purpose, code metric.Code) prometheus.Counter {
	return m.background[purpose][code].of(func() prometheus.Counter {
		return m.backgroundVec.WithLabelValues(purpose.String(), code.String())
	})
}

func (m *metrics) violationsOf(check metric.Check, kind ledger.Kind) prometheus.Counter {
	return m.violations[check][kind].of(func() prometheus.Counter {
		return m.violationsVec.WithLabelValues(check.String(), kind.String())
	})
}
