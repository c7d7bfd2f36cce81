package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// What advice aims at, as shares.
const (
	podTarget      = 0.6 // of a pod's CPU limit, for the autoscaler: room for a pod that is lost
	nodeTarget     = 0.7 // of a node's CPU
	capacityTarget = 0.7 // of provisioned capacity, DynamoDB's default for auto scaling
	spare          = 1.25
)

// prices are those in force at an instant, in USD, by item.
func (p Prometheus) prices(ctx context.Context, at time.Time) (map[string]float64, error) {
	return p.by(ctx, at, "item", "max by (item) (last_over_time("+p.series(metric.CostPrice.Name)+"[1h]))")
}

// basis is the level that advice is made of: the highest that met all objectives,
// else the lowest.
func (r *Report) basis() (l Measured, ok bool) {
	if len(r.Levels) == 0 {
		return l, false
	}
	i := slices.IndexFunc(r.Levels, func(l Measured) bool { return l.met() && l.RPS == r.Highest })
	if i >= 0 {
		return r.Levels[i], true
	}
	return slices.MinFunc(r.Levels, func(a, b Measured) int { return cmp.Compare(a.RPS, b.RPS) }), true
}

// reading is the mean of a reading of the level.
func (m Measured) reading(c metric.Component, name string) Figure {
	for _, r := range m.Components {
		if r.Component == c.String() && r.Name == name {
			return r.Mean
		}
	}
	return none
}

// recommend makes all advice that there are figures for.
func recommend(r *Report, prices map[string]float64) (all []Advice) {
	l, ok := r.basis()
	if !ok || !(l.Achieved > 0) {
		return nil
	}
	if a, found := capacity(l, prices); found {
		all = append(all, a)
	}
	for _, find := range []func(Measured) (Advice, bool){pods, nodes, cache} {
		if a, found := find(l); found {
			all = append(all, a)
		}
	}
	return append(all, blobs(l)...)
}

// capacity compares DynamoDB on demand with provisioned capacity.
func capacity(l Measured, prices map[string]float64) (a Advice, ok bool) {
	read, write := float64(l.reading(metric.DynamoDB, readUnits)), float64(l.reading(metric.DynamoDB, writeUnits))
	demand := (read*prices["dynamodb_read_unit"] + write*prices["dynamodb_write_unit"]) * time.Hour.Seconds()
	provisioned := (read*prices["dynamodb_read_capacity_hour"] + write*prices["dynamodb_write_capacity_hour"]) / capacityTarget
	if !(demand > 0 && provisioned > 0) {
		return a, false
	}
	a = Advice{Component: metric.DynamoDB.String(), Do: "Keep DynamoDB on demand."}
	if provisioned < demand {
		a.Do = fmt.Sprintf("Provision DynamoDB's capacity, with auto scaling at %.0f %%: even one that stays as it is here is cheaper, if the load of a whole day is on average over %.0f %% of this level's.",
			100*capacityTarget, 100*provisioned/demand)
	}
	a.Arithmetic = fmt.Sprintf("At %.0f requests a second the tables consume %.4g read and %.4g write units a second. On demand: (%.4g × %.4g + %.4g × %.4g) USD × 3600 = %.4g USD an hour. "+
		"Provisioned: (%.4g × %.4g + %.4g × %.4g) USD ÷ %.1f = %.4g USD an hour.",
		float64(l.Achieved), read, write, read, prices["dynamodb_read_unit"], write, prices["dynamodb_write_unit"], demand,
		read, prices["dynamodb_read_capacity_hour"], write, prices["dynamodb_write_capacity_hour"], capacityTarget, provisioned)
	return a, true
}

// needed is how many of something the goal needs, where so many are used so much
// at a level, and should be used up to the target.
func needed(l Measured, count, used Figure, target float64) float64 {
	return math.Ceil(float64(count*used) / target * goal / float64(l.Achieved))
}

func pods(l Measured) (a Advice, ok bool) {
	count, used := l.reading(metric.EKS, podsReady), l.reading(metric.EKS, busiestPod)
	if !(count > 0 && used > 0) {
		return a, false
	}
	now := max(2, math.Ceil(float64(count*used)/podTarget))
	most := max(now, math.Ceil(needed(l, count, used, podTarget)*spare))
	return Advice{
		Component: metric.EKS.String(),
		Do:        fmt.Sprintf("Let the autoscaler keep %.0f to %.0f pods at %.0f %% of their CPU limit (it counts in requests: limit ÷ request × %.0f %%).", now, most, 100*podTarget, 100*podTarget),
		Arithmetic: fmt.Sprintf("%.3g pods use %s of their limit at %.0f requests a second (the busiest one): %.3g × %.3g ÷ %.1f = %.0f pods there, at least 2. "+
			"In proportion %d a second need × %d ÷ %.0f = %.0f pods, and a quarter more.",
			float64(count), amount(used, Share), float64(l.Achieved), float64(count), float64(used), podTarget, now, goal, goal, float64(l.Achieved), needed(l, count, used, podTarget)),
	}, true
}

func nodes(l Measured) (a Advice, ok bool) {
	count, used := l.reading(metric.EKS, nodeCount), l.reading(metric.EKS, nodeCPU)
	if !(count > 0 && used > 0) {
		return a, false
	}
	now, most := max(2, math.Ceil(float64(count*used)/nodeTarget)), needed(l, count, used, nodeTarget)
	return Advice{
		Component: metric.EKS.String(),
		Do:        fmt.Sprintf("Let the cluster have %.0f to %.0f nodes of this type.", now, max(now, most)),
		Arithmetic: fmt.Sprintf("%.3g nodes are used to %s at %.0f requests a second (the busiest one): %.3g × %.3g ÷ %.1f = %.0f nodes there, at least 2. In proportion %d a second need × %d ÷ %.0f = %.0f.",
			float64(count), amount(used, Share), float64(l.Achieved), float64(count), float64(used), nodeTarget, now, goal, goal, float64(l.Achieved), most),
	}, true
}

// cache tells whether Redis carries the goal: its commands run on one thread, so
// that more CPUs in a node do not help beyond the second.
func cache(l Measured) (a Advice, ok bool) {
	used, limit, what := l.reading(metric.Redis, hostCPU), alerts.RedisHostCPU, "host"
	if !used.Known() {
		used, limit, what = l.reading(metric.Redis, engineCPU), alerts.RedisEngineCPU, "engine thread"
	}
	if !used.Known() {
		return a, false
	}
	projected := float64(used) * goal / float64(l.Achieved)
	a = Advice{
		Component: metric.Redis.String(), Do: fmt.Sprintf("Keep the cache's nodes: they carry %d requests a second.", goal),
		Arithmetic: fmt.Sprintf("The CPU of the busiest %s is used to %s at %.0f requests a second, in proportion to %s at %d; up to %s it is not saturated.",
			what, amount(used, Share), float64(l.Achieved), roughly(Figure(projected)), goal, roughly(Figure(limit))),
	}
	if projected > limit {
		a.Do = fmt.Sprintf("Give Redis faster nodes, or cluster mode with %.0f shards.", math.Ceil(projected/limit))
	}
	return a, true
}

// blobs names sizes that take longer than their objective.
func blobs(l Measured) (all []Advice) {
	for _, b := range l.Blobs {
		if b.P99 > b.threshold {
			all = append(all, Advice{
				Component: metric.S3.String(),
				Do:        fmt.Sprintf("Make blobs of the size %s smaller, or let clients fetch them from S3 by signed addresses.", b.Name),
				Arithmetic: fmt.Sprintf("Their p99 is %s at %.3g a second of them, %s is the objective of their class; on average they take %s.",
					seconds(b.P99), float64(b.RPS), seconds(b.threshold), seconds(b.Mean)),
			})
		}
	}
	return all
}
