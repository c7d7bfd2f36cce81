// Package opensaves is the service under test, behind one contract: a Call
// goes in, an Answer comes out, and an error carries a code. The rooms grpc and
// rest speak it on the wire; which of them serves is the operator's choice.
package opensaves

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"opensaves-soak/exporter/metric"
)

// Client is what both wires offer. Do fills answer, which must not be in use
// by another call, and returns nil, or an *Error. Everything in answer is
// valid until answer is used again; timings and sizes are filled after an error
// too, as far as the call came.
type Client interface {
	Do(ctx context.Context, call *Call, answer *Answer) error
	Close() error
}

// Call is one request. Which fields count depends on Op:
//
//	create_store                           Store, StoreName, Owner, Tags
//	get_store, delete_store                Store
//	list_stores                            StoreName (gRPC)
//	create_record, update_record           Record (whole, Record.Store and Record.Key included), Hint;
//	                                       gRPC update: Record.Signature guards it when not empty
//	get_record, delete_record              Store, Key, Hint
//	get_records                            Keys
//	query_…, list_records                  Store, Query
//	…_metadata                             Store (the type), Key (the id); set: Record.Properties
//	create_blob                            Store, Key, Blob (REST), Content, Hint
//	get_blob, delete_blob, list_blobs      Store, Key, Blob (REST), Sink (get), Hint
//	create_chunked_blob                    Store, Key, ChunkSize, Chunk (the announced count)
//	upload_chunk                           Session, Chunk, Content
//	commit…, abort_chunked_upload          Session
//	get_blob_chunk                         Store, Key, Chunk, Sink, Hint
//	create_chunk_urls                      Store, Key
//	compare_and_swap                       Store, Key, Property (name and new value), Old
//	compare_and_swap_greater/less, add/sub Store, Key, Property (name, Int)
//	atomic_inc, atomic_dec                 Store, Key, Property (name), Low, High
type Call struct {
	Op        metric.Operation
	Store     string
	Key       string
	Blob      string
	StoreName string
	Owner     string
	Tags      []string
	Record    *Record
	Keys      []Key
	Query     Query
	Hint      Hint
	Content   Content
	Sink      io.Writer
	Session   string
	Chunk     int64
	ChunkSize int64
	Property  Property
	Old       Value
	Low, High int64
	Header    Header
}

// Header is one that a call carries beside those of the target, as an HTTP header
// or gRPC metadata; no name: none. Its value is no secret.
type Header struct{ Name, Value string }

// Key addresses a record.
type Key struct{ Store, Key string }

// Hint tells the server how to use its cache; gRPC only.
type Hint struct{ SkipCache, DoNotCache bool }

// Content is the body of an upload. Pieces share memory with other uploads
// and must not be changed.
type Content interface {
	// Size is the length in bytes.
	Size() int64
	// Piece returns at least one and at most limit bytes from offset, which is below Size.
	Piece(offset int64, limit int) []byte
}

// Query asks for records. Zero fields do not restrict.
type Query struct {
	Owner  string
	Game   string   // REST
	Tags   []string // gRPC, all of them
	Filter Filter   // gRPC
	Limit  int
	Offset int  // gRPC
	Sort   Sort // gRPC
}

// Filter restricts a query to records by one property.
type Filter struct {
	Operator Operator
	Property Property // no name: no filter
}

// Operator compares a property with a filter's value; the numbers are those
// of the wire.
type Operator uint8

// The operators.
const (
	Equal Operator = iota
	Greater
	Less
	GreaterOrEqual
	LessOrEqual
)

// Sort orders a query by a property; an empty name leaves the order open.
type Sort struct {
	Property   string
	Descending bool
}

// Kind is the type of a property's value; the numbers are those of the wire.
type Kind uint8

// The kinds.
const (
	Undefined Kind = iota
	Integer
	String
	Boolean
)

// Value is a property's value: the field that Kind names counts.
type Value struct {
	Kind Kind
	Int  int64
	Str  string
	Bool bool
}

// Property is a named value of a record or of metadata.
type Property struct {
	Name string
	Value
}

// Record is a saved game as both wires carry it. On REST, Opaque travels as
// the property "opaque", owner and game as properties too, where the backend
// looks for them, and in answers they come from there.
type Record struct {
	Store, Key string
	Owner      string
	Game       string // REST; on gRPC a property "game_id", as on REST
	Tags       []string
	Properties []Property // in no order; without opaque, owner_id and game_id
	Opaque     string

	// In answers only, but for Signature.
	Signature  []byte // gRPC: 16 bytes
	BlobSize   int64  // gRPC
	Chunked    bool   // gRPC
	ChunkCount int64  // gRPC
	Blobs      []string
}

// Store is a store as an answer shows it.
type Store struct {
	Key, Name, Owner string
	Tags             []string
}

// Answer is what came back. It is made to be used again and again: Reset keeps
// its memory.
type Answer struct {
	Record   Record // get, create and update on gRPC; get on REST; metadata: Properties
	Records  []Record
	Statuses []metric.Code // get_records: one for each of the call's keys
	Stores   []Store
	Blobs    []string // list_blobs
	Session  string
	URLs     []string
	Updated  bool  // compare_and_swap…
	Old      Value // atomics: the value before
	Size     int64 // get_blob, get_blob_chunk: bytes handed to Sink
	Chunked  bool

	ConnectionWait time.Duration // until a connection could take the request
	FirstByte      time.Time     // of the body, on reads of blobs
	Answered       time.Time     // last byte came, or the call was given up
	Responded      bool          // the target answered, whatever it said; gRPC cannot tell for Unavailable, and says no
	Sent, Received int64         // payload bytes on the wire
	Attempts       int           // times the request was written to a connection
	Resent         []time.Time   // when it was written again, which makes the call fail with ErrResent at the least
	Connection     string        // which one, as local and remote address; empty where the call never got one
	Wire           Wire

	Buffer []byte // the wire's own, kept between calls
}

// Wire is how a call looked on the wire, whose words those of a trace are.
type Wire struct {
	Method string // HTTP's, or gRPC's with its service: /package.Service/Method
	Route  string // REST: the path, with what differs between calls in braces
	Target string // REST, of a call with a Header: path and query
	Status int    // REST: of the answer; 0: none came
}

// Reset empties the answer and keeps its memory.
func (a *Answer) Reset() {
	*a = Answer{
		Record:   Record{Tags: a.Record.Tags[:0], Properties: a.Record.Properties[:0], Blobs: a.Record.Blobs[:0]},
		Records:  a.Records[:0],
		Statuses: a.Statuses[:0],
		Stores:   a.Stores[:0],
		Blobs:    a.Blobs[:0],
		URLs:     a.URLs[:0],
		Buffer:   a.Buffer[:0],
	}
}

// ErrResent is the cause of an Error where the transport sent the request again by
// itself, and got an answer that is none otherwise.
var ErrResent = errors.New("the transport sent the request again by itself")

// Error is a call that did not succeed.
type Error struct {
	Op   metric.Operation
	Code metric.Code
	Text string // what the server or the transport said, cut at 200 bytes
	Err  error  // the cause, where there is one
}

// Error says which operation ended how.
func (e *Error) Error() string { return fmt.Sprintf("calling %s: %s: %s", e.Op, e.Code, e.Text) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of what Do returned.
func CodeOf(err error) metric.Code {
	if err == nil {
		return metric.OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return metric.Unknown
}

// Options are what a wire needs beside the target's configuration.
type Options struct {
	// MaxInFlight tells how many calls may be in flight at once; connections are bounded by it. It may grow.
	MaxInFlight func() int
	// OnAttempt is told of every request written to a connection, retries by the transport included.
	OnAttempt func(metric.Operation)
	// Dial connects to host:port; nil: over TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}
