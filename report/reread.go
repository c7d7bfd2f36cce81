package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"opensaves-soak/exporter/cloudwatch"
)

// reread is what AWS said when it was asked once more, after late values had come.
// The expressions of signals are evaluated over it by Prometheus' own engine, as a
// storage that knows nothing else.
type reread []promql.Series

// unscraped selects what AWS says itself, which has no labels of a scrape.
const unscraped = `job=""`

// newReread takes values at the end of their periods, as the exporter stamps them.
func newReread(history []cloudwatch.Series) reread {
	var r reread
	for _, s := range history {
		b := labels.NewScratchBuilder(len(s.Labels) + 1)
		b.Add(model.MetricNameLabel, s.Definition.Name)
		for i, value := range s.Labels {
			b.Add(s.Definition.Labels[i], value)
		}
		b.Sort()
		one := promql.Series{Metric: b.Labels()}
		for _, p := range s.Points {
			one.Floats = append(one.Floats, promql.FPoint{T: p.End.UnixMilli(), F: p.Value})
		}
		r = append(r, one)
	}
	return r
}

// every evaluates an expression without labels once a minute. A value counts for
// its own minute alone.
func (r reread) every(ctx context.Context, start, end time.Time, expr string) ([]Sample, error) {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50e6, Timeout: askTimeout, LookbackDelta: minutely - time.Millisecond, Parser: parser.NewParser(parser.Options{}),
	})
	query, err := engine.NewRangeQuery(ctx, r, nil, expr, start, end, minutely)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", expr, err)
	}
	defer query.Close()
	matrix, err := query.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("evaluating %s over what AWS says: %w", expr, err)
	}
	var samples []Sample
	for _, s := range matrix {
		for _, p := range s.Floats {
			if Figure(p.F).Known() {
				samples = append(samples, Sample{time.UnixMilli(p.T).In(start.Location()), p.F})
			}
		}
	}
	return samples, nil
}

// Querier implements storage.Queryable.
func (r reread) Querier(int64, int64) (storage.Querier, error) { return r, nil }

// Select implements storage.Querier.
func (r reread) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	matches := func(s promql.Series) bool {
		return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Metric.Get(m.Name)) })
	}
	found := &seriesSet{at: -1}
	for _, s := range r {
		if matches(s) {
			found.all = append(found.all, s)
		}
	}
	return found
}

// LabelValues and LabelNames implement storage.Querier; no expression needs them.
func (r reread) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.Querier.
func (r reread) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.Querier.
func (r reread) Close() error { return nil }

// seriesSet goes through series.
type seriesSet struct {
	all []promql.Series
	at  int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *seriesSet) At() storage.Series                { return promql.NewStorageSeries(s.all[s.at]) }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
