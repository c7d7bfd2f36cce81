package grpc_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/emptypb"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	client "opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/grpc/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bytesContent []byte

func (c bytesContent) Size() int64 { return int64(len(c)) }
func (c bytesContent) Piece(offset int64, limit int) []byte {
	return c[offset:][:min(limit, len(c)-int(offset))]
}

// unaryReply answers every unary call.
type unaryReply func(ctx context.Context, request any) (any, error)

// serve starts a real server whose unary calls are all answered by reply, and streams by stream.
func serve(t testing.TB, reply unaryReply, stream grpc.StreamHandler, options ...grpc.ServerOption) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(append(options,
		grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
			return reply(ctx, request)
		}),
		grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
			return stream(srv, ss)
		}))...)
	api.RegisterOpenSavesServer(server, api.UnimplementedOpenSavesServer{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func testConfig(address string) opensaves.Config {
	cfg := opensaves.DefaultConfig()
	cfg.Address = address
	return cfg
}

func newClient(t testing.TB, cfg opensaves.Config, options opensaves.Options) *client.Client {
	t.Helper()
	c, err := client.New(cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func text(s string) opensaves.Value  { return opensaves.Value{Kind: opensaves.String, Str: s} }
func number(n int64) opensaves.Value { return opensaves.Value{Kind: opensaves.Integer, Int: n} }
func truth(b bool) opensaves.Value   { return opensaves.Value{Kind: opensaves.Boolean, Bool: b} }
func textOf(s string) *api.Property {
	return &api.Property{Type: api.Property_STRING, Value: &api.Property_StringValue{StringValue: s}}
}

func numberOf(n int64) *api.Property {
	return &api.Property{Type: api.Property_INTEGER, Value: &api.Property_IntegerValue{IntegerValue: n}}
}

var ignored = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreFields(opensaves.Answer{}, "ConnectionWait", "FirstByte", "Answered", "Connection", "Sent", "Received", "Wire"),
	cmpopts.SortSlices(func(a, b opensaves.Property) int { return cmp.Compare(a.Name, b.Name) }),
}

func TestEachUnaryOperation(t *testing.T) {
	signature := []byte("0123456789abcdef")
	record := &opensaves.Record{
		Store: "s", Key: "r", Owner: "o", Game: "g", Opaque: "body", Tags: []string{"x"}, Signature: signature,
		Properties: []opensaves.Property{{Name: "level", Value: number(-7)}, {Name: "name", Value: text("v")}, {Name: "won", Value: truth(true)}},
	}
	sent := &api.Record{
		Key: "r", OwnerId: "o", OpaqueString: "body", Tags: []string{"x"}, Signature: signature,
		Properties: map[string]*api.Property{
			"level": numberOf(-7), "name": textOf("v"), "game_id": textOf("g"),
			"won": {Type: api.Property_BOOLEAN, Value: &api.Property_BooleanValue{BooleanValue: true}},
		},
	}
	stored := proto.CloneOf(sent)
	stored.BlobSize, stored.Chunked, stored.ChunkCount = 9, true, 3
	full := *record
	full.BlobSize, full.Chunked, full.ChunkCount = 9, true, 3
	hint, hinted := opensaves.Hint{SkipCache: true}, &api.Hint{SkipCache: true}
	store := &api.Store{Key: "s", Name: "n", OwnerId: "o", Tags: []string{"t"}}
	stores := []opensaves.Store{{Key: "s", Name: "n", Owner: "o", Tags: []string{"t"}}}
	atomic := opensaves.Call{Store: "s", Key: "r", Hint: hint, Property: opensaves.Property{Name: "p", Value: number(5)}, Low: 1, High: 9}
	with := func(op metric.Operation, c opensaves.Call) opensaves.Call { c.Op = op; return c }
	intRequest := &api.AtomicIntRequest{StoreKey: "s", RecordKey: "r", PropertyName: "p", Value: 5, Hint: hinted}
	incRequest := &api.AtomicIncRequest{StoreKey: "s", RecordKey: "r", PropertyName: "p", LowerBound: 1, UpperBound: 9, Hint: hinted}
	intReply, intAnswer := &api.AtomicIntResponse{Updated: true, Value: 4}, opensaves.Answer{Updated: true, Old: number(4)}
	nothing := &emptypb.Empty{}

	for name, test := range map[string]struct {
		call   opensaves.Call
		want   proto.Message
		reply  proto.Message
		answer opensaves.Answer
	}{
		"ping": {opensaves.Call{Op: metric.Ping}, &api.PingRequest{}, &api.PingResponse{}, opensaves.Answer{}},
		"create_store": {
			opensaves.Call{Op: metric.CreateStore, Store: "s", StoreName: "n", Owner: "o", Tags: []string{"t"}},
			&api.CreateStoreRequest{Store: store}, store,
			opensaves.Answer{Stores: stores},
		},
		"get_store": {
			opensaves.Call{Op: metric.GetStore, Store: "s"}, &api.GetStoreRequest{Key: "s"}, store, opensaves.Answer{Stores: stores},
		},
		"list_stores": {
			opensaves.Call{Op: metric.ListStores, StoreName: "n"},
			&api.ListStoresRequest{Name: "n"},
			&api.ListStoresResponse{Stores: []*api.Store{store}},
			opensaves.Answer{Stores: stores},
		},
		"delete_store": {opensaves.Call{Op: metric.DeleteStore, Store: "s"}, &api.DeleteStoreRequest{Key: "s"}, nothing, opensaves.Answer{}},
		"create_record": {
			opensaves.Call{Op: metric.CreateRecord, Record: record, Hint: opensaves.Hint{DoNotCache: true}},
			&api.CreateRecordRequest{StoreKey: "s", Record: sent, Hint: &api.Hint{DoNotCache: true}}, stored,
			opensaves.Answer{Record: full},
		},
		"get_record": {
			opensaves.Call{Op: metric.GetRecord, Store: "s", Key: "r", Hint: hint},
			&api.GetRecordRequest{StoreKey: "s", Key: "r", Hint: hinted}, stored,
			opensaves.Answer{Record: full},
		},
		"update_record": {
			opensaves.Call{Op: metric.UpdateRecord, Record: record},
			&api.UpdateRecordRequest{StoreKey: "s", Record: sent}, stored,
			opensaves.Answer{Record: full},
		},
		"delete_record": {
			opensaves.Call{Op: metric.DeleteRecord, Store: "s", Key: "r"},
			&api.DeleteRecordRequest{StoreKey: "s", Key: "r"}, nothing,
			opensaves.Answer{},
		},
		"get_records": {
			opensaves.Call{Op: metric.GetRecords, Keys: []opensaves.Key{{Store: "s", Key: "r"}, {Store: "u", Key: "w"}}},
			&api.GetRecordsRequest{StoreKeys: []string{"s", "u"}, Keys: []string{"r", "w"}},
			&api.GetRecordsResponse{Results: []*api.GetRecordsResponse_Result{
				{StoreKey: "s", Record: stored}, {StoreKey: "u", Status: &rpcstatus.Status{Code: 5}},
			}},
			opensaves.Answer{Records: []opensaves.Record{full, {Store: "u"}}, Statuses: []metric.Code{metric.OK, metric.NotFound}},
		},
		"query_by_owner": {
			opensaves.Call{Op: metric.QueryByOwner, Store: "s", Query: opensaves.Query{Owner: "o", Limit: 2, Offset: 1}},
			&api.QueryRecordsRequest{StoreKey: "s", OwnerId: "o", Limit: 2, Offset: 1},
			&api.QueryRecordsResponse{Records: []*api.Record{stored}, StoreKeys: []string{"s"}},
			opensaves.Answer{Records: []opensaves.Record{full}},
		},
		"query_by_tag": {
			opensaves.Call{Op: metric.QueryByTag, Query: opensaves.Query{Tags: []string{"x", "y"}}},
			&api.QueryRecordsRequest{Tags: []string{"x", "y"}}, &api.QueryRecordsResponse{},
			opensaves.Answer{},
		},
		"query_by_property": {
			opensaves.Call{Op: metric.QueryByProperty, Store: "s", Query: opensaves.Query{
				Filter: opensaves.Filter{Operator: opensaves.LessOrEqual, Property: opensaves.Property{Name: "p", Value: number(3)}},
				Sort:   opensaves.Sort{Property: "p", Descending: true},
			}},
			&api.QueryRecordsRequest{
				StoreKey:   "s",
				Filters:    []*api.QueryFilter{{PropertyName: "p", Operator: api.FilterOperator_LESS_OR_EQUAL, Value: numberOf(3)}},
				SortOrders: []*api.SortOrder{{Direction: api.SortOrder_DESC, Property: api.SortOrder_USER_PROPERTY, UserPropertyName: "p"}},
			},
			&api.QueryRecordsResponse{},
			opensaves.Answer{},
		},
		"delete_blob": {
			opensaves.Call{Op: metric.DeleteBlob, Store: "s", Key: "r", Hint: hint},
			&api.DeleteBlobRequest{StoreKey: "s", RecordKey: "r", Hint: hinted}, nothing,
			opensaves.Answer{},
		},
		"create_chunked_blob": {
			opensaves.Call{Op: metric.CreateChunkedBlob, Store: "s", Key: "r", ChunkSize: 8, Chunk: 2},
			&api.CreateChunkedBlobRequest{StoreKey: "s", RecordKey: "r", ChunkSize: 8, ChunkCount: 2},
			&api.CreateChunkedBlobResponse{SessionId: "id"},
			opensaves.Answer{Session: "id"},
		},
		"commit_chunked_upload": {
			opensaves.Call{Op: metric.CommitChunkedUpload, Session: "id"},
			&api.CommitChunkedUploadRequest{SessionId: "id"},
			&api.BlobMetadata{Size: 16, Chunked: true, ChunkCount: 2},
			opensaves.Answer{Chunked: true, Record: opensaves.Record{BlobSize: 16, Chunked: true, ChunkCount: 2}},
		},
		"abort_chunked_upload": {
			opensaves.Call{Op: metric.AbortChunkedUpload, Session: "id"}, &api.AbortChunkedUploadRequest{SessionId: "id"}, nothing, opensaves.Answer{},
		},
		"create_chunk_urls": {
			opensaves.Call{Op: metric.CreateChunkURLs, Store: "s", Key: "r"},
			&api.CreateChunkUrlsRequest{StoreKey: "s", Key: "r", TtlInSeconds: 300},
			&api.CreateChunkUrlsResponse{ChunkUrls: []string{"u"}},
			opensaves.Answer{URLs: []string{"u"}},
		},
		"compare_and_swap": {
			opensaves.Call{Op: metric.CompareAndSwap, Store: "s", Key: "r", Property: opensaves.Property{Name: "p", Value: text("b")}, Old: text("a")},
			&api.CompareAndSwapRequest{StoreKey: "s", RecordKey: "r", PropertyName: "p", Value: textOf("b"), OldValue: textOf("a")},
			&api.CompareAndSwapResponse{Updated: true, Value: textOf("a")},
			opensaves.Answer{Updated: true, Old: text("a")},
		},
		"compare_and_swap_greater": {with(metric.CompareAndSwapGreater, atomic), intRequest, intReply, intAnswer},
		"compare_and_swap_less":    {with(metric.CompareAndSwapLess, atomic), intRequest, intReply, intAnswer},
		"atomic_add":               {with(metric.AtomicAdd, atomic), intRequest, intReply, intAnswer},
		"atomic_sub":               {with(metric.AtomicSub, atomic), intRequest, intReply, intAnswer},
		"atomic_inc":               {with(metric.AtomicInc, atomic), incRequest, intReply, intAnswer},
		"atomic_dec":               {with(metric.AtomicDec, atomic), incRequest, intReply, intAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			var got any
			address := serve(t, func(_ context.Context, request any) (any, error) { got = request; return test.reply, nil }, nil)
			var attempts []metric.Operation
			c := newClient(t, testConfig(address), opensaves.Options{OnAttempt: func(op metric.Operation) { attempts = append(attempts, op) }})
			answer := opensaves.Answer{Session: "of an earlier call"}
			if err := c.Do(t.Context(), &test.call, &answer); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			want := test.answer
			want.Attempts, want.Responded = 1, true
			if diff := gocmp.Diff(want, answer, ignored); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if answer.Answered.IsZero() || !strings.HasSuffix(answer.Connection, "→"+address) || answer.Sent != 5+int64(proto.Size(test.want)) {
				t.Errorf("got answered %v over %q with %d bytes sent, want a time, →%s and %d",
					answer.Answered, answer.Connection, answer.Sent, address, 5+proto.Size(test.want))
			}
			if diff := gocmp.Diff([]metric.Operation{test.call.Op}, attempts); diff != "" || name != test.call.Op.String() {
				t.Errorf("attempts of %s (-want +got):\n%s", test.call.Op, diff)
			}
		})
	}
}

func TestOperationsOfTheOtherWireAreUnimplemented(t *testing.T) {
	c := newClient(t, testConfig("127.0.0.1:1"), opensaves.Options{})
	for op := range metric.Operation(metric.Operations) {
		if op.On(metric.GRPC) {
			continue
		}
		err := c.Do(t.Context(), &opensaves.Call{Op: op}, new(opensaves.Answer))
		if got := opensaves.CodeOf(err); got != metric.Unimplemented {
			t.Errorf("%s: got %s, want Unimplemented", op, got)
		}
	}
}

func TestUploadsSendMetadataAndThenPieces(t *testing.T) {
	content := bytesContent(bytes.Repeat([]byte("0123456789abcdef"), 3<<15)) // 1.5 MiB
	sum := crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))
	var first proto.Message
	var pieces []int
	var body []byte
	collect := func(metadata proto.Message, piece []byte) {
		if metadata != nil {
			first = metadata
			return
		}
		body, pieces = append(body, piece...), append(pieces, len(piece))
	}
	address := serve(t, nil, func(_ any, ss grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(ss)
		for {
			var err error
			if method == api.OpenSaves_CreateBlob_FullMethodName {
				var m api.CreateBlobRequest
				if err = ss.RecvMsg(&m); err == nil {
					collect(cmpMessage(m.GetMetadata()), m.GetContent())
				} else if errors.Is(err, io.EOF) {
					return ss.SendMsg(first)
				}
			} else {
				var m api.UploadChunkRequest
				if err = ss.RecvMsg(&m); err == nil {
					collect(cmpMessage(m.GetMetadata()), m.GetContent())
				} else if errors.Is(err, io.EOF) {
					return ss.SendMsg(first)
				}
			}
			if err != nil {
				return err
			}
		}
	})
	for name, test := range map[string]struct {
		call opensaves.Call
		want proto.Message
	}{
		"create_blob": {
			opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Content: content},
			&api.BlobMetadata{StoreKey: "s", RecordKey: "r", Size: content.Size(), Crc32C: sum, HasCrc32C: true},
		},
		"upload_chunk": {
			opensaves.Call{Op: metric.UploadChunk, Session: "id", Chunk: 3, Content: content},
			&api.ChunkMetadata{SessionId: "id", Number: 3, Size: content.Size(), Crc32C: sum, HasCrc32C: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, pieces, body = nil, nil, nil
			var answer opensaves.Answer
			if err := newClient(t, testConfig(address), opensaves.Options{}).Do(t.Context(), &test.call, &answer); err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(test.want, first, protocmp.Transform()); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
			if !slices.Equal(pieces, []int{1 << 20, 1 << 19}) || !bytes.Equal(body, content) || answer.Sent < content.Size() {
				t.Errorf("got pieces %v and %d bytes sent, want 1 MiB and the rest", pieces, answer.Sent)
			}
		})
	}
}

// cmpMessage makes a nil pointer a nil message.
func cmpMessage[M any, P interface {
	*M
	proto.Message
}](m P) proto.Message {
	if m == nil {
		return nil
	}
	return m
}

func TestUploadsThatEndEarly(t *testing.T) {
	for name, test := range map[string]struct {
		end  error
		want metric.Code
	}{
		"with an error have its code":        {status.Error(codes.FailedPrecondition, "no such record"), metric.FailedPrecondition},
		"with OK and no reply are a failure": {nil, metric.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, nil, func(any, grpc.ServerStream) error { return test.end })
			c := newClient(t, testConfig(address), opensaves.Options{})
			for range 20 {
				call := &opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Content: bytesContent(make([]byte, 4<<20))}
				if err := c.Do(t.Context(), call, new(opensaves.Answer)); opensaves.CodeOf(err) != test.want {
					t.Fatalf("got %v, want %s", err, test.want)
				}
			}
		})
	}
}

func TestDownloadsHandOnTheContent(t *testing.T) {
	address := serve(t, nil, func(_ any, ss grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(ss)
		if method == api.OpenSaves_GetBlob_FullMethodName {
			_ = ss.SendMsg(&api.GetBlobResponse{Response: &api.GetBlobResponse_Metadata{Metadata: &api.BlobMetadata{Size: 6}}})
			_ = ss.SendMsg(&api.GetBlobResponse{Response: &api.GetBlobResponse_Content{Content: []byte("abc")}})
			return ss.SendMsg(&api.GetBlobResponse{Response: &api.GetBlobResponse_Content{Content: []byte("def")}})
		}
		_ = ss.SendMsg(&api.GetBlobChunkResponse{Response: &api.GetBlobChunkResponse_Metadata{Metadata: &api.ChunkMetadata{Size: 3}}})
		_ = ss.SendMsg(&api.GetBlobChunkResponse{Response: &api.GetBlobChunkResponse_Content{Content: []byte("abc")}})
		return status.Error(codes.DataLoss, "cut")
	})
	c := newClient(t, testConfig(address), opensaves.Options{})
	for name, test := range map[string]struct {
		op   metric.Operation
		sunk string
		code metric.Code
		want opensaves.Answer
	}{
		"get_blob":           {metric.GetBlob, "abcdef", metric.OK, opensaves.Answer{Size: 6, Record: opensaves.Record{BlobSize: 6}}},
		"get_blob_chunk cut": {metric.GetBlobChunk, "abc", metric.DataLoss, opensaves.Answer{Size: 3, Chunked: true, Record: opensaves.Record{BlobSize: 3, Chunked: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			var sink bytes.Buffer
			var answer opensaves.Answer
			err := c.Do(t.Context(), &opensaves.Call{Op: test.op, Store: "s", Key: "r", Sink: &sink}, &answer)
			if opensaves.CodeOf(err) != test.code || sink.String() != test.sunk || answer.FirstByte.IsZero() {
				t.Errorf("got %v, %q first at %v; want %s, %q and a time", err, sink.String(), answer.FirstByte, test.code, test.sunk)
			}
			test.want.Attempts, test.want.Responded = 1, true
			if diff := gocmp.Diff(test.want, answer, ignored); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

var getRecord = &opensaves.Call{Op: metric.GetRecord, Store: "s", Key: "r"}

func TestACallCarriesAHeaderOfItsOwnAndSaysHowItLooked(t *testing.T) {
	var got metadata.MD
	cfg := testConfig(serve(t, func(ctx context.Context, _ any) (any, error) {
		got, _ = metadata.FromIncomingContext(ctx)
		return &api.Record{}, nil
	}, nil))
	cfg.Headers = map[string]config.Secret{"X-Team": "soak"}
	call, answer := *getRecord, opensaves.Answer{}
	call.Header = opensaves.Header{Name: "X-Own", Value: "1"}
	if err := newClient(t, cfg, opensaves.Options{}).Do(t.Context(), &call, &answer); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([][]string{{"soak"}, {"1"}}, [][]string{got.Get("x-team"), got.Get("x-own")}); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(opensaves.Wire{Method: api.OpenSaves_GetRecord_FullMethodName}, answer.Wire); diff != "" {
		t.Errorf("wire (-want +got):\n%s", diff)
	}
}

func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		reply unaryReply
		want  string
	}{
		"a status keeps its code and text": {
			func(context.Context, any) (any, error) {
				return nil, status.Error(codes.Aborted, "too much\ncontention")
			},
			"calling get_record: Aborted: too much contention",
		},
		"a code that gRPC does not know is Unknown": {
			func(context.Context, any) (any, error) { return nil, status.Error(99, "odd") }, "calling get_record: Unknown: odd",
		},
		"a header's value does not show": {
			func(ctx context.Context, _ any) (any, error) {
				md, _ := metadata.FromIncomingContext(ctx)
				return nil, status.Error(codes.Unauthenticated, "what is "+md.Get("authorization")[0])
			},
			"calling get_record: Unauthenticated: what is <redacted>",
		},
		"our own deadline is DeadlineExceeded": {
			func(ctx context.Context, _ any) (any, error) { <-ctx.Done(); return nil, ctx.Err() },
			"calling get_record: DeadlineExceeded: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(serve(t, test.reply, nil))
			cfg.Timeout = model.Duration(300 * time.Millisecond)
			cfg.Headers = map[string]config.Secret{"Authorization": "Bearer hush"}
			var answer opensaves.Answer
			err := newClient(t, cfg, opensaves.Options{}).Do(t.Context(), getRecord, &answer)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) || answer.Attempts != 1 || answer.Answered.IsZero() {
				t.Errorf("got %v after %d attempts, want %s after one", err, answer.Attempts, test.want)
			}
		})
	}
}

func TestACancelledCallIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	address := serve(t, func(ctx context.Context, _ any) (any, error) {
		cancel(errors.New("shutting down"))
		<-ctx.Done()
		return nil, ctx.Err()
	}, nil)
	err := newClient(t, testConfig(address), opensaves.Options{}).Do(ctx, getRecord, new(opensaves.Answer))
	if got := opensaves.CodeOf(err); got != metric.Canceled {
		t.Errorf("got %v, want Canceled", err)
	}
}

func TestNobodyListeningIsUnavailable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	var answer opensaves.Answer
	err = newClient(t, testConfig(listener.Addr().String()), opensaves.Options{}).Do(t.Context(), getRecord, &answer)
	if got := opensaves.CodeOf(err); got != metric.Unavailable || answer.Attempts != 0 || answer.ConnectionWait == 0 {
		t.Errorf("got %v, %d attempts, %v wait; want Unavailable, none and some", err, answer.Attempts, answer.ConnectionWait)
	}
}

func TestChannelsGrowWithLoad(t *testing.T) {
	var inFlight, peers atomic.Int64
	var seen sync.Map
	gate := make(chan struct{})
	address := serve(t, func(ctx context.Context, _ any) (any, error) {
		from, _ := peer.FromContext(ctx)
		if _, known := seen.LoadOrStore(from.Addr.String(), true); !known {
			peers.Add(1)
		}
		inFlight.Add(1)
		<-gate
		return &api.Record{}, nil
	}, nil)
	cfg := testConfig(address)
	cfg.Timeout = model.Duration(time.Minute)
	c := newClient(t, cfg, opensaves.Options{MaxInFlight: func() int { return 400 }})
	var calls sync.WaitGroup
	more := func(n int64) {
		for range n {
			before := inFlight.Load()
			calls.Go(func() {
				if err := c.Do(t.Context(), getRecord, new(opensaves.Answer)); err != nil {
					t.Error(err)
				}
			})
			for inFlight.Load() == before {
				runtime.Gosched()
			}
		}
	}
	more(100)
	if got := peers.Load(); got != 2 {
		t.Errorf("got %d connections for 100 calls, want 2", got)
	}
	for peers.Load() < 5 && inFlight.Load() < 5000 {
		more(1)
	}
	more(200)
	if got := peers.Load(); got != 5 {
		t.Errorf("got %d connections with at most 400 calls announced, want 5", got)
	}
	close(gate)
	calls.Wait()
}

func TestOldChannelsAreReplacedWithoutErrors(t *testing.T) {
	address := serve(t, func(context.Context, any) (any, error) { return &api.Record{}, nil }, nil)
	cfg := testConfig(address)
	cfg.ConnectionMaxAge = model.Duration(time.Millisecond)
	c := newClient(t, cfg, opensaves.Options{})
	names := make(map[string]bool)
	var answer opensaves.Answer
	for deadline := time.Now().Add(10 * time.Second); len(names) < 5 && time.Now().Before(deadline); {
		if err := c.Do(t.Context(), getRecord, &answer); err != nil {
			t.Fatal(err)
		}
		names[answer.Connection] = true
	}
	if len(names) < 5 {
		t.Errorf("got %d connections, want at least 5", len(names))
	}
}
