package store

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	cases := map[string]Entry{
		"nothing known":    {},
		"a record":         {Kind: 'r', Epoch: 3, Number: 123456, Parent: 4, Acked: 17, Reserved: 64},
		"a doomed blob":    {Kind: 'b', Epoch: 1, Number: 9, Parent: 123456, Acked: 1, Reserved: 2, Doomed: true, Size: 2 << 30},
		"the largest ever": {Kind: 255, Epoch: math.MaxUint32, Number: math.MaxUint64, Parent: math.MaxUint64, Acked: math.MaxUint32, Reserved: math.MaxUint32, Doomed: true, Size: math.MaxInt64},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			k := want.key()
			got, err := decodeEntry(k[:], want.encode(k))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entry differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFlippedBitIsFoundWhereverItIs(t *testing.T) {
	k := Entry{Kind: 'r', Epoch: 3, Number: 123456}.key()
	row := append(k[:], Entry{Parent: 4, Acked: 17, Reserved: 64}.encode(k)...)
	for bit := range len(row) * 8 {
		row[bit/8] ^= 1 << (bit % 8)
		if e, err := decodeEntry(row[:len(k)], row[len(k):]); err == nil {
			t.Errorf("bit %d: got %+v, want an error", bit, e)
		}
		row[bit/8] ^= 1 << (bit % 8)
	}
}

// Values are tried as they are and with a checksum that fits, so that what stands
// behind it is tried too.
func FuzzReadingARow(f *testing.F) {
	e := Entry{Kind: 'r', Epoch: 3, Number: 123456, Parent: 4, Acked: 17, Reserved: 64, Size: 1 << 20}
	k, block := e.key(), blockKeyOf('r', 3)
	f.Add(k[:], e.encode(k))
	f.Add(k[:], []byte{1, 17, 64, 4, 0})
	f.Add(block[:], encodeBlock(block, 1000))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, k, v []byte) {
		for _, v := range [][]byte{v, seal(k, append([]byte(nil), v...))} {
			if e, err := decodeEntry(k, v); err == nil {
				again, err := decodeEntry(k, e.encode(e.key()))
				if diff := cmp.Diff(e, again); diff != "" || err != nil {
					t.Errorf("got another entry: %v\n%s", err, diff)
				}
			}
			if n, err := decodeBlock(k, v); err == nil {
				again, err := decodeBlock(k, encodeBlock(blockKeyOf(n.Kind, n.Epoch), n.UpTo))
				if diff := cmp.Diff(n, again); diff != "" || err != nil {
					t.Errorf("got other numbers: %v\n%s", err, diff)
				}
			}
		}
	})
}
