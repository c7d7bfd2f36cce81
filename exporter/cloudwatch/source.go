package cloudwatch

import (
	"context"
	"time"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
)

// source is a component that is polled: what is asked of CloudWatch about it.
type source struct {
	component metric.Component
	delay     time.Duration
	// discover looks at what there is. Each look that fails is told, and what it
	// was to find out stays as it was known before.
	discover func(context.Context, looks) plan
}

// looks is told how each look at AWS ended.
type looks func(name string, err error)

// plan is what a component is asked for until it is discovered anew.
type plan struct {
	queries []query
	facts   []fact
	ratios  []ratio
	sources map[string]bool // whether AWS offers them, by name
	billed  resources
}

// fact is a value that a Describe call told; it holds until the next one.
type fact struct {
	into   metric.Definition
	labels []string
	value  float64
	at     time.Time
}

// ratio is a series that is made of two others: part ÷ (part + rest), absent
// where both are 0.
type ratio struct {
	into       metric.Definition
	labels     []string
	part, rest string // keys of queries
}

// portion is the value of a ratio, NaN where both parts are 0 or one is NaN.
func portion(part, rest float64) float64 { return part / (part + rest) }

// resources are what is paid for by the hour, as the Describe calls show it.
type resources struct {
	cluster bool
	nodes   []cost.Node
	tables  []table
	caches  []cache
	bucket  bool // it has request metrics
}

// table is a table or one of its indexes. One that was not described passes for
// on demand.
type table struct {
	name, index string
	provisioned bool
	otherClass  bool    // not the standard one, whose prices are known
	read, write float64 // provisioned capacity, units a second
	bytes       float64 // NaN: unknown
}

// cache is a cluster of nodes, or a serverless one.
type cache struct {
	name, engine, nodeType string
	nodes                  int
	serverless             bool
}
