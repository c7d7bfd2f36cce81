package fault

import (
	"slices"

	"opensaves-soak/exporter/metric"
)

// Lie is a wrong answer. It is named as the violation that it must cause, or
// more finely where there are several ways to it.
type Lie uint8

// The lies.
const (
	None             Lie = iota
	Corrupt              // a read with one character or byte changed
	PhantomWrite         // a write that is applied and answered as refused
	LostWrite            // an acknowledged write that is not applied
	Resurrected          // an acknowledged delete that is not applied
	Stale                // a read of the version before, from the cache where there is one
	NonMonotonic         // a read of the version before, past the cache
	QueryMismatch        // a record that does not match
	QueryShape           // a record twice
	QueryMissing         // a record that queries leave out, as long as the fault is on
	LostUpdate           // a write that ignores what another one did
	AtomicTotal          // a sum that is one off
	DoubleApplied        // an old value that was answered before
	NotLinearizable      // a swap or a wrapping step that is not applied, or should not have been
	Torn                 // corrupt: a read of a record that mixes two versions
	EarlyAck             // an acknowledged write that is applied only later: nothing is seen of it meanwhile
	StaleCache           // stale: a write that leaves the version before in the cache
	LostIncrement        // atomic_total: an acknowledged sum that is not applied
	DoubledIncrement     // atomic_total: a sum that is applied twice
	SwapMismatch         // not_linearizable: a swap that is applied although the old value is another
	Expired              // lost_write: a created record that vanishes long after, as if its time had run out
	IndexRot             // query_missing: a record that queries leave out once nothing has changed it for long
	QueryOrder           // query_shape: two neighbouring records that change places
	QueryGap             // query_missing: one record more skipped than the offset says
	Threshold            // corrupt: a blob without its last byte, if it is one byte too long for the record itself

	lies = int(Threshold) + 1
)

type operations []metric.Operation

var (
	queries = operations{metric.QueryByOwner, metric.QueryByGame, metric.QueryByTag, metric.QueryByProperty, metric.ListRecords}
	sums    = operations{metric.AtomicAdd, metric.AtomicSub}
	swaps   = operations{metric.CompareAndSwap, metric.CompareAndSwapGreater, metric.CompareAndSwapLess}
	steps   = operations{metric.AtomicInc, metric.AtomicDec}
	offsets = operations{metric.QueryByOwner, metric.QueryByTag, metric.QueryByProperty}
	reads   = operations{metric.GetRecord, metric.GetRecords}
	shows   = operations{metric.GetBlob, metric.GetBlobChunk, metric.GetMetadata, metric.GetStore, metric.ListStores}
	changes = operations{metric.CreateRecord, metric.UpdateRecord, metric.SetMetadata, metric.CreateBlob, metric.CommitChunkedUpload}
	deletes = operations{metric.DeleteRecord, metric.DeleteBlob, metric.DeleteMetadata, metric.DeleteStore}

	// What changes a record that is there.
	rewrites = operations{metric.UpdateRecord, metric.CreateBlob, metric.CommitChunkedUpload, metric.DeleteBlob, metric.DeleteRecord}
)

// lieTable tells which requests can be answered with a lie.
var lieTable = [lies]struct {
	name string
	on   operations
}{
	None:             {"", nil},
	Corrupt:          {"corrupt", slices.Concat(reads, shows, queries)},
	PhantomWrite:     {"phantom_write", changes},
	LostWrite:        {"lost_write", append(operations{metric.CreateStore, metric.UploadChunk}, changes...)},
	Resurrected:      {"resurrected", deletes},
	Stale:            {"stale", append(operations{metric.GetMetadata}, reads...)},
	NonMonotonic:     {"non_monotonic", append(operations{metric.GetMetadata}, reads...)},
	QueryMismatch:    {"query_mismatch", queries},
	QueryShape:       {"query_shape", queries},
	QueryMissing:     {"query_missing", nil}, // not drawn for a request: see Plan.Missing
	LostUpdate:       {"lost_update", operations{metric.UpdateRecord, metric.CreateBlob, metric.CommitChunkedUpload}},
	AtomicTotal:      {"atomic_total", sums},
	DoubleApplied:    {"double_applied", sums},
	NotLinearizable:  {"not_linearizable", slices.Concat(swaps, steps)},
	Torn:             {"torn", reads},
	EarlyAck:         {"early_ack", slices.Concat(operations{metric.CreateStore}, changes, deletes)},
	StaleCache:       {"stale_cache", slices.Concat(rewrites, sums, swaps, steps)},
	LostIncrement:    {"lost_increment", sums},
	DoubledIncrement: {"doubled_increment", sums},
	SwapMismatch:     {"swap_mismatch", operations{metric.CompareAndSwap}},
	Expired:          {"expired", operations{metric.CreateRecord}},
	IndexRot:         {"index_rot", nil}, // not drawn for a request: see Plan.Missing
	QueryOrder:       {"query_order", queries},
	QueryGap:         {"query_gap", offsets},
	Threshold:        {"threshold", operations{metric.CreateBlob}},
}

// String returns the lie's name.
func (l Lie) String() string { return lieTable[l].name }

// needsPrevious says whether the lie is told with the version before.
func (l Lie) needsPrevious() bool {
	return l == Stale || l == NonMonotonic || l == Torn || l == LostUpdate
}

func parseLie(name string) Lie {
	for i := range lieTable {
		if name != "" && lieTable[i].name == name {
			return Lie(i)
		}
	}
	return None
}
