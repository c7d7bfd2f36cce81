package ledger

// Kind is how an answer is wrong; the names stand in the label "kind".
type Kind uint8

// The kinds of violation, a closed set.
const (
	NoKind          Kind = iota
	Corrupt              // content that was never written, or of two versions
	PhantomWrite         // a version that was never sent, or was refused
	LostWrite            // an acknowledged write is gone
	Resurrected          // what was deleted is back
	Stale                // the cache shows an old version for longer than it may
	NonMonotonic         // an older version than an earlier read showed, where reads must be consistent
	QueryMismatch        // an answer to a query holds what does not match
	QueryShape           // an answer twice, out of order, or over the limit
	QueryMissing         // an answer to a query lacks what matches
	LostUpdate           // a write undid another one
	AtomicTotal          // a counter is not the sum of what was added
	DoubleApplied        // an atomic operation took effect twice
	NotLinearizable      // no order of atomic operations explains their answers

	// Kinds is how many kinds there are, NoKind included.
	Kinds = int(NotLinearizable) + 1
)

// String returns the label value, for example "phantom_write".
func (k Kind) String() string {
	return [Kinds]string{
		"none", "corrupt", "phantom_write", "lost_write", "resurrected", "stale", "non_monotonic", "query_mismatch",
		"query_shape", "query_missing", "lost_update", "atomic_total", "double_applied", "not_linearizable",
	}[k]
}
