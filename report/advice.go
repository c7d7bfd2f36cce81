package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

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
// else the lowest that is valid.
func (r *Report) basis() (l Measured, ok bool) {
	valid := slices.DeleteFunc(slices.Clone(r.Levels), func(l Measured) bool { return l.Invalid != "" })
	if len(valid) == 0 {
		return l, false
	}
	i := slices.IndexFunc(valid, func(l Measured) bool { return l.met() && l.RPS == r.Highest })
	if i >= 0 {
		return valid[i], true
	}
	return slices.MinFunc(valid, func(a, b Measured) int { return cmp.Compare(a.RPS, b.RPS) }), true
}

// find returns a reading of the level, whose figures are none where there is none.
func (m Measured) find(c metric.Component, name string) Reading {
	i := slices.IndexFunc(m.Components, func(r Reading) bool { return r.Component == c.String() && r.Name == name })
	if i < 0 {
		return Reading{Mean: none, Limit: none}
	}
	return m.Components[i]
}

// reading is the mean of a reading of the level.
func (m Measured) reading(c metric.Component, name string) Figure { return m.find(c, name).Mean }

// aim is the rate that advice is for, in requests a second.
func (m Measured) aim() float64 { return max(goal, float64(m.Achieved)) }

// recommend makes all advice that there are figures for.
func recommend(r *Report, prices map[string]float64) (all []Advice) {
	l, ok := r.basis()
	if !ok || !(l.Achieved > 0) {
		return nil
	}
	if a, found := capacity(l, prices); found {
		all = append(all, a)
	}
	for _, find := range []func(Measured) (Advice, bool){pods, nodes} {
		if a, found := find(l); found {
			all = append(all, a)
		}
	}
	all = slices.Concat(all, cache(l), blobs(l))
	if len(l.Missed) > 0 {
		for i := range all {
			all[i].Arithmetic += " Objectives were missed at this level."
		}
	}
	return all
}

// capacity compares DynamoDB on demand with provisioned capacity.
func capacity(l Measured, prices map[string]float64) (a Advice, ok bool) {
	read, write := float64(l.reading(metric.DynamoDB, readUnits)), float64(l.reading(metric.DynamoDB, writeUnits))
	demand := (read*prices["dynamodb_read_unit"] + write*prices["dynamodb_write_unit"]) * time.Hour.Seconds()
	provisioned := (read*prices["dynamodb_read_capacity_hour"] + write*prices["dynamodb_write_capacity_hour"]) / capacityTarget
	if !(demand > 0 && provisioned > 0) {
		return a, false
	}
	a = Advice{Component: metric.DynamoDB.String(), Do: "Have DynamoDB on demand."}
	if provisioned < demand {
		a.Do = fmt.Sprintf("Provision DynamoDB's capacity, with auto scaling at %.0f %%: even one that stays as it is here is cheaper, if the load of a whole day is on average over %.0f %% of this level's.",
			100*capacityTarget, 100*provisioned/demand)
	}
	a.Arithmetic = fmt.Sprintf("At %s the tables consume %.4g read and %.4g write units a second. On demand: (%.4g × %.4g + %.4g × %.4g) USD × 3600 = %.4g USD an hour. "+
		"Provisioned: (%.4g × %.4g + %.4g × %.4g) USD ÷ %.1f = %.4g USD an hour.",
		perSecond(l.Achieved), read, write, read, prices["dynamodb_read_unit"], write, prices["dynamodb_write_unit"], demand,
		read, prices["dynamodb_read_capacity_hour"], write, prices["dynamodb_write_capacity_hour"], capacityTarget, provisioned)
	return a, true
}

// fleet is so many of something, the busiest of which uses a share of something.
type fleet struct {
	things, of  string
	count, used Figure
	target      float64 // for the share
}

// needed is how many are needed at the level, and at the rate aimed at.
func (f fleet) needed(l Measured) (here, aimed float64, arithmetic string) {
	here = float64(f.count*f.used) / f.target
	aimed = here * l.aim() / float64(l.Achieved)
	return here, aimed, fmt.Sprintf("The busiest of %.3g %s uses %s of its %s at %.0f requests a second: %.3g × %.3g ÷ %.1f = %s are needed there. In proportion %.0f a second need × %.0f ÷ %.0f = %s.",
		float64(f.count), f.things, roughly(f.used), f.of, float64(l.Achieved), float64(f.count), float64(f.used), f.target, short(Figure(here)), l.aim(), l.aim(), float64(l.Achieved), short(Figure(aimed)))
}

// up rounds up, except what is only an error of floating point.
func up(v float64) float64 { return math.Ceil(v - 1e-9) }

func pods(l Measured) (a Advice, ok bool) {
	count, used := l.reading(metric.EKS, podsReady), l.reading(metric.EKS, busiestPod)
	if !(count > 0 && used > 0) {
		return a, false
	}
	here, aimed, arithmetic := fleet{"pods", "CPU limit", count, used, podTarget}.needed(l)
	least := max(2, up(here))
	return Advice{
		Component: metric.EKS.String(),
		Do: fmt.Sprintf("Let the autoscaler keep %.0f to %.0f pods at %.0f %% of their CPU limit (it counts in requests: limit ÷ request × %.0f %%).",
			least, max(least, up(aimed*spare)), 100*podTarget, 100*podTarget),
		Arithmetic: arithmetic + " At least 2, at most a quarter more, rounded up.",
	}, true
}

// nodes counts CPU in use. A scheduler counts what pods request, which no reading
// tells.
func nodes(l Measured) (a Advice, ok bool) {
	count, used := l.reading(metric.EKS, nodeCount), l.reading(metric.EKS, nodeCPU)
	if !(count > 0 && used > 0) {
		return a, false
	}
	here, aimed, arithmetic := fleet{"nodes", "CPU", count, used, nodeTarget}.needed(l)
	least := max(2, up(here))
	return Advice{
		Component:  metric.EKS.String(),
		Do:         fmt.Sprintf("Let the cluster have %.0f to %.0f nodes of this type, and more if the pods' requests do not fit.", least, max(least, up(aimed))),
		Arithmetic: arithmetic + " At least 2, rounded up.",
	}, true
}

// lack is what Redis is short of where a reading is over its limit.
type lack struct{ reading, do, why string }

// lacks are those that nothing tells the growth of by the rate.
var lacks = []lack{
	{cacheFull, "Give Redis more memory: larger nodes, or more shards (cluster mode).", "It does not grow with the rate, but with what is stored."},
	{evicted, "Give Redis more memory until no key is evicted: larger nodes, or more shards (cluster mode).", "Nothing tells how much is missing: it does not grow with the rate, but with what is stored."},
	{allowance, "Give Redis nodes with more network, or more shards (cluster mode).", "Packets over the allowance were held up or dropped."},
}

// of makes the advice, with the factor where the limit is not 0.
func (k lack) of(l Measured, r Reading) Advice {
	a := fmt.Sprintf("At %.0f requests a second: %s %s (limit: %s).", float64(l.Achieved), r.Name, amount(r.Mean, r.Unit), amount(r.Limit, r.Unit))
	if r.Limit > 0 {
		a += fmt.Sprintf(" At least %s ÷ %s = %s times as much is needed.", amount(r.Mean, r.Unit), amount(r.Limit, r.Unit), short(r.Mean/r.Limit))
	}
	return Advice{metric.Redis.String(), k.do, a + " " + k.why}
}

// cache tells what Redis needs; its nodes are to be kept if it lacks nothing.
func cache(l Measured) (all []Advice) {
	for _, k := range lacks {
		if r := l.find(metric.Redis, k.reading); r.Saturated {
			all = append(all, k.of(l, r))
		}
	}
	if a, keep, ok := commands(l); ok && (!keep || len(all) == 0) {
		all = append(all, a)
	}
	return all
}

// commands tells whether Redis's CPU carries the rate aimed at: its commands run on
// one thread, so that more CPUs in a node do not help beyond the second. How many
// shards there are nothing tells.
func commands(l Measured) (a Advice, keep, ok bool) {
	r := slices.MaxFunc([]Reading{l.find(metric.Redis, hostCPU), l.find(metric.Redis, engineCPU)}, func(a, b Reading) int { return cmp.Compare(a.Mean/a.Limit, b.Mean/b.Limit) })
	if !r.Mean.Known() {
		return a, false, false
	}
	projected := r.Mean * Figure(l.aim()) / l.Achieved
	a = Advice{
		Component: metric.Redis.String(), Do: fmt.Sprintf("Keep Redis's nodes: their CPU carries %.0f requests a second.", l.aim()),
		Arithmetic: fmt.Sprintf("The %s is used to %s at %.0f requests a second, in proportion to %s at %.0f; up to %s it is not saturated.",
			r.Name, roughly(r.Mean), float64(l.Achieved), roughly(projected), l.aim(), roughly(r.Limit)),
	}
	if projected <= r.Limit {
		return a, true, true
	}
	a.Do = fmt.Sprintf("Give Redis %.1f times as many shards as now (cluster mode), rounded up, or nodes that are as much faster.", up(10*float64(projected/r.Limit))/10)
	a.Arithmetic += fmt.Sprintf(" %s ÷ %s = %s.", roughly(projected), roughly(r.Limit), short(projected/r.Limit))
	return a, false, true
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
