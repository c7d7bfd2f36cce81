package cloudwatch

import (
	"math"
	"slices"
	"time"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
)

const (
	measured  = 5 * time.Minute  // over which consumption is taken
	idleAfter = 10 * time.Minute // without any value, nothing happens rather than is late
	measures  = 20 * time.Minute // how old consumption may be, beyond the delay
)

// Measure returns what the deployment consumed in the newest five minutes for
// which every component that consumes has settled, and what it consists of. A
// component that has not answered for long is not waited for: what it consumed is
// unknown. It is false before the first poll, and while none answers.
func (e *Exporter) Measure() (cost.Measurement, bool) {
	known := map[metric.Component]*snapshot{}
	for _, p := range e.pollers {
		known[p.component] = p.published.Load()
	}
	end, ok := e.measurable(known, time.Now())
	if !ok {
		return cost.Measurement{}, false
	}
	m := cost.Measurement{Start: end.Add(-measured), End: end, Calls: math.NaN(), StoredBytes: math.NaN(), PolledPerHour: e.shared.ceiling.perHour()}
	for component, s := range known {
		if s != nil {
			s.measure(&m, component)
		}
	}
	return m, true
}

// measurable is the end of the newest minute that can be measured.
func (e *Exporter) measurable(known map[metric.Component]*snapshot, now time.Time) (end time.Time, ok bool) {
	oldest := now.Add(-measures - time.Duration(max(e.options.Config.Delay, e.options.Config.S3.Delay)))
	for component, s := range known {
		if s == nil || !s.resources.consume(component) {
			continue
		}
		if at := s.complete(); at.After(oldest) && (!ok || at.Before(end)) {
			end, ok = at, true
		}
	}
	return end, ok
}

// consume says whether a component's bill depends on the load.
func (r *resources) consume(c metric.Component) bool {
	return c == metric.DynamoDB || c == metric.S3 && r.bucket ||
		c == metric.Redis && slices.ContainsFunc(r.caches, func(c cache) bool { return c.serverless })
}

// complete is the end of the newest minute whose values are all there, as far
// as can be told; zero where none are asked for.
func (s *snapshot) complete() time.Time {
	if s.settled.IsZero() {
		return time.Time{}
	}
	if s.settled.Sub(s.ended) > idleAfter {
		return s.settled
	}
	return s.ended
}

func (s *snapshot) measure(m *cost.Measurement, c metric.Component) {
	switch c {
	case metric.EKS:
		m.Cluster, m.Nodes = s.resources.cluster, s.resources.nodes
	case metric.DynamoDB:
		s.measureTables(m)
	case metric.S3:
		s.measureBuckets(m)
	case metric.Redis:
		s.measureCaches(m)
	}
}

// sum adds a metric's minutes from start to end, over all series whose labels
// match; NaN where one of them was not answered for all of them.
func (s *snapshot) sum(m *cost.Measurement, d metric.Definition, matches func(labels []string) bool) (total float64) {
	for _, c := range s.consumed {
		if c.into != d.Name || !matches(c.labels) {
			continue
		}
		if c.settled.Before(m.End) {
			return math.NaN()
		}
		for at, value := range c.minutes {
			if !at.Before(m.Start) && at.Before(m.End) {
				total += value
			}
		}
	}
	return total
}

func all([]string) bool { return true }

// The places of labels, which all series of a component share.
const (
	tableAt = 1 // after the region
	indexAt = 3
	cacheAt = 1
	typeAt  = 3
)

func (s *snapshot) measureTables(m *cost.Measurement) {
	m.Calls = s.sum(m, metric.DynamoDBSuccessful, all)
	for _, t := range s.resources.tables {
		own := func(labels []string) bool { return labels[tableAt] == t.name && labels[indexAt] == t.index }
		one := cost.Table{
			ReadUnits: s.sum(m, metric.DynamoDBReadUnits, own), WriteUnits: s.sum(m, metric.DynamoDBWriteUnits, own),
			Provisioned: t.provisioned, ReadCapacity: t.read, WriteCapacity: t.write, StoredBytes: t.bytes,
		}
		if t.otherClass {
			one.ReadUnits, one.StoredBytes, one.ReadCapacity = math.NaN(), math.NaN(), math.NaN()
		}
		m.Tables = append(m.Tables, one)
	}
}

func (s *snapshot) measureBuckets(m *cost.Measurement) {
	for i := range s.entries {
		if e := &s.entries[i]; e.Name == metric.S3BucketSize.Name {
			if math.IsNaN(m.StoredBytes) {
				m.StoredBytes = 0
			}
			m.StoredBytes += e.value
		}
	}
	if !s.resources.bucket {
		return
	}
	of := func(types ...string) float64 {
		total := 0.0
		for _, one := range types {
			total += s.sum(m, metric.S3Requests, func(labels []string) bool { return labels[typeAt] == one })
		}
		return total
	}
	m.S3 = &cost.Requests{Tier1: of("put", "post", "list"), Tier2: of("get", "head")}
}

func (s *snapshot) measureCaches(m *cost.Measurement) {
	for _, c := range s.resources.caches {
		own := func(labels []string) bool { return labels[cacheAt] == c.name }
		one := cost.Cache{Engine: c.engine, NodeType: c.nodeType, Nodes: c.nodes, Serverless: c.serverless}
		if c.serverless {
			one.ECPUs, one.StoredBytes = s.sum(m, metric.RedisECPU, own), s.stored(c.name)
		}
		m.Caches = append(m.Caches, one)
	}
}

// stored is how many bytes a cache holds, NaN if unknown.
func (s *snapshot) stored(cache string) float64 {
	for i := range s.entries {
		if e := &s.entries[i]; e.Name == metric.RedisMemoryUsed.Name && e.labels[cacheAt] == cache {
			return e.value
		}
	}
	return math.NaN()
}
