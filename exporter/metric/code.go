package metric

// Code is the result of a request as gRPC names it, whatever the wire. The
// numbers are those of google.golang.org/grpc/codes; see
// https://grpc.io/docs/guides/status-codes/.
type Code uint8

// The codes of gRPC, in its numbering.
const (
	OK Code = iota
	Canceled
	Unknown
	InvalidArgument
	DeadlineExceeded
	NotFound
	AlreadyExists
	PermissionDenied
	ResourceExhausted
	FailedPrecondition
	Aborted
	OutOfRange
	Unimplemented
	Internal
	Unavailable
	DataLoss
	Unauthenticated

	// Codes is how many codes there are.
	Codes = int(Unauthenticated) + 1
)

var codeNames = [Codes]string{
	"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound",
	"AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted",
	"OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated",
}

// String returns the name as gRPC writes it: "OK", "NotFound". A number that
// gRPC does not know is "Unknown".
func (c Code) String() string {
	if int(c) >= Codes {
		return codeNames[Unknown]
	}
	return codeNames[c]
}

// ParseCode returns the code of a name, and whether there is one.
func ParseCode(name string) (Code, bool) {
	for i, n := range codeNames {
		if n == name {
			return Code(i), true
		}
	}
	return Unknown, false
}
