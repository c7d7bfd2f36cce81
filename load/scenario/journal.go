package scenario

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
)

// numberBlock is how many numbers of keys the disk knows of ahead; those of a
// start that ended badly may all be on the target.
const numberBlock = 512

// numbers gives the keys of one kind their numbers.
type numbers struct {
	next  atomic.Uint64
	limit atomic.Uint64 // numbers up to this one may be used

	mu     sync.Mutex
	asked  uint64
	ticket uint64
}

// letters whose keys are numbered.
var numbered = [...]byte{ledger.Store, ledger.Record, ledger.Metadata, ledger.Blob, ledger.Chunked, ledger.Part}

// Open has the disk know of the first numbers of every kind. It waits until it
// does, or ctx ends. It is to be called once, before Setup.
func (w *World) Open(ctx context.Context) error {
	if w.Store == nil {
		return nil
	}
	var ticket uint64
	for _, kind := range numbered {
		n := &w.numbers[kind]
		n.asked = numberBlock
		if kind == ledger.Store {
			n.asked += uint64(w.Data.Stores)
		}
		ticket = max(ticket, w.Store.ReserveNumbers(kind, n.asked))
	}
	if err := w.Store.Sync(ctx, ticket); err != nil {
		return err
	}
	for _, kind := range numbered {
		w.numbers[kind].limit.Store(w.numbers[kind].asked)
	}
	return nil
}

// spare is how many numbers must be left for a kind's keys to be used: more than
// can be drawn at once by those who looked at the same time.
const spare = 128

// numbersLeft says whether new keys of a kind may be used.
func (w *World) numbersLeft(kind byte) bool {
	if allows := w.registered.Allows; allows != nil && !allows(kind, w.numbers[kind].next.Load()+spare) {
		return false
	}
	if w.Store == nil {
		return true
	}
	n := &w.numbers[kind]
	if n.next.Load()+numberBlock/2 > n.limit.Load() {
		n.extend(w.Store, kind)
	}
	return n.next.Load()+spare <= n.limit.Load()
}

func (n *numbers) extend(s *store.Store, kind byte) {
	if !n.mu.TryLock() {
		return // another is at it
	}
	defer n.mu.Unlock()
	if n.ticket != 0 && n.ticket <= s.Synced() {
		n.limit.Store(n.asked)
		n.ticket = 0
	}
	if n.ticket == 0 && n.next.Load()+numberBlock/2 > n.limit.Load() {
		n.asked = n.next.Load() + numberBlock
		n.ticket = s.ReserveNumbers(kind, n.asked)
	}
}

// Registered is what the registry of runs says of this one; nil: there is none.
type Registered struct {
	Allows    func(kind byte, number uint64) bool // a number may be used in a key
	Suspended func(now time.Duration) bool        // the run must not write nor judge
}

// Register has the world ask the registry. It is to be called once, at first.
func (w *World) Register(r Registered) { w.registered = r }

func (w *World) suspended(now time.Duration) bool {
	return w.registered.Suspended != nil && w.registered.Suspended(now)
}

// Keys are those of all stores and metadata entries that may be on the target.
func (w *World) Keys() (stores, metadata []string) {
	note := func(o *ledger.Object) {
		switch o.Letter() {
		case ledger.Store:
			stores = append(stores, o.Key)
		case ledger.Metadata:
			metadata = append(metadata, o.Key)
		}
	}
	each := func(o *ledger.Object) bool { note(o); return false }
	for _, o := range w.stores {
		note(o)
	}
	w.extra.From(0, each)
	w.metadata.From(0, each)
	w.uncertain.Lock()
	for _, d := range w.doubts {
		note(d.object)
	}
	w.uncertain.Unlock()
	w.former.epochs.Range(func(o, _ any) bool { note(o.(*ledger.Object)); return true })
	return stores, metadata
}

// Remembers says whether the ledger on disk held objects of earlier starts.
func (w *World) Remembers() bool { return w.former.left.Load() > 0 }

// Mutable says whether arrivals may write: they may not while the ledger cannot
// be written.
func (w *World) Mutable() bool { return w.Store == nil || !w.Store.Failed() }

// begun has the disk know of an object that is about to be made.
func (w *World) begun(o *ledger.Object) {
	if w.Store != nil {
		o.Bound()
		w.note(o)
	}
}

// note tells the disk how an object stands.
func (w *World) note(o *ledger.Object) (ticket uint64) {
	if w.Store == nil || o.Former {
		return 0
	}
	e := w.entry(o)
	ticket = w.Store.Note(e)
	o.Asked(e.Reserved, ticket)
	return ticket
}

// entry is what the disk is to know of an object.
func (w *World) entry(o *ledger.Object) store.Entry {
	acked, reserved, doomed := o.Standing()
	if o.Deleted() {
		acked = 0 // a later version may be there, but none must
	}
	e := store.Entry{
		Kind: o.Letter(), Epoch: w.epochOf(o), Number: o.Number,
		Acked: acked, Reserved: reserved, Doomed: doomed, Size: o.Size.Load(),
	}
	if o.Parent != nil {
		e.Parent = o.Parent.Number
	}
	switch o.Letter() {
	case ledger.Part:
		e.Size = partOf(o)
	case ledger.Store:
		e.Size = w.content.nameSum(o)
	}
	return e
}

// partOf is a part's place in its blob.
func partOf(part *ledger.Object) int64 {
	for i, p := range part.Parent.Parts {
		if p == part {
			return int64(i)
		}
	}
	return 0
}

// forget tells the disk that an object is gone for good, with all its blobs.
func (w *World) forget(o *ledger.Object) {
	if w.Store == nil {
		return
	}
	w.Store.Forget(o.Letter(), w.epochOf(o), o.Number)
	if o.Blob != nil {
		w.forget(o.Blob)
	}
	for _, part := range o.Parts {
		w.forget(part)
	}
}

// tryLock takes the lock of an object whose next version the disk knows of.
func (w *World) tryLock(o *ledger.Object) bool {
	if w.Store != nil {
		o.Grant(w.Store.Synced())
	}
	return o.TryLock()
}

// mayHold says whether the disk knows of the next version of a record's one blob,
// and of its parts.
func (w *World) mayHold(blob *ledger.Object) bool {
	if w.Store == nil || blob == nil {
		return true
	}
	blob.Grant(w.Store.Synced())
	bounded := blob.Bounded()
	for _, part := range blob.Parts {
		part.Grant(w.Store.Synced())
		bounded = bounded || part.Bounded()
	}
	return !bounded
}

// noteAll is note for a blob and its parts.
func (w *World) noteAll(blob *ledger.Object) {
	w.note(blob)
	for _, part := range blob.Parts {
		w.note(part)
	}
}

// doom has the disk know that a deletion of an object may be sent, with which
// goes what belongs to it.
func (w *World) doom(o *ledger.Object) (ticket uint64) {
	if w.Store == nil {
		return 0
	}
	if o.Blob != nil {
		ticket = w.doom(o.Blob)
	}
	for _, part := range o.Parts {
		if part != nil { // one that the disk did not know
			ticket = max(ticket, w.doom(part))
		}
	}
	o.Doom()
	ticket = max(ticket, w.Store.Note(w.entry(o)))
	o.DoomedBy(ticket)
	return ticket
}

// victim returns an object to be deleted, with its lock, nil if there is none:
// what find finds, but where there is a ledger on disk one that it knows to be
// doomed, while the one that was found is doomed for a later deletion.
func (w *World) victim(op metric.Operation, find func() *ledger.Object, take func(*ledger.Object) bool) *ledger.Object {
	if w.Store == nil {
		return find()
	}
	if next := find(); next != nil {
		w.doom(next)
		next.Guard().Unlock()
		w.dooms[op].Put(next)
	}
	for range 4 {
		o := w.dooms[op].Take()
		switch {
		case o == nil:
			return nil
		case !o.Doomed(w.Store.Synced()):
			w.dooms[op].Put(o)
			return nil
		case take(o):
			return o
		}
	}
	return nil
}

// doomAll dooms what doubts are about, and waits until the disk knows.
func (w *World) doomAll(ctx context.Context, objects []*ledger.Object) error {
	if w.Store == nil || len(objects) == 0 {
		return nil
	}
	var ticket uint64
	for _, o := range objects {
		ticket = max(ticket, w.doom(o))
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return w.Store.Sync(ctx, ticket)
}
