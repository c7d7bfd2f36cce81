package metric

// Outcome is how a request of an arrival ended; the value of the label "outcome".
type Outcome uint8

// The outcomes. Aborted is contention between writers, which is nobody's fault.
const (
	Success Outcome = iota
	AbortedOutcome
	Failure

	// Outcomes is how many outcomes there are.
	Outcomes = int(Failure) + 1
)

// String returns the label value, for example "success".
func (o Outcome) String() string { return [Outcomes]string{"success", "aborted", "error"}[o] }

// DropReason is why an arrival was never sent; the value of the label "reason".
type DropReason uint8

// The reasons. Only the first is the target's fault.
const (
	MaxInFlight DropReason = iota
	Stall
	Shutdown

	// DropReasons is how many reasons there are.
	DropReasons = int(Shutdown) + 1
)

// String returns the label value, for example "stall".
func (r DropReason) String() string {
	return [DropReasons]string{"max_in_flight", "stall", "shutdown"}[r]
}

// Purpose is what a request that no arrival made was for; the value of the label "purpose".
type Purpose uint8

// The purposes.
const (
	Setup Purpose = iota
	Verify
	Sweep
	Cleanup
	Heartbeat

	// Purposes is how many purposes there are.
	Purposes = int(Heartbeat) + 1
)

// String returns the label value, for example "setup".
func (p Purpose) String() string {
	return [Purposes]string{"setup", "verify", "sweep", "cleanup", "heartbeat"}[p]
}

// Check is what the oracle looked at; the value of the label "check".
type Check uint8

// The checks.
const (
	CheckStore Check = iota
	CheckRecord
	CheckMetadata
	CheckBlob
	CheckChunk
	CheckQuery
	CheckList
	CheckAtomic

	// ChecksCount is how many checks there are.
	ChecksCount = int(CheckAtomic) + 1
)

// String returns the label value, for example "record".
func (c Check) String() string {
	return [ChecksCount]string{"store", "record", "metadata", "blob", "chunk", "query", "list", "atomic"}[c]
}

// Result is the oracle's verdict on one answer; the value of the label "result".
type Result uint8

// The results.
const (
	Right Result = iota
	Unjudged
	Suspect
	Violation

	// Results is how many results there are.
	Results = int(Violation) + 1
)

// String returns the label value, for example "ok".
func (r Result) String() string {
	return [Results]string{"ok", "unjudged", "suspect", "violation"}[r]
}

// BlobSize is a bound on a blob's size; the value of the label "size".
type BlobSize uint8

// The bounds.
const (
	Upto64KiB BlobSize = iota
	Upto1MiB
	Upto10MiB
	Larger

	// BlobSizes is how many bounds there are.
	BlobSizes = int(Larger) + 1
)

// String returns the label value, for example "64KiB".
func (s BlobSize) String() string { return [BlobSizes]string{"64KiB", "1MiB", "10MiB", "larger"}[s] }

// BlobSizeOf returns the smallest bound that holds a blob of size bytes.
func BlobSizeOf(size int64) BlobSize {
	switch {
	case size <= 64<<10:
		return Upto64KiB
	case size <= 1<<20:
		return Upto1MiB
	case size <= 10<<20:
		return Upto10MiB
	}
	return Larger
}
