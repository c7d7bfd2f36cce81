package cloudwatch

import (
	"slices"
	"strings"
)

// Limits of GetMetricData
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
const (
	maxQueries      = 500    // of a call
	maxPoints       = 100800 // of a page, and so of a call that is to have one
	statisticsAUnit = 5      // of one metric in one call, that are billed as one metric
)

// batches divides queries into calls of at most so many, without ever dividing the
// statistics of a metric: they would be billed once for each call.
func batches(queries []*query, most int) [][]*query {
	ordered := slices.Clone(queries)
	slices.SortStableFunc(ordered, func(a, b *query) int { return strings.Compare(a.metric.key(), b.metric.key()) })
	var calls [][]*query
	var call []*query
	for len(ordered) > 0 {
		n := statistics(ordered)
		if len(call) > 0 && len(call)+n > most {
			calls = append(calls, call)
			call = nil
		}
		call = append(call, ordered[:n]...)
		ordered = ordered[n:]
	}
	if len(call) > 0 {
		calls = append(calls, call)
	}
	return calls
}

// statistics is how many of the first queries are of one metric.
func statistics(ordered []*query) int {
	first := ordered[0].metric.key()
	n := 1
	for n < len(ordered) && ordered[n].metric.key() == first {
		n++
	}
	return n
}

// billed is how many metrics AWS bills for a call: one for each metric and
// started group of five statistics.
func billed(call []*query) int {
	each := map[string]int{}
	for _, q := range call {
		each[q.metric.key()]++
	}
	n := 0
	for _, statistics := range each {
		n += (statistics + statisticsAUnit - 1) / statisticsAUnit
	}
	return n
}
