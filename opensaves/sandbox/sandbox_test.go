package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox/fault"
)

func FuzzParseRoute(f *testing.F) {
	for _, path := range []string{"/", "/health", "/api/stores", "/api/stores/s/records/r/blobs/b", "/api/metadata/a/b", "/api/stores//records/"} {
		f.Add("GET", path)
		f.Add("PUT", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		at, err := parseRoute(method, path)
		if err == nil && !at.root && endpoints[at.op].handle == nil {
			t.Errorf("%s %s: got %s, which REST has not", method, path, at.op)
		}
		if strings.Contains(at.store+at.record+at.name, "/") {
			t.Errorf("%s %s: got an id with a slash: %+v", method, path, at)
		}
	})
}

func FuzzREST(f *testing.F) {
	f.Add("POST", "/api/stores", `{"store_id":"s"}`)
	f.Add("POST", "/api/stores/s/records", `{"record_id":"r","properties":{"owner_id":"o"}}`)
	f.Add("GET", "/api/stores/s/records?owner_id=o&limit=1", "")
	f.Add("POST", "/api/metadata/a/b", `{"a":[{},""]}`)
	s := New(Config{MaxBody: 1 << 10})
	f.Fuzz(func(t *testing.T, method, target, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://host/", strings.NewReader(body))
		if err != nil {
			return // no request that a server would be given
		}
		if parsed, err := r.URL.Parse(target); err == nil {
			r.URL = parsed
		}
		w := httptest.NewRecorder()
		s.REST().ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 500 {
			t.Errorf("%s %s: got %d", method, target, w.Code)
		}
	})
}

func TestEveryOperationOfAWireHasAnEndpoint(t *testing.T) {
	onGRPC := map[metric.Operation]bool{metric.QueryByTag: true, metric.QueryByProperty: true}
	for _, op := range operations {
		onGRPC[op] = true
	}
	for op := range metric.Operation(metric.Operations) {
		if got, want := endpoints[op].handle != nil, op.On(metric.HTTP); got != want {
			t.Errorf("%s on REST: got %v, want %v", op, got, want)
		}
		if got, want := onGRPC[op], op.On(metric.GRPC); got != want {
			t.Errorf("%s on gRPC: got %v, want %v", op, got, want)
		}
	}
}

// A run of creates, updates and deletes on both wires must leave nothing behind.
func TestNothingIsKeptOfWhatWasDeleted(t *testing.T) {
	s := New(Config{})
	v := &service{sandbox: s, database: s.database}
	for i := range 200 {
		id := fmt.Sprintf("s%d", i)
		for _, request := range [][3]string{
			{"POST", "/api/stores", `{"store_id":"` + id + `"}`},
			{"POST", "/api/stores/" + id + "/records", `{"record_id":"r","tags":["t"],"properties":{"owner_id":"o"}}`},
			{"PUT", "/api/stores/" + id + "/records/r/blobs/b", "x"},
			{"DELETE", "/api/stores/" + id + "/records/r/blobs/b", ""},
			{"DELETE", "/api/stores/" + id + "/records/r", ""},
			{"DELETE", "/api/stores/" + id, ""},
			{"DELETE", "/api/metadata/store_stats/" + id, ""},
		} {
			r, err := http.NewRequestWithContext(t.Context(), request[0], request[1], strings.NewReader(request[2]))
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			if s.REST().ServeHTTP(w, r); w.Code >= 300 {
				t.Fatalf("%v: got %d %s", request, w.Code, w.Body)
			}
		}
		uploadAndDelete(t, v, id)
	}
	shelves := 0
	s.database.shelves.Range(func(any, any) bool { shelves++; return true })
	left := map[string]int{
		"shelves": shelves, "records": s.database.records.len(), "objects": s.database.objects.len(),
		"metadata": s.database.metadata.len(), "uploads": s.database.uploads.len(),
	}
	for what, n := range left {
		if n != 0 {
			t.Errorf("%s: got %d, want none left", what, n)
		}
	}
}

func uploadAndDelete(t *testing.T, v *service, id string) {
	t.Helper()
	ctx := t.Context()
	_, err := v.CreateStore(ctx, &api.CreateStoreRequest{Store: &api.Store{Key: id}})
	if err == nil {
		_, err = v.CreateRecord(ctx, &api.CreateRecordRequest{StoreKey: id, Record: &api.Record{Key: "r"}})
	}
	var session *api.CreateChunkedBlobResponse
	if err == nil {
		session, err = v.CreateChunkedBlob(ctx, &api.CreateChunkedBlobRequest{StoreKey: id, RecordKey: "r"})
	}
	if err == nil {
		_, err = v.CommitChunkedUpload(ctx, &api.CommitChunkedUploadRequest{SessionId: session.GetSessionId()})
	}
	if err == nil {
		_, err = v.DeleteRecord(ctx, &api.DeleteRecordRequest{StoreKey: id, Key: "r"})
	}
	if err == nil {
		_, err = v.DeleteStore(ctx, &api.DeleteStoreRequest{Key: id})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (t *table[K, V]) len() int {
	n := 0
	for i := range t.shards {
		n += len(t.shards[i].entries)
	}
	return n
}

// What reads that lag may still show is kept for as long as they lag.
func TestThePastIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		s.SetFaults(fault.Faults{ReadLag: fault.ReadLag{Ratio: 1, By: fault.Duration(time.Second)}})
		v := &service{sandbox: s, database: s.database}
		for i := range 10_000 {
			uploadAndDelete(t, v, fmt.Sprintf("s%d", i))
			time.Sleep(10 * time.Millisecond)
		}
		past := s.database.past
		if got := past.records.len() + past.stores.len(); got > 5000 {
			t.Errorf("after 10,000 stores and records, 100 a second: got %d kept, want 5000 at most", got)
		}
		s.SetFaults(fault.Faults{})
		if got := past.records.len() + past.stores.len() + past.metadata.len(); got != 0 {
			t.Errorf("without the fault: got %d kept, want none", got)
		}
	})
}

func TestTablesForgetWhatHasEnded(t *testing.T) {
	x := newTable[int, int]()
	past := time.Now().Add(-time.Second)
	for i := range 100_000 {
		x.lend(i, i, past)
	}
	if _, ok := x.get(1); ok || x.len() > 64*100 {
		t.Errorf("after 100,000 entries that have ended: got %d left, and entry 1 there %v", x.len(), ok)
	}
}

// stocked returns a sandbox with 10,000 records of 1 KiB in ten stores.
func stocked(b *testing.B) *Sandbox {
	b.Helper()
	s := New(Config{})
	text := strings.Repeat("x", 1000)
	now := time.Now()
	for i := range 10_000 {
		id := fmt.Sprintf("s%d", i%10)
		_ = s.database.createStore(id, &store{key: id, created: now}, manner{now: now}) // there from the second time on
		r := &record{content: content{
			store: id, key: fmt.Sprintf("r%d", i), owner: fmt.Sprintf("o%d", i%500), tags: []string{fmt.Sprintf("t%d", i%50)},
			document: []byte(`{"text":"` + text + `","hp":` + fmt.Sprint(i%100) + `}`), created: now, updated: now,
		}}
		if err := s.database.insert(r, manner{now: now}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// idle is a ResponseWriter that keeps nothing.
type idle struct{ header http.Header }

func (w idle) Header() http.Header         { return w.header }
func (w idle) Write(b []byte) (int, error) { return len(b), nil }
func (w idle) WriteHeader(int)             {}
func get(b *testing.B, path string) *http.Request {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, path, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func benchmarkREST(b *testing.B, path string) {
	s, r, w := stocked(b), get(b, path), idle{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		s.serveREST(w, r)
	}
}

func BenchmarkRESTGetRecord(b *testing.B)    { benchmarkREST(b, "/api/stores/s0/records/r10") }
func BenchmarkRESTQueryByOwner(b *testing.B) { benchmarkREST(b, "/api/stores/s0/records?owner_id=o10") }
func BenchmarkRESTListTwenty(b *testing.B)   { benchmarkREST(b, "/api/stores/s0/records?limit=20") }

func benchmarkGRPC[In, Out any](b *testing.B, in In, call func(*service) func(context.Context, In) (Out, error)) {
	s := stocked(b)
	do := call(&service{sandbox: s, database: s.database})
	info := &grpc.UnaryServerInfo{FullMethod: api.OpenSaves_GetRecord_FullMethodName}
	handle := func(ctx context.Context, _ any) (any, error) { return do(ctx, in) }
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.unary(b.Context(), in, info, handle); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGRPCGetRecord(b *testing.B) {
	benchmarkGRPC(b, &api.GetRecordRequest{StoreKey: "s0", Key: "r10"}, func(v *service) func(context.Context, *api.GetRecordRequest) (*api.Record, error) { return v.GetRecord })
}

func BenchmarkGRPCQueryByTag(b *testing.B) {
	in := &api.QueryRecordsRequest{StoreKey: "s0", Tags: []string{"t10"}, Limit: 20}
	benchmarkGRPC(b, in, func(v *service) func(context.Context, *api.QueryRecordsRequest) (*api.QueryRecordsResponse, error) {
		return v.QueryRecords
	})
}

func BenchmarkGRPCQueryByProperty(b *testing.B) {
	value := integer(90)
	in := &api.QueryRecordsRequest{StoreKey: "s0", Filters: []*api.QueryFilter{{PropertyName: "hp", Operator: api.FilterOperator_GREATER, Value: value}}}
	benchmarkGRPC(b, in, func(v *service) func(context.Context, *api.QueryRecordsRequest) (*api.QueryRecordsResponse, error) {
		return v.QueryRecords
	})
}

func BenchmarkRESTUpdateRecord(b *testing.B) {
	s, w := stocked(b), idle{http.Header{}}
	body := `{"tags":["t1","t2"],"properties":{"owner_id":"o1","game_id":"g","opaque":"` + strings.Repeat("y", 900) + `","hp":5}}`
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPut, "/api/stores/s0/records/r10", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		clear(w.header)
		s.serveREST(w, r)
	}
}

// One request through all faults, for what they cost when none applies.
func BenchmarkFaultsThatDoNotApply(b *testing.B) {
	s, r, w := stocked(b), get(b, "/api/stores/s0/records/r10"), idle{http.Header{}}
	s.SetFaults(fault.Faults{Kinds: map[string]float64{"lost_write": 0.1}})
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		s.serveREST(w, r)
	}
}
