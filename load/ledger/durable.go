package ledger

import "time"

// How many versions of an object the disk knows of before they are sent: the
// first ones by its number alone, then so many at a time, asked for early enough
// that no write has to wait.
const (
	FirstVersions = 16
	versionBlock  = 64
)

// durable is what the disk has been told of an object.
type durable struct {
	limit      uint32 // versions that may be sent; 0: any
	asked      uint32
	pending    uint32 // of asked, what the ticket is for
	ticket     uint64
	doomed     bool // a deletion may be sent once doomTicket is on disk
	doomTicket uint64
}

// Bound lets only such versions be sent as the disk knows of.
func (o *Object) Bound() {
	o.mu.Lock()
	o.disk.limit, o.disk.asked = FirstVersions, FirstVersions
	o.mu.Unlock()
}

// Standing returns what the disk is to know of the object: the version that is
// acknowledged, the one up to which versions may be sent from then on, and
// whether a deletion may be.
func (o *Object) Standing() (acked, reserved uint32, doomed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.intended+FirstVersions/2 >= o.disk.asked {
		o.disk.asked = o.intended + versionBlock
	}
	return o.acked, o.disk.asked, o.disk.doomed
}

// Asked remembers the ticket under which the disk is told of a standing.
func (o *Object) Asked(reserved uint32, ticket uint64) {
	o.mu.Lock()
	if reserved > o.disk.limit && o.disk.ticket == 0 {
		o.disk.ticket, o.disk.pending = ticket, reserved
	}
	o.mu.Unlock()
}

// Grant lets versions be sent whose reservation is on disk.
func (o *Object) Grant(synced uint64) {
	o.mu.Lock()
	if o.disk.ticket != 0 && o.disk.ticket <= synced {
		o.disk.limit, o.disk.ticket = o.disk.pending, 0
	}
	o.mu.Unlock()
}

// Bounded says whether the disk does not know of the next version yet.
func (o *Object) Bounded() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.disk.limit > 0 && o.intended >= o.disk.limit
}

// Doom marks that a deletion may be sent; Doomed tells the ticket of the mark,
// which must be on disk before it is.
func (o *Object) Doom() {
	o.mu.Lock()
	o.disk.doomed = true
	o.mu.Unlock()
}

// DoomedBy remembers the ticket under which the disk is told of the mark.
func (o *Object) DoomedBy(ticket uint64) {
	o.mu.Lock()
	o.disk.doomTicket = ticket
	o.mu.Unlock()
}

// Doomed says whether the disk knows that a deletion may be sent.
func (o *Object) Doomed(synced uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.disk.doomed && o.disk.doomTicket != 0 && o.disk.doomTicket <= synced
}

// Restored is what the disk knows of an object of an earlier start.
type Restored struct {
	Acked    uint32 // that was acknowledged when the disk was last told
	Reserved uint32 // up to this one, versions may have been sent
	Doomed   bool   // a deletion may have been sent
	At       time.Duration
}

// Restore makes an object of an earlier start. It is never written again, but
// for its deletion; ages count from when it was restored.
func Restore(number uint64, key string, parent *Object, r Restored) *Object {
	o := NewObject(number, key, parent)
	o.Former = true
	o.acked, o.intended = r.Acked, max(r.Reserved, r.Acked, 1)
	o.lasting = !r.Doomed
	if r.Acked > 0 {
		o.intents[r.Acked%kept] = intent{version: r.Acked, acked: true, at: r.At}
	}
	if r.Doomed {
		o.intended++
		o.intents[o.intended%kept] = intent{version: o.intended, absent: true}
	}
	o.quiet = r.At
	return o
}
