package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// Entry is what must be known of one object that the tester keeps on its target.
type Entry struct {
	Kind     byte   // the letter of its key
	Epoch    int    // in whose name it was made
	Number   uint64 // its own, within kind and epoch
	Parent   uint64 // the number of a record's store, of a blob's record; 0: none
	Acked    uint32 // the highest version known to be acknowledged; 0: none
	Reserved uint32 // versions up to this one may have been sent
	Doomed   bool   // a deletion may have been sent
	Size     int64  // bytes
}

// key is an entry's in the file: epoch, kind and number, big-endian. So what is
// made grows the file at few places, and earlier epochs stand before this one.
type key [13]byte

func keyOf(kind byte, epoch int, number uint64) key {
	var k key
	binary.BigEndian.PutUint32(k[:], uint32(epoch))
	k[4] = kind
	binary.BigEndian.PutUint64(k[5:], number)
	return k
}

func (e Entry) key() key { return keyOf(e.Kind, e.Epoch, e.Number) }

// encode returns the value that stands under the entry's key.
func (e Entry) encode(k key) []byte {
	b := make([]byte, 0, 24)
	b = append(b, 0)
	if e.Doomed {
		b[0] = 1
	}
	for _, field := range [...]uint64{uint64(e.Acked), uint64(e.Reserved), e.Parent, uint64(e.Size)} {
		b = binary.AppendUvarint(b, field)
	}
	return seal(k[:], b)
}

func decodeEntry(k, v []byte) (Entry, error) {
	if len(k) != len(key{}) {
		return Entry{}, fmt.Errorf("reading an entry's key: got %d bytes, want %d", len(k), len(key{}))
	}
	e := Entry{
		Epoch:  int(binary.BigEndian.Uint32(k)),
		Kind:   k[4],
		Number: binary.BigEndian.Uint64(k[5:]),
	}
	fields, err := unseal(k, v)
	if err == nil {
		err = e.decode(fields)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("reading entry %c%d of epoch %d: %w", e.Kind, e.Number, e.Epoch, err)
	}
	return e, nil
}

func (e *Entry) decode(b []byte) error {
	if len(b) == 0 || b[0] > 1 {
		return errors.New("unpacking it: got no known flags")
	}
	var fields [4]uint64
	rest := b[1:]
	for i := range fields {
		var n int
		if fields[i], n = binary.Uvarint(rest); n <= 0 {
			return fmt.Errorf("unpacking it: got %d fields, want %d", i, len(fields))
		}
		rest = rest[n:]
	}
	if len(rest) > 0 || max(fields[0], fields[1]) > math.MaxUint32 {
		return errors.New("unpacking it: got more than belongs there")
	}
	e.Doomed, e.Acked, e.Reserved = b[0] == 1, uint32(fields[0]), uint32(fields[1])
	e.Parent, e.Size = fields[2], int64(fields[3])
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal ends a value with the checksum of its key and itself. bbolt has none for its
// pages, and a bit that flipped here must not accuse a server.
func seal(key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(value, checksum(key, value))
}

func unseal(key, sealed []byte) ([]byte, error) {
	end := len(sealed) - crc32.Size
	if end < 0 {
		return nil, fmt.Errorf("checking a value: got %d bytes, want %d at least", len(sealed), crc32.Size)
	}
	got, want := checksum(key, sealed[:end]), binary.BigEndian.Uint32(sealed[end:])
	if got != want {
		return nil, fmt.Errorf("checking a value: got CRC-32C %08x, want %08x", got, want)
	}
	return sealed[:end], nil
}

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, value)
}
