// Package ledger knows what must be true of the objects that the tester keeps
// on its target: which versions were written, which may be seen, and what each
// holds. Content is a function of key and version, so that it need not be
// remembered. The package sends nothing and has no clock.
package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
)

// Identity tells the writer of an object: a run, how often it was started, and
// the replica of its fleet.
type Identity struct {
	Run     string // eight hexadecimal digits
	Epoch   int
	Replica int
}

// NewIdentity draws a run that nobody had before.
func NewIdentity() Identity {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return Identity{Run: hex.EncodeToString(b[:])}
}

// Key is the name of the number-th object of a kind; kind is one letter. Used
// once, ever.
func (id Identity) Key(kind byte, number uint64) string {
	b := make([]byte, 0, 48)
	b = append(b, "soak-"...)
	b = append(b, id.Run...)
	b = append(b, '-')
	b = strconv.AppendInt(b, int64(id.Epoch), 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, int64(id.Replica), 10)
	b = append(b, '-', kind)
	return string(strconv.AppendUint(b, number, 10))
}
