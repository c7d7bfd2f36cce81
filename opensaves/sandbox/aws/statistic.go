package aws

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
)

// statistic is what a period comes to; it gets at least one minute.
type statistic func([]minute) float64

var percentilePattern = regexp.MustCompile(`^p(100|\d{1,2}(?:\.\d{1,10})?)$`)

// parseStatistic knows Average, Sum, Minimum, Maximum, SampleCount and percentiles
// such as p99 and p99.9.
func parseStatistic(name string) (statistic, bool) {
	switch name {
	case "Average":
		return func(m []minute) float64 { return sum(m) / count(m) }, true
	case "Sum":
		return sum, true
	case "Minimum":
		return func(m []minute) float64 { return slices.MinFunc(m, byLowest).lowest }, true
	case "Maximum":
		return func(m []minute) float64 { return slices.MaxFunc(m, byHighest).highest }, true
	case "SampleCount":
		return count, true
	}
	match := percentilePattern.FindStringSubmatch(name)
	if match == nil {
		return nil, false
	}
	percent, err := strconv.ParseFloat(match[1], 64)
	return func(m []minute) float64 { return percentile(m, percent) }, err == nil
}

func isPercentile(name string) bool { return percentilePattern.MatchString(name) }

func byLowest(a, b minute) int  { return cmp.Compare(a.lowest, b.lowest) }
func byHighest(a, b minute) int { return cmp.Compare(a.highest, b.highest) }

func sum(minutes []minute) (total float64) {
	for _, m := range minutes {
		total += m.sum
	}
	return total
}

func count(minutes []minute) (total float64) {
	for _, m := range minutes {
		total += m.count
	}
	return total
}

// percentile is the smallest value that so many percent of the observations do
// not exceed.
func percentile(minutes []minute, percent float64) float64 {
	values := minutes[0].values
	if len(minutes) > 1 {
		values = nil
		for _, m := range minutes {
			values = append(values, m.values...)
		}
		slices.SortFunc(values, func(a, b Value) int { return cmp.Compare(a.Value, b.Value) })
	}
	rank, below := percent*count(minutes)/100, 0.0
	for _, v := range values {
		if below += v.Count; below >= rank {
			return v.Value
		}
	}
	return values[len(values)-1].Value
}
