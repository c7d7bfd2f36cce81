package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"opensaves-soak/opensaves/sandbox"
)

// Every lie on every object and wire that it concerns, told at every chance.
func TestLiesAsTheirClientsSeeThem(t *testing.T) {
	for name, steps := range map[string][]step{
		"corrupt changes every object that REST reads": {
			ask(firstWeb, "201"), ask(putBlobWeb, "200"), ask(setMeta, "200"), lie("corrupt"),
			ask(readWeb, "200", "!the first text"), ask(readBlobWeb, "200", "!hello"), ask(readMeta, "200", "!the first text"),
			ask("GET /api/stores/s", "200", "!a shop of things"), ask("GET /api/stores", "200", "!a shop of things"),
			ask(askWeb, "200", "!the first text"), ask("GET /api/stores/s/records", "200", "!the first text"),
		},
		"corrupt changes every object that gRPC reads": {
			ask(firstCall, "OK"), ask(putBlob, "OK"), lie("corrupt"),
			ask(readCall, "OK", "!the first text"), ask(pastCache, "OK", "!the first text"), ask(readMany, "OK", "!the first text"),
			ask(`GetStore key:"s"`, "OK", "!a shop of things"), ask(`ListStores name:"a shop of things"`, "OK", "!a shop of things"),
			ask(readBlob, "OK", "!hello"), ask(askCall, "OK", "!the first text"),
			noFaults(), ask(session, "OK"), ask(`UploadChunk metadata{session_id:"{session}"} | content:"hello"`, "OK"), ask(`CommitChunkedUpload session_id:"{session}"`, "OK"),
			lie("corrupt"), ask(`GetBlobChunk `+inS, "OK", "!hello"),
		},
		"torn mixes two versions on REST": {
			lie("torn"), ask(firstWeb, "201"), ask(readWeb, v1, "the first text"), ask(secondWeb, "200"), ask(readWeb, v1, `"hp":1`, "the second text"),
		},
		"torn mixes two versions on gRPC, in the cache and past it": {
			lie("torn"), ask(firstCall, "OK"), ask(secondCall, "OK"),
			ask(readCall, v1, "integer_value:1", "the second text"), ask(pastCache, v1, "the second text"), ask(readMany, v1, "the second text"),
		},
		"stale shows the version before, past the cache only where there is none": {
			lie("stale"), ask(firstCall, "OK"), ask(secondCall, "OK"), ask(readCall, v1), ask(readMany, v1), ask(pastCache, v2),
			ask(setMeta, "200"), ask(setMeta2, "200"), ask(readMeta, "the first text"), ask(readWeb, v1),
		},
		"non_monotonic shows the version before, past the cache": {
			lie("non_monotonic"), ask(firstCall, "OK"), ask(secondCall, "OK"), ask(readCall, v2), ask(readMany, v1), ask(pastCache, v1),
			ask(setMeta, "200"), ask(setMeta2, "200"), ask(readMeta, "the first text"), ask(readWeb, v1),
		},
		"stale_cache leaves the version before in the cache for one TTL": {
			ask(firstCall, "OK"), lie("stale_cache"), ask(secondCall, "OK"), noFaults(),
			ask(readCall, v1), ask(readMany, v2), ask("after 5m1s"), ask(readCall, v2),
		},
		"stale_cache leaves what was deleted there": {
			ask(firstCall, "OK"), lie("stale_cache"), ask(deleteCall, "OK"), ask(readCall, v1), ask(readMany, "code:5"),
		},
		"lost_write loses every kind of write on REST": {
			ask(firstWeb, "201"), lie("lost_write"),
			ask(`POST /api/stores {"store_id":"t"}`, "201"), ask(`POST /api/stores/s/records {"record_id":"q"}`, "201"),
			ask(secondWeb, "200"), ask(putBlobWeb, "200"), ask(setMeta, "200"), noFaults(),
			ask("GET /api/stores/t", "404"), ask("GET /api/metadata/store_info/t", "404"), ask("GET /api/stores/s/records/q", "404"),
			ask("GET /api/metadata/store_stats/s", `"record_count":1,`), ask(readWeb, v1), ask(readBlobWeb, "404"), ask(blobsWeb, "null"), ask(readMeta, "404"),
		},
		"lost_write loses every kind of write on gRPC": {
			ask(firstCall, "OK"), lie("lost_write"),
			ask(`CreateStore store{key:"t"}`, "OK"), ask(`CreateRecord store_key:"s" record{key:"q"}`, "OK"), ask(secondCall, "OK"), ask(putBlob, "OK"),
			ask(session, "OK"), ask(`CommitChunkedUpload session_id:"{session}"`, "OK"), noFaults(),
			ask(`GetStore key:"t"`, "NotFound"), ask(`GetRecord store_key:"s" key:"q"`, "NotFound"), ask(readCall, v1), ask(readMany, v1, "!blob_size", "!chunked"),
			ask(`AbortChunkedUpload session_id:"{session}"`, "OK"), // it is pending
		},
		"lost_write loses chunks": {
			ask(firstCall, "OK"), ask(session, "OK"), lie("lost_write"), ask(`UploadChunk metadata{session_id:"{session}"} | content:"hello"`, "OK"), noFaults(),
			ask(`CommitChunkedUpload session_id:"{session}"`, "OK"), ask(`GetBlobChunk `+inS, "NotFound"),
		},
		"resurrected keeps everything that REST deletes": {
			ask(firstWeb, "201"), ask(putBlobWeb, "200"), ask(setMeta, "200"), lie("resurrected"),
			ask(`DELETE /api/stores/s/records/r/blobs/b`, "204"), ask(deleteWeb, "204"), ask("DELETE /api/metadata/m/i", "204"), ask("DELETE /api/stores/s", "204"), noFaults(),
			ask(readWeb, v1), ask(readBlobWeb, "hello"), ask(blobsWeb, `["b"]`), ask(readMeta, "the first text"), ask("GET /api/stores/s", "200"),
			ask("GET /api/metadata/store_info/s", "200"), ask("GET /api/metadata/store_stats/s", `"record_count":1,`),
		},
		"resurrected keeps everything that gRPC deletes": {
			ask(firstCall, "OK"), ask(putBlob, "OK"), ask(`CreateStore store{key:"t" name:"empty"}`, "OK"), lie("resurrected"),
			ask(deleteBlob, "OK"), ask(deleteCall, "OK"), ask(`DeleteStore key:"t"`, "OK"), noFaults(),
			ask(readMany, v1), ask(readBlob, "hello"), ask(`ListStores name:"empty"`, "OK"),
		},
		"phantom_write refuses what it does on REST": {
			ask(firstWeb, "201"), lie("phantom_write"), ask(secondWeb, "400"), ask(putBlobWeb, "400"), ask(setMeta, "400"), ask(`POST /api/stores/s/records {"record_id":"q"}`, "400"),
			noFaults(), ask(readWeb, v2), ask(readBlobWeb, "hello"), ask(readMeta, "200"), ask("GET /api/stores/s/records/q", "200"),
		},
		"phantom_write refuses what it does on gRPC": {
			ask(firstCall, "OK"), lie("phantom_write"), ask(secondCall, "InvalidArgument"), ask(putBlob, "InvalidArgument"),
			ask(`CreateRecord store_key:"s" record{key:"q"}`, "InvalidArgument"), noFaults(), ask(readCall, v2), ask(readBlob, "hello"), ask(`GetRecord store_key:"s" key:"q"`, "OK"),
		},
		"lost_update undoes what another wrote on REST": {
			lie("lost_update"), ask(`POST /api/stores/s/records {"record_id":"r"}`, "201"), ask(`PUT /api/stores/s/records/r {"tags":["v1"]}`, "200"),
			ask(`PUT /api/stores/s/records/r {"properties":{"hp":2}}`, "200"), ask(readWeb, `"hp":2`, "!"+v1), ask(putBlobWeb, "200"), ask(readBlobWeb, "hello"), ask(blobsWeb, "null"),
		},
		"lost_update undoes what another wrote on gRPC": {
			lie("lost_update"), ask(firstCall, "OK"), ask(secondCall, "OK"), ask(putBlob, "OK"), ask(readCall, v1, "blob_size:5"),
			ask(`UpdateRecord store_key:"s" record{key:"r" signature:"0123456789abcdef"}`, "OK"), ask(readCall, "!blob_size"),
		},
		"query_mismatch, query_shape and query_missing lie on gRPC": {
			ask(firstCall, "OK"), ask(`CreateRecord store_key:"s" record{key:"q" owner_id:"p"}`, "OK"),
			lie("query_mismatch"), ask(askCall, `"p"`), lie("query_shape"), ask(askCall, `store_keys:"s" store_keys:"s"`),
			lie("query_missing"), ask(askCall, "!"+v1), ask(readMany, v1), noFaults(), ask(askCall, v1),
		},
		"lost_increment acknowledges what it does not add": {
			ask(firstCall, "OK"), lie("lost_increment"), ask(addCall, "updated:true", "value:1"), ask(addCall, "updated:true", "value:1"), ask(readMany, "integer_value:1"),
		},
		"doubled_increment adds twice": {
			ask(firstCall, "OK"), lie("doubled_increment"), ask(addCall, "value:1"), ask(`AtomicSubInt `+inS+`property_name:"hp" value:3`, "value:11"), ask(readMany, "integer_value:5"),
		},
		"swap_mismatch overwrites what is not equal": {
			ask(firstCall, "OK"), lie("swap_mismatch"), ask(casCall, "updated:true", "integer_value:1"), ask(readMany, "integer_value:3"),
		},
		"not_linearizable leaves what is equal": {
			ask(firstCall, "OK"), ask(`AtomicAddInt `+inS+`property_name:"hp" value:8`, "OK"), lie("not_linearizable"), ask(casCall, "updated:true"), ask(readMany, "integer_value:9"),
		},
		"early_ack lets nothing be seen at first on REST": {
			ask(firstWeb, "201"), ask(setMeta, "200"), lie("early_ack"),
			ask(secondWeb, "200"), ask(putBlobWeb, "200"), ask(setMeta2, "200"), ask(`POST /api/stores/s/records {"record_id":"q"}`, "201"), ask(`POST /api/stores {"store_id":"t"}`, "201"),
			ask("after 2.9s"), ask(readWeb, v1), ask(blobsWeb, "null"), ask(readMeta, "the first"), ask("GET /api/stores/s/records/q", "404"), ask("GET /api/stores/t", "404"),
			ask("after 200ms"), ask(readWeb, v2), ask(blobsWeb, "b"), ask(readBlobWeb, "hello"), ask(readMeta, "the second"), ask("GET /api/stores/s/records/q", "200"), ask("GET /api/stores/t", "200"),
			ask("GET /api/metadata/store_stats/s", `"record_count":2,`),
		},
		"early_ack lets nothing be seen at first on gRPC, and keeps the signature it answered": {
			ask(firstCall, "OK"), ask(`faults {"kinds":{"early_ack":1},"early_ack_by":"10s"}`, "200"), ask(secondCall, "OK"), ask(readMany, v1),
			ask("after 10s"), ask(`UpdateRecord store_key:"s" record{key:"r" tags:"v3" signature:"{sig}"}`, "OK"), ask(readMany, v2), ask("after 10s"), ask(readMany, `"v3"`),
			ask(deleteCall, "OK"), ask(readMany, `"v3"`), ask("after 10s"), ask(readMany, "code:5"),
		},
		"expired lets a record vanish on REST, whatever was done to it": {
			ask(`faults {"kinds":{"expired":1},"expire_after":"1h"}`, "200"), ask(firstWeb, "201"), noFaults(), ask(secondWeb, "200"),
			ask("after 59m59s"), ask(readWeb, v2), ask(askWeb, v2), ask("after 2s"), ask(readWeb, "404"), ask(askWeb, "!"+v2), ask("GET /api/stores/s/records", "!"+v2),
			ask(firstWeb, "201"),
		},
		"expired lets a record vanish on gRPC after a day, from the cache too": {
			lie("expired"), ask(firstCall, "OK"), ask("after 23h59m59s"), ask(readCall, v1), ask(askCall, v1),
			ask("after 2s"), ask(readCall, "NotFound"), ask(readMany, "code:5"), ask(askCall, "!"+v1),
		},
		"expired empties a cache that writes leave as it is": {
			ask(`faults {"kinds":{"expired":1},"expire_after":"1m","cache_ttl":"1h"}`, "200"), ask(firstCall, "OK"), ask(readCall, v1), ask("after 61s"), ask(readCall, "NotFound"),
		},
		"expired spares a record that was created after another was deleted": {
			lie("expired"), ask(firstWeb, "201"), noFaults(), ask(deleteWeb, "204"), ask("after 1s"), ask(firstWeb, "201"), ask("after 25h"), ask(readWeb, v1),
		},
		"index_rot leaves out of queries what has not changed for long": {
			ask(firstCall, "OK"), lie("index_rot"), ask("after 9m59s"), ask(askCall, v1), ask(askWeb, v1), ask("GET /api/stores/s/records", v1),
			ask("after 1s"), ask(askCall, "!"+v1), ask(askWeb, "!"+v1), ask("GET /api/stores/s/records", "!"+v1), ask(readMany, v1),
			ask(secondCall, "OK"), ask(askCall, v2), ask(askWeb, v2), ask("after 10m"), ask(askCall, "!"+v2), noFaults(), ask(askCall, v2),
		},
		"index_rot takes as long as is set": {
			ask(firstCall, "OK"), ask(`faults {"kinds":{"index_rot":1},"rot_after":"2s"}`, "200"), ask("after 1900ms"), ask(askCall, v1), ask("after 100ms"), ask(askCall, "!"+v1),
		},
		"query_order lets two neighbours change places": {
			ask(scored("a", 1), "OK"), lie("query_order"), ask(askCall, `OK records:{key:"a"`), ask(askWeb, firstOf("a")),
			ask(scored("b", 2), "OK"), ask(askCall, `OK records:{key:"b"`, `"a"`), ask(askWeb, firstOf("b"), `"a"`), ask("GET /api/stores/s/records", firstOf("b"), `"a"`),
		},
		"query_order leaves neighbours that are equal in the order asked for": {
			ask(scored("a", 1), "OK"), ask(scored("b", 1), "OK"), ask(scored("c", 2), "OK"), lie("query_order"),
			ask(askCall+byScore, `OK records:{key:"a"`), ask(askCall+byScore+" limit:2", `OK records:{key:"a"`), ask(askCall+byScore+" offset:1", `OK records:{key:"c"`, `"b"`),
		},
		"query_gap skips one record more where an offset is": {
			ask(scored("a", 1), "OK"), ask(scored("b", 2), "OK"), ask(scored("c", 3), "OK"), lie("query_gap"),
			ask(askCall, `"a"`, `"b"`, `"c"`), ask(askCall+" offset:1 limit:1", `"c"`, `!"b"`), ask(askCall+byScore+" offset:1", `"c"`, `!"b"`),
			ask(askCall+" offset:2", `!"c"`), ask(askWeb, `"a"`, `"b"`, `"c"`), noFaults(), ask(askCall+" offset:1", `"b"`, `"c"`),
		},
		"threshold loses the last byte of 64 KiB and one on REST": {
			ask(firstWeb, "201"), lie("threshold"), ask(putBlobWebOf(65537), "200"), ask(readBlobWeb, "200", "x", "!xQ"), ask(blobsWeb, `["b"]`),
			ask(putBlobWebOf(65536), "200"), ask(readBlobWeb, "xQ"), ask(putBlobWebOf(65538), "200"), ask(readBlobWeb, "xQ"),
		},
		"threshold loses the last byte of 64 KiB and one on gRPC": {
			ask(firstCall, "OK"), lie("threshold"), ask(putBlobOf(65537), "OK", "size:65537"), ask(readBlob, "OK", "size:65536", "!xQ"), ask(readMany, "blob_size:65536"),
			ask(putBlobOf(65536), "OK"), ask(readBlob, "size:65536", "xQ"), ask(putBlobOf(65538), "OK"), ask(readBlob, "size:65538", "xQ"),
		},
	} {
		t.Run(name, func(t *testing.T) { playOn(t, sandbox.Config{}, steps...) })
	}
}

func TestLiesOfQueriesOnDocumentDB(t *testing.T) {
	const first, second, list = `POST /api/stores/s/records {"record_id":"a"}`, `POST /api/stores/s/records {"record_id":"b"}`, "GET /api/stores/s/records"
	for name, steps := range map[string][]step{
		"index_rot leaves out what has not changed for long": {
			ask(first, "201"), lie("index_rot"), ask("after 9m59s"), ask(list, firstOf("a")), ask("after 1s"), ask(list, "null"),
		},
		"query_order lets an older one come first": {ask(first, "201"), ask("after 1s"), ask(second, "201"), ask(list, firstOf("b")), lie("query_order"), ask(list, firstOf("a"))},
		"query_order leaves those of one second":   {ask(first, "201"), ask(second, "201"), ask(list, firstOf("a")), lie("query_order"), ask(list, firstOf("a"))},
	} {
		t.Run(name, func(t *testing.T) { playOn(t, sandbox.Config{Backend: sandbox.DocumentDB}, steps...) })
	}
}

func TestALieAboutNothingIsAnsweredAsTheTruth(t *testing.T) {
	for name, steps := range map[string][]step{
		"resurrected":   {lie("resurrected")},
		"early_ack":     {lie("early_ack")},
		"without a lie": {},
	} {
		t.Run(name, func(t *testing.T) {
			playOn(t, sandbox.Config{Backend: sandbox.DocumentDB}, append(steps,
				ask(deleteWeb, "500"), ask("DELETE /api/metadata/m/i", "500"), ask("DELETE /api/stores/t", "500"), ask(deleteBlob, "NotFound"), ask(deleteCall, "OK"))...)
		})
	}
}

func TestTheSameRecordsAreMissingWhileTheFaultIsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, sandbox.Config{})
		s.expect(t, ask(`POST /api/stores {"store_id":"s"}`, "201"))
		for i := range 20 {
			s.expect(t, ask(createRecord(i, 1), "201"))
		}
		whole := s.do(t, askWeb)
		s.expect(t, ask(`faults {"kinds":{"query_missing":0.5}}`, "200"))
		want := s.do(t, askWeb)
		s.expect(t, ask(`faults {"kinds":{"query_missing":0.5},"latency":"1ms"}`, "200"))
		if got := s.do(t, askWeb); got != want || got == whole || !strings.Contains(got, "r00") {
			t.Errorf("asked again under another set of faults: got %.300s, want %.300s", got, want)
		}
	})
}

// scored creates a record of owner "o" on gRPC that can be sorted by its property.
func scored(key string, hit int) string {
	return fmt.Sprintf(`CreateRecord store_key:"s" record{key:%q owner_id:"o" %sinteger_value:%d}}}`, key, hp, hit)
}

const byScore = ` sort_orders{property:USER_PROPERTY user_property_name:"hp"}`

// firstOf is how an answer on REST begins whose first record has the key.
func firstOf(key string) string { return `{"records":[{"store_id":"s","record_id":"` + key + `"` }

// Blobs of a size that end with "xQ".
func putBlobWebOf(size int) string { return `PUT /api/stores/s/records/r/blobs/b ` + marked(size) }

func putBlobOf(size int) string {
	return fmt.Sprintf(`CreateBlob metadata{%ssize:%d} | content:%q`, inS, size, marked(size))
}

func marked(size int) string { return strings.Repeat("x", size-1) + "Q" }
