package aws

var (
	tableNames = [roles]string{"open-saves-stores", "open-saves-records", "open-saves-metadata"}
	indexNames = [views]string{"", "OwnerIDIndex", "GameIDIndex"}

	operationNames = [operations]string{"GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}
)

// usualTimes are what DynamoDB takes for a small item, or for a page.
var usualTimes = [operations]milliseconds{
	GetItem: 2.5, Query: 5, Scan: 9, PutItem: 4.5, UpdateItem: 5, DeleteItem: 4.5, BatchWriteItem: 12,
}

// dynamoDB publishes what AWS/DynamoDB has: nothing of what did not happen.
func (i *interval) dynamoDB() {
	for role, table := range tableNames {
		of := family{"AWS/DynamoDB", map[string]string{"TableName": table}}
		used := &i.meter.tables[role]
		for view, index := range indexNames {
			to := of
			if index != "" {
				to.dimensions = map[string]string{"TableName": table, "GlobalSecondaryIndexName": index}
			}
			i.total(to, "ConsumedReadCapacityUnits", i.grown(&used.readHalves[view])/2)
			i.total(to, "ConsumedWriteCapacityUnits", i.grown(&used.writeUnits[view]))
		}
		i.events(of, "ConditionalCheckFailedRequests", i.grown(&used.conditionFails))
		i.calls(table, used)
	}
	i.events(family{"AWS/DynamoDB", nil}, "UserErrors", i.grown(&i.meter.userErrors))
}

// calls publishes what there is of each operation on a table, and how often it
// was throttled: on demand it is a partition that cannot take more.
func (i *interval) calls(table string, used *tableUsage) {
	var reads, writes float64
	for op, name := range operationNames {
		to := family{"AWS/DynamoDB", map[string]string{"TableName": table, "Operation": name}}
		waits, _ := i.waited(&used.calls[op])
		i.put(to, "SuccessfulRequestLatency", observed(waits, usualTimes[op])...)
		i.total(to, "ReturnedItemCount", i.grown(&used.returned[op]))
		throttled := i.grown(&used.throttled[op])
		i.events(to, "ThrottledRequests", throttled)
		if Operation(op).reads() {
			reads += throttled
		} else {
			writes += throttled
		}
	}
	of := family{"AWS/DynamoDB", map[string]string{"TableName": table}}
	i.events(of, "ReadThrottleEvents", reads)
	i.events(of, "ReadKeyRangeThroughputThrottleEvents", reads)
	i.events(of, "WriteThrottleEvents", writes)
	i.events(of, "WriteKeyRangeThroughputThrottleEvents", writes)
}
