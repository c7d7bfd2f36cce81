package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"opensaves-soak/exporter/metric"
)

// saturated are the components that have a limit to be seen at.
var saturated = []metric.Component{metric.EKS, metric.DynamoDB, metric.S3, metric.Redis}

// unseen is what no signal sees.
const unseen = "Not watched by any figure: the load balancer, the network between the parts, hot keys below a table's throttles, and limits within Open Saves itself."

// findBottleneck tells which component was saturated first: at the lowest valid
// level, and there the earliest.
func findBottleneck(all []watched, levels []Measured) Bottleneck {
	var b Bottleneck
	for _, c := range saturated {
		if first, found := onset(all, levels, c); found {
			b.Onsets = append(b.Onsets, first)
		}
		if !slices.ContainsFunc(all, func(w watched) bool { return w.component == c && !math.IsNaN(w.limit) }) {
			b.Blind = append(b.Blind, "Nothing tells whether "+title(c.String())+" was saturated: its figures are not in Prometheus.")
		}
	}
	slices.SortStableFunc(b.Onsets, func(x, y Onset) int {
		return cmp.Or(cmp.Compare(x.RPS, y.RPS), x.At.Compare(y.At))
	})
	b.Blind = append(b.Blind, unseen)
	b.conclude(levels)
	return b
}

// onset finds where a component was first saturated.
func onset(all []watched, levels []Measured, c metric.Component) (first Onset, found bool) {
	for _, l := range levels {
		for _, w := range all {
			if w.component != c || l.Invalid != "" || found && l.RPS > first.RPS {
				continue
			}
			o, over := w.onset(l)
			if over && (!found || l.RPS < first.RPS || o.At.Before(first.At)) {
				first, found = o, true
			}
		}
	}
	if found && c == metric.DynamoDB {
		first.Cold = first.Unit == Share && cold(all, first.At)
	}
	return first, found
}

// onset is where a signal first goes over its limit at a level that it is over in all.
func (w watched) onset(l Measured) (Onset, bool) {
	during := w.during(l)
	if len(during) == 0 || !w.over(values(during)) {
		return Onset{}, false
	}
	i := slices.IndexFunc(during, func(s Sample) bool { return s.Value > w.limit })
	return Onset{
		Component: w.component.String(), Name: w.name, Unit: w.unit, At: during[i].At,
		RPS: l.RPS, Value: Figure(stat.Mean(values(during), nil)), Limit: Figure(w.limit),
	}, true
}

// warmUp is in which time the load of an on-demand table may double.
const warmUp = 30 * time.Minute

// cold says whether the load of DynamoDB had doubled in the half hour before.
// See DynamoDB's developer guide, "On-demand mode", on previous peaks.
func cold(all []watched, at time.Time) bool {
	for _, w := range all {
		if w.component != metric.DynamoDB || w.unit != UnitsASecond {
			continue
		}
		before, lately, known := 0.0, 0.0, false
		for _, s := range w.samples {
			switch {
			case s.At.After(at):
			case s.At.After(at.Add(-warmUp)):
				lately = max(lately, s.Value)
			default:
				before, known = max(before, s.Value), true
			}
		}
		if known && lately > 2*before {
			return true
		}
	}
	return false
}

// conclude writes the finding.
func (b *Bottleneck) conclude(levels []Measured) {
	if len(b.Onsets) > 0 {
		o := b.Onsets[0]
		b.Component = o.Component
		b.Sentence = fmt.Sprintf("%s gives way first: %s was %s (limit: %s) from %s on, at %s.",
			title(o.Component), o.Name, amount(o.Value, o.Unit), amount(o.Limit, o.Unit), zoned(o.At), perSecond(o.RPS))
		if o.Cold {
			b.Sentence += " This is cold capacity: the load of its tables had doubled within 30 minutes, which on-demand tables may throttle until they have grown."
		}
		return
	}
	valid := slices.DeleteFunc(slices.Clone(levels), func(l Measured) bool { return l.Invalid != "" })
	so := ""
	if slices.ContainsFunc(valid, func(l Measured) bool { return len(l.Awaited) > 0 }) {
		so = " so far, as AWS has not told all yet"
	}
	switch {
	case len(valid) == 0:
		b.Sentence = "Unknown: no level is valid."
	case slices.ContainsFunc(valid, func(l Measured) bool { return len(l.Missed) > 0 }):
		b.Sentence = "Unexplained" + so + ": objectives were missed, but no component that is watched was saturated."
	default:
		b.Sentence = "No component that is watched was saturated" + so + "."
	}
}

// title is how a component is called in sentences.
func title(component string) string {
	names := map[string]string{metric.EKS.String(): "EKS", metric.DynamoDB.String(): "DynamoDB", metric.S3.String(): "S3", metric.Redis.String(): "Redis"}
	return cmp.Or(names[component], component)
}

// amount writes a figure with its unit.
func amount(f Figure, unit Unit) string {
	switch {
	case !f.Known():
		return unknown
	case unit == Share:
		return roughly(f)
	case unit == Seconds:
		return seconds(f)
	case unit == Bytes, unit == BytesASecond:
		return short(f/1e6) + strings.Replace(string(" "+unit), "bytes", "MB", 1)
	}
	return strings.TrimSpace(short(f) + " " + string(unit))
}
