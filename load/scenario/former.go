package scenario

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
	"opensaves-soak/opensaves"
)

// former is what earlier starts of the run left on the target. Each object is
// read once, to find out whether it is as it must be, and then deleted.
type former struct {
	records atomic.Int64 // that are still there
	left    atomic.Int64 // objects of all kinds
	unread  [metric.Operations]*ledger.Queue
	epochs  sync.Map // *ledger.Object to its epoch

	mu    sync.Mutex
	dying []*ledger.Object // read, to be deleted
}

func (w *World) epochOf(o *ledger.Object) int {
	if o.Former {
		if epoch, known := w.former.epochs.Load(o); known {
			return epoch.(int)
		}
	}
	return w.Identity.Epoch
}

type formerKey struct {
	kind   byte
	epoch  int
	number uint64
}

// restore makes objects of what the disk knows of earlier starts.
func (w *World) restore(now time.Duration) error {
	if w.Store == nil {
		return nil
	}
	found := map[formerKey]*ledger.Object{}
	var entries []store.Entry
	for e, err := range w.Store.Earlier() {
		if err != nil {
			return fmt.Errorf("reading the ledger: %w", err)
		}
		entries = append(entries, e)
	}
	queues := map[metric.Operation]int{}
	for _, kind := range [...]byte{ledger.Store, ledger.Record, ledger.Metadata, ledger.Blob, ledger.Chunked, ledger.Part} {
		for _, e := range entries {
			if e.Kind == kind {
				found[formerKey{e.Kind, e.Epoch, e.Number}] = w.restoreOne(e, found, now)
				queues[w.unreadBy(kind)]++
			}
		}
	}
	for op, n := range queues {
		w.former.unread[op] = ledger.NewQueue(n + 1)
	}
	for at, o := range found {
		switch {
		case o == nil, at.kind == ledger.Chunked:
			continue
		case w.nameless(o):
			w.former.dying = append(w.former.dying, o)
		default:
			w.former.unread[w.unreadBy(at.kind)].Put(o)
		}
		w.former.left.Add(1)
	}
	return nil
}

// nameless says that a store of an earlier start cannot be asked for: on gRPC that
// takes its name, which was made of other templates.
func (w *World) nameless(o *ledger.Object) bool {
	return w.Protocol == metric.GRPC && o.Letter() == ledger.Store && o.Size.Load() != w.content.nameSum(o)
}

// parentOf is the kind of object that an object of a kind belongs to.
func parentOf(kind byte) byte {
	switch kind {
	case ledger.Record:
		return ledger.Store
	case ledger.Blob, ledger.Chunked:
		return ledger.Record
	case ledger.Part:
		return ledger.Chunked
	}
	return 0
}

// restoreOne makes one object; nil where what it belongs to is gone.
func (w *World) restoreOne(e store.Entry, found map[formerKey]*ledger.Object, now time.Duration) *ledger.Object {
	var parent *ledger.Object
	identity := w.Identity
	identity.Epoch = e.Epoch
	if kind := parentOf(e.Kind); kind != 0 {
		if parent = found[formerKey{kind, e.Epoch, e.Parent}]; parent == nil && kind == ledger.Store {
			parent = ledger.Restore(e.Parent, identity.Key(kind, e.Parent), nil, ledger.Restored{Reserved: 1, At: now})
		} else if parent == nil {
			w.Store.Forget(e.Kind, e.Epoch, e.Number)
			return nil
		}
	}
	o := ledger.Restore(e.Number, identity.Key(e.Kind, e.Number), parent, ledger.Restored{Acked: e.Acked, Reserved: e.Reserved, Doomed: e.Doomed, At: now})
	w.former.epochs.Store(o, e.Epoch)
	switch e.Kind {
	case ledger.Store:
		o.Size.Store(e.Size)
	case ledger.Record:
		w.former.records.Add(1)
	case ledger.Blob:
		o.Size.Store(max(1, e.Size))
		parent.Children++
	case ledger.Chunked:
		o.Size.Store(max(1, e.Size))
		o.Parts = make([]*ledger.Object, maxParts)
	case ledger.Part:
		parent.Parts[min(max(0, e.Size), maxParts-1)] = o
		parent.Parent.Children++
	}
	return o
}

// readFormer prepares the one read of an object of an earlier start.
func (w *World) readFormer(t *Task) bool {
	queue := w.former.unread[t.Op]
	if queue == nil {
		return false
	}
	o := queue.Take()
	if o == nil {
		return false
	}
	t.Call.Op, t.Size = t.Op, max(1, o.Size.Load())
	t.Call.Hint.SkipCache = w.Protocol == metric.GRPC
	t.former = o
	w.aim(t, o)
	return true
}

// settleFormer lets an object die that was read, and has one read again that
// brought no answer, or whose suspicion there was no room to look into. One under
// suspicion dies when that has ended.
func (w *World) settleFormer(t *Task) {
	if !t.Result.Checked || t.Result.Verdict == metric.Unjudged || t.missed && !t.former.Guard().Suspected() {
		w.former.unread[w.unreadBy(t.former.Letter())].Put(t.former)
		return
	}
	w.former.mu.Lock()
	w.former.dying = append(w.former.dying, t.former)
	w.former.mu.Unlock()
}

// endFormer deletes objects of earlier starts that have been read, blobs before
// records before stores, at most so many calls.
func (w *World) endFormer(ctx context.Context, most int, now func() time.Duration, do Do) {
	batch := w.mortal(most)
	if len(batch) == 0 || w.doomAll(ctx, batch) != nil {
		w.revive(batch)
		return
	}
	var answer opensaves.Answer
	for _, o := range batch {
		call, needed := w.burial(o)
		version := o.IntendDelete() // it may be read yet, as a sentinel
		if needed {
			end, over := w.delete(ctx, &call, &answer, do)
			o.End(version, end, now())
			if !over {
				w.revive([]*ledger.Object{o})
				continue
			}
		}
		w.forget(o)
		w.former.epochs.Delete(o)
		w.former.left.Add(-1)
		switch o.Letter() {
		case ledger.Record:
			w.former.records.Add(-1)
		case ledger.Blob:
			o.Parent.Children--
		case ledger.Part:
			o.Parent.Parent.Children--
		}
	}
}

// mortal takes objects that may be deleted now out of those that are to be.
func (w *World) mortal(most int) (batch []*ledger.Object) {
	w.former.mu.Lock()
	defer w.former.mu.Unlock()
	kept := w.former.dying[:0]
	for _, o := range w.former.dying {
		if len(batch) < most && !o.Guard().Suspected() && w.childless(o) {
			batch = append(batch, o)
		} else {
			kept = append(kept, o)
		}
	}
	clear(w.former.dying[len(kept):])
	w.former.dying = kept
	return batch
}

// childless says that nothing of an earlier start is left that an object holds.
func (w *World) childless(o *ledger.Object) bool {
	switch o.Letter() {
	case ledger.Record:
		return o.Children == 0
	case ledger.Store:
		return w.former.records.Load() == 0
	}
	return true
}

func (w *World) revive(objects []*ledger.Object) {
	w.former.mu.Lock()
	w.former.dying = append(w.former.dying, objects...)
	w.former.mu.Unlock()
}

// burial is the call that deletes an object; none is needed for what goes with
// its record.
func (w *World) burial(o *ledger.Object) (call opensaves.Call, needed bool) {
	switch o.Letter() {
	case ledger.Store:
		return opensaves.Call{Op: metric.DeleteStore, Store: o.Key}, true
	case ledger.Record:
		return recordDeletion(o), true
	case ledger.Metadata:
		return w.metadataDeletion(o), true
	case ledger.Blob:
		record := o.Parent
		return opensaves.Call{Op: metric.DeleteBlob, Store: record.Parent.Key, Key: record.Key, Blob: o.Key}, w.Protocol == metric.HTTP
	}
	return call, false
}
