package cost

import (
	"math"

	"opensaves-soak/exporter/metric"
)

const (
	indexed    = 3       // a record is written to the table and to two indexes that hold all of it
	pageItems  = 20      // records that a query returns, at the most that the tester asks for
	fewItems   = 2       // records that an owner has in a store, or that a small batch holds
	partBytes  = 5 << 20 // of a multipart upload
	multipart  = 2       // calls that begin and end it
	batchItems = 8       // records that get_records asks for
	itemFrame  = 470     // bytes of a record's item beside its content: keys, owner, game, tags, names of blobs, as the tester fills them
)

// units is what one operation consumes: reads and writes of small items, reads
// and writes whose size is the record's, and calls to S3.
type units struct {
	reads, writes           float64
	recordReads, recordPuts float64
	page                    float64 // records that are read as one
	puts, gets              float64
}

// consumption is read off the AWS port's handlers: a record create looks up the
// store twice, puts the record, and reads and writes a counter; an update and each
// change of a blob read the record and write it back to table and indexes.
var consumption = [metric.Operations]units{
	metric.CreateStore:    {reads: 1, writes: 2},
	metric.GetStore:       {reads: 1},
	metric.ListStores:     {reads: 1},
	metric.DeleteStore:    {reads: 1, writes: 2},
	metric.CreateRecord:   {reads: 3, writes: 1, recordPuts: indexed},
	metric.GetRecord:      {recordReads: 1},
	metric.UpdateRecord:   {recordReads: 1, recordPuts: indexed},
	metric.DeleteRecord:   {reads: 1, writes: 1, recordPuts: indexed},
	metric.GetRecords:     {recordReads: batchItems},
	metric.QueryByOwner:   {reads: 1, page: fewItems},
	metric.QueryByTag:     {reads: 1, page: pageItems},
	metric.QueryByGame:    {reads: 1, page: pageItems},
	metric.ListRecords:    {reads: 1, page: pageItems},
	metric.SetMetadata:    {recordPuts: 1},
	metric.GetMetadata:    {recordReads: 1},
	metric.DeleteMetadata: {recordPuts: 1},
	metric.CreateBlob:     {recordReads: 1, recordPuts: indexed, puts: 1},
	metric.GetBlob:        {recordReads: 1, gets: 2},
	metric.DeleteBlob:     {recordReads: 1, recordPuts: indexed},
	metric.ListBlobs:      {recordReads: 1},

	metric.QueryByProperty:       {reads: 1, page: pageItems},
	metric.CreateChunkedBlob:     {recordReads: 1, writes: 1},
	metric.UploadChunk:           {reads: 1, writes: 1, puts: 1},
	metric.CommitChunkedUpload:   {reads: 1, writes: 1, recordPuts: indexed},
	metric.AbortChunkedUpload:    {reads: 1, writes: 1},
	metric.GetBlobChunk:          {recordReads: 1, reads: 1, gets: 1},
	metric.CreateChunkURLs:       {recordReads: 1, reads: 1},
	metric.CompareAndSwap:        {recordReads: 1, recordPuts: indexed},
	metric.CompareAndSwapGreater: {recordReads: 1, recordPuts: indexed},
	metric.CompareAndSwapLess:    {recordReads: 1, recordPuts: indexed},
	metric.AtomicAdd:             {recordReads: 1, recordPuts: indexed},
	metric.AtomicSub:             {recordReads: 1, recordPuts: indexed},
	metric.AtomicInc:             {recordReads: 1, recordPuts: indexed},
	metric.AtomicDec:             {recordReads: 1, recordPuts: indexed},
}

// Operation is what one operation costs in USD at the prices in force, with records
// and a blob of so many bytes of content. An eventually consistent read is half a unit for each
// 4 KiB, a write a unit for each KiB
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html).
func (p *Prices) Operation(op metric.Operation, recordBytes, blobBytes int64) float64 {
	u, usd := consumption[op], p.now.Load().rates
	recordBytes += itemFrame
	read := 0.5 * math.Max(1, math.Ceil(float64(recordBytes)/4096))
	page := 0.5 * math.Ceil(u.page*float64(recordBytes)/4096)
	write := math.Max(1, math.Ceil(float64(recordBytes)/1024))
	puts := u.puts
	if blobBytes > partBytes {
		puts *= multipart + math.Ceil(float64(blobBytes)/partBytes)
	}
	return usd.readUnit*(0.5*u.reads+read*u.recordReads+page) + usd.writeUnit*(u.writes+write*u.recordPuts) + usd.tier1*puts + usd.tier2*u.gets
}
