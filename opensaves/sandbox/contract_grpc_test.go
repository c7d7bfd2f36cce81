package sandbox_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"

	"opensaves-soak/opensaves/grpc/api"
)

// grpcCase is one call on prepared data. Calls are written as "Method message |
// message…" and answers as "Code message | message…", in the text format of
// protocol buffers; {s} is a store's key of the case's own, {session} and {sig}
// are what was answered last. Times, signatures, checksums and sessions are left
// out of the comparison; that checksums fit the content is checked everywhere.
type grpcCase struct {
	name  string
	given []string
	ask   string
	want  string
}

const (
	gStore   = `CreateStore store{key:"{s}" name:"n{s}" tags:"t" owner_id:"o"}`
	gRecord  = `CreateRecord store_key:"{s}" record{key:"r" ` + fields + `}`
	fields   = `owner_id:"o{s}" tags:"a" tags:"b" opaque_string:"body" properties{key:"hp" value{type:INTEGER integer_value:7}} properties{key:"up" value{type:BOOLEAN boolean_value:true}}`
	gRecordB = `CreateRecord store_key:"{s}" record{key:"b" owner_id:"o{s}" tags:"b" properties{key:"hp" value{type:INTEGER integer_value:9}} properties{key:"name" value{type:STRING string_value:"x"}}}`
	messageB = `records{key:"b" owner_id:"o{s}" tags:"b" properties{key:"hp" value{type:INTEGER integer_value:9}} properties{key:"name" value{type:STRING string_value:"x"}}} store_keys:"{s}"`
	messageR = `records{key:"r" ` + fields + `} store_keys:"{s}"`
	gBlob    = `CreateBlob metadata{store_key:"{s}" record_key:"r" size:5} | content:"he" | content:"llo"`
	gSession = `CreateChunkedBlob store_key:"{s}" record_key:"r" chunk_size:2 chunk_count:2`
	chunk0   = `UploadChunk metadata{session_id:"{session}" number:0} | content:"ab"`
	chunk1   = `UploadChunk metadata{session_id:"{session}" number:1} | content:"c"`
	commit   = `CommitChunkedUpload session_id:"{session}"`
	noUUID   = `00000000-0000-4000-8000-000000000000`
	atR      = `store_key:"{s}" record_key:"r" `
	inStore  = `store_key:"{s}" `
)

var (
	bigContent  = strings.Repeat("x", 65537)
	bigBlob     = `CreateBlob metadata{store_key:"{s}" record_key:"r" size:65537} | content:"` + bigContent + `"`
	withRecord  = []string{gStore, gRecord}
	withRecords = []string{gStore, gRecord, gRecordB}
	withChunks  = []string{gStore, gRecord, gSession, chunk0, chunk1, commit}
)

var grpcContract = []grpcCase{
	{"Ping echoes", nil, `Ping ping:"x"`, `OK pong:"x"`},

	{"CreateStore answers the store", nil, gStore, `OK key:"{s}" name:"n{s}" tags:"t" owner_id:"o"`},
	{"CreateStore of a known key exists already", []string{gStore}, gStore, `AlreadyExists`},
	{"CreateStore takes an empty key", nil, `CreateStore store{name:"n{s}"}`, `OK name:"n{s}"`},
	{"GetStore answers the store", []string{gStore}, `GetStore key:"{s}"`, `OK key:"{s}" name:"n{s}" tags:"t" owner_id:"o"`},
	{"GetStore of an absent key is not found", nil, `GetStore key:"{s}"`, `NotFound`},
	{"ListStores finds one by its exact name, whatever tags and owner", []string{gStore}, `ListStores name:"n{s}" tags:"no" owner_id:"no"`, `OK stores{key:"{s}" name:"n{s}" tags:"t" owner_id:"o"}`},
	{"ListStores finds no part of a name", []string{gStore}, `ListStores name:"n"`, `NotFound`},
	{"DeleteStore deletes an empty one", []string{gStore}, `DeleteStore key:"{s}"`, `OK `},
	{"DeleteStore of an absent one is fine", nil, `DeleteStore key:"{s}"`, `OK `},
	{"DeleteStore of a full one fails", withRecord, `DeleteStore key:"{s}"`, `FailedPrecondition`},
	{"DeleteStore leaves the cached copy", []string{gStore, `DeleteStore key:"{s}"`}, `GetStore key:"{s}"`, `OK key:"{s}" name:"n{s}" tags:"t" owner_id:"o"`},
	{"DeleteStore removes it from the database", []string{gStore, `DeleteStore key:"{s}"`}, `ListStores name:"n{s}"`, `NotFound`},

	{"CreateRecord answers the record", []string{gStore}, gRecord, `OK key:"r" ` + fields},
	{"CreateRecord of a known key exists already", withRecord, gRecord, `AlreadyExists`},
	{"CreateRecord without a store fails", nil, gRecord, `FailedPrecondition`},
	{"CreateRecord with half a signature is refused", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" signature:"x"}`, `InvalidArgument`},
	{"CreateRecord with too long a body is refused", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" opaque_string:"` + strings.Repeat("x", 1_048_488) + `"}`, `InvalidArgument`},
	{"CreateRecord with the longest body is fine", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" opaque_string:"` + strings.Repeat("x", 1_048_487) + `"}`, `OK key:"r" opaque_string:"` + strings.Repeat("x", 1_048_487) + `"`},
	{"CreateRecord with too long a property fails", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" properties{key:"p" value{type:STRING string_value:"` + strings.Repeat("x", 1600) + `"}}}`, `Unknown`},
	{"CreateRecord takes an expiry that has passed", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" expires_at{seconds:1}}`, `OK key:"r" expires_at{seconds:1}`},
	{"a message above 4 MiB is refused", []string{gStore}, `CreateRecord store_key:"{s}" record{key:"r" opaque_string:"` + strings.Repeat("x", 4<<20) + `"}`, `ResourceExhausted`},

	{"GetRecord answers the record", withRecord, `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" ` + fields},
	{"GetRecord past the cache does so, too", withRecord, `GetRecord store_key:"{s}" key:"r" hint{skip_cache:true}`, `OK key:"r" ` + fields},
	{"GetRecord without caching does so, too", withRecord, `GetRecord store_key:"{s}" key:"r" hint{do_not_cache:true}`, `OK key:"r" ` + fields},
	{"GetRecord of an absent record is not found", []string{gStore}, `GetRecord store_key:"{s}" key:"r"`, `NotFound`},
	{"GetRecord of an absent store is not found", nil, `GetRecord store_key:"{s}" key:"r"`, `NotFound`},
	{"GetRecords answers pairs in turn", withRecord, `GetRecords store_keys:"{s}" store_keys:"{s}" keys:"x" keys:"r"`, `OK results{status{code:5} store_key:"{s}"} results{status{} store_key:"{s}" record{key:"r" ` + fields + `}}`},
	{"GetRecords needs as many stores as keys", nil, `GetRecords store_keys:"{s}"`, `InvalidArgument`},

	{"UpdateRecord replaces what it carries and clears the rest", withRecord, `UpdateRecord store_key:"{s}" record{key:"r" owner_id:"p"}`, `OK key:"r" owner_id:"p"`},
	{"UpdateRecord is read back", append(withRecord[:2:2], `UpdateRecord store_key:"{s}" record{key:"r" tags:"z"}`), `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" tags:"z"`},
	{"UpdateRecord of an absent record is not found", []string{gStore}, `UpdateRecord store_key:"{s}" record{key:"r"}`, `NotFound`},
	{"UpdateRecord with half a signature is refused", withRecord, `UpdateRecord store_key:"{s}" record{key:"r" signature:"x"}`, `InvalidArgument`},
	{"UpdateRecord with the right signature is fine", withRecord, `UpdateRecord store_key:"{s}" record{key:"r" signature:"{sig}"}`, `OK key:"r"`},
	{"UpdateRecord with an old signature fails", append(withRecord[:2:2], `UpdateRecord store_key:"{s}" record{key:"r"}`), `UpdateRecord store_key:"{s}" record{key:"r" signature:"0123456789abcdef"}`, `FailedPrecondition`},
	{"UpdateRecord keeps an expiry", []string{gStore, `CreateRecord store_key:"{s}" record{key:"r" expires_at{seconds:1}}`}, `UpdateRecord store_key:"{s}" record{key:"r"}`, `OK key:"r" expires_at{seconds:1}`},
	{"UpdateRecord keeps the blob", append(withRecord[:2:2], gBlob), `UpdateRecord store_key:"{s}" record{key:"r"}`, `OK key:"r" blob_size:5`},
	{"DeleteRecord deletes", withRecord, `DeleteRecord store_key:"{s}" key:"r"`, `OK `},
	{"DeleteRecord purges the cache", append(withRecord[:2:2], `DeleteRecord store_key:"{s}" key:"r"`), `GetRecord store_key:"{s}" key:"r"`, `NotFound`},
	{"DeleteRecord of an absent record is fine", nil, `DeleteRecord store_key:"{s}" key:"r"`, `OK `},

	{"QueryRecords finds an owner's", withRecords, `QueryRecords ` + inStore + `owner_id:"o{s}"`, `OK ` + messageB + messageR},
	{"QueryRecords finds over all stores", withRecords, `QueryRecords owner_id:"o{s}"`, `OK ` + messageB + messageR},
	{"QueryRecords finds by all tags", withRecords, `QueryRecords ` + inStore + `tags:"b" tags:"a"`, `OK ` + messageR},
	{"QueryRecords finds by any tag", withRecords, `QueryRecords ` + inStore + `tags:"b" tags:"a" tagFilterMode:OR`, `OK ` + messageB + messageR},
	{"QueryRecords filters by equality", withRecords, `QueryRecords ` + inStore + `filters{property_name:"hp" value{type:INTEGER integer_value:9}}`, `OK ` + messageB},
	{"QueryRecords filters by more", withRecords, `QueryRecords ` + inStore + `filters{property_name:"hp" operator:GREATER value{type:INTEGER integer_value:7}}`, `OK ` + messageB},
	{"QueryRecords filters by less", withRecords, `QueryRecords ` + inStore + `filters{property_name:"hp" operator:LESS value{type:INTEGER integer_value:9}}`, `OK ` + messageR},
	{"QueryRecords filters by a range", withRecords, `QueryRecords ` + inStore + `filters{property_name:"hp" operator:GREATER_OR_EQUAL value{type:INTEGER integer_value:7}} filters{property_name:"hp" operator:LESS_OR_EQUAL value{type:INTEGER integer_value:8}}`, `OK ` + messageR},
	{"QueryRecords filters strings", withRecords, `QueryRecords ` + inStore + `filters{property_name:"name" operator:GREATER value{type:STRING string_value:"w"}}`, `OK ` + messageB},
	{"QueryRecords filters booleans", withRecords, `QueryRecords ` + inStore + `filters{property_name:"up" value{type:BOOLEAN boolean_value:true}}`, `OK ` + messageR},
	{"QueryRecords joins all conditions", withRecords, `QueryRecords ` + inStore + `owner_id:"o{s}" tags:"b" filters{property_name:"hp" value{type:INTEGER integer_value:7}}`, `OK ` + messageR},
	{"QueryRecords sorts upwards", withRecords, `QueryRecords ` + inStore + `sort_orders{property:USER_PROPERTY user_property_name:"hp"}`, `OK ` + messageR + messageB},
	{"QueryRecords sorts downwards", withRecords, `QueryRecords ` + inStore + `sort_orders{direction:DESC property:USER_PROPERTY user_property_name:"hp"}`, `OK ` + messageB + messageR},
	{"QueryRecords sorts only what has the property", withRecords, `QueryRecords ` + inStore + `sort_orders{property:USER_PROPERTY user_property_name:"up"}`, `OK ` + messageR},
	{"QueryRecords by a time of creation finds nothing", withRecords, `QueryRecords ` + inStore + `sort_orders{property:CREATED_AT}`, `OK `},
	{"QueryRecords sorted by a property needs its name", nil, `QueryRecords sort_orders{property:USER_PROPERTY}`, `InvalidArgument`},
	{"QueryRecords knows five operators", nil, `QueryRecords filters{property_name:"hp" operator:9 value{type:INTEGER integer_value:7}}`, `Unimplemented`},
	{"QueryRecords stops at the limit", withRecords, `QueryRecords ` + inStore + `limit:1`, `OK ` + messageB},
	{"QueryRecords without a limit has none", withRecords, `QueryRecords ` + inStore + `limit:-1`, `OK ` + messageB + messageR},
	{"QueryRecords skips the offset", withRecords, `QueryRecords ` + inStore + `offset:1`, `OK ` + messageR},
	{"QueryRecords answers keys only", withRecords, `QueryRecords ` + inStore + `limit:1 keys_only:true`, `OK records{key:"b"} store_keys:"{s}"`},
	{"QueryRecords of an unknown store finds nothing", nil, `QueryRecords ` + inStore, `OK `},

	{"CreateBlob echoes the metadata", withRecord, gBlob, `OK store_key:"{s}" record_key:"r" size:5`},
	{"CreateBlob takes right checksums", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:1 md5:"\x0c\xc1\x75\xb9\xc0\xf1\xb6\xa8\x31\xc3\x99\xe2\x69\x77\x26\x61" crc32c:3251651376 has_crc32c:true} | content:"a"`, `OK store_key:"{s}" record_key:"r" size:1`},
	{"CreateBlob notices a wrong MD5", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:1 md5:"0123456789abcdef"} | content:"a"`, `DataLoss`},
	{"CreateBlob notices a wrong CRC", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:1 crc32c:1 has_crc32c:true} | content:"a"`, `DataLoss`},
	{"CreateBlob needs metadata first", withRecord, `CreateBlob content:"a"`, `InvalidArgument`},
	{"CreateBlob needs content then", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:1} | metadata{size:1}`, `InvalidArgument`},
	{"CreateBlob inline must have the size announced", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:2} | content:"a"`, `InvalidArgument`},
	{"CreateBlob inline must not have more", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:2} | content:"abc"`, `InvalidArgument`},
	{"CreateBlob out of line must have the size announced", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r" size:65537} | content:"a"`, `DataLoss`},
	{"CreateBlob inline without a record ends without an answer", []string{gStore}, gBlob, `none`},
	{"CreateBlob out of line without a record fails", []string{gStore}, bigBlob, `FailedPrecondition`},
	{"CreateBlob takes a blob of no bytes", withRecord, `CreateBlob metadata{store_key:"{s}" record_key:"r"}`, `OK store_key:"{s}" record_key:"r"`},
	{"GetBlob answers metadata and one content", append(withRecord[:2:2], gBlob), `GetBlob ` + atR, `OK metadata{store_key:"{s}" record_key:"r" size:5} | content:"hello"`},
	{"GetBlob of a record without a blob answers nothing, well", withRecord, `GetBlob ` + atR, `OK metadata{store_key:"{s}" record_key:"r"} | content:""`},
	{"GetBlob of an absent record is not found", []string{gStore}, `GetBlob ` + atR, `NotFound`},
	{"GetBlob of chunks fails after the metadata", withChunks, `GetBlob ` + atR, `Unknown metadata{store_key:"{s}" record_key:"r" size:3 chunked:true chunk_count:2}`},
	{"CreateBlob replaces the blob", append(withRecord[:2:2], bigBlob, gBlob), `GetBlob ` + atR, `OK metadata{store_key:"{s}" record_key:"r" size:5} | content:"hello"`},
	{"a record shows its blob's size", append(withRecord[:2:2], bigBlob), `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" blob_size:65537 ` + fields},
	{"DeleteBlob deletes", append(withRecord[:2:2], gBlob), `DeleteBlob ` + atR, `OK `},
	{"DeleteBlob leaves a record without a blob", append(withRecord[:2:2], gBlob, `DeleteBlob `+atR), `GetBlob ` + atR, `OK metadata{store_key:"{s}" record_key:"r"} | content:""`},
	{"DeleteBlob of an absent record is not found", []string{gStore}, `DeleteBlob ` + atR, `NotFound`},
	{"DeleteBlob without a blob fails", withRecord, `DeleteBlob ` + atR, `FailedPrecondition`},
	{"DeleteBlob of no bytes fails", append(withRecord[:2:2], `CreateBlob metadata{store_key:"{s}" record_key:"r"}`), `DeleteBlob ` + atR, `FailedPrecondition`},

	{"CreateChunkedBlob answers a session", withRecord, gSession, `OK `},
	{"CreateChunkedBlob needs a record", []string{gStore}, gSession, `FailedPrecondition`},
	{"UploadChunk answers what it got", append(withRecord[:2:2], gSession), chunk0, `OK size:2`},
	{"UploadChunk needs metadata first", nil, `UploadChunk content:"a"`, `InvalidArgument`},
	{"UploadChunk needs a UUID", nil, `UploadChunk metadata{session_id:"x"} | content:"a"`, `InvalidArgument`},
	{"UploadChunk needs a session that is known", nil, `UploadChunk metadata{session_id:"` + noUUID + `"} | content:"a"`, `NotFound`},
	{"UploadChunk notices a wrong CRC", append(withRecord[:2:2], gSession), `UploadChunk metadata{session_id:"{session}" crc32c:1 has_crc32c:true} | content:"a"`, `DataLoss`},
	{"UploadChunk replaces a chunk", append(withRecord[:2:2], gSession, chunk1, `UploadChunk metadata{session_id:"{session}" number:0} | content:"zzzz"`, chunk0), commit, `OK store_key:"{s}" record_key:"r" size:3 chunked:true chunk_count:2`},
	{"UploadChunk after the commit changes what is read, not the size", append(withChunks[:6:6], `UploadChunk metadata{session_id:"{session}" number:1} | content:"zzz"`), `GetBlobChunk ` + atR + `chunk_number:1`, `OK metadata{number:1 size:3} | content:"zzz"`},
	{"CommitChunkedUpload answers the blob", append(withRecord[:2:2], gSession, chunk0, chunk1), commit, `OK store_key:"{s}" record_key:"r" size:3 chunked:true chunk_count:2`},
	{"CommitChunkedUpload shows in the record", withChunks, `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" blob_size:3 chunked:true chunk_count:2 ` + fields},
	{"CommitChunkedUpload twice is fine", withChunks, commit, `OK store_key:"{s}" record_key:"r" size:3 chunked:true chunk_count:2`},
	{"CommitChunkedUpload updates the record", append(withRecord[:2:2], gSession, chunk0, chunk1, `CommitChunkedUpload session_id:"{session}" record{owner_id:"p"}`), `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" owner_id:"p" blob_size:3 chunked:true chunk_count:2`},
	{"CommitChunkedUpload with an old signature fails", append(withRecord[:2:2], gSession, chunk0, chunk1), `CommitChunkedUpload session_id:"{session}" record{signature:"0123456789abcdef"}`, `FailedPrecondition`},
	{"CommitChunkedUpload with a chunk missing fails", append(withRecord[:2:2], gSession, chunk0), commit, `FailedPrecondition`},
	{"CommitChunkedUpload with a chunk too many fails", append(withRecord[:2:2], gSession, chunk0, chunk1, `UploadChunk metadata{session_id:"{session}" number:7} | content:"x"`), commit, `FailedPrecondition`},
	{"CommitChunkedUpload of no announced count takes any", append(withRecord[:2:2], `CreateChunkedBlob `+atR, chunk1), commit, `OK store_key:"{s}" record_key:"r" size:1 chunked:true chunk_count:1`},
	{"CommitChunkedUpload needs a UUID", nil, `CommitChunkedUpload session_id:"x"`, `InvalidArgument`},
	{"CommitChunkedUpload needs a session that is known", nil, `CommitChunkedUpload session_id:"` + noUUID + `"`, `NotFound`},
	{"AbortChunkedUpload aborts", append(withRecord[:2:2], gSession), `AbortChunkedUpload session_id:"{session}"`, `OK `},
	{"AbortChunkedUpload twice fails", append(withRecord[:2:2], gSession, `AbortChunkedUpload session_id:"{session}"`), `AbortChunkedUpload session_id:"{session}"`, `FailedPrecondition`},
	{"AbortChunkedUpload after the commit fails", withChunks, `AbortChunkedUpload session_id:"{session}"`, `FailedPrecondition`},
	{"AbortChunkedUpload needs a UUID", nil, `AbortChunkedUpload session_id:"x"`, `InvalidArgument`},
	{"AbortChunkedUpload needs a session that is known", nil, `AbortChunkedUpload session_id:"` + noUUID + `"`, `NotFound`},
	{"GetBlobChunk answers one chunk", withChunks, `GetBlobChunk ` + atR + `chunk_number:1`, `OK metadata{number:1 size:1} | content:"c"`},
	{"GetBlobChunk of a number too high is not found", withChunks, `GetBlobChunk ` + atR + `chunk_number:2`, `NotFound`},
	{"GetBlobChunk of a plain blob is not found", append(withRecord[:2:2], bigBlob), `GetBlobChunk ` + atR, `NotFound`},
	{"GetBlobChunk without an external blob fails", append(withRecord[:2:2], gBlob), `GetBlobChunk ` + atR, `FailedPrecondition`},
	{"GetBlobChunk of an absent record is not found", []string{gStore}, `GetBlobChunk ` + atR, `NotFound`},
	{"CreateChunkUrls of a plain blob is not found", append(withRecord[:2:2], bigBlob), `CreateChunkUrls ` + inStore + `key:"r"`, `NotFound`},
	{"CreateChunkUrls without an external blob fails", withRecord, `CreateChunkUrls ` + inStore + `key:"r"`, `FailedPrecondition`},

	{"CompareAndSwap sets what is equal, the type too", withRecord, `CompareAndSwap ` + atR + `property_name:"hp" old_value{type:INTEGER integer_value:7} value{type:STRING string_value:"s"}`, `OK updated:true value{type:INTEGER integer_value:7}`},
	{"CompareAndSwap leaves what is not", withRecord, `CompareAndSwap ` + atR + `property_name:"hp" old_value{type:INTEGER integer_value:8} value{type:INTEGER integer_value:9}`, `OK value{type:INTEGER integer_value:7}`},
	{"CompareAndSwap of an absent property is not found", withRecord, `CompareAndSwap ` + atR + `property_name:"x"`, `NotFound`},
	{"CompareAndSwap of an absent record is not found", []string{gStore}, `CompareAndSwap ` + atR + `property_name:"x"`, `NotFound`},
	{"CompareAndSwapGreaterInt sets what is greater", withRecord, `CompareAndSwapGreaterInt ` + atR + `property_name:"hp" value:8`, `OK updated:true value:7`},
	{"CompareAndSwapGreaterInt leaves what is not", withRecord, `CompareAndSwapGreaterInt ` + atR + `property_name:"hp" value:7`, `OK value:7`},
	{"CompareAndSwapLessInt sets what is less", withRecord, `CompareAndSwapLessInt ` + atR + `property_name:"hp" value:6`, `OK updated:true value:7`},
	{"CompareAndSwapLessInt leaves what is not", withRecord, `CompareAndSwapLessInt ` + atR + `property_name:"hp" value:7`, `OK value:7`},
	{"CompareAndSwapGreaterInt needs an integer", withRecord, `CompareAndSwapGreaterInt ` + atR + `property_name:"up" value:1`, `InvalidArgument`},
	{"AtomicAddInt answers the old value", withRecord, `AtomicAddInt ` + atR + `property_name:"hp" value:3`, `OK updated:true value:7`},
	{"AtomicAddInt adds", append(withRecord[:2:2], `AtomicAddInt `+atR+`property_name:"hp" value:3`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:10`},
	{"AtomicSubInt subtracts", append(withRecord[:2:2], `AtomicSubInt `+atR+`property_name:"hp" value:3`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:4`},
	{"AtomicAddInt needs an integer", withRecord, `AtomicAddInt ` + atR + `property_name:"up" value:3`, `InvalidArgument`},
	{"AtomicAddInt of an absent property is not found", withRecord, `AtomicAddInt ` + atR + `property_name:"x" value:3`, `NotFound`},
	{"AtomicInc goes up within the bounds", append(withRecord[:2:2], `AtomicInc `+atR+`property_name:"hp" lower_bound:1 upper_bound:8`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:8`},
	{"AtomicInc wraps to the lower bound", append(withRecord[:2:2], `AtomicInc `+atR+`property_name:"hp" lower_bound:1 upper_bound:7`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:1`},
	{"AtomicDec goes down within the bounds", append(withRecord[:2:2], `AtomicDec `+atR+`property_name:"hp" lower_bound:1 upper_bound:8`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:6`},
	{"AtomicDec wraps to the upper bound", append(withRecord[:2:2], `AtomicDec `+atR+`property_name:"hp" lower_bound:7 upper_bound:20`), `AtomicAddInt ` + atR + `property_name:"hp"`, `OK updated:true value:20`},
	{"an atomic change is read from the cache", append(withRecord[:2:2], `AtomicSubInt `+atR+`property_name:"hp" value:0`), `GetRecord store_key:"{s}" key:"r"`, `OK key:"r" ` + fields},
}

func TestGRPC(t *testing.T) {
	x := newTarget(t)
	if !x.hasGRPC() {
		return
	}
	for _, c := range grpcContract {
		t.Run(c.name, func(t *testing.T) { x.runGRPC(t, c) })
	}
}

func (x *target) runGRPC(t *testing.T, c grpcCase) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	g := &grpcRun{conn: x.conn, store: unique(t)}
	for _, request := range c.given {
		if _, err := g.do(ctx, t, request); err != nil {
			t.Fatalf("%.200s: %v", request, err)
		}
	}
	got, err := g.do(ctx, t, c.ask)
	name, texts, _ := strings.Cut(c.want, " ")
	if want := strings.TrimPrefix(name, "none"); want != "" && status.Code(err).String() != want {
		t.Fatalf("%.200s: got %v, want %s", c.ask, err, name)
	}
	if name == "none" && (err == nil || len(got) > 0) {
		t.Fatalf("%.200s: got %v, %v, want an error because there was no answer", c.ask, got, err)
	}
	var want []proto.Message
	if name == codes.OK.String() || texts != "" {
		want = g.parse(t, method(t, c.ask).Output(), texts)
	}
	unimportant := protocmp.IgnoreFields(&api.BlobMetadata{}, "md5", "crc32c", "has_crc32c")
	options := []cmp.Option{
		protocmp.Transform(), unimportant,
		protocmp.IgnoreFields(&api.ChunkMetadata{}, "md5", "crc32c", "has_crc32c", "session_id"),
		protocmp.IgnoreFields(&api.Record{}, "created_at", "updated_at", "signature"),
		protocmp.IgnoreFields(&api.Store{}, "created_at", "updated_at"),
		protocmp.IgnoreFields(&api.CreateChunkedBlobResponse{}, "session_id"),
		protocmp.IgnoreFields(&rpcstatus.Status{}, "message"),
	}
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("%.200s: (-want +got)\n%.2000s", c.ask, diff)
	}
	checkSums(t, got)
}

// checkSums holds the checksums of a blob's answer against its content.
func checkSums(t *testing.T, messages []proto.Message) {
	t.Helper()
	var content []byte
	var sums interface {
		GetMd5() []byte
		GetCrc32C() uint32
	}
	for _, m := range messages {
		switch v := m.(type) {
		case *api.GetBlobResponse:
			content = append(content, v.GetContent()...)
			if meta := v.GetMetadata(); meta != nil && meta.GetHasCrc32C() {
				sums = meta
			}
		case *api.GetBlobChunkResponse:
			content = append(content, v.GetContent()...)
			if meta := v.GetMetadata(); meta != nil {
				sums = meta
			}
		}
	}
	if sums == nil {
		return
	}
	if want := md5.Sum(content); !bytes.Equal(sums.GetMd5(), want[:]) {
		t.Errorf("MD5: got %x, want %x", sums.GetMd5(), want)
	}
	if want := crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)); sums.GetCrc32C() != want {
		t.Errorf("CRC-32C: got %x, want %x", sums.GetCrc32C(), want)
	}
}

// grpcRun is one case on its way.
type grpcRun struct {
	conn                      *grpc.ClientConn
	store, session, signature string
}

func method(t *testing.T, call string) protoreflect.MethodDescriptor {
	t.Helper()
	found, err := protoregistry.GlobalFiles.FindDescriptorByName("opensaves.OpenSaves")
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(call, " ")
	m := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
	if m == nil {
		t.Fatalf("no method %s", name)
	}
	return m
}

// parse reads messages of a type, divided by bars.
func (g *grpcRun) parse(t *testing.T, of protoreflect.MessageDescriptor, texts string) []proto.Message {
	t.Helper()
	fill := strings.NewReplacer("{s}", g.store, "{session}", g.session, "{sig}", g.signature)
	var messages []proto.Message
	for text := range strings.SplitSeq(fill.Replace(texts), " | ") {
		m := newMessage(t, of)
		if err := prototext.Unmarshal([]byte(text), m); err != nil {
			t.Fatalf("%.300s: %v", text, err)
		}
		messages = append(messages, m)
	}
	return messages
}

func newMessage(t *testing.T, of protoreflect.MessageDescriptor) proto.Message {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(of.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return kind.New().Interface()
}

// do makes a call and returns what was answered.
func (g *grpcRun) do(ctx context.Context, t *testing.T, call string) ([]proto.Message, error) {
	t.Helper()
	m := method(t, call)
	_, texts, _ := strings.Cut(call, " ")
	stream, err := g.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name()))
	if err != nil {
		return nil, err
	}
	for _, message := range g.parse(t, m.Input(), texts) {
		if err := stream.SendMsg(message); err != nil {
			break // the answer says why
		}
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	var messages []proto.Message
	for {
		answer := newMessage(t, m.Output())
		err := stream.RecvMsg(answer)
		if errors.Is(err, io.EOF) && (len(messages) > 0 || m.IsStreamingServer()) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		g.remember(answer)
		messages = append(messages, answer)
	}
}

func (g *grpcRun) remember(answer proto.Message) {
	switch v := answer.(type) {
	case *api.CreateChunkedBlobResponse:
		g.session = v.GetSessionId()
	case *api.Record:
		g.signature = ""
		for _, b := range v.GetSignature() {
			g.signature += fmt.Sprintf(`\x%02x`, b)
		}
	}
}
