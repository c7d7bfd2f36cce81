package opensaves_test

import (
	"bytes"
	"cmp"
	"context"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/sandbox"
)

// content is a blob that comes in one piece.
type content []byte

func (c content) Size() int64 { return int64(len(c)) }
func (c content) Piece(offset int64, limit int) []byte {
	return c[offset:][:min(limit, len(c)-int(offset))]
}

// step is one call against the sandbox; want fills what the answer must hold.
type step struct {
	call opensaves.Call
	want opensaves.Answer
	code metric.Code
	blob string
}

func serveSandbox(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sandbox.New(sandbox.Config{}).Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serving the sandbox: %v", err)
		}
	})
	return listener.Addr().String()
}

// shown leaves out what no test can foresee.
var shown = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(opensaves.Answer{}, "ConnectionWait", "FirstByte", "Answered", "Connection", "Sent", "Received", "Buffer", "Session", "URLs", "Wire"),
	cmpopts.IgnoreFields(opensaves.Record{}, "Signature"),
	cmpopts.SortSlices(func(a, b opensaves.Property) int { return cmp.Compare(a.Name, b.Name) }),
}

// play makes the calls in order; a call without a session gets the last one's.
func play(t *testing.T, address string, wire metric.Protocol, steps []step) {
	t.Helper()
	cfg := opensaves.DefaultConfig()
	cfg.Address = address
	client := connect(t, cfg)
	played, session := make(map[metric.Operation]bool), ""
	for _, s := range steps {
		var sink bytes.Buffer
		var answer opensaves.Answer
		s.call.Sink, s.call.Session = &sink, session
		if err := client.Do(t.Context(), &s.call, &answer); opensaves.CodeOf(err) != s.code {
			t.Errorf("%s: got %v, want %s", s.call.Op, err, s.code)
			continue
		}
		if answer.Session != "" {
			session = answer.Session
		}
		s.want.Attempts, s.want.Responded = 1, true
		if diff := gocmp.Diff(s.want, answer, shown); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.call.Op, diff)
		}
		if sink.String() != s.blob {
			t.Errorf("%s: got blob %q, want %q", s.call.Op, sink.String(), s.blob)
		}
		played[s.call.Op] = true
	}
	for op := range metric.Operation(metric.Operations) {
		if op.On(wire) != played[op] {
			t.Errorf("%s: got played %v, want %v", op, played[op], op.On(wire))
		}
	}
}

func integer(n int64) opensaves.Value { return opensaves.Value{Kind: opensaves.Integer, Int: n} }

func sample() *opensaves.Record {
	return &opensaves.Record{
		Store: "s", Key: "r", Owner: "o", Game: "g", Opaque: "body", Tags: []string{"t"},
		Properties: []opensaves.Property{{Name: "level", Value: integer(7)}},
	}
}

func TestEveryRESTOperationAgainstTheSandbox(t *testing.T) {
	record := sample()
	listed := *record
	blobbed := *record
	blobbed.Blobs = []string{"b"}
	in := func(op metric.Operation) opensaves.Call {
		return opensaves.Call{Op: op, Store: "s", Key: "r", Blob: "b"}
	}
	query := func(op metric.Operation, q opensaves.Query) opensaves.Call {
		return opensaves.Call{Op: op, Store: "s", Query: q}
	}
	play(t, "http://"+serveSandbox(t), metric.HTTP, []step{
		{call: in(metric.Ping)},
		{call: opensaves.Call{Op: metric.CreateStore, Store: "s", StoreName: "n"}},
		{call: opensaves.Call{Op: metric.CreateStore, Store: "s", StoreName: "n"}, code: metric.AlreadyExists},
		{call: in(metric.GetStore), want: opensaves.Answer{Stores: []opensaves.Store{{Key: "s", Name: "n"}}}},
		{call: in(metric.ListStores), want: opensaves.Answer{Stores: []opensaves.Store{{Key: "s", Name: "n"}}}},
		{call: opensaves.Call{Op: metric.CreateRecord, Record: record}},
		{call: in(metric.GetRecord), want: opensaves.Answer{Record: *record}},
		{call: opensaves.Call{Op: metric.UpdateRecord, Record: record}},
		{call: query(metric.QueryByOwner, opensaves.Query{Owner: "o", Limit: 5}), want: opensaves.Answer{Records: []opensaves.Record{listed}}},
		{call: query(metric.QueryByGame, opensaves.Query{Game: "g"}), want: opensaves.Answer{Records: []opensaves.Record{listed}}},
		{call: query(metric.ListRecords, opensaves.Query{}), want: opensaves.Answer{Records: []opensaves.Record{listed}}},
		{call: in(metric.ListBlobs)},
		{call: opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Blob: "b", Content: content("bytes")}},
		{call: in(metric.GetBlob), want: opensaves.Answer{Size: 5}, blob: "bytes"},
		{call: in(metric.ListBlobs), want: opensaves.Answer{Blobs: []string{"b"}}},
		{call: in(metric.GetRecord), want: opensaves.Answer{Record: blobbed}},
		{call: in(metric.DeleteBlob)},
		{call: in(metric.GetBlob), code: metric.NotFound},
		{call: opensaves.Call{Op: metric.SetMetadata, Store: "kind", Key: "id", Record: record}},
		{call: opensaves.Call{Op: metric.GetMetadata, Store: "kind", Key: "id"}, want: opensaves.Answer{Record: opensaves.Record{Properties: record.Properties}}},
		{call: opensaves.Call{Op: metric.DeleteMetadata, Store: "kind", Key: "id"}},
		{call: in(metric.DeleteRecord)},
		{call: in(metric.GetRecord), code: metric.NotFound},
		{call: in(metric.DeleteStore)},
	})
}

func TestEveryGRPCOperationAgainstTheSandbox(t *testing.T) {
	record := sample()
	in := func(op metric.Operation) opensaves.Call { return opensaves.Call{Op: op, Store: "s", Key: "r"} }
	level := func(op metric.Operation, n int64) opensaves.Call {
		c := in(op)
		c.Property, c.Low, c.High = opensaves.Property{Name: "level", Value: integer(n)}, 0, 100
		return c
	}
	swap := level(metric.CompareAndSwap, 8)
	swap.Old = integer(7)
	was := func(n int64) opensaves.Answer { return opensaves.Answer{Updated: true, Old: integer(n)} }
	stores := opensaves.Answer{Stores: []opensaves.Store{{Key: "s", Name: "n", Owner: "o", Tags: []string{"t"}}}}
	found := opensaves.Answer{Records: []opensaves.Record{*record}}
	some := found
	some.Records = append([]opensaves.Record{*record}, opensaves.Record{Store: "s"})
	some.Statuses = []metric.Code{metric.OK, metric.NotFound}
	query := func(op metric.Operation, q opensaves.Query) opensaves.Call {
		return opensaves.Call{Op: op, Store: "s", Query: q}
	}
	chunks := func(op metric.Operation, n int64, body string) opensaves.Call {
		c := in(op)
		c.ChunkSize, c.Chunk, c.Content = 3, n, content(body)
		return c
	}
	of := func(size, count int64) opensaves.Record {
		return opensaves.Record{BlobSize: size, Chunked: count > 0, ChunkCount: count}
	}
	play(t, serveSandbox(t), metric.GRPC, []step{
		{call: in(metric.Ping)},
		{call: opensaves.Call{Op: metric.CreateStore, Store: "s", StoreName: "n", Owner: "o", Tags: []string{"t"}}, want: stores},
		{call: in(metric.GetStore), want: stores},
		{call: opensaves.Call{Op: metric.ListStores, StoreName: "n"}, want: stores},
		{call: opensaves.Call{Op: metric.CreateRecord, Record: record}, want: opensaves.Answer{Record: *record}},
		{call: in(metric.GetRecord), want: opensaves.Answer{Record: *record}},
		{call: opensaves.Call{Op: metric.UpdateRecord, Record: record}, want: opensaves.Answer{Record: *record}},
		{call: opensaves.Call{Op: metric.GetRecords, Keys: []opensaves.Key{{Store: "s", Key: "r"}, {Store: "s", Key: "no"}}}, want: some},
		{call: query(metric.QueryByOwner, opensaves.Query{Owner: "o", Limit: 5}), want: found},
		{call: query(metric.QueryByTag, opensaves.Query{Tags: []string{"t"}}), want: found},
		{call: query(metric.QueryByProperty, opensaves.Query{Filter: opensaves.Filter{Operator: opensaves.Less, Property: opensaves.Property{Name: "level", Value: integer(8)}}}), want: found},
		{call: swap, want: was(7)},
		{call: level(metric.CompareAndSwapGreater, 9), want: was(8)},
		{call: level(metric.CompareAndSwapLess, 5), want: was(9)},
		{call: level(metric.AtomicAdd, 10), want: was(5)},
		{call: level(metric.AtomicSub, 1), want: was(15)},
		{call: level(metric.AtomicInc, 0), want: was(14)},
		{call: level(metric.AtomicDec, 0), want: was(15)},
		{call: opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Content: content("bytes")}, want: opensaves.Answer{Record: of(5, 0)}},
		{call: in(metric.GetBlob), want: opensaves.Answer{Size: 5, Record: of(5, 0)}, blob: "bytes"},
		{call: opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "no", Content: content("bytes")}, code: metric.Unknown},
		{call: in(metric.DeleteBlob)},
		{call: chunks(metric.CreateChunkedBlob, 2, "")},
		{call: in(metric.AbortChunkedUpload)},
		{call: chunks(metric.CreateChunkedBlob, 2, "")},
		{call: chunks(metric.UploadChunk, 0, "abc")},
		{call: chunks(metric.UploadChunk, 1, "de")},
		{call: in(metric.CommitChunkedUpload), want: opensaves.Answer{Chunked: true, Record: of(5, 2)}},
		{call: chunks(metric.GetBlobChunk, 1, ""), want: opensaves.Answer{Size: 2, Chunked: true, Record: opensaves.Record{BlobSize: 2, Chunked: true}}, blob: "de"},
		{call: in(metric.CreateChunkURLs)},
		{call: in(metric.DeleteRecord)},
		{call: in(metric.GetRecord), code: metric.NotFound},
		{call: in(metric.DeleteStore)},
	})
}
