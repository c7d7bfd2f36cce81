package aws

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Role is what a table of Open Saves holds.
type Role uint8

// The tables.
const (
	Stores Role = iota
	Records
	Metadata

	roles = iota
)

// View is where a table's items are read and written: in the table itself or in
// one of the indexes of the records, which hold whole items.
type View uint8

// The views.
const (
	Base View = iota
	OwnerIDIndex
	GameIDIndex

	views = iota
)

// Operation is an operation of DynamoDB.
type Operation uint8

// The operations that Open Saves uses.
const (
	GetItem Operation = iota
	Query
	Scan
	PutItem
	UpdateItem
	DeleteItem
	BatchWriteItem

	operations = iota
)

func (o Operation) reads() bool { return o <= Scan }

// The types of requests to S3.
const (
	s3Get = iota
	s3Put
	s3Delete
	s3Head
	s3Post

	s3Requests
)

// Meter is what requests have consumed since the start. It is safe for
// concurrent use; the zero value has seen nothing, and a nil Meter sees nothing.
type Meter struct {
	tables     [roles]tableUsage
	userErrors atomic.Int64
	redis      redisUsage
	s3         s3Usage
	pods       podUsage
}

type tableUsage struct {
	readHalves     [views]atomic.Int64 // halves of read units
	writeUnits     [views]atomic.Int64
	calls          [operations]latency // that succeeded
	throttled      [operations]atomic.Int64
	returned       [operations]atomic.Int64 // items
	conditionFails atomic.Int64
}

type redisUsage struct {
	hits, misses, sets atomic.Int64
	bytesIn, bytesOut  atomic.Int64
	busy               atomic.Int64 // nanoseconds that a saturated node served
}

type s3Usage struct {
	requests           [s3Requests]latency
	bytesUp, bytesDown atomic.Int64
	clientErrors       atomic.Int64 // requests that were answered with a status of 4xx
	versions           atomic.Int64 // of objects, and marks that one was deleted
}

type podUsage struct {
	requests          atomic.Int64
	bytesIn, bytesOut atomic.Int64
	busy              atomic.Int64 // nanoseconds that saturated pods served
	restarts          atomic.Int64
}

// latency tells how long calls waited for a component: how many and how long
// together, those that did not wait first, then by powers of two of milliseconds.
type latency struct {
	calls, nanoseconds [16]atomic.Int64
}

func (l *latency) add(wait time.Duration) {
	if wait <= 0 {
		l.calls[0].Add(1)
		return
	}
	i := min(1+bits.Len64(uint64(wait.Milliseconds())), len(l.calls)-1)
	l.calls[i].Add(1)
	l.nanoseconds[i].Add(int64(wait))
}

// Call is a call of DynamoDB.
type Call struct {
	Table     Role
	Operation Operation
	Wait      time.Duration // for DynamoDB when it is saturated, a part of the latency
}

// Call counts a call that succeeded.
func (m *Meter) Call(c Call) {
	if m != nil {
		m.tables[c.Table].calls[c.Operation].add(c.Wait)
	}
}

// Return counts the items that a query or a scan returned.
func (m *Meter) Return(c Call, items int) {
	if m != nil {
		m.tables[c.Table].returned[c.Operation].Add(int64(items))
	}
}

// Throttle counts a call that was refused.
func (m *Meter) Throttle(c Call) {
	if m != nil {
		m.tables[c.Table].throttled[c.Operation].Add(1)
	}
}

// Sizes in bytes of what a unit reads, and writes.
const (
	readBlock  = 4096
	writeBlock = 1024
)

// Read takes the units of an eventually consistent read: half of one for each
// started 4 KiB, and for nothing, too.
func (m *Meter) Read(t Role, v View, bytes int) {
	if m != nil {
		m.tables[t].readHalves[v].Add(blocks(bytes, readBlock))
	}
}

// Write takes the units of a write: one for each started KiB, and for nothing, too.
func (m *Meter) Write(t Role, v View, bytes int) {
	if m != nil {
		m.tables[t].writeUnits[v].Add(blocks(bytes, writeBlock))
	}
}

func blocks(bytes, size int) int64 { return int64(max(1, (bytes+size-1)/size)) }

// FailCondition counts a write whose condition did not hold.
func (m *Meter) FailCondition(t Role) {
	if m != nil {
		m.tables[t].conditionFails.Add(1)
	}
}

// FailUser counts a call that DynamoDB refused as wrong.
func (m *Meter) FailUser() {
	if m != nil {
		m.userErrors.Add(1)
	}
}
