package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"opensaves-soak/opensaves/grpc/api"
	"opensaves-soak/opensaves/sandbox"
)

// client asks over a connection of its own and says whether the answer was a lie.
type client func() bool

// clients dial n times on each wire and ask once, so that all are connected.
func clients(t *testing.T, address string, n int) (all []client) {
	t.Helper()
	for range n {
		x := dial(t, "http://"+address, address, 0)
		web := func() bool { return !strings.Contains(x.do(t, "GET "+recordAt(1)), "abcdef") }
		call := func() bool {
			r, err := x.calls.GetRecord(t.Context(), &api.GetRecordRequest{StoreKey: "s", Key: "r0001"})
			if err != nil {
				t.Fatal(err)
			}
			return r.GetProperties()["text"].GetStringValue() != "abcdef"
		}
		all = append(all, web, call)
	}
	liars(all)
	return all
}

// liars returns who was told a lie.
func liars(all []client) []bool {
	lied := make([]bool, len(all))
	for i, asks := range all {
		lied[i] = asks()
	}
	return lied
}

func TestABadPodLiesOverItsConnectionsOnly(t *testing.T) {
	const n = 50
	s := sandbox.New(sandbox.Config{Seed: 1})
	address := start(t, s)
	x := dial(t, "http://"+address, address, 0)
	x.must(t, `POST /api/stores {"store_id":"s"}`, "201")
	x.must(t, createRecord(1, 1), "201")
	all := clients(t, address, n)

	x.put(t, `{"kinds":{"corrupt":1},"bad_pod":{"ratio":0.3}}`)
	want := liars(all)
	near(t, "connections lied over", share(len(all), func(i int) bool { return want[i] }), 0.3, len(all))
	for _, faults := range []string{
		`{"kinds":{"corrupt":1},"bad_pod":{"ratio":0.3}}`,
		`{"kinds":{"corrupt":1},"bad_pod":{"ratio":0.3},"cut":1e-9}`,
	} {
		x.put(t, faults)
		if diff := cmp.Diff(want, liars(all)); diff != "" {
			t.Errorf("%s: lies are told over other connections (-want +got)\n%s", faults, diff)
		}
	}
	x.put(t, `{"kinds":{"corrupt":1}}`)
	if everyone := liars(all); !cmp.Equal(everyone, slices.Repeat([]bool{true}, len(all))) {
		t.Errorf("without a bad pod: got %v, want lies over all connections", everyone)
	}
}

func TestABadPodDropsTheSameRecordsForItsClientsOnly(t *testing.T) {
	const n = 50
	for _, kind := range []string{`"query_missing":1`, `"index_rot":1`} {
		_, x := play(t)
		x.must(t, createRecord(1, 1), "201")
		x.put(t, `{"kinds":{`+kind+`},"rot_after":"1ns","bad_pod":{"ratio":0.3}}`)
		missing := share(n, func(int) bool {
			y := dial(t, x.url, "", 0)
			got := y.do(t, "GET /api/stores/s/records?owner_id=o")
			if again := y.do(t, "GET /api/stores/s/records?owner_id=o"); again != got {
				t.Errorf("%s: asked twice over a connection: got %.200s, then %.200s", kind, got, again)
			}
			return got == "200 {\"records\":[]}\n"
		})
		near(t, kind, missing, 0.3, n)
	}
}

func TestABadPodConfinesNothingButLies(t *testing.T) {
	_, x := play(t)
	x.put(t, `{"error":{"ratio":1,"code":"Unavailable"},"bad_pod":{"ratio":1e-9}}`)
	x.must(t, "GET /api/stores/s", "503")
	if _, err := x.calls.Ping(t.Context(), &api.PingRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("pinging: got %v, want Unavailable", err)
	}
}
