package metric

// What the poller says of itself.
var (
	CloudWatchUp = poller("up", "gauge",
		"Whether the last poll of the component was fully answered.", "component")
	CloudWatchRequests = poller("api_requests_total", "counter",
		"Calls of AWS.", "api")
	CloudWatchErrors = poller("api_errors_total", "counter",
		"Calls of AWS that failed after all their attempts, by the code of the error.", "api", "code")
	CloudWatchDuration = Definition{
		Name: "opensaves_cloudwatch_api_duration_seconds", Type: "histogram", Labels: []string{"api"},
		Help: "Time that a call of AWS took, retries included.", Buckets: LatencyBuckets,
	}
	CloudWatchRetries = poller("api_retries_total", "counter",
		"Attempts of calls of AWS after the first.", "api")
	CloudWatchBilled = poller("billed_metrics_total", "counter",
		"Metrics that GetMetricData was asked for, as AWS bills them.", "component")
	CloudWatchCost = poller("estimated_cost_usd_total", "counter",
		"What GetMetricData cost, in USD at the price in force.")
	CloudWatchLastSuccess = poller("last_success_timestamp_seconds", "gauge",
		"Unix time of the last poll of the component that was fully answered.", "component")
	CloudWatchPollDuration = poller("poll_duration_seconds", "gauge",
		"Time that the last poll of the component took.", "component")
	CloudWatchDataAge = poller("data_age_seconds", "gauge",
		"Time since the end of the newest settled period for which the component was answered completely.", "component")
	CloudWatchPublishDelay = Definition{
		Name: "opensaves_cloudwatch_publish_delay_seconds", Type: "histogram", Labels: []string{"component"},
		Help:    "Time from the end of a period to the first poll that saw its value, which is never before the configured delay.",
		Buckets: []float64{30, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1800},
	}
	CloudWatchRevised = poller("revised_points_total", "counter",
		"Values that CloudWatch changed after they had been read.", "component")
	CloudWatchSkipped = poller("polls_skipped_total", "counter",
		"Polls that did not take place, because the one before still ran or the cost ceiling was reached.", "component")
	CloudWatchResults = poller("results_total", "counter",
		"Statistics that GetMetricData answered, by their status.", "status")
	CloudWatchSeries = poller("series", "gauge",
		"Statistics that are asked for, by the state of their data.", "component", "state")
	CloudWatchSource = poller("source_enabled", "gauge",
		"Whether AWS offers the source of data, and lets it be read.", "component", "source")
	CloudWatchDegraded = poller("degraded", "gauge",
		"How far the polls are held back: by cost from 0 (not) to 4 (paused), by throttling 0 or 1.", "reason")
)

func poller(name, kind, help string, labels ...string) Definition {
	return Definition{Name: "opensaves_cloudwatch_" + name, Type: kind, Labels: labels, Help: help}
}
