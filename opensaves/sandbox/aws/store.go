package aws

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// How long observations are kept, in seconds before the newest minute.
const (
	keepMinutes = int64(210 * time.Minute / time.Second)
	keepDays    = int64(4 * 24 * time.Hour / time.Second)
)

// recent is how long a metric is recently active after a point, in seconds.
const recent = int64(3 * time.Hour / time.Second)

// store holds the observations of all metrics.
type store struct {
	series map[string]*series // by the key of the metric
	delays map[string]time.Duration
	newest int64 // start of the newest minute, in Unix seconds
}

// series is what was observed of a metric.
type series struct {
	metric  Metric
	minutes []minute // in order of time
}

func (s *store) put(m Metric, at int64, values []Value) {
	values = slices.DeleteFunc(slices.Clone(values), func(v Value) bool { return !v.observed() })
	if len(values) == 0 {
		return
	}
	start := floor(at, 60)
	if start > s.newest {
		s.newest = start
		s.sweep()
	}
	if start < s.newest-m.kept() {
		return
	}
	key := m.key()
	one := s.series[key]
	if one == nil {
		m.Dimensions = maps.Clone(m.Dimensions)
		one = &series{metric: m}
		s.series[key] = one
	}
	for _, v := range values {
		one.at(start).add(v)
	}
}

// kept is how long observations of the metric are kept, in seconds.
func (m Metric) kept() int64 {
	if m.daily() {
		return keepDays
	}
	return keepMinutes
}

// sweep forgets the old minutes, and the metrics that have no others.
func (s *store) sweep() {
	for key, one := range s.series {
		oldest, _ := one.find(s.newest - one.metric.kept())
		if one.minutes = slices.Delete(one.minutes, 0, oldest); len(one.minutes) == 0 {
			delete(s.series, key)
		}
	}
}

// find returns where the minute that starts then is or would be.
func (s *series) find(start int64) (int, bool) {
	return slices.BinarySearchFunc(s.minutes, start, func(m minute, start int64) int {
		return cmp.Compare(m.start, start)
	})
}

func (s *series) at(start int64) *minute {
	i, found := s.find(start)
	if !found {
		s.minutes = slices.Insert(s.minutes, i, minute{start: start})
	}
	return &s.minutes[i]
}

// shown returns the minutes from start until before end that CloudWatch shows now.
func (s *store) shown(m Metric, start, end int64, now time.Time) []minute {
	one := s.series[m.key()]
	if one == nil {
		return nil
	}
	if delay := s.delays[m.Namespace]; delay > 0 {
		end = min(end, floor(now.Add(-delay).Unix(), 60))
	}
	first, _ := one.find(start)
	last, _ := one.find(end)
	return one.minutes[first:max(first, last)]
}

// floor is the last multiple of step that is not above t.
func floor(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	return t - rest
}
