package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// aws is about what is known of AWS, and what it costs.
func (b builder) aws() Group {
	age := func(matcher string, limit float64) string {
		return over("max", b.series(metric.CloudWatchDataAge.Name, matcher), "component") + " > " + number(limit)
	}
	s3 := `"` + metric.S3.String() + `"`
	return b.group("aws", nil,
		alert{
			name: "OpenSavesSoakAWSDataOld", severity: Warning, board: BoardOverview,
			expr:        age("component!="+s3, DataAgeSeconds) + "\nor " + age("component="+s3, S3DataAgeSeconds) + "\nor " + b.neverAnswered(),
			summary:     "What is known of {{ $labels.component }} is old.",
			description: "The newest data that CloudWatch gave of {{ $labels.component }} are {{ $value | humanizeDuration }} old.",
		},
		alert{
			name: "OpenSavesSoakAWSCeilingReached", severity: Warning, board: BoardOverview,
			expr:        b.gauge(metric.CloudWatchDegraded, `reason="cost"`) + " >= " + number(CeilingPaused),
			summary:     "CloudWatch is not asked any more, because that would cost too much.",
			description: "The polls have reached cloudwatch.max_usd_per_hour and pause until the hour has room (level {{ $value }}).",
		},
		alert{
			name: "OpenSavesSoakCostOverBudget", severity: Warning, board: BoardOverview, wait: 30 * time.Minute,
			expr: sum(b.lately(metric.CostPerHour)) + "\n/ (" + over("max", b.lately(metric.CostBudget)) + " > 0)\n> " +
				number(BudgetUsed),
			summary:     "The deployment costs more than its budget.",
			description: "The deployment costs {{ $value | humanizePercentage }} of cost.budget_usd_per_hour.",
		})
}

// neverAnswered is about components that have no age, because AWS has told nothing
// of them since the tester began; the value is the least that it can be.
func (b builder) neverAnswered() string {
	up := "max_over_time(" + b.series(metric.CloudWatchUp.Name) + "[" + b.over(DataAgeSeconds*time.Second) + "])"
	return number(DataAgeSeconds) + " + (" + over("max", up, "component") + " == 0 and " +
		over("max", b.series(metric.CloudWatchUp.Name)+" offset "+b.over(DataAgeSeconds*time.Second), "component") + " == 0\n" +
		"unless " + over("max", b.series(metric.CloudWatchDataAge.Name), "component") + ")"
}
