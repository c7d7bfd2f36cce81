package trace

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"time"
)

// Context is what is known of an arrival's trace before its request is sent. Its
// ids are made for every arrival, since the target must be told of them then.
type Context struct {
	ID      [16]byte // zero: there is no trace
	Arrival [8]byte  // the span of the arrival
	Attempt [8]byte  // the span of its request on the wire, which the target's spans are below
	Sampled bool     // by its ratio: the target was asked to join
	xray    bool
}

// newContext draws one. Random numbers come from the generator that the runtime
// keeps for each thread: requests meet nowhere.
func newContext(xray bool, bound uint64, now func() time.Time) Context {
	c := Context{xray: xray}
	binary.BigEndian.PutUint64(c.ID[:8], rand.Uint64())
	low := rand.Uint64()
	binary.BigEndian.PutUint64(c.ID[8:], low)
	if xray {
		binary.BigEndian.PutUint32(c.ID[:4], uint32(now().Unix()))
	}
	spans := rand.Uint64() | 1 // no id may be zero, and the two differ
	binary.BigEndian.PutUint64(c.Arrival[:], spans)
	binary.BigEndian.PutUint64(c.Attempt[:], spans^(rand.Uint64()|1<<63))
	c.Sampled = low>>1 < bound
	return c
}

// boundOf is what half of an id's lower part stays below for a share of all ids,
// the rule of OpenTelemetry's samplers.
func boundOf(ratio float64) uint64 { return uint64(ratio * (math.MaxInt64 + 1)) }

// String returns the trace's id as its backend shows it, "1-5759e988-bd86…" for
// X-Ray and 32 digits for others; empty without a trace.
func (c Context) String() string {
	switch {
	case c.ID == [16]byte{}:
		return ""
	case c.xray:
		return "1-" + hex.EncodeToString(c.ID[:4]) + "-" + hex.EncodeToString(c.ID[4:])
	}
	return hex.EncodeToString(c.ID[:])
}

// header is the value that tells the target of the trace.
func (c Context) header() string {
	b := make([]byte, 0, 80)
	if c.xray {
		b = hex.AppendEncode(append(b, "Root=1-"...), c.ID[:4])
		b = hex.AppendEncode(append(b, '-'), c.ID[4:])
		b = hex.AppendEncode(append(b, ";Parent="...), c.Attempt[:])
		return string(append(append(b, ";Sampled="...), '0'+c.flag()))
	}
	b = hex.AppendEncode(append(b, "00-"...), c.ID[:])
	b = hex.AppendEncode(append(b, '-'), c.Attempt[:])
	return string(append(append(b, "-0"...), '0'+c.flag()))
}

// flag is 1 for a trace that was sampled, the bit of both propagators.
func (c Context) flag() byte {
	if c.Sampled {
		return 1
	}
	return 0
}
