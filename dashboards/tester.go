package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// What the tester sees stands on every board, so that what a component does and
// what a player feels share an axis.

func testerRate() panel {
	return graph(about{"Requests of the tester", "Requests that the tester asks for and that are answered, of the chosen operations, beside what the component does.", units.RequestsPerSecond},
		query{sum("", own(metric.TargetRPS)), "asked, all operations"},
		query{sum("", rate(metric.Requests, ofOperation)), "answered"},
		query{failures("", ofOperation), "failed"})
}

// failures is the rate of failed requests. The first one makes their series:
// until then there are none.
func failures(by string, matchers ...string) string {
	return "(" + either(sum(by, rate(metric.Requests, append(matchers, `outcome="error"`)...)), "0 * "+sum(by, rate(metric.Requests, matchers...))) + ")"
}

// failedShare is the part of the requests that failed.
func failedShare(by string, matchers ...string) string {
	return ratio(failures(by, matchers...), sum(by, rate(metric.Requests, matchers...)))
}

func testerLatency() panel {
	return graph(about{"Latency of the tester", "Response times of successes from their intended start, of the chosen operations, beside what the component does.", units.Seconds},
		percentiles(metric.ResponseTime, ofOperation, succeeded)...)
}

// percentiles are the three that everybody asks for.
func percentiles(d metric.Definition, matchers ...string) []query {
	var all []query
	for _, p := range []int{50, 90, 99} {
		all = append(all, query{quantile(float64(p)/100, "", d, matchers...), fmt.Sprintf("p%d", p)})
	}
	return all
}

func askedAndAnswered() panel {
	return graph(about{"Asked and answered", "Requests a second that are asked for, that the schedule brings, and that are answered.", units.RequestsPerSecond},
		query{sum("", own(metric.TargetRPS)), "asked"},
		query{sum("", rate(metric.Arrivals)), "arrived"},
		query{sum("", rate(metric.Requests)), "answered"})
}

func unsuccessful(o alerts.Objectives) panel {
	arrivals := sum("", rate(metric.Arrivals))
	return line(graph(about{"Failed and dropped", "Share of the arrivals that failed or that were never sent.", units.PercentUnit},
		query{ratio(failures(""), arrivals), "failed"},
		query{ratio(sum("", rate(metric.Requests, `outcome="aborted"`)), arrivals), "aborted by contention"},
		query{sum("reason", rate(metric.ArrivalsDropped)) + " / on () group_left () " + arrivals, "dropped: {{reason}}"}), under(budget(o.Availability)))
}

// budget is what an objective leaves, without the noise of binary fractions.
func budget(objective float64) float64 { return float64(int64((1-objective)*1e9+0.5)) / 1e9 }

func responseHeat() panel {
	return heat(about{"Response times", "How many requests a second take how long from their intended start, of the chosen operations.", units.Seconds},
		buckets(metric.ResponseTime, ofOperation))
}

// responseTimes draws the strictest objective of reads, which most requests are.
func responseTimes(o alerts.Objectives) panel {
	p := graph(about{"Response time percentiles", "Response times of successes from their intended start, of the chosen operations, with the objective of reads as the line.", units.Seconds},
		percentiles(metric.ResponseTime, ofOperation, succeeded)...)
	if limit := strictest(o, metric.Read); limit > 0 {
		return line(p, under(limit))
	}
	return p
}

func violationsByKind() panel {
	return bars(line(graph(about{"Wrong answers by kind", "Answers that no correct server gives, by what was wrong.", units.Short},
		query{sum("kind", "increase("+own(metric.CheckViolations)+"[$__rate_interval])"), "{{kind}}"}), under(1)))
}

func byOperation() panel {
	quantileOf := func(q float64) string { return quantile(q, "operation", metric.ResponseTime, succeeded) }
	return listing(about{"Operations", "Rate, failures and response times of each operation; a click leads to its own view.", units.Short}, "operation",
		column{sum("operation", rate(metric.Requests)), "Requests", units.RequestsPerSecond},
		column{failedShare("operation"), "Failed", units.PercentUnit},
		column{quantileOf(0.5), "p50", units.Seconds},
		column{quantileOf(0.9), "p90", units.Seconds},
		column{quantileOf(0.99), "p99", units.Seconds},
	).DataLinks(toOperation(inTable))
}

func withinObjectives(o alerts.Objectives) panel {
	var queries []query
	for _, l := range latencies(o) {
		queries = append(queries, query{within(l.limit(), "$__rate_interval", l.series, l.matchers...), fmt.Sprintf("%s within %s", l.Class, l.Threshold)})
	}
	return graph(about{"Within the objective", "Share of the successes of a class that took no longer than its objective allows.", units.PercentUnit}, queries...)
}

func percentileByOperation() panel {
	return graph(about{"p99 by operation", "Response time that 99 of 100 successes of an operation stay below.", units.Seconds},
		query{quantile(0.99, "operation", metric.ResponseTime, ofOperation, succeeded), "{{operation}}"}).DataLinks(toOperation(inSeries))
}

func rateByOperation() panel {
	return bars(graph(about{"Requests by operation", "Requests a second of each operation.", units.RequestsPerSecond},
		query{sum("operation", rate(metric.Requests, ofOperation)), "{{operation}}"}).DataLinks(toOperation(inSeries)))
}

func errorsByCode() panel {
	return bars(graph(about{"Failures by code", "Requests that failed, by operation and by the code as gRPC names it.", units.RequestsPerSecond},
		query{sum("operation, code", rate(metric.Requests, ofOperation, `outcome="error"`)) + " > 0", "{{operation}}: {{code}}"}).DataLinks(toOperation(inSeries)))
}

func checkResults() panel {
	return bars(graph(about{"Checks by verdict", "Answers that the oracle looked at, by its verdict.", units.OpsPerSecond},
		query{sum("result", rate(metric.Checks)), "{{result}}"}))
}

func judgedByCheck() panel {
	return line(graph(about{"Judged share by check", "Share of the checks that could tell right from wrong.", units.PercentUnit},
		query{ratio(sum("check", rate(metric.Checks, notUnjudged)), sum("check", rate(metric.Checks))), "{{check}}"}).Max(1), over(alerts.JudgedShare))
}

func staleness() panel {
	return graph(about{"Age of stale answers", "Age of the acknowledged write that a stale read did not show.", units.Seconds},
		percentiles(metric.Staleness, ofOperation)...)
}

func selfTest() panel {
	grown := func(d metric.Definition) string { return sum("", shown(d)) }
	return graph(about{"Self-test", "Violations that the self-test made of true answers, and those that the checks found or missed, over the time shown.", units.Short},
		query{grown(metric.SelfTestInjected), "injected"}, query{grown(metric.SelfTestCaught), "caught"}, query{grown(metric.SelfTestMissed), "missed"})
}

func doubtfulWrites() panel {
	return graph(about{"Writes in doubt", "Writes whose end nobody knows, records given up because of them, content that showed late, and writes that nothing read before they were replaced.", units.OpsPerSecond},
		query{sum("", rate(metric.UnknownWrites)), "unknown"}, query{sum("", rate(metric.AbandonedRecords)), "records given up"},
		query{sum("", rate(metric.LateWrites)), "late"}, query{sum("", rate(metric.SupersededUnread)), "superseded unread"})
}

func nonMonotonic() panel {
	return graph(about{"Reads that go back in time", "Reads that showed an older version than an earlier read of the same object.", units.OpsPerSecond},
		query{sum("", rate(metric.NonMonotonic)), "non-monotonic"})
}
