package sandbox_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/prototext"

	"opensaves-soak/opensaves/sandbox"
)

// step is a request on either wire, written as in the contracts, and what its
// answer must hold, with "!" before it must not. An answer is written as status or
// code and body; one that did not come as "none". "faults {…}" sets faults and
// "after 3s" lets time pass.
type step struct {
	ask  string
	want []string
}

func ask(request string, want ...string) step { return step{request, want} }

// scene is a sandbox with a store "s" in a time of its own.
type scene struct {
	box   *sandbox.Sandbox
	web   *http.Client
	calls *grpcRun
}

// playOn runs the steps on both wires over connections in memory.
func playOn(t *testing.T, c sandbox.Config, steps ...step) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, c)
		s.expect(t, ask(`POST /api/stores {"store_id":"s","name":"a shop of things"}`, "201"))
		for _, next := range steps {
			s.expect(t, next)
		}
	})
}

func newScene(t *testing.T, c sandbox.Config) *scene {
	t.Helper()
	c.Seed = 1
	s := &scene{box: sandbox.New(c)}
	listener := bufconn.Listen(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.box.Serve(ctx, listener) // a listener in memory tells that it was closed
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.DialContext(ctx) }}
	t.Cleanup(transport.CloseIdleConnections)
	s.web = &http.Client{Transport: transport}
	conn, err := grpc.NewClient("passthrough:///memory", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.calls = &grpcRun{conn: conn, store: "s"}
	return s
}

func (s *scene) expect(t *testing.T, next step) {
	t.Helper()
	got := s.do(t, next.ask)
	for _, want := range next.want {
		text, not := strings.CutPrefix(want, "!")
		if strings.Contains(got, text) == not {
			t.Errorf("%.200s: got %.500s, want %s", next.ask, got, want)
		}
	}
}

func (s *scene) do(t *testing.T, request string) string {
	t.Helper()
	verb, rest, _ := strings.Cut(request, " ")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	switch {
	case verb == "faults":
		return s.send(ctx, t, http.MethodPut, sandbox.ControlPath+"faults", rest)
	case verb == "after":
		wait, err := time.ParseDuration(rest)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(wait) // of the bubble's time
		return ""
	case strings.HasPrefix(rest, "/"):
		path, body, _ := strings.Cut(rest, " ")
		return s.send(ctx, t, verb, path, body)
	}
	return s.call(ctx, t, request)
}

func (s *scene) send(ctx context.Context, t *testing.T, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://memory"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.web.Do(r)
	if err != nil {
		return "none: " + err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "none: " + err.Error()
	}
	return answer.Status[:4] + string(text)
}

func (s *scene) call(ctx context.Context, t *testing.T, request string) string {
	t.Helper()
	messages, err := s.calls.do(ctx, t, request)
	texts := []string{status.Code(err).String()}
	for _, m := range messages {
		texts = append(texts, strings.ReplaceAll(prototext.MarshalOptions{}.Format(m), "  ", " "))
	}
	return strings.Join(texts, " ")
}

// The objects of the scenes: two versions of a record on each wire.
const (
	firstWeb    = `POST /api/stores/s/records {"record_id":"r","tags":["v1"],"properties":{"owner_id":"o","hp":1,"opaque":"the first text"}}`
	secondWeb   = `PUT /api/stores/s/records/r {"tags":["v2"],"properties":{"owner_id":"o","hp":2,"opaque":"the second text"}}`
	readWeb     = `GET /api/stores/s/records/r`
	deleteWeb   = `DELETE /api/stores/s/records/r`
	askWeb      = `GET /api/stores/s/records?owner_id=o`
	firstCall   = `CreateRecord store_key:"s" record{key:"r" owner_id:"o" tags:"v1" opaque_string:"the first text" ` + hp + `integer_value:1}}}`
	secondCall  = `UpdateRecord store_key:"s" record{key:"r" owner_id:"o" tags:"v2" opaque_string:"the second text" ` + hp + `integer_value:2}}}`
	hp          = `properties{key:"hp" value{type:INTEGER `
	readCall    = `GetRecord store_key:"s" key:"r"`
	pastCache   = `GetRecord store_key:"s" key:"r" hint{skip_cache:true do_not_cache:true}`
	readMany    = `GetRecords store_keys:"s" keys:"r"`
	deleteCall  = `DeleteRecord store_key:"s" key:"r"`
	askCall     = `QueryRecords store_key:"s" owner_id:"o"`
	inS         = `store_key:"s" record_key:"r" `
	putBlob     = `CreateBlob metadata{` + inS + `size:5} | content:"hello"`
	readBlob    = `GetBlob ` + inS
	deleteBlob  = `DeleteBlob ` + inS
	putBlobWeb  = `PUT /api/stores/s/records/r/blobs/b hello`
	readBlobWeb = `GET /api/stores/s/records/r/blobs/b`
	blobsWeb    = `GET /api/stores/s/records/r/blobs`
	setMeta     = `POST /api/metadata/m/i {"text":"the first text"}`
	setMeta2    = `POST /api/metadata/m/i {"text":"the second text"}`
	readMeta    = `GET /api/metadata/m/i`
	addCall     = `AtomicAddInt ` + inS + `property_name:"hp" value:5`
	casCall     = `CompareAndSwap ` + inS + `property_name:"hp" old_value{type:INTEGER integer_value:9} value{type:INTEGER integer_value:3}`
	session     = `CreateChunkedBlob ` + inS + `chunk_size:2`
	v1, v2      = `"v1"`, `"v2"`
)

func lie(name string) step { return ask(`faults {"kinds":{"`+name+`":1}}`, "200") }

func noFaults() step { return ask(`faults {}`, "200") }
