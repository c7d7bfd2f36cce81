package scenario

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// session is an upload in chunks that is in progress. It holds its record's lock.
type session struct {
	id       string
	blob     *ledger.Object
	parts    []*ledger.Object
	size     int64 // of a chunk, in bytes
	uploaded int
	busy     bool
}

// total is how many bytes the blob will hold.
func (s *session) total() int64 { return s.size * int64(len(s.parts)) }

// sessions are the uploads in progress. They are few, so that one lock does.
type sessions struct {
	mu   sync.Mutex
	list []*session
}

const (
	maxSessions = 64
	maxParts    = 4
)

func (s *sessions) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

func (s *sessions) add(one *session) {
	s.mu.Lock()
	s.list = append(s.list, one)
	s.mu.Unlock()
}

// take returns a session that is as wanted and makes it busy; nil if there is none.
func (s *sessions) take(wanted func(*session) bool) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if !one.busy && wanted(one) {
			one.busy = true
			return one
		}
	}
	return nil
}

func (s *sessions) release(one *session) {
	s.mu.Lock()
	one.busy = false
	s.mu.Unlock()
}

// last puts a session behind all others, so that one that fails holds up none.
func (s *sessions) last(one *session) {
	s.remove(one)
	s.mu.Lock()
	one.busy = false
	s.list = append(s.list, one)
	s.mu.Unlock()
}

func (s *sessions) remove(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.list {
		if other == one {
			s.list = append(s.list[:i], s.list[i+1:]...)
			return
		}
	}
}

// prepareCreateChunkedBlob begins an upload to a record kept for such blobs.
func prepareCreateChunkedBlob(w *World, t *Task) metric.Operation {
	if w.sessions.len() >= maxSessions {
		return metric.UploadChunk
	}
	if w.full() {
		return w.has(metric.DeleteBlob, w.orRead(t, metric.GetBlobChunk))
	}
	if w.held.Load() || !w.numbersLeft(ledger.Chunked) || !w.numbersLeft(ledger.Part) {
		return w.orRead(t, metric.GetBlobChunk)
	}
	t.parent = w.records.From(w.rank(t, w.records), func(o *ledger.Object) bool {
		return o.Number%chunkedEvery == 1 && (!o.Lasting || t.Size <= w.lastingBytes()) && w.lockQuiet(o, t.sent, func() bool { return (o.Blob == nil || o.Blob.Size.Load() == 0) && w.mayHold(o.Blob) })
	})
	if t.parent == nil {
		return w.orRead(t, metric.GetBlobChunk)
	}
	w.begin(t)
	return t.Op
}

// begin makes the session, with its parts as objects of their own.
func (w *World) begin(t *Task) {
	record := t.parent
	if record.Blob == nil {
		number, key := w.name(ledger.Chunked)
		record.Blob = ledger.NewObject(number, key, record)
		for range maxParts {
			number, key := w.name(ledger.Part)
			record.Blob.Parts = append(record.Blob.Parts, ledger.NewObject(number, key, record.Blob))
		}
		w.begun(record.Blob)
		for _, part := range record.Blob.Parts {
			w.begun(part)
		}
	}
	count := 2 + t.rand.IntN(maxParts-1)
	t.session = &session{blob: record.Blob, parts: record.Blob.Parts[:count], size: max(1, t.Size/int64(count)), busy: true}
	t.Call.Store, t.Call.Key = record.Parent.Key, record.Key
	t.Call.ChunkSize, t.Call.Chunk = t.session.size, int64(count)
}

func settleCreateChunkedBlob(w *World, t *Task, err error, _ time.Duration) {
	if t.ends(err) != ledger.Acknowledged { // nothing shows of a session that is never committed
		t.parent.Unlock()
		return
	}
	s := t.session
	s.id = t.Answer.Session
	w.blobBytes.Add(s.total())
	w.intend(s.blob)
	for i, part := range s.blob.Parts {
		if i < len(s.parts) {
			part.Intend()
		} else {
			part.IntendDelete()
		}
	}
	w.sessions.add(s)
	w.sessions.release(s)
}

func prepareUploadChunk(w *World, t *Task) metric.Operation {
	t.session = w.sessions.take(func(s *session) bool { return s.uploaded < len(s.parts) })
	if t.session == nil {
		return w.has(metric.CommitChunkedUpload, w.orRead(t, metric.GetBlobChunk))
	}
	s := t.session
	if w.held.Load() || !w.uploads.take(s.size, t.sent) {
		w.sessions.release(s)
		return w.orRead(t, metric.GetBlobChunk)
	}
	part := s.parts[s.uploaded]
	t.Size = s.size
	t.content.Set(part, part.Version(), s.size)
	t.Call.Session, t.Call.Chunk, t.Call.Content = s.id, int64(s.uploaded), &t.content
	return t.Op
}

// settleUploadChunk leaves a chunk to be uploaded again where the end is
// unknown: it is the same chunk.
func settleUploadChunk(w *World, t *Task, err error, now time.Duration) {
	switch {
	case err == nil:
		t.session.uploaded++
	case t.Result.Code == metric.NotFound:
		w.drop(t.session, ledger.Rejected, now)
		return
	default:
		t.ends(err)
		w.sessions.last(t.session)
		return
	}
	w.sessions.release(t.session)
}

// drop ends a session whose chunks will never be seen, and gives its record back.
func (w *World) drop(s *session, end ledger.End, now time.Duration) {
	w.sessions.remove(s)
	w.blobBytes.Add(-s.total())
	s.blob.End(s.blob.Version(), end, now)
	w.noteAll(s.blob)
	s.blob.Parent.Touch(now)
	s.blob.Parent.Unlock()
}

// dropSessions ends those that the mix will never commit.
func (w *World) dropSessions(now time.Duration) {
	if w.mix.Load().Has(metric.CommitChunkedUpload) {
		return
	}
	for s := w.sessions.take(anySession); s != nil; s = w.sessions.take(anySession) {
		w.drop(s, ledger.Rejected, now)
	}
}

func anySession(*session) bool { return true }

func prepareCommit(w *World, t *Task) metric.Operation {
	t.session = w.sessions.take(func(s *session) bool { return s.uploaded == len(s.parts) })
	if t.session == nil {
		return metric.CreateChunkedBlob
	}
	t.Size = t.session.total()
	t.Call.Session = t.session.id
	return t.Op
}

func settleCommit(w *World, t *Task, err error, now time.Duration) {
	s, blob := t.session, t.session.blob
	end := t.ends(err)
	if end == ledger.Rejected {
		w.drop(s, end, now)
		return
	}
	w.sessions.remove(s)
	blob.End(blob.Version(), end, now)
	w.noteAll(blob)
	if end == ledger.Acknowledged {
		for _, part := range s.parts {
			w.toRead(metric.GetBlobChunk, part)
		}
	}
	blob.Size.Store(t.Size)
	blob.Count.Store(int32(len(s.parts)))
	blob.Parent.Children++
	w.chunked.Add(blob)
	if end == ledger.Unknown {
		w.doubtBlob(blob, w.chunked, now)
		return
	}
	blob.Parent.Touch(now)
	blob.Parent.Unlock()
}

func prepareAbort(w *World, t *Task) metric.Operation {
	t.session = w.sessions.take(anySession)
	if t.session == nil {
		return metric.CreateChunkedBlob
	}
	t.Call.Session = t.session.id
	return t.Op
}

// settleAbort forgets the session whatever the end: nobody will commit it.
func settleAbort(w *World, t *Task, err error, now time.Duration) {
	t.ends(err)
	w.drop(t.session, ledger.Rejected, now)
}

func prepareGetBlobChunk(w *World, t *Task) metric.Operation {
	blob := w.pick(t, w.chunked)
	if blob == nil {
		return w.has(metric.CreateChunkedBlob, metric.GetBlob)
	}
	w.readPart(t, blob.Parts[t.rand.IntN(max(1, int(blob.Count.Load())))])
	return t.Op
}

func (w *World) readPart(t *Task, part *ledger.Object) {
	blob := part.Parent
	record := blob.Parent
	t.Call.Store, t.Call.Key = record.Parent.Key, record.Key
	t.Call.Chunk = int64(slices.Index(blob.Parts, part))
	w.download(t, part)
}

func settleGetBlobChunk(w *World, t *Task, err error, _ time.Duration) {
	if err == nil {
		t.Size = t.Answer.Size
	}
	w.settleDownload(t, err, metric.CheckChunk)
}

func prepareCreateChunkURLs(w *World, t *Task) metric.Operation {
	blob := w.pick(t, w.chunked)
	if blob == nil {
		return w.has(metric.CreateChunkedBlob, metric.GetBlob)
	}
	w.readURLs(t, blob)
	return t.Op
}

func (w *World) readURLs(t *Task, blob *ledger.Object) {
	t.read(w, blob)
	t.before.Past = true
	t.Call.Store, t.Call.Key = blob.Parent.Parent.Key, blob.Parent.Key
}

// settleCreateChunkURLs judges whether the blob may be absent, and where it did
// not change meanwhile the number of its chunks.
func settleCreateChunkURLs(w *World, t *Task, err error, _ time.Duration) {
	switch {
	case noBlob(t.Result.Code):
		t.judge(w, metric.CheckBlob, ledger.Seen{Absent: true})
	case err != nil:
	case !w.stays(t.object, t.sent):
		t.unjudged(metric.CheckBlob)
	default:
		t.judge(w, metric.CheckBlob, ledger.Seen{Version: t.object.Version()})
		if got, want := len(t.Answer.URLs), int(t.object.Count.Load()); got != want {
			t.accuse(w, Violation{Kind: ledger.QueryShape, Detail: fmt.Sprintf("%d addresses of chunks, want %d", got, want)}, t.object)
		}
	}
}
