package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// overview answers in this order: is it right, is it on target, is it fast,
// what holds it back, what does it cost.
func overview(o Options) design {
	return design{
		name: "overview", uid: alerts.BoardOverview, title: "Soak overview",
		description: "Whether Open Saves is right, fast and on target, which component limits it, and what it costs.",
		sections: []section{
			numbers(
				violationsShown(), judged(), selfTestMissed(), staleShare(o.Objectives), availability(o.Objectives), latencyBudget(o.Objectives),
				answered(o.Objectives), asked(), bottleneck(), oldestData(), costNow(), budgetUsed(),
			),
			graphs("",
				askedAndAnswered(), unsuccessful(o.Objectives),
				responseHeat(), responseTimes(o.Objectives),
				violationsByKind(), nearness(),
				costByComponent(), costPerMillion(),
			),
			{title: "By operation", collapsed: true, columns: 1, height: 12, panels: []panel{byOperation()}},
			details("Latency against its objectives", withinObjectives(o.Objectives), percentileByOperation(), rateByOperation(), errorsByCode()),
			details("Checks", checkResults(), judgedByCheck(), staleness(), selfTest(), doubtfulWrites(), nonMonotonic()),
			details("AWS data and cost", dataAges(), sources(), pollCost(), pollErrors(), costShared(), priceAge()),
		},
	}
}

func violationsShown() panel {
	return number(about{"Wrong answers", "Answers in the time shown that no correct server gives, lost updates apart where the API promises nothing about them.", units.Short},
		either(sum("", sum(ofFleet+", kind", shown(metric.CheckViolations))+" unless on ("+ofFleet+", kind) "+unpromised),
			"0 * "+sum("", own(metric.Checks))), under(1)).Decimals(0)
}

// ofFleet is what the testers of one target share.
const ofFleet = "cluster, namespace, job"

// unpromised is what may happen where records are written over HTTP.
var unpromised = called("kind", "lost_update", "group by ("+ofFleet+") (last_over_time("+own(metric.TargetInfo, `protocol="http"`)+"[$__range]))")

func judged() panel {
	return number(about{"Judged", "Share of the checks that could tell right from wrong, in the time shown.", units.PercentUnit},
		ratio(sum("", shown(metric.Checks, notUnjudged)), sum("", shown(metric.Checks))), over(alerts.JudgedShare))
}

const notUnjudged = `result!="unjudged"`

func selfTestMissed() panel {
	return number(about{"Self-test missed", "Violations of the self-test that the checks did not find in the time shown, which makes their silence worth nothing.", units.Short},
		sum("", shown(metric.SelfTestMissed)), under(1)).Decimals(0)
}

func staleShare(o alerts.Objectives) panel {
	return number(about{"Stale reads", "Share of the judged reads in the time shown that did not show the last acknowledged write.", units.PercentUnit},
		ratio(counted("$__range", metric.Staleness), sum("", shown(metric.Checks, notUnjudged, `check!="atomic"`))), under(o.StaleRatio))
}

func availability(o alerts.Objectives) panel {
	return number(about{"Availability", "Share of the requests in the time shown that succeeded, where what the target was too busy to take counts as failed.", units.PercentUnit},
		ratio(sum("", shown(metric.Requests, succeeded)),
			sum("", shown(metric.Requests, `outcome=~"success|error"`))+" + "+sum("", shown(metric.ArrivalsDropped, tooBusy))), over(o.Availability)).Decimals(3)
}

const tooBusy = `reason="max_in_flight"`

// latencyBudget is how much of what may be slow was slow, of the class that
// did worst: 1 is the objective.
func latencyBudget(o alerts.Objectives) panel {
	var spent []string
	for _, l := range latencies(o) {
		share := within(l.limit(), "$__range", l.series, l.matchers...)
		spent = append(spent, called("threshold", fmt.Sprint(l.limit()), called("class", l.Class, fmt.Sprintf("(1 - (%s)) / (1 - %v)", share, l.Ratio))))
	}
	if spent == nil {
		spent = []string{"vector(0)"} // nothing is promised
	}
	return number(about{"Latency budget", "Slow answers in the time shown as a share of those that the objective allows, of the class that does worst.", units.PercentUnit},
		highest("", either(spent...)), under(1))
}

func answered(o alerts.Objectives) panel {
	return number(about{"Answered", "Share of the arrivals that are answered, without those that the tester dropped by its own fault.", units.PercentUnit},
		ratio(sum("", rate(metric.Requests)),
			sum("", rate(metric.Arrivals))+" - "+sum("", rate(metric.ArrivalsDropped, `reason!="max_in_flight"`))), over(o.AchievedRate)).Decimals(1)
}

func asked() panel {
	return number(about{"Asked rate", "Requests a second that the chosen replicas are to make.", units.RequestsPerSecond},
		sum("", own(metric.TargetRPS)), neutral())
}

func bottleneck() panel {
	return number(about{"Nearest to its limit", "The component that is nearest to the value at which it counts as saturated, and how near.", units.PercentUnit},
		"topk(1, "+saturation(awsNow)+")", under(1)).TextMode(common.BigValueTextModeValueAndName)
}

func oldestData() panel {
	age := func(limit float64, matcher string) string {
		return fmt.Sprintf("%s / %v", own(metric.CloudWatchDataAge, matcher), limit)
	}
	return number(about{"AWS data", "Age of the newest data of a component as a share of what its alert allows, of the component whose data is oldest.", units.PercentUnit},
		highest("", either(age(alerts.S3DataAgeSeconds, `component="s3"`), age(alerts.DataAgeSeconds, `component!="s3"`))), under(1)).NoValue("not polled")
}

func costNow() panel {
	return number(about{"Cost an hour", "What the deployment costs in an hour at the present load.", units.Dollars},
		sum("", awsNow(metric.CostPerHour)), neutral()).Decimals(2)
}

func budgetUsed() panel {
	return number(about{"Budget", "Cost as a share of the budget of the configuration.", units.PercentUnit},
		ratio(sum("", awsNow(metric.CostPerHour)), highest("", awsNow(metric.CostBudget))+" > 0"), under(alerts.BudgetUsed)).NoValue("none")
}

// saturation is how near each component is to where it counts as saturated, as
// a share; read is how AWS is read.
func saturation(read func(metric.Definition, ...string) string) string {
	near := func(component, use string, limit float64) string {
		return called("component", component, fmt.Sprintf("(%s) / %v", use, limit))
	}
	small := redisSmall(read)
	return either(
		near("pods: CPU", highest("", either(podCPUOfLimit, read(metric.EKSWorkloadCPULimit, ofWorkload, `stat="max"`))), podCPU),
		near("dynamodb: throttles", dynamoThrottled(read), alerts.DynamoDBThrottled),
		near("s3: 5xx", highest("", read(metric.S3ErrorRatio, `class="5xx"`)), alerts.S3Failed),
		near("redis: engine CPU", highest("", read(metric.RedisEngineCPU, `stat="avg"`)), alerts.RedisEngineCPU),
		near("redis: host CPU", highest("", small), alerts.RedisHostCPU),
		near("redis: memory", highest("", read(metric.RedisMemory, `stat="avg"`)), alerts.RedisMemory),
		near("tester: stalls", stalled("$__rate_interval"), alerts.StallDropShare),
	)
}

func nearness() panel {
	return line(awsGraph(about{"How near components are to their limits", "Use of each component as a share of the value at which it counts as saturated; which passes the line first is the bottleneck.", units.PercentUnit},
		query{saturation(aws), "{{component}}"}), under(1))
}

func costByComponent() panel {
	return bars(awsGraph(about{"Cost an hour by component", "What the deployment costs in an hour at the present load, at list prices.", units.Dollars},
		query{sum("component, kind", aws(metric.CostPerHour)), "{{component}}, {{kind}}"}))
}

func costPerMillion() panel {
	return bars(awsGraph(about{"Cost of a million requests", "What a million of the tester's requests cost at the present load, at list prices.", units.Dollars},
		query{sum("component, kind", aws(metric.CostPerMillion)), "{{component}}, {{kind}}"}))
}

func dataAges() panel {
	return line(graph(about{"Age of AWS data by component", "Time since the end of the newest settled period that was answered completely, with the limit of all but S3 as the line.", units.Seconds},
		query{highest("component", own(metric.CloudWatchDataAge)), "{{component}}"}), under(alerts.DataAgeSeconds))
}

func sources() panel {
	return graph(about{"AWS sources", "Whether AWS offers the source of data, and lets it be read: 1 or 0.", units.Short},
		query{highest("component, source", own(metric.CloudWatchSource)), "{{component}}: {{source}}"}).Max(1)
}

func pollCost() panel {
	return graph(about{"Cost of the polls", "What the polls of CloudWatch cost in an hour, and how far they are held back, from 0 (not) to 4 (paused).", units.Dollars},
		query{sum("", rate(metric.CloudWatchCost)) + " * 3600", "an hour"},
		query{highest("", own(metric.CloudWatchDegraded, `reason="cost"`)), "held back for their cost"})
}

func pollErrors() panel {
	return bars(graph(about{"Failed calls of AWS", "Calls of AWS that failed after all their attempts.", units.RequestsPerSecond},
		query{sum("api, code", rate(metric.CloudWatchErrors)), "{{api}}: {{code}}"}))
}

func costShared() panel {
	return graph(about{"Shared components", "Whether others make so much of a component's work that its cost a million requests is not the tester's alone: 1 or 0.", units.Short},
		query{highest("component", aws(metric.CostShared)), "{{component}}"}).Max(1)
}

func priceAge() panel {
	return graph(about{"Age of the prices", "Time since prices were last read from AWS, or since the date of the built-in ones.", units.DurationSeconds},
		query{highest("", aws(metric.CostPriceAge)), "age"})
}
