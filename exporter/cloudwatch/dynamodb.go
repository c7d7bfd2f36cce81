package cloudwatch

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"opensaves-soak/exporter/metric"
)

// operations are the calls that Open Saves makes of its tables, by their role.
var operations = map[string][]string{
	"stores":   {"PutItem", "GetItem", "DeleteItem", "Scan"},
	"records":  {"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "BatchWriteItem"},
	"metadata": {"PutItem", "GetItem", "DeleteItem", "Query"},
}

// What DynamoDB publishes
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html).
// It publishes most metrics only when they are not zero.
var (
	capacityRows = []row{
		consumed("ConsumedReadCapacityUnits", metric.DynamoDBReadUnits, metric.DynamoDBReadUnitsTotal),
		consumed("ConsumedWriteCapacityUnits", metric.DynamoDBWriteUnits, metric.DynamoDBWriteUnitsTotal),
		counts("ReadThrottleEvents", metric.DynamoDBThrottleEvents, "read"),
		counts("WriteThrottleEvents", metric.DynamoDBThrottleEvents, "write"),
	}
	reasonRows = []row{
		reason("ReadProvisionedThroughputThrottleEvents", "read", "provisioned"),
		reason("ReadKeyRangeThroughputThrottleEvents", "read", "key_range"),
		reason("ReadAccountLimitThrottleEvents", "read", "account"),
		reason("ReadMaxOnDemandThroughputThrottleEvents", "read", "max_on_demand"),
		reason("WriteProvisionedThroughputThrottleEvents", "write", "provisioned"),
		reason("WriteKeyRangeThroughputThrottleEvents", "write", "key_range"),
		reason("WriteAccountLimitThrottleEvents", "write", "account"),
		reason("WriteMaxOnDemandThroughputThrottleEvents", "write", "max_on_demand"),
	}
	provisionedRows = []row{
		provisioned("ProvisionedReadCapacityUnits", metric.DynamoDBProvisionedRead),
		provisioned("ProvisionedWriteCapacityUnits", metric.DynamoDBProvisionedWrite),
	}
	operationRows = []row{
		level("SuccessfulRequestLatency", metric.DynamoDBLatency, milliseconds, "p50", "p90", "p99", average),
		{name: "SuccessfulRequestLatency", into: metric.DynamoDBSuccessful, stats: []string{sampleCount}, unit: plain, rate: true, empty: zero},
		counts("ThrottledRequests", metric.DynamoDBThrottledRequests),
		counts("SystemErrors", metric.DynamoDBSystemErrors),
	}
	returnedRows = []row{counts("ReturnedItemCount", metric.DynamoDBReturnedItems)}
	tableRows    = []row{counts("ConditionalCheckFailedRequests", metric.DynamoDBConditionFailures)}
	accountRows  = []row{counts("UserErrors", metric.DynamoDBUserErrors)}
)

func consumed(name string, into, total metric.Definition) row {
	r := counts(name, into)
	r.total = total
	return r
}

func reason(name, access, why string) row {
	r := counts(name, metric.DynamoDBThrottleReasons, access, why)
	r.detail = reasons
	return r
}

func provisioned(name string, into metric.Definition) row {
	r := level(name, into, plain, average)
	r.empty, r.period = hold, fiveMinute
	return r
}

const dynamoNamespace = "AWS/DynamoDB"

// tables is what is known of DynamoDB.
type tables struct {
	Options
	described map[string]*types.TableDescription // by role
	at        map[string]time.Time               // of each
}

func newDynamoDB(o Options) source {
	t := &tables{Options: o, described: map[string]*types.TableDescription{}, at: map[string]time.Time{}}
	return source{metric.DynamoDB, time.Duration(o.Config.Delay), t.discover}
}

func (t *tables) discover(ctx context.Context, tell looks) plan {
	p := plan{sources: map[string]bool{}}
	region := t.Connect.Region
	p.queries = target{dynamoNamespace, nil, []string{region}}.queries(accountRows)
	offered := true
	for _, role := range slices.Sorted(maps.Keys(t.Config.DynamoDB.Tables)) {
		name := t.Config.DynamoDB.Tables[role]
		out, err := t.Calls.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		tell("describe_table:"+role, err)
		if offered = offered && err == nil; err == nil {
			t.described[role], t.at[role] = out.Table, time.Now()
		}
		t.plan(&p, role, name)
	}
	p.sources["describe_table"] = offered
	return p
}

// plan adds a table.
func (t *tables) plan(p *plan, role, name string) {
	labels := []string{t.Connect.Region, name, role}
	dims := []dimension{{"TableName", name}}
	add := func(rows []row, extra []dimension, more ...string) {
		p.queries = append(p.queries, target{dynamoNamespace, slices.Concat(dims, extra), slices.Concat(labels, more)}.queries(rows)...)
	}
	add(tableRows, nil)
	for _, op := range operations[role] {
		add(operationRows, []dimension{{"Operation", op}}, op)
		if op == "Query" || op == "Scan" {
			add(returnedRows, []dimension{{"Operation", op}}, op)
		}
	}
	described := t.described[role]
	own := provisionedMode(described)
	for _, index := range append([]string{""}, t.Config.DynamoDB.Indexes[role]...) {
		var extra []dimension
		if index != "" {
			extra = []dimension{{"GlobalSecondaryIndexName", index}}
		}
		add(capacityRows, extra, index)
		if t.Config.DynamoDB.ThrottleReasons {
			add(reasonRows, extra, index)
		}
		if own {
			add(provisionedRows, extra, index)
		}
		bill := table{name: name, index: index, provisioned: own, bytes: math.NaN()}
		if size, items, ok := sizeOf(described, index); ok {
			bill.bytes, bill.otherClass = size, tableClass(described) != string(types.TableClassStandard)
			bill.read, bill.write = capacityOf(described, index)
			p.facts = append(p.facts, fact{metric.DynamoDBTableSize, append(slices.Clone(labels), index), size, t.at[role]},
				fact{metric.DynamoDBTableItems, append(slices.Clone(labels), index), items, t.at[role]})
		}
		p.billed.tables = append(p.billed.tables, bill)
	}
	if described != nil {
		p.facts = append(p.facts, fact{metric.DynamoDBTableInfo, append(labels, billingMode(described), tableClass(described)), 1, t.at[role]})
	}
}

func provisionedMode(d *types.TableDescription) bool {
	return d != nil && billingMode(d) == string(types.BillingModeProvisioned)
}

// billingMode is how a table is paid for. One that never was on demand does not say.
func billingMode(d *types.TableDescription) string {
	if d.BillingModeSummary == nil {
		return string(types.BillingModeProvisioned)
	}
	return string(d.BillingModeSummary.BillingMode)
}

func tableClass(d *types.TableDescription) string {
	if d.TableClassSummary == nil {
		return string(types.TableClassStandard)
	}
	return string(d.TableClassSummary.TableClass)
}

// sizeOf returns the bytes and items of a table, or of one of its indexes.
func sizeOf(d *types.TableDescription, index string) (size, items float64, ok bool) {
	if d == nil {
		return 0, 0, false
	}
	if index == "" {
		return float64(aws.ToInt64(d.TableSizeBytes)), float64(aws.ToInt64(d.ItemCount)), true
	}
	for i := range d.GlobalSecondaryIndexes {
		if g := &d.GlobalSecondaryIndexes[i]; aws.ToString(g.IndexName) == index {
			return float64(aws.ToInt64(g.IndexSizeBytes)), float64(aws.ToInt64(g.ItemCount)), true
		}
	}
	return 0, 0, false
}

// capacityOf returns what is provisioned of a table, or of one of its indexes.
func capacityOf(d *types.TableDescription, index string) (read, write float64) {
	provisioned := d.ProvisionedThroughput
	for i := range d.GlobalSecondaryIndexes {
		if g := &d.GlobalSecondaryIndexes[i]; aws.ToString(g.IndexName) == index {
			provisioned = g.ProvisionedThroughput
		}
	}
	if provisioned == nil {
		return 0, 0
	}
	return float64(aws.ToInt64(provisioned.ReadCapacityUnits)), float64(aws.ToInt64(provisioned.WriteCapacityUnits))
}
