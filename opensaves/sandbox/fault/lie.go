package fault

import "opensaves-soak/exporter/metric"

// Lie is a wrong answer, named as the violation that it must cause.
type Lie uint8

// The lies.
const (
	None            Lie = iota
	Corrupt             // a read with one character or byte changed
	PhantomWrite        // a write that is applied and answered as refused
	LostWrite           // an acknowledged write that is not applied
	Resurrected         // an acknowledged delete that is not applied
	Stale               // a read of the version before, from the cache where there is one
	NonMonotonic        // a read of the version before, past the cache
	QueryMismatch       // a record that does not match
	QueryShape          // a record twice
	QueryMissing        // a record that queries leave out, as long as the fault is on
	LostUpdate          // a write that ignores what another one did
	AtomicTotal         // a sum that is one off
	DoubleApplied       // an old value that was answered before
	NotLinearizable     // a swap or a wrapping step that is not applied, or should not have been

	lies = int(NotLinearizable) + 1
)

type operations []metric.Operation

var queries = operations{metric.QueryByOwner, metric.QueryByGame, metric.QueryByTag, metric.QueryByProperty, metric.ListRecords}

// lieTable tells which requests can be answered with a lie.
var lieTable = [lies]struct {
	name string
	on   operations
}{
	None:            {"", nil},
	Corrupt:         {"corrupt", operations{metric.GetRecord, metric.GetBlob, metric.GetBlobChunk}},
	PhantomWrite:    {"phantom_write", operations{metric.UpdateRecord, metric.SetMetadata}},
	LostWrite:       {"lost_write", operations{metric.CreateRecord, metric.UpdateRecord, metric.CreateBlob, metric.SetMetadata}},
	Resurrected:     {"resurrected", operations{metric.DeleteRecord, metric.DeleteBlob, metric.DeleteMetadata}},
	Stale:           {"stale", operations{metric.GetRecord}},
	NonMonotonic:    {"non_monotonic", operations{metric.GetRecord, metric.GetRecords}},
	QueryMismatch:   {"query_mismatch", queries},
	QueryShape:      {"query_shape", queries},
	QueryMissing:    {"query_missing", nil}, // not drawn for a request: see Plan.Missing
	LostUpdate:      {"lost_update", operations{metric.UpdateRecord, metric.CreateBlob}},
	AtomicTotal:     {"atomic_total", operations{metric.AtomicAdd, metric.AtomicSub}},
	DoubleApplied:   {"double_applied", operations{metric.AtomicAdd, metric.AtomicSub}},
	NotLinearizable: {"not_linearizable", operations{metric.CompareAndSwap, metric.CompareAndSwapGreater, metric.CompareAndSwapLess, metric.AtomicInc, metric.AtomicDec}},
}

// String returns the violation's name.
func (l Lie) String() string { return lieTable[l].name }

func parseLie(name string) Lie {
	for i := range lieTable {
		if name != "" && lieTable[i].name == name {
			return Lie(i)
		}
	}
	return None
}
