package scenario

import (
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// step is what a player does for one operation.
type step struct {
	// prepare chooses what to work on, takes its lock and fills the call. It
	// returns the task's operation, or another that the arrival becomes because
	// there is nothing for this one to work on; then it has changed nothing.
	prepare func(w *World, t *Task) metric.Operation
	// settle learns how the call ended, judges the answer and gives locks back.
	settle func(w *World, t *Task, err error, now time.Duration)
	locks  bool // an existing record
}

// steps has a row for every operation.
var steps = [metric.Operations]step{
	metric.Ping: {prepare: preparePing, settle: settleNothing},

	metric.CreateStore: {prepare: prepareCreateStore, settle: settleCreateStore},
	metric.GetStore:    {prepare: prepareGetStore, settle: settleGetStore},
	metric.ListStores:  {prepare: prepareListStores, settle: settleListStores},
	metric.DeleteStore: {prepare: prepareDeleteStore, settle: settleDeleteStore},

	metric.CreateRecord: {prepare: prepareCreateRecord, settle: settleCreateRecord},
	metric.GetRecord:    {prepare: prepareGetRecord, settle: settleGetRecord},
	metric.UpdateRecord: {prepare: prepareUpdateRecord, settle: settleUpdateRecord, locks: true},
	metric.DeleteRecord: {prepare: prepareDeleteRecord, settle: settleDeleteRecord, locks: true},
	metric.GetRecords:   {prepare: prepareGetRecords, settle: settleGetRecords},

	metric.QueryByOwner:    {prepare: prepareQuery, settle: settleQuery},
	metric.QueryByTag:      {prepare: prepareQuery, settle: settleQuery},
	metric.QueryByProperty: {prepare: prepareQuery, settle: settleQuery},
	metric.QueryByGame:     {prepare: prepareQuery, settle: settleQuery},
	metric.ListRecords:     {prepare: prepareQuery, settle: settleQuery},

	metric.SetMetadata:    {prepare: prepareSetMetadata, settle: settleSetMetadata},
	metric.GetMetadata:    {prepare: prepareGetMetadata, settle: settleGetMetadata},
	metric.DeleteMetadata: {prepare: prepareDeleteMetadata, settle: settleDeleteMetadata},

	metric.CreateBlob: {prepare: prepareCreateBlob, settle: settleCreateBlob, locks: true},
	metric.GetBlob:    {prepare: prepareGetBlob, settle: settleGetBlob},
	metric.DeleteBlob: {prepare: prepareDeleteBlob, settle: settleDeleteBlob, locks: true},
	metric.ListBlobs:  {prepare: prepareListBlobs, settle: settleListBlobs},

	metric.CreateChunkedBlob:   {prepare: prepareCreateChunkedBlob, settle: settleCreateChunkedBlob, locks: true},
	metric.UploadChunk:         {prepare: prepareUploadChunk, settle: settleUploadChunk},
	metric.CommitChunkedUpload: {prepare: prepareCommit, settle: settleCommit},
	metric.AbortChunkedUpload:  {prepare: prepareAbort, settle: settleAbort},
	metric.GetBlobChunk:        {prepare: prepareGetBlobChunk, settle: settleGetBlobChunk},
	metric.CreateChunkURLs:     {prepare: prepareCreateChunkURLs, settle: settleCreateChunkURLs},

	metric.CompareAndSwap:        {prepare: prepareAtomic, settle: settleAtomic, locks: true},
	metric.CompareAndSwapGreater: {prepare: prepareAtomic, settle: settleAtomic, locks: true},
	metric.CompareAndSwapLess:    {prepare: prepareAtomic, settle: settleAtomic, locks: true},
	metric.AtomicAdd:             {prepare: prepareSum, settle: settleSum},
	metric.AtomicSub:             {prepare: prepareSum, settle: settleSum},
	metric.AtomicInc:             {prepare: prepareAtomic, settle: settleAtomic, locks: true},
	metric.AtomicDec:             {prepare: prepareAtomic, settle: settleAtomic, locks: true},
}

// Judged says whether the answers of an operation can be found stale.
func Judged(op metric.Operation) bool {
	return side(op) == 0 && op != metric.Ping && op != metric.ListBlobs
}

// Prepare makes a call of an arrival, at instant now. The arrival may become
// another operation than the one drawn; in the end there is always a call.
func (w *World) Prepare(t *Task, d Draw, now time.Duration) {
	t.reset(d)
	t.sent = now
	if t.Op = w.warm(t); w.pursue(t) {
		return
	}
	mutable := w.Mutable() && !w.suspended(now)
	for range steps {
		if !mutable && side(t.Op) == 1 {
			t.Op = metric.GetRecord
			if w.records.Len() == 0 {
				break
			}
		}
		t.Call.Op = t.Op
		became := steps[t.Op].prepare(w, t)
		if became == t.Op {
			return
		}
		t.Op = became
	}
	t.Op = metric.Ping // conversions went in a circle: nothing is free
	t.Call = opensaves.Call{Op: metric.Ping}
}

// Settle learns how the call of a task ended, at instant now, and fills its result.
func (w *World) Settle(t *Task, err error, now time.Duration) {
	r := &t.Result
	r.Code = opensaves.CodeOf(err)
	switch r.Code {
	case metric.OK:
		r.Outcome = metric.Success
	case metric.Aborted:
		r.Outcome = metric.AbortedOutcome
	default:
		r.Outcome = metric.Failure
	}
	if side(t.Op) == 0 && w.suspended(now) {
		w.overlook(t, err, now)
		return
	}
	before := *r
	t.shadow, err = w.falsify(t, err)
	steps[t.Op].settle(w, t, err, now)
	if t.inquiry != nil {
		w.learn(t, now)
	}
	if t.former != nil {
		w.settleFormer(t)
	}
	if t.shadow != nil { // what was falsified is no figure of the target
		*r = before
		switch {
		case t.shadow.kind == ledger.Resurrected && r.Code == metric.NotFound:
			r.Outcome = metric.Success // it is deleted indeed
		case t.shadow.kind == ledger.LostUpdate:
			r.Outcome = metric.AbortedOutcome // its guard was not met
		}
	}
}

// warm turns up to half of the arrivals into creates while the working set is
// small.
func (w *World) warm(t *Task) metric.Operation {
	if w.live()+int(w.creating.Load()) < w.enough() && t.rand.IntN(2) == 0 {
		return metric.CreateRecord
	}
	return t.Op
}

func preparePing(_ *World, t *Task) metric.Operation { return t.Op }

func settleNothing(*World, *Task, error, time.Duration) {}

// overlook settles a read that may not be judged.
func (w *World) overlook(t *Task, err error, now time.Duration) {
	if err == nil && t.object != nil {
		t.unjudged(checkOf(t.object))
	}
	if t.inquiry != nil {
		t.inquiry.Failed(now)
		w.release(t.inquiry)
	}
	if t.former != nil {
		w.settleFormer(t)
	}
}
