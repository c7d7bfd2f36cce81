package metric

// Operation is one call of the Open Saves API; its name is the value of the
// label "operation".
type Operation uint8

// The operations of both APIs.
const (
	Ping Operation = iota
	CreateStore
	GetStore
	ListStores
	DeleteStore
	CreateRecord
	GetRecord
	UpdateRecord
	DeleteRecord
	GetRecords
	QueryByOwner
	QueryByTag
	QueryByProperty
	QueryByGame
	ListRecords
	SetMetadata
	GetMetadata
	DeleteMetadata
	CreateBlob
	GetBlob
	DeleteBlob
	ListBlobs
	CreateChunkedBlob
	UploadChunk
	CommitChunkedUpload
	AbortChunkedUpload
	GetBlobChunk
	CreateChunkURLs
	CompareAndSwap
	CompareAndSwapGreater
	CompareAndSwapLess
	AtomicAdd
	AtomicSub
	AtomicInc
	AtomicDec

	// Operations is how many operations there are.
	Operations = int(AtomicDec) + 1
)

// Class groups operations that share an objective; the value of the label "class".
type Class uint8

// The classes. A blob is large when it is over LargeBlob bytes.
const (
	Read Class = iota
	Write
	SmallBlob
	LargeBlob

	// Classes is how many classes there are.
	Classes = int(LargeBlob) + 1
)

// SmallBlobLimit is the size in bytes up to which a blob is of class small_blob.
const SmallBlobLimit = 1 << 20

var classNames = [Classes]string{"read", "write", "small_blob", "large_blob"}

// String returns the label value, for example "read".
func (c Class) String() string { return classNames[c] }

// Protocol is a language that Open Saves speaks.
type Protocol uint8

// The protocols.
const (
	HTTP Protocol = iota
	GRPC
)

// String returns "http" or "grpc", as the configuration file writes them.
func (p Protocol) String() string {
	if p == GRPC {
		return "grpc"
	}
	return "http"
}

type kind uint8

const (
	reads kind = iota
	writes
	blobs    // transfers: class by size
	sessions // what goes with blobs and transfers nothing
)

type wires uint8

const (
	onHTTP wires = 1 << HTTP
	onGRPC wires = 1 << GRPC
	onBoth       = onHTTP | onGRPC
)

var operations = [Operations]struct {
	name  string
	kind  kind
	wires wires
}{
	Ping:                  {"ping", reads, onBoth},
	CreateStore:           {"create_store", writes, onBoth},
	GetStore:              {"get_store", reads, onBoth},
	ListStores:            {"list_stores", reads, onBoth},
	DeleteStore:           {"delete_store", writes, onBoth},
	CreateRecord:          {"create_record", writes, onBoth},
	GetRecord:             {"get_record", reads, onBoth},
	UpdateRecord:          {"update_record", writes, onBoth},
	DeleteRecord:          {"delete_record", writes, onBoth},
	GetRecords:            {"get_records", reads, onGRPC},
	QueryByOwner:          {"query_by_owner", reads, onBoth},
	QueryByTag:            {"query_by_tag", reads, onGRPC},
	QueryByProperty:       {"query_by_property", reads, onGRPC},
	QueryByGame:           {"query_by_game", reads, onHTTP},
	ListRecords:           {"list_records", reads, onHTTP},
	SetMetadata:           {"set_metadata", writes, onHTTP},
	GetMetadata:           {"get_metadata", reads, onHTTP},
	DeleteMetadata:        {"delete_metadata", writes, onHTTP},
	CreateBlob:            {"create_blob", blobs, onBoth},
	GetBlob:               {"get_blob", blobs, onBoth},
	DeleteBlob:            {"delete_blob", writes, onBoth},
	ListBlobs:             {"list_blobs", reads, onHTTP},
	CreateChunkedBlob:     {"create_chunked_blob", sessions, onGRPC},
	UploadChunk:           {"upload_chunk", blobs, onGRPC},
	CommitChunkedUpload:   {"commit_chunked_upload", sessions, onGRPC},
	AbortChunkedUpload:    {"abort_chunked_upload", sessions, onGRPC},
	GetBlobChunk:          {"get_blob_chunk", blobs, onGRPC},
	CreateChunkURLs:       {"create_chunk_urls", sessions, onGRPC},
	CompareAndSwap:        {"compare_and_swap", writes, onGRPC},
	CompareAndSwapGreater: {"compare_and_swap_greater", writes, onGRPC},
	CompareAndSwapLess:    {"compare_and_swap_less", writes, onGRPC},
	AtomicAdd:             {"atomic_add", writes, onGRPC},
	AtomicSub:             {"atomic_sub", writes, onGRPC},
	AtomicInc:             {"atomic_inc", writes, onGRPC},
	AtomicDec:             {"atomic_dec", writes, onGRPC},
}

// String returns the label value, for example "get_record".
func (o Operation) String() string { return operations[o].name }

// Class returns the operation's class; size is the blob's in bytes, and is
// looked at only where Transfers.
func (o Operation) Class(size int64) Class {
	switch operations[o].kind {
	case reads:
		return Read
	case writes:
		return Write
	case sessions:
		return SmallBlob
	}
	if size > SmallBlobLimit {
		return LargeBlob
	}
	return SmallBlob
}

// OfBlob says whether the operation is about a blob of some size.
func (o Operation) OfBlob() bool { return operations[o].kind >= blobs }

// Transfers says whether the operation carries the bytes of a blob.
func (o Operation) Transfers() bool { return operations[o].kind == blobs }

// On says whether the protocol has the operation.
func (o Operation) On(p Protocol) bool { return operations[o].wires&(1<<p) != 0 }

// ParseOperation returns the operation of a name, and whether there is one.
func ParseOperation(name string) (Operation, bool) {
	for i := range operations {
		if operations[i].name == name {
			return Operation(i), true
		}
	}
	return 0, false
}
