package sandbox

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"sync"
	"time"

	"opensaves-soak/opensaves/sandbox/fault"
)

// blob is what gRPC keeps for a record: bytes with their checksums, or the
// chunks of an upload. It is never changed.
type blob struct {
	content []byte
	sums    sums
	size    int64
	upload  *upload // chunked
	count   int64   // of chunks
}

// maxInline is the size in bytes up to which a blob stands in the record
// itself: upstream's blob_max_inline_size.
const maxInline = 65536

func newBlob(content []byte) *blob {
	return &blob{content: content, sums: sumsOf(content), size: int64(len(content))}
}

// stored is what a server keeps of a blob.
func (b *blob) stored(how manner) *blob {
	if kept := how.stored(b.content); len(kept) < len(b.content) {
		return newBlob(kept)
	}
	return b
}

// stored is what a server keeps of content: under the lie about its threshold
// all but the last byte of what is one byte too long to be inline.
func (m manner) stored(content []byte) []byte {
	if m.lie == fault.Threshold && len(content) == maxInline+1 {
		return content[:maxInline]
	}
	return content
}

func (b *blob) external() bool { return b.upload != nil || b.size > maxInline }

type sums struct {
	md5 [md5.Size]byte
	crc uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumsOf(content []byte) sums {
	return sums{md5.Sum(content), crc32.Checksum(content, castagnoli)}
}

// expected are the checksums that an upload announced.
type expected interface {
	GetMd5() []byte
	GetCrc32C() uint32
	GetHasCrc32C() bool
}

func (s sums) match(want expected) bool {
	return (len(want.GetMd5()) == 0 || bytes.Equal(want.GetMd5(), s.md5[:])) &&
		(!want.GetHasCrc32C() || want.GetCrc32C() == s.crc)
}

// chunk is one piece of an upload.
type chunk struct {
	content []byte
	sums    sums
}

// upload is a chunked upload: a session, and after its commit the record's blob.
type upload struct {
	session   string
	at        recordKey
	announced int64 // count of chunks; 0: unknown

	mu     sync.Mutex
	chunks map[int64]chunk
	blob   *blob // committed
	ended  bool  // aborted
}

const (
	uploadTTL  = 24 * time.Hour // upstream's blob_default_garbage_collection_ttl
	abortedTTL = 10 * time.Minute
)

// newSignature returns a random UUID's 16 bytes.
func newSignature() [16]byte {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
