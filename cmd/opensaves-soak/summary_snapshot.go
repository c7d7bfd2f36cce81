package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"opensaves-soak/exporter/metric"
)

// labels are names and values, of a series or of what is looked for.
type labels map[string]string

// series is what one of a metric's series says.
type series struct {
	labels    labels
	kind      dto.MetricType
	value     float64 // of a counter or gauge
	histogram histogram
}

// snapshot is what a registry says at an instant, or said over a time, by the
// metric's name and the labels of each series.
type snapshot map[string]map[string]series

// gather takes a snapshot.
func gather(from prometheus.Gatherer) (snapshot, error) {
	families, err := from.Gather()
	if err != nil {
		return nil, fmt.Errorf("gathering metrics: %w", err)
	}
	s := snapshot{}
	for _, family := range families {
		all := make(map[string]series, len(family.Metric))
		for _, m := range family.Metric {
			one := read(family.GetType(), m)
			all[one.labels.String()] = one
		}
		s[family.GetName()] = all
	}
	return s, nil
}

func read(kind dto.MetricType, m *dto.Metric) series {
	s := series{kind: kind, labels: make(labels, len(m.Label))}
	for _, pair := range m.Label {
		s.labels[pair.GetName()] = pair.GetValue()
	}
	switch kind {
	case dto.MetricType_COUNTER:
		s.value = m.Counter.GetValue()
	case dto.MetricType_GAUGE:
		s.value = m.Gauge.GetValue()
	case dto.MetricType_HISTOGRAM:
		s.histogram = decode(m.Histogram)
	}
	return s
}

// since is what was counted after an earlier snapshot; gauges stay as they are.
func (s snapshot) since(before snapshot) snapshot {
	return s.with(before, func(now, then series) series {
		if now.kind == dto.MetricType_COUNTER {
			now.value -= then.value
		}
		now.histogram = now.histogram.since(then.histogram)
		return now
	})
}

// plus adds what was counted up to s; gauges stay as they are.
func (s snapshot) plus(earlier snapshot) snapshot {
	return s.with(earlier, func(now, then series) series {
		if now.kind == dto.MetricType_COUNTER {
			now.value += then.value
		}
		now.histogram = now.histogram.plus(then.histogram, 1)
		return now
	})
}

// with joins each series with what another snapshot has of it. A registry
// forgets no series, so the later snapshot has all.
func (s snapshot) with(other snapshot, join func(now, then series) series) snapshot {
	joined := make(snapshot, len(s))
	for name, all := range s {
		joined[name] = make(map[string]series, len(all))
		for id, now := range all {
			if then, ok := other[name][id]; ok {
				now = join(now, then)
			}
			joined[name][id] = now
		}
	}
	return joined
}

// sum adds up the series of a counter or gauge that have some labels.
func (s snapshot) sum(of metric.Definition, match labels) (sum float64) {
	for _, one := range s[of.Name] {
		if one.labels.have(match) {
			sum += one.value
		}
	}
	return sum
}

// histogram adds up the series of a histogram that have some labels.
func (s snapshot) histogram(of metric.Definition, match labels) (sum histogram) {
	for _, one := range s[of.Name] {
		if one.labels.have(match) {
			sum = sum.plus(one.histogram, 1)
		}
	}
	return sum
}

// String writes the labels in the order of their names.
func (l labels) String() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l)) {
		fmt.Fprintf(&text, "%s=%q,", name, l[name])
	}
	return text.String()
}

func (l labels) have(match labels) bool {
	for name, value := range match {
		if l[name] != value {
			return false
		}
	}
	return true
}

// and is l with one more label.
func (l labels) and(name, value string) labels {
	more := maps.Clone(l)
	more[name] = value
	return more
}
