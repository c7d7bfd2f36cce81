package ledger

import "time"

// End is what is known of a write once it is over.
type End uint8

// The ends. Rejected means certainly not applied; Unknown may still be applied, even later.
const (
	Acknowledged End = iota
	Rejected
	Unknown
)

// TryLock takes the right to write the object, which one writer has at a time
// and nobody while it is frozen. Who deletes an object for good keeps it.
func (o *Object) TryLock() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.locked || o.frozen || o.holds > 0 || o.Shadowed.Load() || o.disk.limit > 0 && o.intended >= o.disk.limit {
		return false
	}
	o.locked = true
	return true
}

// TryLockSuspect is TryLock for who looks into a suspicion, which keeps others
// from the lock.
func (o *Object) TryLockSuspect() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.locked {
		return false
	}
	o.locked = true
	return true
}

// Unlock gives the right back.
func (o *Object) Unlock() {
	o.mu.Lock()
	o.locked = false
	o.mu.Unlock()
}

// Intend announces a write before it is sent, and returns its version.
func (o *Object) Intend() uint32 { return o.intend(intent{}) }

// IntendDelete announces a deletion, that of its parts and of its blob included.
func (o *Object) IntendDelete() uint32 {
	for _, part := range o.Parts {
		part.IntendDelete()
	}
	if o.Blob != nil {
		o.Blob.IntendDelete()
	}
	return o.intend(intent{absent: true})
}

func (o *Object) intend(in intent) uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.intended++
	in.version = o.intended
	o.intents[o.intended%kept] = in
	return o.intended
}

// End says how the write of a version ended, and with it the last write of each
// of its parts, and after a deletion that of its blob. An unknown end freezes the
// object.
func (o *Object) End(version uint32, end End, now time.Duration) {
	for _, part := range o.Parts {
		part.End(part.Version(), end, now)
	}
	if o.Blob != nil && o.deletes(version) {
		o.Blob.End(o.Blob.Version(), end, now)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	in := &o.intents[version%kept]
	switch end {
	case Acknowledged:
		o.acked, in.acked, in.at = version, true, now
	case Rejected:
		in.rejected = true
	case Unknown:
		o.frozen, o.locked = true, false
	}
	o.quiet = now
	o.read.Store(false)
}

// deletes says whether a version is a deletion.
func (o *Object) deletes(version uint32) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.intents[version%kept].absent
}

// Freeze forbids writing for good: something unknown was done, or will be, to
// the object that is no version of it, so that no read can tell.
func (o *Object) Freeze() {
	o.mu.Lock()
	o.frozen, o.blurred, o.locked = true, true, false
	o.mu.Unlock()
}

// Thaw ends a freeze if the fate of the last write is known: it was
// acknowledged, or a read has shown it, which counts as its acknowledgement from
// now on. It reports whether it did.
func (o *Object) Thaw(now time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := &o.intents[o.intended%kept]
	if o.blurred || max(o.acked, o.seen) < o.intended || in.absent {
		return false
	}
	if !in.acked {
		in.acked, in.at = true, now
	}
	o.acked, o.frozen = o.intended, false
	return true
}
