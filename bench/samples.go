package bench

import (
	"slices"
	"strconv"
	"strings"
)

// samples are the values of an exposition in text form, by series as it is written there.
type samples map[string]float64

// readSamples reads what it can: an exporter whose text is wrong has tests of its own.
func readSamples(text string) samples {
	s := samples{}
	for line := range strings.Lines(text) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if value == "" {
			series, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(series, "#") {
			s[series] = v
		}
	}
	return s
}

// sum adds up a family's series that have all labels, each written as name="value".
func (s samples) sum(name string, labels ...string) (sum float64) {
	for series, value := range s {
		family, set, _ := strings.Cut(series, "{")
		if family != name {
			continue
		}
		have := strings.Split(set, ",")
		if !slices.ContainsFunc(labels, func(label string) bool { return !slices.Contains(have, label) }) {
			sum += value
		}
	}
	return sum
}
