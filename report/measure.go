package report

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// Measured is what a level showed, over exactly its time.
type Measured struct {
	RPS        Figure             `json:"rps"` // that was asked for
	Start      time.Time          `json:"start"`
	End        time.Time          `json:"end"`
	Achieved   Figure             `json:"achieved_rps"`
	Success    Figure             `json:"success"`               // share, as objectives.availability has it
	Served     Figure             `json:"served_rps"`            // that succeeded
	Dropped    Figure             `json:"dropped"`               // arrivals a second that were not sent
	Crowded    Figure             `json:"dropped_max_in_flight"` // of these, for as many requests as may be were in flight
	InFlight   Figure             `json:"in_flight"`             // requests, on average
	Lag        Figure             `json:"schedule_lag_p99_seconds"`
	Covered    Figure             `json:"latency_coverage"` // share of the successes that the latencies are of
	Errors     map[string]float64 `json:"errors"`           // a second, by code
	Violations map[string]float64 `json:"violations"`       // wrong answers, by kind
	CostAnHour map[string]float64 `json:"cost_usd_per_hour"`
	CostAMio   map[string]float64 `json:"cost_usd_per_million_requests"`
	Shared     []string           `json:"cost_shared"` // components whose cost is of others' work too
	Operations []Operation        `json:"operations"`
	Blobs      []Blob             `json:"blob_sizes"`
	Components []Reading          `json:"components"`
	Awaited    []string           `json:"awaited"` // components of which AWS had not told the level's last minutes yet
	Missed     []string           `json:"missed"`  // objectives, as sentences
	Invalid    string             `json:"invalid"` // why the level says nothing of the target; empty: it does
}

// Operation is how one operation did at a level. Times are response times of
// successes in seconds.
type Operation struct {
	Name   string `json:"operation"`
	RPS    Figure `json:"rps"`
	Failed Figure `json:"failed"` // share
	Mean   Figure `json:"mean_seconds"`
	P50    Figure `json:"p50_seconds"`
	P95    Figure `json:"p95_seconds"`
	P99    Figure `json:"p99_seconds"`
	Ends50 Bucket `json:"p50_bucket_seconds"` // that P50 was read off, and so on
	Ends95 Bucket `json:"p95_bucket_seconds"`
	Ends99 Bucket `json:"p99_bucket_seconds"`
	Error  Figure `json:"quantile_error"` // how far the true p99 may be off, as a share of P99: it is in the same bucket
	Noise  Figure `json:"p99_noise"`      // standard deviation of p99 between five parts of the level, as a share of their mean
}

// Blob is how blobs of one size did at a level, reads and writes together. Times
// are from the intended start to the last byte, of successes, in seconds.
type Blob struct {
	Name string `json:"size"` // up to it
	RPS  Figure `json:"rps"`
	Mean Figure `json:"mean_seconds"`
	P99  Figure `json:"p99_seconds"`

	threshold Figure // the lowest of the objectives of its class for 99 % or more
}

// laggard is the schedule lag at p99 in seconds above which a level is not valid.
const laggard = 0.01

// answers are the questions that make a level, by what they are about.
type answers map[string]map[string]float64

// measure asks for all figures of a level.
func (p Prometheus) measure(ctx context.Context, l Level, o alerts.Objectives) (Measured, error) {
	// A range is open at its left, and scrapes are not on the second: one more second
	// holds the sample that the level begins with.
	window := l.End.Sub(l.Start).Truncate(time.Second) + time.Second
	got := answers{}
	questions := p.questions(window)
	for i, l := range o.Latency {
		questions[fmt.Sprint("within ", i)] = question{"", p.within(window, l)}
	}
	for name, q := range questions {
		values, err := p.by(ctx, l.End, q.label, q.expr)
		if err != nil {
			return Measured{}, err
		}
		got[name] = values
	}
	var err error
	if got["noise"], err = p.noise(ctx, l.End, window); err != nil {
		return Measured{}, err
	}
	buckets, err := p.buckets(ctx, l.End, p.native(window))
	if err != nil {
		return Measured{}, err
	}
	m := Measured{
		RPS: Figure(l.RPS), Start: l.Start, End: l.End, Achieved: none, Success: none, Served: none,
		Dropped: got.one("dropped"), Crowded: got.one("crowded"), InFlight: got.one("in flight"), Lag: got.one("lag"), Errors: got["errors"], Violations: got["violations"],
		CostAMio: map[string]float64{}, Operations: got.operations(buckets),
	}
	m.count(got["outcomes"])
	m.Covered = share(got.one("latencies"), m.Served)
	m.Blobs = got.blobs(o)
	m.Missed = m.missed(o)
	if stale := got.one("stale"); stale > Figure(o.StaleRatio) {
		m.Missed = append(m.Missed, fmt.Sprintf("stale ratio: got %.4g %%, want at most %.4g %%", 100*stale, 100*o.StaleRatio))
	}
	m.Invalid = m.invalid(got.one("shares"))
	for i, l := range o.Latency {
		if within := got.one(fmt.Sprint("within ", i)); within < Figure(l.Ratio) {
			m.Missed = append(m.Missed, fmt.Sprintf("latency of %s: got %.4g %% within %s, want at least %.4g %%", l.Class, 100*within, time.Duration(l.Threshold), 100*l.Ratio))
		}
	}
	return m, nil
}

// count takes the answers a second by outcome.
func (m *Measured) count(outcomes map[string]float64) {
	if len(outcomes) == 0 {
		return
	}
	success, failed := outcomes[metric.Success.String()], outcomes[metric.Failure.String()]
	m.Achieved, m.Served = Figure(total(outcomes)), Figure(success)
	m.Success = share(m.Served, Figure(success+failed)+orZero(m.Crowded))
}

// overloaded is the share of what was asked for below which a target is full.
const overloaded = 0.97

// full says whether more was asked for than the target served in time: it then
// serves what it can.
func (m Measured) full() bool {
	return m.Invalid == "" && m.Crowded > 0 && m.Served < overloaded*m.RPS
}

// onceMore is the sum of all shares of the rate above which somebody counts twice.
const onceMore = 1.05

// invalid says why a level tells nothing of the target, with the sum of its
// replicas' shares; empty: it does.
func (m Measured) invalid(shares Figure) string {
	switch {
	case shares > onceMore:
		return fmt.Sprintf("The replicas make %.4g %% of the rate that is asked of them: these are several fleets, of which --selector picks one, or one fleet that is there more than once.", 100*shares)
	case !m.Success.Known():
		return "Nothing tells how requests ended."
	case !m.Covered.Known():
		return "There are no latencies."
	case m.Lag > laggard:
		return fmt.Sprintf("The tester itself was late by %s at p99 (limit: %s): this level says little of the target.", seconds(m.Lag), seconds(laggard))
	}
	return ""
}

// one is the answer of a question that has a single one.
func (a answers) one(name string) Figure {
	if v, ok := a[name][""]; ok {
		return Figure(v)
	}
	return none
}

func share(part, whole Figure) Figure {
	if !(whole > 0) {
		return none
	}
	return part / whole
}

// operations are those that were asked for at the level, in order.
func (a answers) operations(native map[string][]Bucket) []Operation {
	of := func(name, operation string) Figure {
		if v, ok := a[name][operation]; ok {
			return Figure(v)
		}
		return none
	}
	var all []Operation
	for _, name := range slices.Sorted(maps.Keys(a["operations"])) {
		if rps := of("operations", name); rps > 0 {
			p50, p95, p99 := of("p50", name), of("p95", name), of("p99", name)
			ends := bucketOf(p99, native[name])
			all = append(all, Operation{
				Name: name, RPS: rps, Failed: share(Figure(a["operation failures"][name]), rps), // without a series there are none
				Mean: of("mean", name), P50: p50, P95: p95, P99: p99,
				Ends50: bucketOf(p50, native[name]), Ends95: bucketOf(p95, native[name]), Ends99: ends, Error: ends.resolution(p99), Noise: of("noise", name),
			})
		}
	}
	return all
}

// blobs are the sizes that were asked for at the level.
func (a answers) blobs(o alerts.Objectives) (all []Blob) {
	for size := range metric.BlobSize(metric.BlobSizes) {
		name := size.String()
		class := metric.SmallBlob
		if size > metric.Upto1MiB {
			class = metric.LargeBlob
		}
		b := Blob{Name: name, RPS: Figure(a["blobs"][name]), Mean: Figure(a["blob mean"][name]), P99: Figure(a["blob p99"][name]), threshold: none}
		for _, l := range o.Latency {
			limit := Figure(time.Duration(l.Threshold).Seconds())
			if l.Class == class.String() && l.Ratio >= 0.99 && !(b.threshold <= limit) { // what p99 misses, is missed
				b.threshold = limit
			}
		}
		if b.RPS > 0 {
			all = append(all, b)
		}
	}
	return all
}

// missed are the objectives that the level did not meet.
func (m Measured) missed(o alerts.Objectives) []string {
	var missed []string
	want := func(ok bool, format string, args ...any) {
		if !ok {
			missed = append(missed, fmt.Sprintf(format, args...))
		}
	}
	want(!(m.Success < Figure(o.Availability)), "availability: got %.4g %%, want at least %.4g %%", 100*m.Success, 100*o.Availability)
	achieved := share(m.Achieved, m.RPS)
	want(!(achieved < Figure(o.AchievedRate)), "achieved rate: got %.4g %%, want at least %.4g %%", 100*achieved, 100*o.AchievedRate)
	wrong := 0.0
	for _, n := range m.Violations {
		wrong += n
	}
	want(wrong < 0.5, "wrong answers: got %.0f, want none", wrong)
	return missed
}
