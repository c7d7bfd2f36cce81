package scenario

import (
	"slices"
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// blobsARecord bounds the names that one record collects; REST only.
const blobsARecord = 8

// chunkedEvery is which record numbers hold chunked blobs; gRPC only.
const chunkedEvery = 8

// blobSet is where blobs of a size are kept.
func (w *World) blobSet(size int64) *ledger.Set {
	if size > metric.SmallBlobLimit {
		return w.blobs[1]
	}
	return w.blobs[0]
}

// setOf is where a blob is kept.
func (w *World) setOf(o *ledger.Object) *ledger.Set {
	if o.Parts != nil {
		return w.chunked
	}
	return w.blobSet(o.Size.Load())
}

// full says whether storage has no room for the largest blob: asked of a smaller
// one, it would fill up with small ones. Half as many blobs as records leave
// records to delete.
func (w *World) full() bool {
	count := w.blobs[0].Len() + w.blobs[1].Len() + w.chunked.Len()
	return w.blobBytes.Load()+w.largest > int64(w.Data.MaxBlobBytes) || count >= (w.Data.Records+1)/2
}

// prepareCreateBlob uploads to a record that has room for a blob.
func prepareCreateBlob(w *World, t *Task) metric.Operation {
	if t.Drawn.Contended {
		return w.crowdIn(t)
	}
	if w.full() {
		return w.has(metric.DeleteBlob, w.orRead(t, metric.GetBlob))
	}
	if w.held.Load() || !w.numbersLeft(ledger.Blob) {
		return w.orRead(t, metric.GetBlob)
	}
	if t.parent = w.forUpload(t); t.parent == nil {
		return w.orRead(t, metric.GetBlob)
	}
	if !w.uploads.take(t.Size, t.sent) {
		t.parent.Unlock()
		return w.orRead(t, metric.GetBlob)
	}
	w.upload(t)
	return t.Op
}

// orRead returns the read of a blob, of another size where there is none of
// this, or where there is no blob at all the read of a record.
func (w *World) orRead(t *Task, op metric.Operation) metric.Operation {
	if op == metric.GetBlobChunk && w.chunked.Len() > 0 {
		return op
	}
	for _, size := range [...]int64{t.Size, metric.SmallBlobLimit, metric.SmallBlobLimit + 1} {
		if w.blobSet(size).Len() > 0 {
			t.Size = size
			return metric.GetBlob
		}
	}
	return metric.GetRecord
}

// rest is how long no record is looked for after none was found: a look at all
// of them takes a tenth of a millisecond, too long for every upload of a mix.
const rest = 250 * time.Millisecond

// forUpload returns a record that may get a blob, with its lock, or nil.
func (w *World) forUpload(t *Task) *ledger.Object {
	if int64(t.sent) < w.lookAgain.Load() {
		return nil
	}
	o := w.records.From(w.rank(t, w.records), func(o *ledger.Object) bool { return w.mayUpload(o, t) })
	if o == nil {
		w.lookAgain.Store(int64(t.sent + rest))
	}
	return o
}

// mayUpload takes the lock of a record that may get a blob.
func (w *World) mayUpload(o *ledger.Object, t *Task) bool {
	room := blobsARecord
	if o.Lasting {
		if room = 1; t.Size > w.lastingBytes() {
			return false
		}
	}
	if w.Protocol == metric.HTTP {
		return o.Number%2 == 1 && w.lockQuiet(o, t.sent, func() bool { return o.Children < room })
	}
	if o.Number%chunkedEvery == 1 || !w.tryLock(o) {
		return false
	}
	fits := o.Blob == nil || o.Blob.Size.Load() == 0 || w.blobSet(o.Blob.Size.Load()) == w.blobSet(t.Size)
	if fits && w.mayHold(o.Blob) {
		return true
	}
	o.Unlock()
	return false
}

// lastingBytes bounds a blob that will not be deleted, so that all of them
// together take a fifth of the storage.
func (w *World) lastingBytes() int64 { return 4 * int64(w.Data.MaxBlobBytes) / int64(w.Data.Records) }

// upload fills the call with the next version of the record's blob, or on REST
// with a blob under a new name.
func (w *World) upload(t *Task) {
	record := t.parent
	if t.object = record.Blob; t.object == nil {
		number, key := w.name(ledger.Blob)
		t.object = ledger.NewObject(number, key, record)
		w.begun(t.object)
		if w.Protocol == metric.GRPC {
			record.Blob = t.object
		}
	}
	t.version = w.intend(t.object)
	t.content.Set(t.object, t.version, t.Size)
	t.Call.Store, t.Call.Key, t.Call.Blob = record.Parent.Key, record.Key, t.object.Key
	t.Call.Content = &t.content
}

func settleCreateBlob(w *World, t *Task, err error, now time.Duration) {
	if t.contest != nil {
		w.settleCrowd(t, err, now)
		return
	}
	o := t.object
	end := w.ended(t, err, now)
	if end != ledger.Rejected && o.Size.Load() == 0 {
		t.parent.Children++
		w.blobSet(t.Size).Add(o)
	}
	if end != ledger.Rejected {
		w.blobBytes.Add(t.Size - o.Size.Load())
		o.Size.Store(t.Size)
	}
	if end == ledger.Unknown {
		w.doubtBlob(o, w.blobSet(t.Size), now)
		return
	}
	if end == ledger.Rejected && o != t.parent.Blob {
		w.forget(o) // its name is never used again
	}
	t.parent.Touch(now)
	t.parent.Unlock()
}

// releaseBlob gives a record back whose blob is gone.
func (w *World) releaseBlob(o *ledger.Object, now time.Duration) {
	w.blobBytes.Add(-o.Size.Load())
	o.Size.Store(0)
	o.Parent.Children--
	o.Parent.Touch(now)
	o.Parent.Unlock()
}

func prepareGetBlob(w *World, t *Task) metric.Operation {
	o := w.pick(t, w.blobSet(t.Size))
	if o == nil {
		return metric.CreateBlob
	}
	w.readBlob(t, o)
	return t.Op
}

func (w *World) readBlob(t *Task, o *ledger.Object) {
	record := o.Parent
	t.Call.Store, t.Call.Key, t.Call.Blob = record.Parent.Key, record.Key, o.Key
	w.download(t, o)
}

func (w *World) download(t *Task, o *ledger.Object) {
	w.hint(t)
	t.read(w, o)
	t.checker.Reset(o)
	t.Call.Sink = &t.checker
}

func settleGetBlob(w *World, t *Task, err error, _ time.Duration) {
	w.settleDownload(t, err, metric.CheckBlob)
}

// noBlob says that there is no blob, or no record for it.
func noBlob(code metric.Code) bool {
	return code == metric.NotFound || code == metric.FailedPrecondition
}

// settleDownload judges what the checker saw. On gRPC a record without a blob
// answers with no bytes.
func (w *World) settleDownload(t *Task, err error, check metric.Check) {
	switch {
	case noBlob(t.Result.Code), err == nil && t.Answer.Size == 0:
		t.judge(w, check, ledger.Seen{Absent: true})
	case err == nil:
		t.judge(w, check, t.checker.Seen())
	}
}

// prepareDeleteBlob deletes any blob; each kind comes as often as there are blobs of it.
func prepareDeleteBlob(w *World, t *Task) metric.Operation {
	sets := [...]*ledger.Set{w.blobs[0], w.blobs[1], w.chunked}
	first, at := 0, t.rand.IntN(max(1, sets[0].Len()+sets[1].Len()+sets[2].Len()))
	for first < len(sets)-1 && at >= sets[first].Len() {
		at -= sets[first].Len()
		first++
	}
	for i := range sets {
		set := sets[(first+i)%len(sets)]
		may := func(o *ledger.Object) bool {
			return !o.Parent.Lasting && w.lockQuiet(o.Parent, t.sent, func() bool { return o.Size.Load() > 0 })
		}
		o := w.victim(t.Op, func() *ledger.Object { return set.From(w.rank(t, set), may) }, may)
		if o == nil {
			continue
		}
		t.object, t.parent = o, o.Parent
		t.version = w.intendDelete(o)
		t.Call.Store, t.Call.Key, t.Call.Blob = t.parent.Parent.Key, t.parent.Key, o.Key
		return t.Op
	}
	return w.orRead(t, metric.GetBlob)
}

func settleDeleteBlob(w *World, t *Task, err error, now time.Duration) {
	o := t.object
	end, set := w.ended(t, err, now), w.setOf(o)
	switch end {
	case ledger.Acknowledged:
		set.Remove(o)
		w.releaseBlob(o, now)
	case ledger.Rejected:
		t.parent.Unlock()
	case ledger.Unknown:
		w.doubtBlob(o, set, now)
	}
}

func prepareListBlobs(w *World, t *Task) metric.Operation {
	o := w.join(t)
	if o == nil {
		o = w.pick(t, w.records)
	}
	if o == nil {
		return metric.CreateRecord
	}
	t.read(w, o)
	t.Call.Store, t.Call.Key = o.Parent.Key, o.Key
	return t.Op
}

// settleListBlobs judges whether the record may be absent, and that the names
// are ours and there once. Which of them are listed proves nothing, contests
// apart: a server may store a blob and fail to list it.
func settleListBlobs(w *World, t *Task, err error, _ time.Duration) {
	if t.Result.Code == metric.NotFound {
		t.judge(w, metric.CheckRecord, ledger.Seen{Absent: true})
		return
	}
	if err != nil {
		return
	}
	t.checked(metric.CheckList)
	names := t.Answer.Blobs
	for i, name := range names {
		switch {
		case !strings.HasPrefix(name, w.blobPrefix):
			t.accuse(w, Violation{Kind: ledger.QueryMismatch, Detail: "a blob's name that was never given"}, t.object)
		case slices.Contains(names[:i], name):
			t.accuse(w, Violation{Kind: ledger.QueryShape, Detail: "a blob's name twice"}, t.object)
		}
	}
	if t.contest != nil {
		w.judgeCrowd(t)
	}
}
