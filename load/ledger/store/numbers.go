package store

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// Numbers says that numbers of a kind, from the first to UpTo, may stand in keys
// on the target.
type Numbers struct {
	Kind  byte
	Epoch int
	UpTo  uint64
}

// blockKey is epoch and kind, big-endian.
type blockKey [5]byte

func blockKeyOf(kind byte, epoch int) blockKey {
	var k blockKey
	binary.BigEndian.PutUint32(k[:], uint32(epoch))
	k[4] = kind
	return k
}

// blocks are the numbers that await the next flush; up to 0: none of them any more.
type blocks struct {
	mu      sync.Mutex
	highest [256]uint64 // of this epoch, by kind
	pending map[blockKey]uint64
}

// ReserveNumbers notes that numbers of a kind, up to one, may be used in keys of
// this epoch from the moment when the ticket is durable. It never takes back what
// was reserved before.
func (s *Store) ReserveNumbers(kind byte, upTo uint64) (ticket uint64) {
	s.blocks.mu.Lock()
	defer s.blocks.mu.Unlock()
	if upTo > s.blocks.highest[kind] {
		s.blocks.highest[kind] = upTo
		s.blocks.pending[blockKeyOf(kind, s.id.Epoch)] = upTo
	}
	return s.generation.Load()
}

// ForgetNumbers notes that nothing under the numbers that an earlier epoch
// reserved can be on the target any more.
func (s *Store) ForgetNumbers(kind byte, epoch int) (ticket uint64) {
	s.blocks.mu.Lock()
	defer s.blocks.mu.Unlock()
	s.blocks.pending[blockKeyOf(kind, epoch)] = 0
	return s.generation.Load()
}

func encodeBlock(k blockKey, upTo uint64) []byte {
	return seal(k[:], binary.AppendUvarint(make([]byte, 0, 16), upTo))
}

func decodeBlock(k, v []byte) (Numbers, error) {
	if len(k) != len(blockKey{}) {
		return Numbers{}, fmt.Errorf("reading numbers: got a key of %d bytes, want %d", len(k), len(blockKey{}))
	}
	value, err := unseal(k, v)
	if err != nil {
		return Numbers{}, fmt.Errorf("reading numbers: %w", err)
	}
	upTo, n := binary.Uvarint(value)
	if n <= 0 || n != len(value) {
		return Numbers{}, fmt.Errorf("reading numbers: got %x, want one number", value)
	}
	return Numbers{Kind: k[4], Epoch: int(binary.BigEndian.Uint32(k)), UpTo: upTo}, nil
}
