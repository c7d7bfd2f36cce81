package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"opensaves-soak/exporter/metric"
)

// Series is a metric of AWS over a time.
type Series struct {
	Definition metric.Definition
	Labels     []string // values, in the order of the definition's
	Points     []Point  // in order of time, at least one
}

// Point is the value of the period that ends at End, in UTC, in base units as the
// gauges have them.
type Point struct {
	End   time.Time
	Value float64
}

// keepsMinutes is how long CloudWatch has minutes one by one
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html).
const keepsMinutes = 15 * daily

// History reads what the components showed from start to end, in whole periods of a
// minute or of five: both times are cut to the start of theirs, and end to what has
// settled of the component. It needs no Run and disturbs none. What it asks for is
// what the pollers would find now, so not pods and nodes that have been silent for
// three hours, and nothing that is known of the present alone.
//
// A period without a value is 0 where that means that nothing happened, if AWS
// answered completely. What AWS forbids, owes or no longer has is left out; a look
// that was denied is logged.
//
// It costs a metric of GetMetricData, USD 0.01 for 1,000, for each metric and started
// five of its statistics, and as much again where minutes exceed 14 days. No ceiling
// holds it back.
//
// An error is that of a start that is more than 15 days ago, of less than a whole
// minute, or of a call, with the name of the component. A look at resources may lack a
// permission, or what it looks for, without being an error.
func (e *Exporter) History(ctx context.Context, start, end time.Time) ([]Series, error) {
	now := time.Now().UTC()
	w := window{start.UTC(), end.UTC()}
	if end.After(now) {
		w.end = now
	}
	minutes := w.whole(minutely)
	if oldest := now.Add(-keepsMinutes); minutes.start.Before(oldest) {
		return nil, fmt.Errorf("reading the history of AWS: got a start at %s, want none before %s: CloudWatch keeps minutes for 15 days", start.Format(time.RFC3339), oldest.Format(time.RFC3339))
	}
	if minutes.periods(minutely) < 1 {
		return nil, fmt.Errorf("reading the history of AWS: got the time from %s to %s, want a whole minute that is over", start.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	var found []Series
	for _, s := range sources(e.options) {
		h := e.history(s, w, now)
		if err := h.read(ctx); err != nil {
			return nil, fmt.Errorf("reading the history of %s: %w", s.component, err)
		}
		found = append(found, h.found...)
	}
	return found, nil
}

// history is one reading of a component.
type history struct {
	source
	window // as it was asked for
	get    getMetricData
	bill   func(metrics int)
	once   *once
	plan   plan
	reads  []*past
	pasts  map[string]*past // the same by the key of the query
	found  []Series
}

func (e *Exporter) history(s source, w window, now time.Time) *history {
	metrics, price := e.shared.of(s.component), e.shared.ceiling.price
	if settled := now.Add(-s.delay); w.end.After(settled) {
		w.end = settled
	}
	return &history{
		source: s, window: w, get: e.options.Calls.GetMetricData, bill: func(n int) { metrics.bill(n, price()) },
		once: newOnce(e.options.Log.With("component", s.component.String())), pasts: map[string]*past{},
	}
}

func (h *history) read(ctx context.Context) error {
	if err := h.look(ctx); err != nil {
		return err
	}
	for _, period := range []time.Duration{minutely, fiveMinute} {
		if err := h.ask(ctx, period); err != nil {
			return err
		}
	}
	h.collect()
	return nil
}

// look discovers what there is to ask for.
func (h *history) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var failure error
	h.plan = h.discover(ctx, func(name string, err error) {
		switch {
		case err == nil || missing(err):
			h.once.note("look:"+name, err)
		case failure == nil:
			failure = fmt.Errorf("looking for %s: %w", name, err)
		}
	})
	for i := range h.plan.queries {
		q := &h.plan.queries[i]
		if h.pasts[q.key()] == nil && q.row.into.Name != "" { // a node may be listed twice
			p := newPast(q, h.window)
			h.reads, h.pasts[q.key()] = append(h.reads, p), p
		}
	}
	return failure
}

// missing says whether AWS answered that one may not see a resource, or that it has
// none of the name.
func missing(err error) bool {
	if err == nil || errors.As(err, new(*credentialsError)) {
		return false
	}
	code := errorCode(err)
	return denied(err) || strings.Contains(code, "NotFound") || strings.HasPrefix(code, "NoSuch")
}

// ask reads the queries of a period, in calls of one page.
func (h *history) ask(ctx context.Context, period time.Duration) error {
	var queries []*query
	for _, p := range h.reads {
		if p.period() == period {
			queries = append(queries, p.query)
		}
	}
	for _, w := range h.whole(period).pieces(maxPoints / statisticsAUnit * period) {
		for _, call := range batches(queries, min(maxQueries, maxPoints/w.periods(period))) {
			if err := h.call(ctx, call, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *history) call(ctx context.Context, call []*query, w window) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	got, err := fetch(ctx, h.get, call, w)
	h.bill(got.pages * billed(call))
	if err != nil {
		return err
	}
	for _, m := range got.messages {
		h.once.message(aws.ToString(m.Code), aws.ToString(m.Value))
	}
	for i, q := range call {
		h.pasts[q.key()].take(got.answers[i], w)
	}
	return nil
}

// collect makes series of what was read.
func (h *history) collect() {
	for _, p := range h.reads {
		h.add(p.row.into, p.labels, points(p.window, p.period(), func(i int) float64 { return p.values[i] * p.scale() }))
	}
	for _, r := range h.plan.ratios {
		part, rest := h.pasts[r.part], h.pasts[r.rest]
		h.add(r.into, r.labels, points(part.window, part.period(), func(i int) float64 { return portion(part.values[i], rest.values[i]) }))
	}
}

func (h *history) add(d metric.Definition, labels []string, shown []Point) {
	if len(shown) > 0 {
		h.found = append(h.found, Series{d, labels, shown})
	}
}
