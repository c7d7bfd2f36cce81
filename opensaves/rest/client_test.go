package rest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bytesContent is Content that hands out at most three bytes at a time.
type bytesContent []byte

func (c bytesContent) Size() int64 { return int64(len(c)) }
func (c bytesContent) Piece(offset int64, limit int) []byte {
	return c[offset:][:min(limit, 3, len(c)-int(offset))]
}

func testConfig(address string) opensaves.Config {
	cfg := opensaves.DefaultConfig()
	cfg.Address = address
	return cfg
}

func newClient(t testing.TB, cfg opensaves.Config, options opensaves.Options) *rest.Client {
	t.Helper()
	client, err := rest.New(cfg, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// request is what a server saw.
type request struct{ Line, Type, Body string }

func TestEachOperation(t *testing.T) {
	record := &opensaves.Record{
		Store: "s/1", Key: "r 1", Owner: "o", Game: "g", Opaque: "a\"\\\n<é>", Tags: []string{"x", "y"},
		Properties: []opensaves.Property{
			{Name: "level", Value: opensaves.Value{Kind: opensaves.Integer, Int: -7}},
			{Name: "name", Value: opensaves.Value{Kind: opensaves.String, Str: "v"}},
			{Name: "won", Value: opensaves.Value{Kind: opensaves.Boolean, Bool: true}},
		},
	}
	const sent = `{"record_id":"r 1","tags":["x","y"],"properties":{"level":-7,"name":"v","won":true,` +
		`"owner_id":"o","game_id":"g","opaque":"a\"\\\u000a<é>"},"owner_id":"o"}`
	const stored = `{"store_id":"s/1","record_id":"r 1","tags":["x","y"],"properties":{"game_id":"g","level":-7,"name":"v",` +
		`"opaque":"a\"\\\n\u003cé\u003e","owner_id":"o","won":true},"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}` + "\n"
	bare := &opensaves.Record{Store: "s", Key: "r"}

	for name, test := range map[string]struct {
		call   opensaves.Call
		want   request
		status int
		body   string
		answer opensaves.Answer
	}{
		"ping asks for the health": {
			call: opensaves.Call{Op: metric.Ping}, want: request{Line: "GET /health"}, status: 200, body: "OK",
		},
		"create_store sends id and name": {
			call:   opensaves.Call{Op: metric.CreateStore, Store: "s", StoreName: "n"},
			want:   request{"POST /api/stores", "application/json", `{"store_id":"s","name":"n"}`},
			status: 201,
		},
		"get_store reads one store": {
			call: opensaves.Call{Op: metric.GetStore, Store: "a/b?c#d%é"}, want: request{Line: "GET /api/stores/a%2Fb%3Fc%23d%25%C3%A9"},
			status: 200, body: `{"store_id":"s","name":"n","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}` + "\n",
			answer: opensaves.Answer{Stores: []opensaves.Store{{Key: "s", Name: "n"}}},
		},
		"list_stores reads stores": {
			call: opensaves.Call{Op: metric.ListStores}, want: request{Line: "GET /api/stores"},
			status: 200, body: `{"stores":[{"store_id":"a"},{"store_id":"b"}]}`,
			answer: opensaves.Answer{Stores: []opensaves.Store{{Key: "a"}, {Key: "b"}}},
		},
		"list_stores reads null as no stores": {
			call: opensaves.Call{Op: metric.ListStores}, want: request{Line: "GET /api/stores"}, status: 200, body: `{"stores":null}`,
		},
		"delete_store": {
			call: opensaves.Call{Op: metric.DeleteStore, Store: "s"}, want: request{Line: "DELETE /api/stores/s"}, status: 204,
		},
		"create_record sends owner, game and opaque as properties": {
			call: opensaves.Call{Op: metric.CreateRecord, Record: record}, status: 201,
			want: request{"POST /api/stores/s%2F1/records", "application/json", sent},
		},
		"update_record sends empty tags and properties too": {
			call: opensaves.Call{Op: metric.UpdateRecord, Record: bare}, status: 200,
			want: request{"PUT /api/stores/s/records/r", "application/json", `{"record_id":"r","tags":[],"properties":{}}`},
		},
		"get_record finds owner, game and opaque in the properties": {
			call: opensaves.Call{Op: metric.GetRecord, Store: "s/1", Key: "r 1"}, want: request{Line: "GET /api/stores/s%2F1/records/r%201"},
			status: 200, body: stored, answer: opensaves.Answer{Record: *record},
		},
		"get_record gives other JSON no kind": {
			call: opensaves.Call{Op: metric.GetRecord, Store: "s", Key: "r"}, want: request{Line: "GET /api/stores/s/records/r"},
			status: 200, body: `{"record_id":"r","tags":null,"properties":{"a":null,"b":1.5,"c":[{"d":[]}],"e":2.0,"f":1e30}}`,
			answer: opensaves.Answer{Record: opensaves.Record{Key: "r", Properties: []opensaves.Property{
				{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "e", Value: opensaves.Value{Kind: opensaves.Integer, Int: 2}}, {Name: "f"},
			}}},
		},
		"get_record shows two owners": {
			call: opensaves.Call{Op: metric.GetRecord, Store: "s", Key: "r"}, want: request{Line: "GET /api/stores/s/records/r"},
			status: 200, body: `{"owner_id":"new","properties":{"owner_id":"old"}}`,
			answer: opensaves.Answer{Record: opensaves.Record{Owner: "new", Properties: []opensaves.Property{
				{Name: "owner_id", Value: opensaves.Value{Kind: opensaves.String, Str: "old"}},
			}}},
		},
		"delete_record": {
			call: opensaves.Call{Op: metric.DeleteRecord, Store: "s", Key: "r"}, want: request{Line: "DELETE /api/stores/s/records/r"}, status: 204,
		},
		"query_by_owner reads records": {
			call:   opensaves.Call{Op: metric.QueryByOwner, Store: "s", Query: opensaves.Query{Owner: "o&1", Limit: 20}},
			want:   request{Line: "GET /api/stores/s/records?owner_id=o%261&limit=20"},
			status: 200, body: `{"records":[{"store_id":"s","record_id":"a","owner_id":"o","blob_keys":["b"]},{"store_id":"s","record_id":"c"}]}`,
			answer: opensaves.Answer{Records: []opensaves.Record{{Store: "s", Key: "a", Owner: "o", Blobs: []string{"b"}}, {Store: "s", Key: "c"}}},
		},
		"query_by_game": {
			call: opensaves.Call{Op: metric.QueryByGame, Store: "s", Query: opensaves.Query{Game: "g"}},
			want: request{Line: "GET /api/stores/s/records?game_id=g"}, status: 200, body: `{"records":[]}`,
		},
		"list_records": {
			call: opensaves.Call{Op: metric.ListRecords, Store: "s"},
			want: request{Line: "GET /api/stores/s/records"}, status: 200, body: `{"records":null}`,
		},
		"set_metadata sends a flat object": {
			call: opensaves.Call{Op: metric.SetMetadata, Store: "t", Key: "i", Record: record}, status: 200,
			want: request{"POST /api/metadata/t/i", "application/json", `{"level":-7,"name":"v","won":true}`},
		},
		"get_metadata keeps every property": {
			call: opensaves.Call{Op: metric.GetMetadata, Store: "t", Key: "i"}, want: request{Line: "GET /api/metadata/t/i"},
			status: 200, body: `{"owner_id":"o"}`,
			answer: opensaves.Answer{Record: opensaves.Record{Properties: []opensaves.Property{
				{Name: "owner_id", Value: opensaves.Value{Kind: opensaves.String, Str: "o"}},
			}}},
		},
		"delete_metadata": {
			call: opensaves.Call{Op: metric.DeleteMetadata, Store: "t", Key: "i"}, want: request{Line: "DELETE /api/metadata/t/i"}, status: 204,
		},
		"create_blob sends raw bytes": {
			call:   opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Blob: "b", Content: bytesContent("0123456789")},
			want:   request{"PUT /api/stores/s/records/r/blobs/b", "application/octet-stream", "0123456789"},
			status: 200,
		},
		"create_blob sends no bytes": {
			call: opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Blob: "b", Content: bytesContent("")},
			want: request{"PUT /api/stores/s/records/r/blobs/b", "application/octet-stream", ""}, status: 200,
		},
		"get_blob hands the bytes to the sink": {
			call: opensaves.Call{Op: metric.GetBlob, Store: "s", Key: "r", Blob: "b"}, want: request{Line: "GET /api/stores/s/records/r/blobs/b"},
			status: 200, body: "0123456789", answer: opensaves.Answer{Size: 10},
		},
		"delete_blob": {
			call: opensaves.Call{Op: metric.DeleteBlob, Store: "s", Key: "r", Blob: "b"},
			want: request{Line: "DELETE /api/stores/s/records/r/blobs/b"}, status: 204,
		},
		"list_blobs reads names": {
			call: opensaves.Call{Op: metric.ListBlobs, Store: "s", Key: "r"}, want: request{Line: "GET /api/stores/s/records/r/blobs"},
			status: 200, body: `["a","b"]`, answer: opensaves.Answer{Blobs: []string{"a", "b"}},
		},
		"list_blobs reads null": {
			call: opensaves.Call{Op: metric.ListBlobs, Store: "s", Key: "r"}, want: request{Line: "GET /api/stores/s/records/r/blobs"},
			status: 200, body: "null\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got request
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = request{r.Method + " " + r.RequestURI, r.Header.Get("Content-Type"), string(body)}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			var attempts []metric.Operation
			client := newClient(t, testConfig(server.URL), opensaves.Options{OnAttempt: func(op metric.Operation) { attempts = append(attempts, op) }})
			var sink bytes.Buffer
			test.call.Sink = &sink
			answer := opensaves.Answer{Session: "of an earlier call"}
			before := time.Now()
			if err := client.Do(t.Context(), &test.call, &answer); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if test.call.Op == metric.GetBlob && (sink.String() != test.body || answer.FirstByte.Before(before)) {
				t.Errorf("got blob %q first at %v, want %q after %v", sink.String(), answer.FirstByte, test.body, before)
			}
			if answer.Answered.Before(before) || answer.Connection == "" {
				t.Errorf("got answered %v over %q, want a time after %v and a name", answer.Answered, answer.Connection, before)
			}
			want := test.answer
			want.Responded = true
			want.Attempts, want.Sent, want.Received = 1, int64(len(test.want.Body)), int64(len(test.body))
			if diff := cmp.Diff(want, answer, cmpopts.EquateEmpty(),
				cmpopts.IgnoreFields(opensaves.Answer{}, "ConnectionWait", "FirstByte", "Answered", "Connection", "Buffer", "Wire")); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]metric.Operation{test.call.Op}, attempts); diff != "" {
				t.Errorf("attempts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOperationsOfTheOtherWireAreUnimplemented(t *testing.T) {
	client := newClient(t, testConfig("http://127.0.0.1:1"), opensaves.Options{})
	for op := range metric.Operation(metric.Operations) {
		if op.On(metric.HTTP) {
			continue
		}
		err := client.Do(t.Context(), &opensaves.Call{Op: op}, new(opensaves.Answer))
		if got := opensaves.CodeOf(err); got != metric.Unimplemented {
			t.Errorf("%s: got %s, want Unimplemented", op, got)
		}
	}
}

var getRecord = &opensaves.Call{Op: metric.GetRecord, Store: "s", Key: "r"}

func TestStatusesMapToCodes(t *testing.T) {
	for status, want := range map[int]metric.Code{
		201: metric.Unknown, 301: metric.Unknown, 307: metric.Unknown, 400: metric.InvalidArgument, 401: metric.Unauthenticated,
		403: metric.PermissionDenied, 404: metric.NotFound, 405: metric.Unimplemented, 409: metric.AlreadyExists, 413: metric.InvalidArgument,
		418: metric.Unknown, 429: metric.ResourceExhausted, 500: metric.Internal, 502: metric.Unavailable, 503: metric.Unavailable,
		504: metric.DeadlineExceeded,
	} {
		var requests atomic.Int32
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			w.Header().Set("Location", "/elsewhere")
			http.Error(w, "why "+strings.Repeat("x", 300), status)
		})
		err := newClient(t, testConfig(server.URL), opensaves.Options{}).Do(t.Context(), getRecord, new(opensaves.Answer))
		var failed *opensaves.Error
		if !errors.As(err, &failed) || failed.Code != want || failed.Op != metric.GetRecord || len(failed.Text) != 200 || requests.Load() != 1 {
			t.Errorf("status %d: got %v after %d requests, want %s after one and a text of 200 bytes", status, err, requests.Load(), want)
		}
	}
}

func TestBrokenExchanges(t *testing.T) {
	hijack := func(raw string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, raw)
			_ = conn.Close()
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	blob := &opensaves.Call{Op: metric.GetBlob, Store: "s", Key: "r", Blob: "b"}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		call    *opensaves.Call
		want    metric.Code
		text    string
	}{
		"a connection that is reset is Unavailable":      {hijack(""), getRecord, metric.Unavailable, "EOF"},
		"no HTTP is Unavailable":                         {hijack("SSH-2.0\r\n"), getRecord, metric.Unavailable, "malformed"},
		"a short record is Unavailable":                  {hijack("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), getRecord, metric.Unavailable, "unexpected EOF"},
		"a short blob is Unavailable":                    {hijack("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), blob, metric.Unavailable, "unexpected EOF"},
		"an endless header is Unavailable":               {hijack("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<17) + "\r\n\r\n"), getRecord, metric.Unavailable, "exceeded"},
		"a body over the limit is ResourceExhausted":     {hijack("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"), getRecord, metric.ResourceExhausted, "limit"},
		"a success that is no JSON is DataLoss":          {hijack("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{a}"), getRecord, metric.DataLoss, "{a}"},
		"a success without a body is DataLoss":           {hijack("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), getRecord, metric.DataLoss, "JSON"},
		"our own deadline is DeadlineExceeded":           {hang, getRecord, metric.DeadlineExceeded, "deadline"},
		"our own deadline for blobs is DeadlineExceeded": {hang, blob, metric.DeadlineExceeded, "deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(serve(t, test.handler).URL)
			cfg.Timeout, cfg.BlobTimeout = model.Duration(300*time.Millisecond), model.Duration(400*time.Millisecond)
			var answer opensaves.Answer
			err := newClient(t, cfg, opensaves.Options{}).Do(t.Context(), test.call, &answer)
			if got := opensaves.CodeOf(err); got != test.want || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %s with %q", err, test.want, test.text)
			}
			if answer.Attempts != 1 || answer.Answered.IsZero() {
				t.Errorf("got %d attempts answered at %v, want one and a time", answer.Attempts, answer.Answered)
			}
		})
	}
}

func TestACancelledCallIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(errors.New("shutting down"))
		<-r.Context().Done()
	})
	err := newClient(t, testConfig(server.URL), opensaves.Options{}).Do(ctx, getRecord, new(opensaves.Answer))
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
	err = newClient(t, testConfig("http://"+listener.Addr().String()), opensaves.Options{}).Do(t.Context(), getRecord, &answer)
	if got := opensaves.CodeOf(err); got != metric.Unavailable || answer.Attempts != 0 || answer.ConnectionWait == 0 {
		t.Errorf("got %v, %d attempts, %v wait; want Unavailable, none and some", err, answer.Attempts, answer.ConnectionWait)
	}
}

func TestARetryByTheTransportIsAnError(t *testing.T) {
	var requests atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n := requests.Add(1); n == 3 { // the first on a connection that was used before
			conn, _, _ := w.(http.Hijacker).Hijack()
			_ = conn.Close()
			return
		}
		_, _ = io.WriteString(w, "{}")
	})
	var told atomic.Int32
	client := newClient(t, testConfig(server.URL), opensaves.Options{OnAttempt: func(metric.Operation) { told.Add(1) }})
	var answer opensaves.Answer
	for range 2 {
		if err := client.Do(t.Context(), getRecord, &answer); err != nil {
			t.Fatal(err)
		}
	}
	err := client.Do(t.Context(), getRecord, &answer)
	if opensaves.CodeOf(err) != metric.Unavailable || !errors.Is(err, opensaves.ErrResent) || answer.Attempts != 2 || told.Load() != requests.Load() {
		t.Errorf("got %v, %d attempts, %d told; want Unavailable, 2 and %d", err, answer.Attempts, told.Load(), requests.Load())
	}
	if len(answer.Resent) != 1 || answer.Resent[0].After(answer.Answered) {
		t.Errorf("got %v for when it was sent again, want once, before %v", answer.Resent, answer.Answered)
	}
}

func TestTwoPoolsOfConnectionsAreKept(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	client := newClient(t, testConfig(server.URL), opensaves.Options{})
	names := make(map[string]int)
	var answer opensaves.Answer
	for range 10 {
		if err := client.Do(t.Context(), getRecord, &answer); err != nil {
			t.Fatal(err)
		}
		names[answer.Connection]++
	}
	for name, n := range names {
		if len(names) != 2 || n != 5 || !strings.HasSuffix(name, "→"+server.Listener.Addr().String()) {
			t.Errorf("got connections %v, want two to %s with five calls each", names, server.Listener.Addr())
		}
	}
}

func TestOldConnectionsAreReplacedWithoutErrors(t *testing.T) {
	for name, call := range map[string]*opensaves.Call{
		"after a read":  getRecord,
		"after a write": {Op: metric.UpdateRecord, Record: &opensaves.Record{Store: "s", Key: "r"}},
	} {
		for _, scheme := range []string{"http", "https"} {
			t.Run(name+" by "+scheme, func(t *testing.T) {
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
				if scheme == "http" {
					server.Start()
				} else {
					server.StartTLS()
				}
				t.Cleanup(server.Close)
				cfg := testConfig(server.URL)
				cfg.ConnectionMaxAge = model.Duration(time.Millisecond)
				cfg.TLS = &config.TLSConfig{InsecureSkipVerify: true}
				client := newClient(t, cfg, opensaves.Options{})
				var names sync.Map
				var connections atomic.Int32
				var workers sync.WaitGroup
				for range 4 {
					workers.Go(func() {
						var answer opensaves.Answer
						for limit := time.Now().Add(20 * time.Second); connections.Load() < 20 && time.Now().Before(limit); {
							if err := client.Do(t.Context(), call, &answer); err != nil {
								t.Error(err)
							}
							if _, known := names.LoadOrStore(answer.Connection, true); !known {
								connections.Add(1)
							}
						}
					})
				}
				workers.Wait()
				if got := connections.Load(); got < 20 {
					t.Errorf("got %d connections, want at least 20", got)
				}
			})
		}
	}
}

func TestHeadersAreSentAndNeverShown(t *testing.T) {
	var got http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		http.Error(w, "what is "+r.Header.Get("Authorization")+"?", http.StatusUnauthorized)
	})
	cfg := testConfig(server.URL)
	cfg.Headers = map[string]config.Secret{"authorization": "Bearer hush", "X-Team": "soak"}
	err := newClient(t, cfg, opensaves.Options{}).Do(t.Context(), getRecord, new(opensaves.Answer))
	if got.Get("Authorization") != "Bearer hush" || got.Get("X-Team") != "soak" || got.Get("User-Agent") != "opensaves-soak" {
		t.Errorf("got headers %v", got)
	}
	if want := "calling get_record: Unauthenticated: 401 what is <redacted>?"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestACallCarriesAHeaderOfItsOwnAndSaysHowItLooked(t *testing.T) {
	seen := make(chan http.Header, 2)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		w.WriteHeader(http.StatusNotFound)
	})
	cfg := testConfig(server.URL)
	cfg.Headers = map[string]config.Secret{"X-Team": "soak"}
	client := newClient(t, cfg, opensaves.Options{})
	call, answer := *getRecord, opensaves.Answer{}
	call.Header = opensaves.Header{Name: "X-Own", Value: "1"}
	for _, call := range []*opensaves.Call{&call, getRecord} {
		if err := client.Do(t.Context(), call, &answer); opensaves.CodeOf(err) != metric.NotFound {
			t.Errorf("got %v, want NotFound", err)
		}
		want := http.Header{"User-Agent": {"opensaves-soak"}, "X-Team": {"soak"}}
		wire := opensaves.Wire{Method: http.MethodGet, Route: "/api/stores/{store}/records/{key}", Status: http.StatusNotFound}
		if call.Header.Name != "" {
			want["X-Own"], wire.Target = []string{"1"}, "/api/stores/s/records/r"
		}
		if diff := cmp.Diff(want, <-seen); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wire, answer.Wire); diff != "" {
			t.Errorf("wire (-want +got):\n%s", diff)
		}
	}
}

func TestALargeBlobPassesBothWays(t *testing.T) {
	var mutex sync.Mutex
	var stored []byte
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		defer mutex.Unlock()
		if r.Method == http.MethodPut {
			stored, _ = io.ReadAll(r.Body)
			if r.ContentLength != int64(len(stored)) {
				t.Errorf("got Content-Length %d, want %d", r.ContentLength, len(stored))
			}
			return
		}
		_, _ = w.Write(stored)
	})
	client := newClient(t, testConfig(server.URL), opensaves.Options{})
	content := bytesContent(bytes.Repeat([]byte("0123456789abcdef"), 1<<16))
	call := &opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Blob: "b", Content: content}
	var answer opensaves.Answer
	if err := client.Do(t.Context(), call, &answer); err != nil || answer.Sent != content.Size() {
		t.Fatalf("got %v and %d bytes sent, want %d", err, answer.Sent, content.Size())
	}
	var sink bytes.Buffer
	call = &opensaves.Call{Op: metric.GetBlob, Store: "s", Key: "r", Blob: "b", Sink: &sink}
	if err := client.Do(t.Context(), call, &answer); err != nil || !bytes.Equal(sink.Bytes(), content) || answer.Size != content.Size() {
		t.Errorf("got %v and %d bytes, want %d", err, answer.Size, content.Size())
	}
}

func TestAnEarlyAnswerToAnUploadCounts(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "record not found", 404) })
	client := newClient(t, testConfig(server.URL), opensaves.Options{})
	content := bytesContent(make([]byte, 1<<20))
	call := &opensaves.Call{Op: metric.CreateBlob, Store: "s", Key: "r", Blob: "b", Content: content}
	for range 20 {
		if err := client.Do(t.Context(), call, new(opensaves.Answer)); opensaves.CodeOf(err) != metric.NotFound {
			t.Fatalf("got %v, want NotFound", err)
		}
	}
}
