package sandbox

import (
	"errors"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

// usage is how a request is metered. The zero value meters nothing, as for what
// only a fault does and the server would not.
type usage struct {
	meter *aws.Meter
	slow  fault.Component // that the request waited for
	wait  time.Duration
}

// waited is the part of a component's latency that the request waited for it.
func (u usage) waited(c fault.Component) time.Duration {
	if u.slow&c == 0 {
		return 0
	}
	return u.wait
}

// pass notes that a saturated component served the request after a while.
func (u *usage) pass(slow fault.Component, service, wait time.Duration) {
	u.slow, u.wait = slow, wait
	switch slow {
	case fault.Redis:
		u.meter.OccupyRedis(service)
	case fault.Pods:
		u.meter.OccupyPods(service)
	}
}

func (u usage) call(t aws.Role, op aws.Operation) aws.Call {
	return aws.Call{Table: t, Operation: op, Wait: u.waited(fault.DynamoDB)}
}

// got meters that an item was read by its key; without bytes there was none.
func (u usage) got(t aws.Role, bytes int) {
	u.meter.Call(u.call(t, aws.GetItem))
	u.meter.Read(t, aws.Base, bytes)
}

// found meters a page of a query or a scan.
func (u usage) found(t aws.Role, op aws.Operation, v aws.View, page aws.Amount) {
	call := u.call(t, op)
	u.meter.Call(call)
	u.meter.Return(call, int(page.Items))
	u.meter.Read(t, v, int(page.Bytes))
}

// wrote meters that an item of stores or metadata was written. DynamoDB takes
// units for the larger one of what was there and what is.
func (u usage) wrote(t aws.Role, op aws.Operation, old, next int) {
	u.meter.Call(u.call(t, op))
	u.meter.Write(t, aws.Base, max(old, next))
}

// rewrote meters that a record was written by a call of its own; nil is none.
func (u usage) rewrote(op aws.Operation, old, next *record) {
	u.meter.Call(u.call(aws.Records, op))
	u.replaced(old, next)
}

// replaced meters the units of a write of a record, to the table and to the
// indexes: one that moves in an index is deleted there, and put.
func (u usage) replaced(old, next *record) {
	if u.meter == nil {
		return
	}
	before, after := old.size(), next.size()
	u.meter.Write(aws.Records, aws.Base, max(before, after))
	was, is := attributesOf(old), attributesOf(next)
	u.reindexed(aws.OwnerIDIndex, was.owner, is.owner, before, after)
	u.reindexed(aws.GameIDIndex, was.game, is.game, before, after)
}

func (u usage) reindexed(v aws.View, was, is string, before, after int) {
	if was == is && was != "" {
		u.meter.Write(aws.Records, v, max(before, after))
		return
	}
	if was != "" {
		u.meter.Write(aws.Records, v, before)
	}
	if is != "" {
		u.meter.Write(aws.Records, v, after)
	}
}

// clashed meters that an item was not put because there is one already, which
// takes units all the same.
func (u usage) clashed(t aws.Role, bytes int) {
	u.meter.FailCondition(t)
	u.meter.Write(t, aws.Base, bytes)
}

// edited meters what the server asks of the table of records for an edit, by
// what came of it.
func (u usage) edited(old, next *record, err error) {
	switch {
	case errors.Is(err, errNoStore): // known before
	case errors.Is(err, errExists):
		u.clashed(aws.Records, next.size())
	case err == nil && old == nil && next != nil:
		u.rewrote(aws.PutItem, nil, next)
	case err == nil && next == nil:
		u.rewrote(aws.DeleteItem, old, nil)
	default:
		u.got(aws.Records, old.size())
		if err == nil && next != old {
			u.rewrote(aws.UpdateItem, old, next)
		}
	}
}

// batchItems is how many items DynamoDB writes in a batch.
const batchItems = 25

// emptied meters that a store's records were deleted that a query had found.
func (u usage) emptied(records []*record) {
	u.found(aws.Records, aws.Query, aws.Base, amountOf(records))
	for i, r := range records {
		if i%batchItems == 0 {
			u.meter.Call(u.call(aws.Records, aws.BatchWriteItem))
		}
		u.replaced(r, nil)
	}
}

// refusable are the calls to the database that may be throttled, in turn; others
// begin by reading the record.
var refusable = [metric.Operations][]aws.Call{
	metric.CreateStore:     {{Table: aws.Stores, Operation: aws.PutItem}},
	metric.GetStore:        {{Table: aws.Stores, Operation: aws.GetItem}},
	metric.ListStores:      {{Table: aws.Stores, Operation: aws.Scan}},
	metric.DeleteStore:     {{Table: aws.Stores, Operation: aws.DeleteItem}},
	metric.CreateRecord:    {{Table: aws.Stores, Operation: aws.GetItem}, {Table: aws.Records, Operation: aws.PutItem}},
	metric.UpdateRecord:    {{Table: aws.Records, Operation: aws.GetItem}, {Table: aws.Records, Operation: aws.UpdateItem}},
	metric.DeleteRecord:    {{Table: aws.Records, Operation: aws.DeleteItem}},
	metric.ListRecords:     {{Table: aws.Stores, Operation: aws.GetItem}, {Table: aws.Records, Operation: aws.Query}},
	metric.QueryByOwner:    {{Table: aws.Stores, Operation: aws.GetItem}, {Table: aws.Records, Operation: aws.Query}},
	metric.QueryByGame:     {{Table: aws.Stores, Operation: aws.GetItem}, {Table: aws.Records, Operation: aws.Query}},
	metric.QueryByTag:      {{Table: aws.Records, Operation: aws.Query}},
	metric.QueryByProperty: {{Table: aws.Records, Operation: aws.Query}},
	metric.SetMetadata:     {{Table: aws.Metadata, Operation: aws.PutItem}},
	metric.GetMetadata:     {{Table: aws.Metadata, Operation: aws.GetItem}},
	metric.DeleteMetadata:  {{Table: aws.Metadata, Operation: aws.DeleteItem}},
}

// throttle meters that the nth call from the last was throttled, 1 for the last:
// gRPC's requests are answered alike whichever it was.
func (u usage) throttle(op metric.Operation, fromEnd int) {
	call := aws.Call{Table: aws.Records, Operation: aws.GetItem}
	if calls := refusable[op]; fromEnd <= len(calls) {
		call = calls[len(calls)-fromEnd]
	}
	u.meter.Throttle(call)
}
