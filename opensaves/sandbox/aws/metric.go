package aws

import (
	"maps"
	"slices"
	"strings"
)

// Metric is the identity of a CloudWatch metric.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions map[string]string // value by name
}

// Value is an observation, or several that are equal.
type Value struct {
	Value float64
	Count float64 // how many observations; 0: 1
}

// key tells metrics apart, and orders those of a namespace by name.
func (m Metric) key() string {
	parts := []string{m.Namespace, m.Name}
	for _, name := range slices.Sorted(maps.Keys(m.Dimensions)) {
		parts = append(parts, name, m.Dimensions[name])
	}
	return strings.Join(parts, "\x00")
}

// daily says whether the metric has a point a day, as the size of a bucket has.
func (m Metric) daily() bool {
	_, stored := m.Dimensions["StorageType"]
	return m.Namespace == "AWS/S3" && stored
}
