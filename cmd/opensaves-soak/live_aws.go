package main

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/alerts"
	livefeed "opensaves-soak/exporter/live"
	"opensaves-soak/exporter/metric"
)

// awsEvery is how often AWS's metrics are gathered for the live view: they change
// once a minute at the most.
const awsEvery = 10 * time.Second

// awsReader knows what AWS's metrics last said.
type awsReader struct {
	gatherer   prometheus.Gatherer
	at         time.Time
	components []livefeed.Component
	usdPerHour *float64
	usdPerMio  *float64
}

// read gathers where it is time to.
func (r *awsReader) read(now time.Time) error {
	if now.Sub(r.at) < awsEvery {
		return nil
	}
	r.at = now
	s, err := gather(r.gatherer)
	if err != nil {
		return err
	}
	r.components, r.usdPerHour, r.usdPerMio = []livefeed.Component{}, nil, nil
	if len(s) == 0 { // AWS is not watched, or not by this replica
		return nil
	}
	r.usdPerHour, r.usdPerMio = known(s.reduce(metric.CostPerHour, nil, add)), known(s.reduce(metric.CostPerMillion, nil, add))
	for _, one := range readings {
		r.components = append(r.components, one.of(s))
	}
	return nil
}

// reading is a figure that shows how much a component has to do.
type reading struct {
	component  metric.Component
	name, unit string
	metric     metric.Definition
	match      labels
	join       func(a, b float64) float64 // of several series
	limit      float64                    // 0: there is none
}

func add(a, b float64) float64 { return a + b }

var mean = labels{"stat": "avg"}

// The units.
const (
	aSecond = "a second"
	ofOne   = "share"
)

var readings = []reading{
	{metric.EKS, "CPU of the busiest pod, of its limit", ofOne, metric.EKSWorkloadCPULimit, labels{"stat": "max"}, math.Max, 0},
	{metric.EKS, "pods that are ready", "pods", metric.EKSWorkloadReplicas, labels{"state": "ready"}, add, 0},
	{metric.DynamoDB, "read capacity units", aSecond, metric.DynamoDBReadUnits, nil, add, 0},
	{metric.DynamoDB, "write capacity units", aSecond, metric.DynamoDBWriteUnits, nil, add, 0},
	{metric.DynamoDB, "throttle events", aSecond, metric.DynamoDBThrottleEvents, nil, add, 0},
	{metric.S3, "requests", aSecond, metric.S3AllRequests, nil, add, 0},
	{metric.S3, "requests answered with 5xx", ofOne, metric.S3ErrorRatio, labels{"class": "5xx"}, math.Max, alerts.S3Failed},
	{metric.Redis, "CPU of the busiest host", ofOne, metric.RedisCPU, mean, math.Max, alerts.RedisHostCPU},
	{metric.Redis, "CPU of the busiest engine thread", ofOne, metric.RedisEngineCPU, mean, math.Max, alerts.RedisEngineCPU},
	{metric.Redis, "memory of the fullest node", ofOne, metric.RedisMemory, mean, math.Max, alerts.RedisMemory},
}

func (r reading) of(s snapshot) livefeed.Component {
	c := livefeed.Component{
		Component: r.component.String(), Name: r.name, Unit: r.unit, Value: known(s.reduce(r.metric, r.match, r.join)),
		Age: known(s.reduce(metric.CloudWatchDataAge, labels{"component": r.component.String()}, math.Max)),
	}
	large := r.metric.Name == metric.RedisCPU.Name && s.reduce(metric.RedisVCPUs, nil, math.Max) > alerts.RedisSmallVCPUs
	if r.limit > 0 && !large { // of a large host the engine's thread is the limit
		c.Limit = &r.limit
	}
	return c
}

// reduce joins the series of a counter or gauge that have some labels; NaN where
// there are none.
func (s snapshot) reduce(of metric.Definition, match labels, join func(a, b float64) float64) float64 {
	joined := math.NaN()
	for _, one := range s[of.Name] {
		switch {
		case !one.labels.have(match):
		case math.IsNaN(joined):
			joined = one.value
		default:
			joined = join(joined, one.value)
		}
	}
	return joined
}
