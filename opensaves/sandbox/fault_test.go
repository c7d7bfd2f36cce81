package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

// play serves a seeded sandbox with a store "s" on both wires.
func play(t *testing.T) (*sandbox.Sandbox, *target) {
	t.Helper()
	s := sandbox.New(sandbox.Config{Seed: 1})
	address := start(t, s)
	x := dial(t, "http://"+address, address, 0)
	x.must(t, `POST /api/stores {"store_id":"s"}`, "201")
	return s, x
}

func (x *target) must(t *testing.T, request, want string) {
	t.Helper()
	if got := x.do(t, request); !strings.HasPrefix(got, want) {
		t.Fatalf("%.200s: got %.200q, want %s", request, got, want)
	}
}

// put sets faults over the control API.
func (x *target) put(t *testing.T, faults string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, x.url+sandbox.ControlPath+"faults", strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := x.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		t.Fatalf("setting %s: got %s %s", faults, answer.Status, text)
	}
}

// share calls n times and returns how many of them were so.
func share(n int, so func(i int) bool) float64 {
	hits := 0
	for i := range n {
		if so(i) {
			hits++
		}
	}
	return float64(hits) / float64(n)
}

// near fails where a share of n draws is more than four standard deviations off.
func near(t *testing.T, what string, got, want float64, n int) {
	t.Helper()
	if off := 4 * math.Sqrt(want*(1-want)/float64(n)); math.Abs(got-want) > off {
		t.Errorf("%s: got a share of %.3f, want %.3f ± %.3f", what, got, want, off)
	}
}

func recordAt(i int) string { return fmt.Sprintf("/api/stores/s/records/r%04d", i) }

func createRecord(i, version int) string {
	return fmt.Sprintf(`POST /api/stores/s/records {"record_id":"r%04d","tags":["v%d"],"properties":{"owner_id":"o","v":%d,"text":"abcdef"}}`, i, version, version)
}

func TestFaultsOnREST(t *testing.T) {
	const n = 400
	tests := map[string]struct {
		faults string
		given  string // sent n times before
		ask    func(i int) string
		hit    func(answer string) bool
		share  float64
	}{
		"an error before answers its code": {
			faults: `{"error":{"ratio":0.3,"code":"Unavailable"}}`,
			ask:    func(i int) string { return createRecord(i, 1) }, hit: func(a string) bool { return strings.HasPrefix(a, "503") }, share: 0.3,
		},
		"a throttled read looks like a missing record": {
			faults: `{"dynamodb_throttle":0.2}`, given: "create",
			ask: func(i int) string { return "GET " + recordAt(i) }, hit: func(a string) bool { return a == "404 record not found\n" }, share: 0.2,
		},
		"a throttled list fails": {
			faults: `{"dynamodb_throttle":1}`,
			ask:    func(int) string { return "GET /api/stores" }, hit: func(a string) bool { return a == "500 Failed to list stores\n" }, share: 1,
		},
		"corrupt changes what is read": {
			faults: `{"kinds":{"corrupt":0.3}}`, given: "create",
			ask: func(i int) string { return "GET " + recordAt(i) }, hit: func(a string) bool { return !strings.Contains(a, `"abcdef"`) }, share: 0.3,
		},
		"stale shows the version before": {
			faults: `{"kinds":{"stale":0.3}}`, given: "update",
			ask: func(i int) string { return "GET " + recordAt(i) }, hit: func(a string) bool { return strings.Contains(a, `"v1"`) }, share: 0.3,
		},
		"non_monotonic does so, too": {
			faults: `{"kinds":{"non_monotonic":0.3}}`, given: "update",
			ask: func(i int) string { return "GET " + recordAt(i) }, hit: func(a string) bool { return strings.Contains(a, `"v1"`) }, share: 0.3,
		},
		"query_missing leaves records out": {
			faults: `{"kinds":{"query_missing":1}}`, given: "create",
			ask: func(int) string { return "GET /api/stores/s/records?owner_id=o" }, hit: func(a string) bool { return a == "200 {\"records\":[]}\n" }, share: 1,
		},
		"query_shape shows a record twice": {
			faults: `{"kinds":{"query_shape":0.3}}`, given: "create",
			ask: func(int) string { return "GET /api/stores/s/records?owner_id=o&limit=3" }, hit: func(a string) bool { return strings.Count(a, `"r0000"`) == 2 }, share: 0.3,
		},
		"query_mismatch shows a record of another": {
			faults: `{"kinds":{"query_mismatch":0.3}}`, given: "create",
			ask: func(int) string { return "GET /api/stores/s/records?owner_id=nobody" }, hit: func(a string) bool { return strings.Contains(a, `"owner_id":"o"`) }, share: 0.3,
		},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, x := play(t)
			if c.given == "update" {
				x.put(t, c.faults) // the versions before are kept from now on
			}
			for i := range n {
				if c.given != "" {
					x.do(t, createRecord(i, 1))
				}
				if c.given == "update" {
					x.do(t, "PUT "+recordAt(i)+` {"tags":["v2"]}`)
				}
			}
			x.put(t, c.faults)
			near(t, name, share(n, func(i int) bool { return c.hit(x.do(t, c.ask(i))) }), c.share, n)
		})
	}
}

// Lies about writes are seen once the faults are off.
func TestLyingWritesOnREST(t *testing.T) {
	const n = 400
	tests := map[string]struct {
		faults       string
		ask          func(i int) string
		answer, then string
		share        float64
	}{
		"lost_write acknowledges what it does not apply":      {`{"kinds":{"lost_write":0.3}}`, func(i int) string { return "PUT " + recordAt(i) + ` {"tags":["v2"]}` }, "200", `["v1"]`, 0.3},
		"phantom_write refuses what it applies":               {`{"kinds":{"phantom_write":0.3}}`, func(i int) string { return "PUT " + recordAt(i) + ` {"tags":["v2"]}` }, "400", `["v2"]`, 0.3},
		"resurrected acknowledges a delete it does not apply": {`{"kinds":{"resurrected":0.3}}`, func(i int) string { return "DELETE " + recordAt(i) }, "204", `["v1"]`, 0.3},
		"an error after has its effect":                       {`{"error":{"ratio":0.3,"code":"Internal","apply":"after"}}`, func(i int) string { return "PUT " + recordAt(i) + ` {"tags":["v2"]}` }, "500", `["v2"]`, 0.3},
		"an error before has none":                            {`{"error":{"ratio":0.3,"code":"Internal","apply":"before"}}`, func(i int) string { return "PUT " + recordAt(i) + ` {"tags":["v2"]}` }, "500", `["v1"]`, 0.3},
		"lost_update stores a blob and forgets its name":      {`{"kinds":{"lost_update":0.3}}`, func(i int) string { return "PUT " + recordAt(i) + `/blobs/b x` }, "200", `"updated_at"`, 1},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, x := play(t)
			for i := range n {
				x.must(t, createRecord(i, 1), "201")
			}
			x.put(t, c.faults)
			answers := make([]string, n)
			for i := range n {
				answers[i] = x.do(t, c.ask(i))
			}
			x.put(t, "{}")
			near(t, name, share(n, func(i int) bool {
				return strings.HasPrefix(answers[i], c.answer) && strings.Contains(x.do(t, "GET "+recordAt(i)), c.then)
			}), c.share, n)
		})
	}
}

func TestErrorsOnGRPCHaveTheCodeAskedFor(t *testing.T) {
	_, x := play(t)
	for _, code := range []codes.Code{codes.Canceled, codes.Unavailable, codes.Aborted, codes.DataLoss} {
		x.put(t, fmt.Sprintf(`{"error":{"ratio":1,"code":%q}}`, code))
		if _, err := x.calls.Ping(t.Context(), &api.PingRequest{}); status.Code(err) != code {
			t.Errorf("pinging: got %v, want %s", err, code)
		}
	}
}

// counter makes record "c" with an integer "n" of 10.
func counter(t *testing.T, x *target) {
	t.Helper()
	ten := &api.Property{Type: api.Property_INTEGER, Value: &api.Property_IntegerValue{IntegerValue: 10}}
	_, err := x.calls.CreateRecord(t.Context(), &api.CreateRecordRequest{StoreKey: "s", Record: &api.Record{Key: "c", Properties: map[string]*api.Property{"n": ten}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAtomicsLie(t *testing.T) {
	tests := map[string]struct {
		want  []int64 // old values of five increments
		total int64
	}{
		"{}":                               {[]int64{10, 11, 12, 13, 14}, 15},
		`{"kinds":{"atomic_total":1}}`:     {[]int64{10, 12, 14, 16, 18}, 20},
		`{"kinds":{"double_applied":1}}`:   {[]int64{0, 10, 11, 12, 13}, 15},
		`{"kinds":{"not_linearizable":1}}`: {[]int64{10, 11, 12, 13, 14}, 15},
	}
	for faults, c := range tests {
		t.Run(faults, func(t *testing.T) {
			_, x := play(t)
			counter(t, x)
			x.put(t, faults)
			var got []int64
			for range 5 {
				out, err := x.calls.AtomicAddInt(t.Context(), &api.AtomicIntRequest{StoreKey: "s", RecordKey: "c", PropertyName: "n", Value: 1})
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, out.GetValue())
			}
			x.put(t, "{}")
			r, err := x.calls.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "c"})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.GetProperties()["n"].GetIntegerValue())
			if diff := cmp.Diff(append(c.want, c.total), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestStepsThatAreNotLinearizable(t *testing.T) {
	_, x := play(t)
	counter(t, x)
	x.put(t, `{"kinds":{"not_linearizable":1}}`)
	inc := &api.AtomicIncRequest{StoreKey: "s", RecordKey: "c", PropertyName: "n", UpperBound: 100}
	for range 2 {
		if out, err := x.calls.AtomicInc(t.Context(), inc); err != nil || out.GetValue() != 10 || !out.GetUpdated() {
			t.Errorf("an increment that is not applied: got %v, %v", out, err)
		}
	}
}

func TestAnOldSignatureLosesAnUpdate(t *testing.T) {
	_, x := play(t)
	counter(t, x)
	x.put(t, `{"kinds":{"lost_update":1}}`)
	update := &api.UpdateRecordRequest{StoreKey: "s", Record: &api.Record{Key: "c", Signature: []byte("0123456789abcdef")}}
	if _, err := x.calls.UpdateRecord(t.Context(), update); err != nil {
		t.Errorf("updating with an old signature: got %v, want success", err)
	}
}

func TestTheCacheServesWhatWasWhenItsTTLIsSet(t *testing.T) {
	_, x := play(t)
	counter(t, x)
	x.put(t, `{"cache_ttl":"1h"}`)
	get := func(h *api.Hint) string {
		r, err := x.calls.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "c", Hint: h})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetOwnerId()
	}
	get(nil)
	if _, err := x.calls.UpdateRecord(t.Context(), &api.UpdateRecordRequest{StoreKey: "s", Record: &api.Record{Key: "c", OwnerId: "new"}}); err != nil {
		t.Fatal(err)
	}
	got := []string{get(nil), get(&api.Hint{SkipCache: true, DoNotCache: true}), get(nil)}
	if diff := cmp.Diff([]string{"", "new", "new"}, got); diff != "" {
		t.Errorf("owners: cached, past the cache, and after the entry was removed (-want +got)\n%s", diff)
	}
}

func TestIndexesLag(t *testing.T) {
	_, x := play(t)
	x.put(t, `{"index_lag":"1h"}`)
	x.must(t, createRecord(1, 1), "201")
	x.must(t, "GET /api/stores/s/records?owner_id=o", "200 {\"records\":[]}")
	x.must(t, "GET /api/stores/s/records", `200 {"records":[{`)
	x.put(t, "{}")
	x.must(t, "GET /api/stores/s/records?owner_id=o", `200 {"records":[{`)
}

func TestConnectionsAreCutInTheMiddleOfAnswers(t *testing.T) {
	_, x := play(t)
	x.must(t, createRecord(1, 1), "201")
	x.must(t, "PUT "+recordAt(1)+"/blobs/b "+strings.Repeat("x", 100_000), "200")
	x.put(t, `{"cut":1}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, x.url+recordAt(1)+"/blobs/b", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := x.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if n, err := io.Copy(io.Discard, answer.Body); err == nil || n != 50_000 {
		t.Errorf("a blob cut in the middle: got %d bytes, %v, want 50000 and an error", n, err)
	}
	if _, err := x.calls.Ping(t.Context(), &api.PingRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("a call that was cut: got %v, want Unavailable", err)
	}
}

func TestRequestsAreCountedByOperation(t *testing.T) {
	s, x := play(t)
	for _, request := range []string{
		"GET /health", "GET /", "PUT /api/stores", "GET /api/stores/s/records", "GET /api/stores/s/records?owner_id=o",
		"GET /api/stores/s/records?game_id=g", "GET /api/stores/s/records?limit=1", "GET /api/stores/x/records",
	} {
		x.do(t, request)
	}
	filter := &api.QueryFilter{PropertyName: "n", Value: &api.Property{}}
	for _, q := range []*api.QueryRecordsRequest{{OwnerId: "o"}, {Tags: []string{"t"}}, {Filters: []*api.QueryFilter{filter}}} {
		if _, err := x.calls.QueryRecords(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int64{
		"ping": 1, "create_store": 1, "list_records": 3, "query_by_owner": 2, "query_by_game": 1, "query_by_tag": 1, "query_by_property": 1,
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTheControlAPIRefuses(t *testing.T) {
	_, x := play(t)
	tests := map[string]struct {
		method, body string
		want         int
	}{
		"an unknown field":        {"PUT", `{"latencies":"1s"}`, 400},
		"no JSON":                 {"PUT", `{`, 400},
		"a bad duration":          {"PUT", `{"latency":"soon"}`, 400},
		"two values":              {"PUT", `{} {}`, 400},
		"a share above one":       {"PUT", `{"cut":1.1}`, 422},
		"a negative duration":     {"PUT", `{"latency":"-1s"}`, 422},
		"a stall without end":     {"PUT", `{"stall":{"every":"1s","for":"1s"}}`, 422},
		"an unknown component":    {"PUT", `{"saturation":{"rps":1,"component":"disk"}}`, 422},
		"an unknown code":         {"PUT", `{"error":{"ratio":1,"code":"Sad"}}`, 422},
		"an unknown lie":          {"PUT", `{"kinds":{"lies":1}}`, 422},
		"a lag below nothing":     {"PUT", `{"read_lag":{"ratio":1,"by":"-1s"}}`, 422},
		"a body over 64 KiB":      {"PUT", `{"kinds":{` + strings.Repeat(" ", 64<<10) + `}}`, 413},
		"a method it has not":     {"POST", `{}`, 405},
		"faults before they work": {"GET", ``, 200},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, x.url+sandbox.ControlPath+"faults", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := x.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			if answer.StatusCode != c.want || c.want != 200 && answer.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %s, %q, want %d", answer.Status, answer.Header.Get("Content-Type"), c.want)
			}
			if text, _ := io.ReadAll(answer.Body); c.want == 200 && string(text) != "{}\n" {
				t.Errorf("got %s, want no faults", text)
			}
		})
	}
}

// Many requests at once, of all kinds and with faults, for the race detector.
func TestManyAtOnce(t *testing.T) {
	s, x := play(t)
	counter(t, x)
	s.SetFaults(fault.Faults{IndexLag: fault.Duration(time.Millisecond), Kinds: map[string]float64{"stale": 0.1, "query_missing": 0.1}})
	var clients sync.WaitGroup
	var sent atomic.Int64
	for client := range 8 {
		clients.Go(func() {
			for i := range 60 {
				key := (client + i) % 10
				for _, request := range []string{
					createRecord(key, 1), "GET " + recordAt(key), "PUT " + recordAt(key) + ` {"tags":["x"]}`, "PUT " + recordAt(key) + "/blobs/b x",
					"GET /api/stores/s/records?owner_id=o", "GET /api/stores", "DELETE " + recordAt((key+5)%10),
				} {
					x.do(t, request)
					sent.Add(1)
				}
				_, _ = x.calls.AtomicAddInt(t.Context(), &api.AtomicIntRequest{StoreKey: "s", RecordKey: "c", PropertyName: "n", Value: 1})
				_, _ = x.calls.QueryRecords(t.Context(), &api.QueryRecordsRequest{StoreKey: "s", Tags: []string{"x"}})
				if i%20 == 0 {
					s.SetFaults(fault.Faults{})
				}
			}
		})
	}
	clients.Wait()
	r, err := x.calls.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "c"})
	if want := int64(10 + 8*60); err != nil || r.GetProperties()["n"].GetIntegerValue() != want {
		t.Errorf("the counter: got %v, %v, want %d", r.GetProperties()["n"], err, want)
	}
	total := int64(0)
	for _, n := range s.Requests() {
		total += n
	}
	if want := sent.Load() + 1 + 1 + 2*8*60 + 1; total != want {
		t.Errorf("requests: got %d, want %d: %v", total, want, s.Requests())
	}
}

func TestChunkURLsCanBeFetched(t *testing.T) {
	_, x := play(t)
	g := &grpcRun{conn: x.conn, store: unique(t)}
	for _, call := range withChunks {
		if _, err := g.do(t.Context(), t, call); err != nil {
			t.Fatal(err)
		}
	}
	out, err := x.calls.CreateChunkUrls(t.Context(), &api.CreateChunkUrlsRequest{StoreKey: g.store, Key: "r", TtlInSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, url := range out.GetChunkUrls() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := x.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		got = append(got, answer.Status+" "+string(text))
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"200 OK ab", "200 OK c"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestLatencyIsAddedOnBothWires(t *testing.T) {
	_, x := play(t)
	x.put(t, `{"latency":"50ms"}`)
	start := time.Now()
	x.must(t, "GET /health", "200")
	if _, err := x.calls.Ping(t.Context(), &api.PingRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := time.Since(start); got < 100*time.Millisecond {
		t.Errorf("two requests: got %s, want 100ms at least", got)
	}
	x.put(t, "{}")
}

func TestTheCacheSparesASaturatedTable(t *testing.T) {
	_, x := play(t)
	counter(t, x)
	get := func(h *api.Hint) codes.Code {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := x.calls.GetRecord(ctx, &api.GetRecordRequest{StoreKey: "s", Key: "c", Hint: h})
		return status.Code(err)
	}
	get(nil)
	x.put(t, `{"saturation":{"rps":0.001,"component":"dynamodb"}}`)
	if got := get(&api.Hint{SkipCache: true}); got != codes.DeadlineExceeded {
		t.Errorf("past the cache: got %s, want DeadlineExceeded", got)
	}
	if got := get(nil); got != codes.OK {
		t.Errorf("from the cache: got %s, want OK", got)
	}
}

func TestAThrottledTableIsUnknownOnGRPC(t *testing.T) {
	_, x := play(t)
	counter(t, x)
	x.put(t, `{"dynamodb_throttle":1}`)
	past := &api.GetRecordRequest{StoreKey: "s", Key: "c", Hint: &api.Hint{SkipCache: true}}
	if _, err := x.calls.GetRecord(t.Context(), past); status.Code(err) != codes.Unknown {
		t.Errorf("a throttled read past the cache: got %v, want Unknown", err)
	}
	if _, err := x.calls.Ping(t.Context(), &api.PingRequest{}); err != nil {
		t.Errorf("a ping, which touches no table: got %v, want OK", err)
	}
}
