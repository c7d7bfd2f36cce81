package sandbox_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"opensaves-soak/opensaves/sandbox"
)

const lagging = `faults {"read_lag":{"ratio":1,"by":"1s"}}`

// What an honest server may do, each as its clients see it.
func TestFreedomsOfAnHonestServer(t *testing.T) {
	for name, steps := range map[string][]step{
		"read_lag hides what was created just now": {
			ask(lagging, "200"), ask(`POST /api/stores {"store_id":"t"}`, "201"), ask(`POST /api/stores/t/records {"record_id":"r"}`, "404 store not found"),
			ask("GET /api/stores/t", "404"), ask("GET /api/stores/t/records", "404"), ask(setMeta, "200"), ask(readMeta, "404"), ask(firstWeb, "201"), ask(readWeb, "404"), ask(putBlobWeb, "404 record"),
			ask("after 1s"), ask("after 1ms"), ask("GET /api/stores/t", "200"), ask(readMeta, "200"), ask(readWeb, v1),
		},
		"read_lag shows what was before": {
			ask(firstWeb, "201"), ask(setMeta, "200"), ask(lagging, "200"), ask(secondWeb, "200"), ask(setMeta2, "200"), ask(readWeb, v1), ask(readMeta, "the first"),
			ask(readCall, v2), ask("after 1001ms"), ask(readWeb, v2), ask(readMeta, "the second"), ask(putBlobWeb, "200"), ask(blobsWeb, "null"), ask(readBlobWeb, "hello"),
		},
		"read_lag still shows what was deleted": {
			ask(firstWeb, "201"), ask(putBlobWeb, "200"), ask(setMeta, "200"), ask(lagging, "200"), ask(deleteWeb, "204"), ask("DELETE /api/metadata/m/i", "204"), ask("DELETE /api/stores/s", "204"),
			ask(readWeb, v1), ask(readBlobWeb, "hello"), ask(readMeta, "200"), ask("GET /api/stores/s", "200"), ask(secondWeb, "404"),
			ask("after 1001ms"), ask(readWeb, "404"), ask(readBlobWeb, "404"), ask(readMeta, "404"), ask("GET /api/stores/s", "404"),
		},
		"a record's second blob is listed without the first when the server read too early": {
			ask(firstWeb, "201"), ask(lagging, "200"), ask("after 2s"), ask(putBlobWeb, "200"), ask(`PUT /api/stores/s/records/r/blobs/c x`, "200"),
			ask("after 2s"), ask(blobsWeb, `["c"]`), ask(readBlobWeb, "hello"),
		},
		"retry answers a committed write as the second try would on REST": {
			ask(`faults {"retry":{"ratio":1}}`, "200"), ask(`POST /api/stores {"store_id":"t"}`, "409 store already exists"), ask(firstWeb, "500 Failed to create record"),
			ask(secondWeb, "200"), ask(putBlobWeb, "200"), ask(deleteWeb, "204"), ask("GET /api/stores/t", "200"), ask("GET /api/metadata/store_stats/s", `"record_count":0,`),
		},
		"retry answers a committed write as the second try would on gRPC": {
			ask(firstCall, "OK"), ask(putBlob, "OK"), ask(readCall, "OK"), ask(`faults {"retry":{"ratio":1}}`, "200"),
			ask(`UpdateRecord store_key:"s" record{key:"r" tags:"v2" `+hp+`integer_value:1}} signature:"{sig}"}`, "FailedPrecondition"), ask(readCall, v2),
			ask(deleteBlob, "FailedPrecondition"), ask(readCall, "!blob_size"), ask(`CreateStore store{key:"t"}`, "AlreadyExists"), ask(`GetStore key:"t"`, "OK"),
			ask(`CreateRecord store_key:"s" record{key:"q"}`, "AlreadyExists"), ask(`GetRecord store_key:"s" key:"q"`, "OK"),
			ask(addCall, "OK updated:true value:1"), ask(readMany, "integer_value:6"), ask(secondCall, "OK"), ask(deleteCall, "OK"),
		},
		"backend_down refuses on REST for a while, reads as if nothing were there": {
			ask(firstWeb, "201"), ask(putBlobWeb, "200"), ask(setMeta, "200"), ask(`faults {"backend_down":{"every":"60s","for":"3s"}}`, "200"),
			ask(readWeb, "404 record not found"), ask("GET /api/stores/s", "404"), ask(readMeta, "404"), ask(readBlobWeb, "404"), ask(blobsWeb, "404"), ask("GET /api/stores", "500"),
			ask(secondWeb, "500"), ask(putBlobWeb, "500"), ask(setMeta2, "500"), ask(deleteWeb, "500"), ask(`DELETE /api/stores/s/records/r/blobs/b`, "500"), ask(`POST /api/stores {"store_id":"t"}`, "500"), ask("GET /health", "200 OK"),
			ask("after 3s"), ask(readWeb, v1), ask(readBlobWeb, "hello"), ask("after 57s"), ask(readWeb, "404"), ask("after 3s"), ask("GET /api/stores/t", "404"),
		},
		"backend_down is Unavailable on gRPC, the cache apart": {
			ask(firstCall, "OK"), ask(`faults {"backend_down":{"every":"60s","for":"3s"}}`, "200"), ask(readCall, "OK", v1), ask(pastCache, "Unavailable"), ask(readMany, "Unavailable"),
			ask(secondCall, "Unavailable"), ask(putBlob, "Unavailable"), ask(askCall, "Unavailable"), ask(`Ping ping:"x"`, "OK"), ask("after 3s"), ask(readMany, v1),
		},
		"cache_refill leaves the version before in the cache for one TTL": {
			ask(firstCall, "OK"), ask(`faults {"cache_refill":{"ratio":1}}`, "200"), ask(secondCall, "OK"), ask(readCall, v1), ask(readMany, v2), ask(`GetRecord store_key:"s" key:"r" hint{skip_cache:true}`, v2),
			ask(readCall, v2), // the read past the cache has filled it
			ask(deleteCall, "OK"), ask(readCall, v2), ask(readMany, "code:5"), ask("after 5m1s"), ask(readCall, "NotFound"),
		},
		"cache_refill lasts as long as the TTL that is set": {
			ask(firstCall, "OK"), ask(`faults {"cache_refill":{"ratio":1},"cache_ttl":"10s"}`, "200"), ask(secondCall, "OK"), ask(readCall, v1), ask("after 10.1s"), ask(readCall, v2),
		},
		"restart empties the cache and keeps the database": {
			ask(firstCall, "OK"), ask(`faults {"restart":{"every":"30s"},"cache_ttl":"1h"}`, "200"), ask(readCall, v1), ask(secondCall, "OK"), ask(readCall, v1), ask("after 30.5s"), ask(readCall, v2), ask(readWeb, v2),
		},
		"restart cuts what is under way, again and again": {
			ask(firstCall, "OK"), ask(`faults {"restart":{"every":"4s"},"latency":"4500ms"}`, "200"),
			ask(readWeb, "none"), ask(readCall, "Unavailable"), ask(readWeb, "none"), ask(readCall, "Unavailable"),
		},
		"apply_late leaves a write without an answer and applies it later": {
			ask(firstWeb, "201"), ask(`faults {"apply_late":{"ratio":1,"by":"90s"}}`, "200"), ask(secondWeb, "none"), ask(secondCall, "DeadlineExceeded"),
			ask("after 90s"), noFaults(), ask(readWeb, v2),
		},
		"apply_late of a record that is gone changes nothing, a create inserts": {
			ask(firstWeb, "201"), ask(`faults {"apply_late":{"ratio":1,"by":"90s"}}`, "200"), ask(secondWeb, "none"), ask(secondCall, "DeadlineExceeded"), ask(putBlobWeb, "none"),
			noFaults(), ask(deleteWeb, "204"), ask("after 90s"), ask(readWeb, "404"),
			ask(`faults {"apply_late":{"ratio":1,"by":"90s"}}`, "200"), ask(`POST /api/stores/s/records {"record_id":"q"}`, "none"), ask(firstWeb, "none"),
			noFaults(), ask("after 90s"), ask(`GET /api/stores/s/records/q`, "200"), ask(readWeb, v1),
		},
		"apply_late of a blob lists it beside what was put meanwhile": {
			ask(firstWeb, "201"), ask(`faults {"apply_late":{"ratio":1,"by":"90s"}}`, "200"), ask(putBlobWeb, "none"), noFaults(), ask(`PUT /api/stores/s/records/r/blobs/c x`, "200"),
			ask("after 90s"), ask(blobsWeb, `"b"`, `"c"`),
		},
		"an error after has its effect": {
			ask(firstCall, "OK"), ask(`faults {"error":{"ratio":1,"code":"Unavailable","apply":"after"}}`, "200"), ask(secondCall, "Unavailable"), noFaults(), ask(readCall, v2),
		},
	} {
		t.Run(name, func(t *testing.T) { playOn(t, sandbox.Config{}, steps...) })
	}
}

func TestFreedomsHaveTheirShare(t *testing.T) {
	const n = 400
	for name, c := range map[string]struct {
		faults   string
		ask      func(i int) []string // the last answer counts
		hit      string
		expected float64
	}{
		"read_lag":     {`{"read_lag":{"ratio":0.3,"by":"1h"}}`, func(int) []string { return []string{readWeb} }, v1, 0.3},
		"retry":        {`{"retry":{"ratio":0.3}}`, func(i int) []string { return []string{createRecord(i, 1)} }, "500", 0.3},
		"cache_refill": {`{"cache_refill":{"ratio":0.3}}`, func(int) []string { return []string{secondCall, firstUpdate, readCall} }, v2, 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, sandbox.Config{})
				for _, next := range []step{ask(`POST /api/stores {"store_id":"s"}`, "201"), ask(firstWeb, "201"), ask("faults "+c.faults, "200"), ask(secondWeb, "200")} {
					s.expect(t, next)
				}
				near(t, name, share(n, func(i int) bool {
					got := ""
					for _, request := range c.ask(i) {
						got = s.do(t, request)
					}
					return strings.Contains(got, c.hit)
				}), c.expected, n)
			})
		})
	}
}

// firstUpdate goes back to the first version, so that each of two updates tells.
const firstUpdate = `UpdateRecord store_key:"s" record{key:"r" owner_id:"o" tags:"v1"}`
