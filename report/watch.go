package report

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// watched is a signal with what it showed over the whole range.
type watched struct {
	signal
	samples []Sample // by the time that they are of, not that at which they came
}

// minutely is how often AWS has a value.
const minutely = time.Minute

// watch asks for all signals: AWS itself for those of AWS where it has been read
// once more, and Prometheus for the minutes that it did not tell. Signals that
// nobody knows are left out.
func (p Prometheus) watch(ctx context.Context, start, end time.Time, again reread) ([]watched, error) {
	var all []watched
	start = start.Truncate(minutely) // where AWS has its values
	local := Prometheus{Settings: alerts.Settings{Selector: unscraped}}.signals()
	for i, s := range p.signals() {
		if slices.ContainsFunc(all, func(w watched) bool { return w.component == s.component && w.name == s.name }) {
			continue
		}
		samples, err := p.ask(ctx, start, end, s)
		if err == nil && s.late.Name != "" && len(again) > 0 {
			var read []Sample
			read, err = again.every(ctx, start, end, local[i].expr)
			samples = merge(read, samples)
		}
		if err != nil {
			return nil, err
		}
		if len(samples) > 0 {
			all = append(all, watched{s, samples})
		}
	}
	return all, nil
}

// merge fills in for the minutes that the first does not tell of.
func merge(first, second []Sample) []Sample {
	told := map[time.Time]bool{}
	for _, s := range first {
		told[s.At] = true
	}
	for _, s := range second {
		if !told[s.At] {
			first = append(first, s)
		}
	}
	slices.SortFunc(first, func(a, b Sample) int { return a.At.Compare(b.At) })
	return first
}

// ask asks Prometheus for a signal, and gives its samples the times that they are
// of.
func (p Prometheus) ask(ctx context.Context, start, end time.Time, s signal) ([]Sample, error) {
	if s.late.Name == "" {
		return p.some(ctx, start, end, minutely, s.expr)
	}
	by, err := p.lateness(ctx, start, end, s)
	if err != nil {
		return nil, err
	}
	samples, err := p.some(ctx, start.Add(by), end.Add(by), minutely, s.expr)
	for i := range samples {
		samples[i].At = samples[i].At.Add(-by)
	}
	return samples, err
}

// lateness is how long after the time that a value of AWS is of it came, where
// samples have not the time of the value: 0 where they have. These are known by
// being at whole minutes, which no scrape is at every time.
func (p Prometheus) lateness(ctx context.Context, start, end time.Time, s signal) (time.Duration, error) {
	times, err := p.every(ctx, start, end, coarse(start, end), "max(timestamp("+p.series(s.late.Name)+"))")
	if err != nil || !slices.ContainsFunc(times, func(t Sample) bool { return math.Mod(t.Value, 60) != 0 }) {
		return 0, err
	}
	age, err := p.age(ctx, start, end, s.component)
	return age + max(0, s.period-minutely), err
}

// age is how old what AWS says of components usually is, the oldest of them; 0 where
// nobody asks AWS.
func (p Prometheus) age(ctx context.Context, start, end time.Time, components ...metric.Component) (oldest time.Duration, err error) {
	for _, c := range components {
		ages, err := p.every(ctx, start, end, coarse(start, end), "max("+p.series(metric.CloudWatchDataAge.Name, `component="`+c.String()+`"`)+")")
		if err != nil {
			return 0, err
		}
		if len(ages) > 0 {
			oldest = max(oldest, time.Duration(median(values(ages))*float64(time.Second)).Round(time.Second))
		}
	}
	return oldest, nil
}

// coarse is a step that a few hundred points are enough for.
func coarse(start, end time.Time) time.Duration {
	return max(finest, end.Sub(start)/500).Truncate(time.Second)
}

// during returns the samples that are of a level alone.
func (w watched) during(l Measured) []Sample {
	first := l.Start.Add(w.reach())
	var within []Sample
	for _, s := range w.samples {
		if !s.At.Before(first) && !s.At.After(l.End) {
			within = append(within, s)
		}
	}
	return within
}

// over says whether a component was saturated while it showed these: if their mean
// is over the limit, or where that is 0, their median. That one minute is over it, is
// nothing yet.
func (s signal) over(during []float64) bool {
	if s.limit == 0 {
		return median(slices.Clone(during)) > 0
	}
	return stat.Mean(during, nil) > s.limit
}

// read makes the readings of a level.
func read(all []watched, l Measured) (readings []Reading) {
	for _, w := range all {
		if during := values(w.during(l)); len(during) > 0 {
			readings = append(readings, Reading{
				Component: w.component.String(), Name: w.name, Unit: w.unit, Limit: Figure(w.limit),
				Mean: Figure(stat.Mean(during, nil)), Highest: Figure(slices.Max(during)), Saturated: w.over(during),
			})
		}
	}
	return readings
}

// relate gives signals without a limit of their own the one that their lowest
// level sets: the first that has data, of valid levels by their rate.
func relate(all []watched, levels []Measured) {
	byRate := slices.Clone(levels)
	slices.SortStableFunc(byRate, func(a, b Measured) int { return cmp.Compare(a.RPS, b.RPS) })
	for i, w := range all {
		if w.times == 0 {
			continue
		}
		for _, l := range byRate {
			if during := values(w.during(l)); len(during) > 0 && l.Invalid == "" {
				all[i].limit = w.times * stat.Mean(during, nil)
				break
			}
		}
	}
}

// awaits finds the components of which AWS has not told a level's last minutes, and
// until when it has told of them. Components that it tells nothing of are not waited
// for.
func awaits(all []watched, l Measured) map[metric.Component]time.Time {
	told := map[metric.Component]time.Time{}
	for _, w := range all {
		if last := w.samples[len(w.samples)-1].At; w.late.Name != "" && last.After(told[w.component]) {
			told[w.component] = last
		}
	}
	maps.DeleteFunc(told, func(_ metric.Component, until time.Time) bool { return l.End.Sub(until) <= minutely })
	return told
}
