package ledger

import (
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
	"unsafe"
)

// Header opens every payload: whose it is, which version, how long the whole
// is in bytes, and the sum over all fields where there are any.
type Header struct {
	Key     string
	Version uint32
	Length  int64
	Sum     uint32
}

const mark = "soak1|"

// Append writes the header to b as text: mark, key, version, length, sum.
func (h Header) Append(b []byte) []byte {
	b = append(b, mark...)
	b = append(b, h.Key...)
	b = append(b, '|')
	b = strconv.AppendUint(b, uint64(h.Version), 10)
	b = append(b, '|')
	b = strconv.AppendInt(b, h.Length, 10)
	b = append(b, '|')
	b = strconv.AppendUint(b, uint64(h.Sum), 16)
	return append(b, '|')
}

// ParseHeader reads a header from the start of s, and returns what follows it.
func ParseHeader(s string) (h Header, rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, mark)
	if !ok {
		return h, s, false
	}
	var version, length, sum string
	var a, b, c, d bool
	h.Key, rest, a = strings.Cut(rest, "|")
	version, rest, b = strings.Cut(rest, "|")
	length, rest, c = strings.Cut(rest, "|")
	sum, rest, d = strings.Cut(rest, "|")
	v, err1 := strconv.ParseUint(version, 10, 32)
	l, err2 := strconv.ParseInt(length, 10, 64)
	x, err3 := strconv.ParseUint(sum, 16, 32)
	h.Version, h.Length, h.Sum = uint32(v), l, uint32(x)
	return h, rest, a && b && c && d && err1 == nil && err2 == nil && err3 == nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum adds up the CRC-32C of fields. Adding makes the order of fields
// irrelevant, because servers keep properties in an order of their own.
type Sum uint32

// Add adds a field: what it is, its name, its value.
func (s *Sum) Add(kind byte, name, value string) {
	crc := crc32.Update(uint32(kind), castagnoli, bytesOf(name))
	crc = crc32.Update(crc+1, castagnoli, bytesOf(value))
	*s += Sum(crc)
}

// AddInt adds a field whose value is a number.
func (s *Sum) AddInt(kind byte, name string, value int64) {
	*s += Sum(Hash(uint64(value), crc32.Update(uint32(kind), castagnoli, bytesOf(name))))
}

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Hash mixes an object's number and a version into 64 bits that choose its content.
// It is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func Hash(number uint64, version uint32) uint64 {
	x := number*0x9e3779b97f4a7c15 + uint64(version)*0xd1b54a32d192ed03 + 1
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

const (
	starts = 1<<20 - 3 // places where a filling may begin; a prime, so that no two parts of a blob are alike
	// MaxFilling is how many bytes Filling can return.
	MaxFilling  = 1 << 19
	fillingSeed = 0x0b5a7e5
)

// filling is text that does not compress well and needs no escaping anywhere.
var filling = func() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	r := rand.New(rand.NewPCG(fillingSeed, fillingSeed))
	b := make([]byte, starts+MaxFilling)
	for i := range b {
		b[i] = letters[r.Uint32()%uint32(len(letters))]
	}
	return string(b)
}()

// Filling returns n bytes, at most MaxFilling, that hash chooses.
func Filling(hash uint64, n int) string {
	start := int(hash % starts)
	return filling[start : start+n]
}
