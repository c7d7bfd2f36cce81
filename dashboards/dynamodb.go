package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// dynamoDB shows the target's tables.
func dynamoDB() design {
	return design{
		name: "dynamodb", uid: alerts.BoardDynamoDB, title: "DynamoDB",
		description: "What the tables of Open Saves consume, refuse and take, beside what the tester sees.",
		sections: []section{
			numbers(
				throttledShare(), readUnitsNow(), writeUnitsNow(), dynamoLatencyNow(), dynamoErrorsNow(), tableSizeNow(),
			),
			{columns: 4, height: 4, panels: []panel{tableItemsNow(), p99Now(), ageOf(metric.DynamoDB, alerts.DataAgeSeconds), costOf(metric.DynamoDB)}},
			graphs("", testerRate(), testerLatency(), readUnits(), writeUnits(), throttleEvents(), throttledRequests(),
				dynamoLatency(), dynamoLatencyByOperation(), dynamoRequests(), tableSize()),
			details("Capacity and throttling", unitsOfRequest(), unitsOfCapacity(), throttleReasons(), tableInfo()),
			details("Errors and items", dynamoErrors(), conditionFailures(), returnedItems(), tableItems()),
			details("Cost", costsOf(metric.DynamoDB), costsOfMillion(metric.DynamoDB)),
		},
	}
}

// dynamoThrottled is the share of requests that met a limit, of the table where
// it is highest, as the alert has it: events count items, of which a request may
// have many.
func dynamoThrottled(read func(metric.Definition, ...string) string) string {
	return highest("", ratio(sum("table", read(metric.DynamoDBThrottleEvents)),
		sum("table", read(metric.DynamoDBSuccessful))+" + "+sum("table", read(metric.DynamoDBThrottledRequests))+" > 0"))
}

func throttledShare() panel {
	return number(about{"Throttled", "Throttled reads and writes of items as a share of the requests, of the table where it is highest.", units.PercentUnit},
		dynamoThrottled(awsNow), under(alerts.DynamoDBThrottled)).Decimals(2)
}

func readUnitsNow() panel {
	return number(about{"Read units", "Read capacity units a second that tables and indexes consume.", units.CountsPerSecond},
		sum("", awsNow(metric.DynamoDBReadUnits)), neutral())
}

func writeUnitsNow() panel {
	return number(about{"Write units", "Write capacity units a second that tables and indexes consume.", units.CountsPerSecond},
		sum("", awsNow(metric.DynamoDBWriteUnits)), neutral())
}

func dynamoLatencyNow() panel {
	return number(about{"Latency p99", "Time that DynamoDB took for a successful request, of the slowest kind of request.", units.Seconds},
		highest("", awsNow(metric.DynamoDBLatency, `stat="p99"`)), neutral())
}

func dynamoErrorsNow() panel {
	return number(about{"System errors", "Requests a second that failed on the side of DynamoDB.", units.RequestsPerSecond},
		sum("", awsNow(metric.DynamoDBSystemErrors)), neutral())
}

func tableSizeNow() panel {
	return number(about{"Table size", "Bytes that the tables hold, without indexes, which AWS brings up to date about every six hours.", units.BytesSI},
		sum("", awsNow(metric.DynamoDBTableSize, `index=""`)), neutral())
}

func tableItemsNow() panel {
	return number(about{"Items", "Items that the tables hold, which AWS brings up to date about every six hours.", units.Short},
		sum("", awsNow(metric.DynamoDBTableItems, `index=""`)), neutral())
}

func readUnits() panel {
	return bars(awsGraph(about{"Consumed read units", "Read capacity units a second that a table or index consumes.", units.CountsPerSecond},
		query{sum("role, index", aws(metric.DynamoDBReadUnits)), "{{role}} {{index}}"}))
}

func writeUnits() panel {
	return bars(awsGraph(about{"Consumed write units", "Write capacity units a second that a table or index consumes.", units.CountsPerSecond},
		query{sum("role, index", aws(metric.DynamoDBWriteUnits)), "{{role}} {{index}}"}))
}

func throttleEvents() panel {
	return bars(awsGraph(about{"Throttle events", "Reads or writes of items that a table or index throttled.", units.EventsPerSecond},
		query{sum("role, index, access", aws(metric.DynamoDBThrottleEvents)), "{{role}} {{index}} {{access}}"}))
}

func throttledRequests() panel {
	return bars(awsGraph(about{"Throttled requests", "Requests to a table that were throttled; batches count only where every item was.", units.RequestsPerSecond},
		query{sum("role, operation", aws(metric.DynamoDBThrottledRequests)), "{{role}} {{operation}}"}))
}

func dynamoLatency() panel {
	return awsGraph(about{"Latency", "Time that DynamoDB took for a successful request, without network and retries, of the slowest kind of request.", units.Seconds},
		awsPercentiles("", "", metric.DynamoDBLatency)...)
}

func dynamoLatencyByOperation() panel {
	return awsGraph(about{"Latency by operation p99", "Time that DynamoDB took for a successful request, by table and kind of request.", units.Seconds},
		query{highest("role, operation", aws(metric.DynamoDBLatency, `stat="p99"`)), "{{role}} {{operation}}"})
}

func dynamoRequests() panel {
	return bars(awsGraph(about{"Successful requests", "Requests to a table that succeeded.", units.RequestsPerSecond},
		query{sum("role, operation", aws(metric.DynamoDBSuccessful)), "{{role}} {{operation}}"}))
}

func tableSize() panel {
	return awsGraph(about{"Table size by table", "Bytes that a table or index holds, which AWS brings up to date about every six hours.", units.BytesSI},
		query{sum("role, index", aws(metric.DynamoDBTableSize)), "{{role}} {{index}}"})
}

func unitsOfRequest() panel {
	answered := sum("", "rate("+own(metric.Requests)+"[5m])")
	return awsGraph(about{"Units of a request", "Capacity units that a request of the tester consumes, retries and others' requests included.", units.Short},
		query{ratio(sum("", aws(metric.DynamoDBReadUnits)), answered), "read"},
		query{ratio(sum("", aws(metric.DynamoDBWriteUnits)), answered), "write"})
}

func unitsOfCapacity() panel {
	share := func(consumed, provisioned metric.Definition) string {
		return ratio(sum("role, index", aws(consumed)), sum("role, index", aws(provisioned)))
	}
	return awsGraph(about{"Use of provisioned capacity", "Consumed units as a share of the provisioned ones; nothing for tables on demand.", units.PercentUnit},
		query{share(metric.DynamoDBReadUnits, metric.DynamoDBProvisionedRead), "{{role}} {{index}} read"},
		query{share(metric.DynamoDBWriteUnits, metric.DynamoDBProvisionedWrite), "{{role}} {{index}} write"})
}

func throttleReasons() panel {
	return bars(awsGraph(about{"Throttle events by reason", "Reads or writes of items that a table or index throttled, by the limit that they met.", units.EventsPerSecond},
		query{sum("access, reason", aws(metric.DynamoDBThrottleReasons)), "{{access}}: {{reason}}"}))
}

func tableInfo() panel {
	return awsGraph(about{"Tables by billing", "Tables by the way they are billed.", units.Short},
		query{"count by (billing_mode, table_class) (" + aws(metric.DynamoDBTableInfo) + ")", "{{billing_mode}}, {{table_class}}"})
}

func dynamoErrors() panel {
	return awsGraph(about{"Errors", "Requests that failed on the side of DynamoDB, and those of the whole account and region that it refused as wrong.", units.RequestsPerSecond},
		query{sum("role, operation", aws(metric.DynamoDBSystemErrors)), "{{role}} {{operation}}: system"},
		query{highest("", aws(metric.DynamoDBUserErrors)), "the account's: user"})
}

func conditionFailures() panel {
	return awsGraph(about{"Failed conditions", "Conditional writes whose condition did not hold.", units.RequestsPerSecond},
		query{sum("role", aws(metric.DynamoDBConditionFailures)), "{{role}}"})
}

func returnedItems() panel {
	return awsGraph(about{"Returned items", "Items that queries and scans of a table returned.", units.CountsPerSecond},
		query{sum("role, operation", aws(metric.DynamoDBReturnedItems)), "{{role}} {{operation}}"})
}

func tableItems() panel {
	return awsGraph(about{"Items by table", "Items that a table or index holds, which AWS brings up to date about every six hours.", units.Short},
		query{sum("role, index", aws(metric.DynamoDBTableItems)), "{{role}} {{index}}"})
}
