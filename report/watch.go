package report

import (
	"context"
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

// watch asks for all signals: AWS itself for those of AWS where it has been read
// once more, else Prometheus. Those that nobody knows are left out.
func (p Prometheus) watch(ctx context.Context, start, end time.Time, again reread) ([]watched, error) {
	var all []watched
	start = start.Truncate(minutely) // where AWS has its values
	late := map[metric.Component]time.Duration{}
	local := Prometheus{Settings: alerts.Settings{Selector: unscraped}}.signals()
	for i, s := range p.signals() {
		if slices.ContainsFunc(all, func(w watched) bool { return w.component == s.component && w.name == s.name }) {
			continue
		}
		var samples []Sample
		var err error
		if s.late.Name != "" && len(again) > 0 {
			samples, err = again.every(ctx, start, end, local[i].expr)
		}
		if err == nil && len(samples) == 0 {
			samples, err = p.ask(ctx, start, end, s, late)
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

// ask asks Prometheus for a signal, and gives its samples the times that they are of.
func (p Prometheus) ask(ctx context.Context, start, end time.Time, s signal, late map[metric.Component]time.Duration) ([]Sample, error) {
	by, err := p.lateness(ctx, start, end, s, late)
	if err != nil {
		return nil, err
	}
	samples, err := p.every(ctx, start.Add(by), end.Add(by), minutely, s.expr)
	for i := range samples {
		samples[i].At = samples[i].At.Add(-by)
	}
	return samples, err
}

// minutely is how often AWS has a value.
const minutely = time.Minute

// lateness is how long after the time that a value of AWS is of it came, where
// samples have not the time of the value: 0 where they have. These are known by
// being at whole minutes, which no scrape is at every time. What is found out of a
// component is kept in known.
func (p Prometheus) lateness(ctx context.Context, start, end time.Time, s signal, known map[metric.Component]time.Duration) (time.Duration, error) {
	if s.late.Name == "" {
		return 0, nil
	}
	if by, asked := known[s.component]; asked {
		return by, nil
	}
	times, err := p.over(ctx, start, end, "max(timestamp("+p.series(s.late.Name)+"))")
	if err != nil || len(times) == 0 {
		return 0, err
	}
	if slices.ContainsFunc(times, func(t Sample) bool { return math.Mod(t.Value, 60) != 0 }) {
		known[s.component], err = p.age(ctx, start, end, `component="`+s.component.String()+`"`)
	} else {
		known[s.component] = 0
	}
	return known[s.component], err
}

// age is how old what AWS says of components usually is; 0 where nobody asks AWS.
func (p Prometheus) age(ctx context.Context, start, end time.Time, matchers ...string) (time.Duration, error) {
	ages, err := p.over(ctx, start, end, "max("+p.series(metric.CloudWatchDataAge.Name, matchers...)+")")
	if err != nil || len(ages) == 0 {
		return 0, err
	}
	return time.Duration(median(values(ages)) * float64(time.Second)).Round(time.Second), nil
}

// during returns the samples that are of a level alone: what is of a minute is of
// the one before its time.
func (w watched) during(l Measured) []Sample {
	first := l.Start
	if w.late.Name != "" {
		first = first.Add(minutely)
	}
	var within []Sample
	for _, s := range w.samples {
		if !s.At.Before(first) && !s.At.After(l.End) {
			within = append(within, s)
		}
	}
	return within
}

// read makes the readings of a level.
func read(all []watched, l Measured) (readings []Reading) {
	for _, w := range all {
		during := values(w.during(l))
		if len(during) == 0 {
			continue
		}
		mean := Figure(stat.Mean(during, nil))
		readings = append(readings, Reading{w.component.String(), w.name, w.unit, mean, Figure(slices.Max(during)), Figure(w.limit)})
	}
	return readings
}

// relate gives signals without a limit of their own the one that their lowest
// level sets: the first that has data, of levels by their rate.
func relate(all []watched, levels []Measured) {
	byRate := slices.Clone(levels)
	slices.SortStableFunc(byRate, func(a, b Measured) int { return int(math.Copysign(1, float64(a.RPS-b.RPS))) })
	for i, w := range all {
		if w.times == 0 {
			continue
		}
		for _, l := range byRate {
			if during := values(w.during(l)); len(during) > 0 {
				all[i].limit = w.times * stat.Mean(during, nil)
				break
			}
		}
	}
}
