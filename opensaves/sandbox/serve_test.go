package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox"
)

func TestHealthKnowsTwoNames(t *testing.T) {
	x := newTarget(t)
	if !x.hasGRPC() {
		return
	}
	checks := healthpb.NewHealthClient(x.conn)
	got := map[string]string{}
	for _, name := range []string{"", "grpc.health.v1.opensaves", "opensaves.OpenSaves"} {
		answer, err := checks.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		got[name] = status.Code(err).String() + " " + answer.GetStatus().String()
	}
	want := map[string]string{"": "OK SERVING", "grpc.health.v1.opensaves": "OK SERVING", "opensaves.OpenSaves": "NotFound UNKNOWN"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReflectionNamesTheService(t *testing.T) {
	x := newTarget(t)
	if !x.hasGRPC() {
		return
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := reflectionpb.NewServerReflectionClient(x.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range answer.GetListServicesResponse().GetService() {
		if s.GetName() == "opensaves.OpenSaves" {
			return
		}
	}
	t.Errorf("got %v, want opensaves.OpenSaves among them", answer)
}

// blob is one of random bytes that ends with the test.
func blob(n int) []byte {
	b := make([]byte, n)
	var seed [32]byte
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return b
}

func TestLargeBlobsComeBackOverGRPC(t *testing.T) {
	x := newTarget(t)
	if !x.hasGRPC() {
		return
	}
	g := &grpcRun{conn: x.conn, store: unique(t)}
	for _, call := range withRecord {
		if _, err := g.do(t.Context(), t, call); err != nil {
			t.Fatal(err)
		}
	}
	want := blob(10 << 20)
	up, err := x.calls.CreateBlob(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	meta := &api.BlobMetadata{StoreKey: g.store, RecordKey: "r", Size: int64(len(want))}
	_ = up.Send(&api.CreateBlobRequest{Request: &api.CreateBlobRequest_Metadata{Metadata: meta}}) // the answer says why not
	for rest := want; len(rest) > 0; rest = rest[min(len(rest), 3<<20):] {
		_ = up.Send(&api.CreateBlobRequest{Request: &api.CreateBlobRequest_Content{Content: rest[:min(len(rest), 3<<20)]}})
	}
	if _, err := up.CloseAndRecv(); err != nil {
		t.Fatal(err)
	}
	messages, err := g.do(t.Context(), t, `GetBlob store_key:"{s}" record_key:"r"`)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, m := range messages {
		got = append(got, m.(*api.GetBlobResponse).GetContent()...)
	}
	if !bytes.Equal(got, want) || len(messages) != 11 {
		t.Errorf("got %d bytes in %d messages, want the %d bytes that were sent in 11", len(got), len(messages), len(want))
	}
	checkSums(t, messages)
}

func TestLargeBlobsComeBackOverREST(t *testing.T) {
	x := newTarget(t)
	if !x.hasREST() {
		return
	}
	store := unique(t)
	x.must(t, `POST /api/stores {"store_id":"`+store+`"}`, "201")
	x.must(t, `POST /api/stores/`+store+`/records {"record_id":"r"}`, "201")
	want := blob(10 << 20)
	for name, body := range map[string]io.Reader{"whole": bytes.NewReader(want), "chunked": io.MultiReader(bytes.NewReader(want))} {
		path := "/api/stores/" + store + "/records/r/blobs/" + name
		if answer := x.send(t, http.MethodPut, path, body); answer.StatusCode != http.StatusOK {
			t.Errorf("uploading %s: got %s", name, answer.Status)
		}
		if answer := x.send(t, http.MethodGet, path, http.NoBody); answer.StatusCode != http.StatusOK || !bytes.Equal(answer.text, want) {
			t.Errorf("downloading %s: got %s and %d bytes, want those that were sent", name, answer.Status, len(answer.text))
		}
		x.must(t, "DELETE /api/stores/"+store+"/records/r/blobs/"+name, "204")
	}
	x.must(t, "DELETE /api/stores/"+store, "204")
}

// reply is an answer that was read.
type reply struct {
	*http.Response
	text []byte
}

func (x *target) send(t *testing.T, method, path string, body io.Reader) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, x.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := x.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{answer, text}
}

func TestBodiesAreBounded(t *testing.T) {
	address := start(t, sandbox.New(sandbox.Config{MaxBody: 100}))
	x := dial(t, "http://"+address, address, 0)
	x.must(t, `POST /api/stores {"store_id":"s"}`, "201")
	x.must(t, `POST /api/stores/s/records {"record_id":"r"}`, "201")
	for name, body := range map[string]io.Reader{"whole": bytes.NewReader(blob(101)), "chunked": io.MultiReader(bytes.NewReader(blob(101)))} {
		if answer := x.send(t, http.MethodPut, "/api/stores/s/records/r/blobs/b", body); answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("uploading %s: got %s, want 413", name, answer.Status)
		}
	}
	g := &grpcRun{conn: x.conn, store: "s"}
	if _, err := g.do(t.Context(), t, `CreateBlob metadata{store_key:"s" record_key:"r" size:101}`); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("uploading over gRPC: got %v, want ResourceExhausted", err)
	}
}

func TestServingEndsAlthoughConnectionsAreSilent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- sandbox.New(sandbox.Config{}).Serve(ctx, listener) }()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	x := dial(t, "http://"+listener.Addr().String(), listener.Addr().String(), 0)
	x.must(t, "GET /health", "200 OK")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want a clean end", err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("the silent connection: got %v, want it closed", err)
	}
}

func isReset(err error) bool {
	var timeout net.Error
	return err != nil && (!errors.As(err, &timeout) || !timeout.Timeout())
}

func TestServingReportsAListenerThatWasClosed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := sandbox.New(sandbox.Config{}).Serve(t.Context(), listener); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

func TestTheGuardStandsBeforeTheControlAPIOnly(t *testing.T) {
	guard := func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) })
	}
	x := dial(t, "http://"+start(t, sandbox.New(sandbox.Config{Guard: guard})), "", 0)
	x.must(t, "GET /health", "200")
	if answer := x.send(t, http.MethodGet, sandbox.ControlPath+"requests", http.NoBody); answer.StatusCode != http.StatusForbidden {
		t.Errorf("the control API: got %s, want 403", answer.Status)
	}
}
