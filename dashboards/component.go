package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/exporter/metric"
)

// What the boards of all components have.

// ageOf is green while the component's data is as fresh as its alert wants it.
func ageOf(c metric.Component, limit float64) panel {
	return number(about{"Age of data", "Time since the end of the newest settled period that was answered completely; panels end as long ago.", units.Seconds},
		highest("", own(metric.CloudWatchDataAge, ofComponent(c))), under(limit)).NoValue("not polled")
}

func costOf(c metric.Component) panel {
	return number(about{"Cost an hour", "What the component costs in an hour at the present load, at list prices.", units.Dollars},
		sum("", awsNow(metric.CostPerHour, ofComponent(c))), neutral()).Decimals(3)
}

func costsOf(c metric.Component) panel {
	return bars(awsGraph(about{"Cost", "What the component costs in an hour at the present load, fixed and variable apart.", units.Dollars},
		query{sum("kind", aws(metric.CostPerHour, ofComponent(c))), "{{kind}}"}))
}

func costsOfMillion(c metric.Component) panel {
	return bars(awsGraph(about{"Cost of a million requests", "What the component costs for a million of the tester's requests, fixed and variable apart.", units.Dollars},
		query{sum("kind", aws(metric.CostPerMillion, ofComponent(c))), "{{kind}}"}))
}

func ofComponent(c metric.Component) string { return `component="` + c.String() + `"` }

// awsPercentiles are those that AWS computed, the highest of their kind: they
// cannot be merged.
func awsPercentiles(by, legend string, d metric.Definition, matchers ...string) []query {
	var all []query
	for _, p := range []int{50, 90, 99} {
		stat := fmt.Sprintf("p%d", p)
		all = append(all, query{highest(by, aws(d, append(matchers, `stat="`+stat+`"`)...)), legend + stat})
	}
	return all
}
