package cost

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// Own is what the tester itself did.
type Own struct {
	Requests float64                    // arrivals that have ended, in whatever way
	Attempts [metric.Operations]float64 // requests that were sent, background ones too
}

// minus returns what happened between two counts.
func (o Own) minus(before Own) Own {
	o.Requests -= before.Requests
	for op := range o.Attempts {
		o.Attempts[op] -= before.Attempts[op]
	}
	return o
}

// callsOf are the calls of DynamoDB that an operation makes, as the AWS port's handlers
// make them: a record create, for example, looks its store up twice, puts the record,
// and reads and writes the store's counter. A store that is deleted has no records
// by then. Of operations that the port lacks, those are counted whose units are in
// consumption.
var callsOf = [metric.Operations]float64{
	metric.CreateStore:    3,
	metric.GetStore:       1,
	metric.ListStores:     1,
	metric.DeleteStore:    3,
	metric.CreateRecord:   5,
	metric.GetRecord:      1,
	metric.UpdateRecord:   2,
	metric.DeleteRecord:   3,
	metric.GetRecords:     batchItems,
	metric.QueryByOwner:   2,
	metric.QueryByTag:     2,
	metric.QueryByGame:    2,
	metric.ListRecords:    2,
	metric.SetMetadata:    1,
	metric.GetMetadata:    1,
	metric.DeleteMetadata: 1,
	metric.CreateBlob:     2,
	metric.GetBlob:        1,
	metric.DeleteBlob:     2,
	metric.ListBlobs:      1,

	metric.QueryByProperty:       2,
	metric.CreateChunkedBlob:     2,
	metric.UploadChunk:           2,
	metric.CommitChunkedUpload:   3,
	metric.AbortChunkedUpload:    2,
	metric.GetBlobChunk:          2,
	metric.CreateChunkURLs:       2,
	metric.CompareAndSwap:        2,
	metric.CompareAndSwapGreater: 2,
	metric.CompareAndSwapLess:    2,
	metric.AtomicAdd:             2,
	metric.AtomicSub:             2,
	metric.AtomicInc:             2,
	metric.AtomicDec:             2,
}

// calls is how many calls of DynamoDB the attempts make at the most: a cache or a
// refusal takes some away.
func (o Own) calls() (sum float64) {
	for op, attempts := range o.Attempts {
		sum += attempts * callsOf[op]
	}
	return sum
}

// requests are the calls of S3 that the attempts make where all succeed and every
// upload is one part.
func (o Own) requests() (r Requests) {
	for op, attempts := range o.Attempts {
		r.Tier1 += attempts * consumption[op].puts
		r.Tier2 += attempts * consumption[op].gets
	}
	return r
}

// remembered is how long counts are kept.
const remembered = 30 * time.Minute

// count is what the tester had done by the beginning of a minute.
type count struct {
	at  time.Time
	own Own
}

// history are counts, the newest last. It never changes.
type history []count

// with returns the history with one more count, and without those that are too old.
func (h history) with(c count) history {
	kept := history{}
	for _, old := range h {
		if old.at.Before(c.at) && c.at.Sub(old.at) <= remembered {
			kept = append(kept, old)
		}
	}
	return append(kept, c)
}

// between returns what happened between two beginnings of minutes; nil: that is
// not remembered.
func (h history) between(start, end time.Time) *Own {
	from, to := h.at(start), h.at(end)
	if from == nil || to == nil {
		return nil
	}
	own := to.minus(*from)
	return &own
}

func (h history) at(t time.Time) *Own {
	for i := range h {
		if h[i].at.Equal(t) {
			return &h[i].own
		}
	}
	return nil
}
