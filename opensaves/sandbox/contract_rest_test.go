package sandbox_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"opensaves-soak/opensaves/sandbox"
)

// restCase is one request on prepared data. Requests are written as "METHOD path
// body", answers as "status body", with {s} for a store's id of the case's own,
// {s2} for another one, T for any time and N for any Unix time.
type restCase struct {
	name  string
	given []string
	ask   string
	want  string
}

const (
	aStore  = `POST /api/stores {"store_id":"{s}","name":"n"}`
	aRecord = `POST /api/stores/{s}/records {"record_id":"r","tags":["a","b"],"properties":{"owner_id":"o{s}","game_id":"g{s}","hp":7}}`
	bRecord = `POST /api/stores/{s}/records {"record_id":"b","properties":{"owner_id":"o{s}"}}`
	record  = `"store_id":"{s}","record_id":"r",`
	indexed = `"owner_id":"o{s}","game_id":"g{s}",`
	rest    = `"tags":["a","b"],"properties":{"game_id":"g{s}","hp":7,"owner_id":"o{s}"},"created_at":"T","updated_at":"T"`
	listedB = `{"store_id":"{s}","record_id":"b","owner_id":"o{s}","properties":{"owner_id":"o{s}"},"created_at":"T","updated_at":"T"}`
	listedR = `{` + record + indexed + rest + `}`
)

var restContract = []restCase{
	{"the root greets", nil, "GET /", "200 Open Saves AWS Adapter is running!"},
	{"the root takes any method", nil, "PATCH /", "200 Open Saves AWS Adapter is running!"},
	{"health is static", nil, "GET /health", "200 OK"},
	{"health takes any method", nil, "DELETE /health", "200 OK"},
	{"an unknown path has no page", nil, "GET /nothing", "404 404 page not found\n"},
	{"a doubled slash is moved to the clean path", nil, "GET /api//stores", "301 <a href=\"/api/stores\">Moved Permanently</a>.\n\n"},
	{"metadata without a slash is moved", nil, "GET /api/metadata", "301 <a href=\"/api/metadata/\">Moved Permanently</a>.\n\n"},

	{"a store is created without a body in the answer", nil, aStore, "201 "},
	{"unknown fields of a store are ignored", nil, `POST /api/stores {"store_id":"{s}","owner_id":"o","tags":["t"]}`, "201 "},
	{"bytes after the first JSON value are ignored", nil, `POST /api/stores {"store_id":"{s}"} and more`, "201 "},
	{"an empty body is no store", nil, "POST /api/stores", "400 EOF\n"},
	{"a wrong type is no store", nil, `POST /api/stores {"store_id":1}`, "400 json: cannot unmarshal number into Go struct field *"},
	{"a store needs an id", nil, `POST /api/stores {"name":"n"}`, "400 store_id is required\n"},
	{"an empty id is none", nil, `POST /api/stores {"store_id":""}`, "400 store_id is required\n"},
	{"a store exists once", []string{aStore}, aStore, "409 store already exists\n"},
	{"stores know two methods", nil, "PUT /api/stores {}", "405 Method not allowed\n"},
	{"a store shows its four fields", []string{aStore}, "GET /api/stores/{s}", `200 {"store_id":"{s}","name":"n","created_at":"T","updated_at":"T"}` + "\n"},
	{"a store without a name shows an empty one", []string{`POST /api/stores {"store_id":"{s}"}`}, "GET /api/stores/{s}", `200 {"store_id":"{s}","name":"","created_at":"T","updated_at":"T"}` + "\n"},
	{"an absent store is not found", nil, "GET /api/stores/{s}", "404 store not found\n"},
	{"the list of stores has the store", []string{aStore}, "GET /api/stores", `200 *{"store_id":"{s}","name":"n","created_at":"T","updated_at":"T"}*`},
	{"there is no update of a store", []string{aStore}, `PUT /api/stores/{s} {}`, "405 Method not allowed\n"},
	{"HEAD of a store is not allowed", []string{aStore}, `HEAD /api/stores/{s}`, "405 "},
	{"a store is deleted", []string{aStore}, "DELETE /api/stores/{s}", "204 "},
	{"an absent store is deleted, too", nil, "DELETE /api/stores/{s}", "204 "},
	{"a deleted store is gone", []string{aStore, "DELETE /api/stores/{s}"}, "GET /api/stores/{s}", "404 store not found\n"},
	{"a deleted store takes its records along", []string{aStore, aRecord, "DELETE /api/stores/{s}"}, "GET /api/stores/{s}/records/r", "404 record not found\n"},
	{"no store has an empty id", nil, "GET /api/stores/", "404 store not found\n"},
	{"a store of no id cannot be deleted", nil, "DELETE /api/stores/", "500 Failed to delete store\n"},
	{"nothing else is below a store", []string{aStore}, "GET /api/stores/{s}/things", "404 404 page not found\n"},

	{"a record is created without a body in the answer", []string{aStore}, aRecord, "201 "},
	{"a record needs its store, before its body is read", nil, "POST /api/stores/{s}/records {", "404 store not found\n"},
	{"bad JSON is no record", []string{aStore}, "POST /api/stores/{s}/records {", "400 unexpected EOF\n"},
	{"a record needs an id", []string{aStore}, "POST /api/stores/{s}/records {}", "400 record_id is required\n"},
	{"a record's id is a string", []string{aStore}, `POST /api/stores/{s}/records {"record_id":7}`, "400 record_id is required\n"},
	{"a record exists once", []string{aStore, aRecord}, aRecord, "500 Failed to create record\n"},
	{"a key is 1024 bytes long at most", []string{aStore}, `POST /api/stores/{s}/records {"record_id":"` + strings.Repeat("k", 1025) + `"}`, "500 Failed to create record\n"},
	{"390 KB fit into an item", []string{aStore}, `POST /api/stores/{s}/records {"record_id":"r","properties":{"p":"` + strings.Repeat("x", 390<<10) + `"}}`, "201 "},
	{"401 KB do not", []string{aStore}, `POST /api/stores/{s}/records {"record_id":"r","properties":{"p":"` + strings.Repeat("x", 401<<10) + `"}}`, "500 Failed to create record\n"},
	{"a single record hides owner and game", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r", "200 {" + record + rest + "}\n"},
	{"an owner at top level is discarded", []string{aStore, `POST /api/stores/{s}/records {"record_id":"r","owner_id":"o{s}"}`}, "GET /api/stores/{s}/records", `200 {"records":[{"store_id":"{s}","record_id":"r","created_at":"T","updated_at":"T"}]}` + "\n"},
	{"tags that are no strings become empty", []string{aStore, `POST /api/stores/{s}/records {"record_id":"r","tags":["a",1,""]}`}, "GET /api/stores/{s}/records/r", `200 {"store_id":"{s}","record_id":"r","tags":["a","",""],"created_at":"T","updated_at":"T"}` + "\n"},
	{"values come back as the database has them", []string{aStore, `POST /api/stores/{s}/records {"record_id":"r","properties":{"e":"","n":null,"i":9007199254740993,"d":{"e":"","l":["",{}]}}}`}, "GET /api/stores/{s}/records/r", `200 {"store_id":"{s}","record_id":"r","properties":{"d":{"e":null,"l":[null,{}]},"e":null,"i":9007199254740992,"n":null},"created_at":"T","updated_at":"T"}` + "\n"},
	{"an absent record is not found", []string{aStore}, "GET /api/stores/{s}/records/r", "404 record not found\n"},
	{"so is a record of an absent store", nil, "GET /api/stores/{s}/records/r", "404 record not found\n"},
	{"an escaped slash divides a path", []string{aStore, `POST /api/stores/{s}/records {"record_id":"a/b"}`}, "GET /api/stores/{s}/records/a%2Fb", "404 404 page not found\n"},
	{"an id with a slash can be listed", []string{aStore, `POST /api/stores/{s}/records {"record_id":"a/b"}`}, "GET /api/stores/{s}/records", `200 {"records":[{"store_id":"{s}","record_id":"a/b","created_at":"T","updated_at":"T"}]}` + "\n"},
	{"an escaped hash is part of an id", []string{aStore, `POST /api/stores/{s}/records {"record_id":"a#b"}`}, "GET /api/stores/{s}/records/a%23b", `200 {"store_id":"{s}","record_id":"a#b","created_at":"T","updated_at":"T"}` + "\n"},

	{"an update answers without a body", []string{aStore, aRecord}, `PUT /api/stores/{s}/records/r {}`, "200 "},
	{"bad JSON comes before the lookup", nil, `PUT /api/stores/{s}/records/r {`, "400 unexpected EOF\n"},
	{"an absent record cannot be updated", []string{aStore}, `PUT /api/stores/{s}/records/r {}`, "404 record not found\n"},
	{"an empty update keeps everything", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {}`}, "GET /api/stores/{s}/records", "200 {\"records\":[" + listedR + "]}\n"},
	{"so does null", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r null`}, "GET /api/stores/{s}/records", "200 {\"records\":[" + listedR + "]}\n"},
	{"so do fields of wrong types", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {"tags":"x","properties":[1],"owner_id":3}`}, "GET /api/stores/{s}/records", "200 {\"records\":[" + listedR + "]}\n"},
	{"properties are replaced and not merged, owner and game stay", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {"properties":{"x":1},"tags":["c"]}`}, "GET /api/stores/{s}/records?owner_id=o{s}", `200 {"records":[{` + record + indexed + `"tags":["c"],"properties":{"x":1},"created_at":"T","updated_at":"T"}]}` + "\n"},
	{"empty tags and properties clear the fields", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {"properties":{},"tags":[]}`}, "GET /api/stores/{s}/records/r", `200 {"store_id":"{s}","record_id":"r","created_at":"T","updated_at":"T"}` + "\n"},
	{"an owner at top level does not move a record", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {"owner_id":"p{s}"}`}, "GET /api/stores/{s}/records?owner_id=p{s}", `200 {"records":[]}` + "\n"},
	{"an owner in properties moves it", []string{aStore, aRecord, `PUT /api/stores/{s}/records/r {"properties":{"owner_id":"p{s}"}}`}, "GET /api/stores/{s}/records?owner_id=p{s}", `200 {"records":[{"store_id":"{s}","record_id":"r","owner_id":"p{s}","game_id":"g{s}","tags":["a","b"],"properties":{"owner_id":"p{s}"},"created_at":"T","updated_at":"T"}]}` + "\n"},
	{"a record is not posted to", []string{aStore, aRecord}, "POST /api/stores/{s}/records/r {}", "405 Method not allowed\n"},
	{"a record is deleted", []string{aStore, aRecord}, "DELETE /api/stores/{s}/records/r", "204 "},
	{"an absent record is deleted, too", nil, "DELETE /api/stores/{s}/records/r", "204 "},
	{"a record of no id cannot be deleted", []string{aStore}, "DELETE /api/stores/{s}/records/", "500 Failed to delete record\n"},
	{"a deleted record is gone", []string{aStore, aRecord, "DELETE /api/stores/{s}/records/r"}, "GET /api/stores/{s}/records/r", "404 record not found\n"},
	{"a slash after a record has no page", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r/", "404 404 page not found\n"},
	{"nothing else is below a record", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r/xyz", "404 404 page not found\n"},

	{"an empty store lists no records", []string{aStore}, "GET /api/stores/{s}/records", `200 {"records":[]}` + "\n"},
	{"an absent store lists nothing", nil, "GET /api/stores/{s}/records", "404 store not found\n"},
	{"another method on the list looks for the store first", nil, "PUT /api/stores/{s}/records {}", "404 store not found\n"},
	{"and is then not allowed", []string{aStore}, "PUT /api/stores/{s}/records {}", "405 Method not allowed\n"},
	{"the list is in order of ids and shows owner and game", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records", `200 {"records":[` + listedB + "," + listedR + "]}\n"},
	{"a limit cuts the list", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records?limit=1", `200 {"records":[` + listedB + "]}\n"},
	{"a limit of no number is ignored", []string{aStore, bRecord}, "GET /api/stores/{s}/records?limit=x", `200 {"records":[` + listedB + "]}\n"},
	{"a negative limit is ignored", []string{aStore, bRecord}, "GET /api/stores/{s}/records?limit=-1", `200 {"records":[` + listedB + "]}\n"},
	{"unknown parameters are ignored", []string{aStore, bRecord}, "GET /api/stores/{s}/records?tags=zzz&offset=9", `200 {"records":[` + listedB + "]}\n"},
	{"an owner's records are found", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records?owner_id=o{s}", `200 {"records":[` + listedB + "," + listedR + "]}\n"},
	{"an owner's query has a limit", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records?owner_id=o{s}&limit=1", `200 {"records":[` + listedB + "]}\n"},
	{"a game's records are found", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records?game_id=g{s}", `200 {"records":[` + listedR + "]}\n"},
	{"of owner and game only the game counts", []string{aStore, aRecord, bRecord}, "GET /api/stores/{s}/records?game_id=g{s}&owner_id=nobody", `200 {"records":[` + listedR + "]}\n"},
	{"a query finds nothing", []string{aStore, aRecord}, "GET /api/stores/{s}/records?owner_id=nobody", `200 {"records":[]}` + "\n"},
	{"an owner's query leaks stores whose ids begin alike", []string{aStore, `POST /api/stores {"store_id":"{s}#x"}`, `POST /api/stores/{s}%23x/records {"record_id":"q","properties":{"owner_id":"o{s}"}}`}, "GET /api/stores/{s}/records?owner_id=o{s}", `200 {"records":[{"store_id":"{s}#x","record_id":"q","owner_id":"o{s}","properties":{"owner_id":"o{s}"},"created_at":"T","updated_at":"T"}]}` + "\n"},

	{"a blob is stored without a body in the answer", []string{aStore, aRecord}, "PUT /api/stores/{s}/records/r/blobs/save bytes", "200 "},
	{"a blob needs its record", []string{aStore}, "PUT /api/stores/{s}/records/r/blobs/save bytes", "404 record not found\n"},
	{"a blob comes back", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/save some bytes"}, "GET /api/stores/{s}/records/r/blobs/save", "200 some bytes"},
	{"a blob is overwritten", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/save some bytes", "PUT /api/stores/{s}/records/r/blobs/save other"}, "GET /api/stores/{s}/records/r/blobs/save", "200 other"},
	{"a blob may be empty", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/save"}, "GET /api/stores/{s}/records/r/blobs/save", "200 "},
	{"a blob may have an empty name", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/ bytes"}, "GET /api/stores/{s}/records/r/blobs", "200 [\"\"]\n"},
	{"an absent blob is not found", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r/blobs/save", "404 blob not found\n"},
	{"a blob of an absent record is not found", []string{aStore}, "GET /api/stores/{s}/records/r/blobs/save", "404 record not found\n"},
	{"a record without blobs lists null", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r/blobs", "200 null\n"},
	{"an absent record lists no blobs", []string{aStore}, "GET /api/stores/{s}/records/r/blobs", "404 record not found\n"},
	{"blobs are listed by name", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/z 1", "PUT /api/stores/{s}/records/r/blobs/a 2"}, "GET /api/stores/{s}/records/r/blobs", "200 [\"z\",\"a\"]\n"},
	{"a record shows its blobs' names", []string{aStore, bRecord, "PUT /api/stores/{s}/records/b/blobs/z 1"}, "GET /api/stores/{s}/records/b", `200 {"store_id":"{s}","record_id":"b","properties":{"owner_id":"o{s}"},"blob_keys":["z"],"created_at":"T","updated_at":"T"}` + "\n"},
	{"an update keeps the blobs", []string{aStore, bRecord, "PUT /api/stores/{s}/records/b/blobs/z 1", `PUT /api/stores/{s}/records/b {"tags":["t"]}`}, "GET /api/stores/{s}/records/b/blobs", "200 [\"z\"]\n"},
	{"a blob is deleted", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/z 1"}, "DELETE /api/stores/{s}/records/r/blobs/z", "204 "},
	{"an absent blob is deleted, too", []string{aStore, aRecord}, "DELETE /api/stores/{s}/records/r/blobs/z", "204 "},
	{"a blob of an absent record cannot be deleted", []string{aStore}, "DELETE /api/stores/{s}/records/r/blobs/z", "404 record not found\n"},
	{"a deleted blob is gone", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/z 1", "DELETE /api/stores/{s}/records/r/blobs/z"}, "GET /api/stores/{s}/records/r/blobs/z", "404 blob not found\n"},
	{"a deleted blob is not listed", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/z 1", "DELETE /api/stores/{s}/records/r/blobs/z"}, "GET /api/stores/{s}/records/r/blobs", "200 null\n"},
	{"a blob outlives its record", []string{aStore, aRecord, "PUT /api/stores/{s}/records/r/blobs/z old", "DELETE /api/stores/{s}/records/r", aRecord}, "GET /api/stores/{s}/records/r/blobs/z", "200 old"},
	{"the list of blobs is read only", []string{aStore, aRecord}, "POST /api/stores/{s}/records/r/blobs x", "405 Method not allowed\n"},
	{"a blob is not posted", []string{aStore, aRecord}, "POST /api/stores/{s}/records/r/blobs/z x", "405 Method not allowed\n"},
	{"HEAD of a blob is not allowed", []string{aStore, aRecord}, "HEAD /api/stores/{s}/records/r/blobs/z", "405 "},
	{"a blob's name has no slash", []string{aStore, aRecord}, "GET /api/stores/{s}/records/r/blobs/a/b", "404 404 page not found\n"},

	{"metadata is set without a body in the answer", nil, `POST /api/metadata/{s}/i {"a":1}`, "200 "},
	{"metadata comes back", []string{`POST /api/metadata/{s}/i {"a":1,"e":""}`}, "GET /api/metadata/{s}/i", "200 {\"a\":1,\"e\":null}\n"},
	{"metadata is replaced whole", []string{`POST /api/metadata/{s}/i {"a":1}`, `POST /api/metadata/{s}/i {"b":2}`}, "GET /api/metadata/{s}/i", "200 {\"b\":2}\n"},
	{"an empty object comes back as null", []string{`POST /api/metadata/{s}/i {}`}, "GET /api/metadata/{s}/i", "200 null\n"},
	{"null is accepted", nil, `POST /api/metadata/{s}/i null`, "200 "},
	{"metadata is an object", nil, `POST /api/metadata/{s}/i [1]`, "400 json: cannot unmarshal array into Go value of type map[string]interface {}\n"},
	{"bad JSON is no metadata", nil, `POST /api/metadata/{s}/i {`, "400 unexpected EOF\n"},
	{"absent metadata is not found", nil, "GET /api/metadata/{s}/i", "404 metadata not found\n"},
	{"metadata of no id is not found", nil, "GET /api/metadata/{s}/", "404 metadata not found\n"},
	{"metadata of no id cannot be set", nil, "POST /api/metadata/{s}/ {}", "500 Failed to set metadata\n"},
	{"metadata is deleted", []string{`POST /api/metadata/{s}/i {"a":1}`}, "DELETE /api/metadata/{s}/i", "204 "},
	{"absent metadata is deleted, too", nil, "DELETE /api/metadata/{s}/i", "204 "},
	{"deleted metadata is gone", []string{`POST /api/metadata/{s}/i {"a":1}`, "DELETE /api/metadata/{s}/i"}, "GET /api/metadata/{s}/i", "404 metadata not found\n"},
	{"metadata is not put", nil, "PUT /api/metadata/{s}/i {}", "405 Method not allowed\n"},
	{"one segment is no metadata path", nil, "GET /api/metadata/{s}", "400 Invalid metadata path\n"},
	{"three segments are none, whatever the method", nil, "PUT /api/metadata/{s}/i/j {}", "400 Invalid metadata path\n"},
	{"a store is noted", []string{aStore}, "GET /api/metadata/store_info/{s}", "200 {\"created_at\":N,\"name\":\"n\"}\n"},
	{"a deleted store is not", []string{aStore, "DELETE /api/stores/{s}"}, "GET /api/metadata/store_info/{s}", "404 metadata not found\n"},
	{"records are counted", []string{aStore, aRecord, bRecord}, "GET /api/metadata/store_stats/{s}", "200 {\"record_count\":2,\"updated_at\":N}\n"},
	{"deleting an absent record is counted as well", []string{aStore, aRecord, bRecord, "DELETE /api/stores/{s}/records/x"}, "GET /api/metadata/store_stats/{s}", "200 {\"record_count\":1,\"updated_at\":N}\n"},
	{"the count never falls below zero", []string{aStore, aRecord, "DELETE /api/stores/{s}/records/x", "DELETE /api/stores/{s}/records/r"}, "GET /api/metadata/store_stats/{s}", "200 {\"record_count\":0,\"updated_at\":N}\n"},
	{"the count outlives its store", []string{aStore, aRecord, "DELETE /api/stores/{s}"}, "GET /api/metadata/store_stats/{s}", "200 {\"record_count\":1,\"updated_at\":N}\n"},
}

func TestREST(t *testing.T) {
	x := newTarget(t)
	if x.hasREST() {
		x.runREST(t, restContract)
	}
}

// What a server on DocumentDB does differently.
var documentContract = []restCase{
	{"an empty store lists null", []string{aStore}, "GET /api/stores/{s}/records", `200 {"records":null}` + "\n"},
	{"an owner comes from the top level", []string{aStore, `POST /api/stores/{s}/records {"record_id":"r","owner_id":"o","properties":{"owner_id":"p","game_id":"g","e":""}}`}, "GET /api/stores/{s}/records/r", `200 {"store_id":"{s}","record_id":"r","owner_id":"o","properties":{"e":"","game_id":"g","owner_id":"p"},"created_at":"T","updated_at":"T"}` + "\n"},
	{"a game finds nothing", []string{aStore, aRecord}, "GET /api/stores/{s}/records?game_id=g{s}", `200 {"records":null}` + "\n"},
	{"an absent store cannot be deleted", nil, "DELETE /api/stores/{s}", "500 Failed to delete store\n"},
	{"an absent record cannot be deleted", []string{aStore}, "DELETE /api/stores/{s}/records/r", "500 Failed to delete record\n"},
	{"absent metadata cannot be deleted", nil, "DELETE /api/metadata/{s}/i", "500 Failed to delete metadata\n"},
	{"records are not counted", []string{aStore, aRecord}, "GET /api/metadata/store_stats/{s}", "404 metadata not found\n"},
	{"a store is noted with its id", []string{aStore}, "GET /api/metadata/store_info/{s}", "200 {\"created_at\":N,\"name\":\"n\",\"store_id\":\"{s}\"}\n"},
	{"a record is noted", []string{aStore, aRecord}, "GET /api/metadata/record_info/{s}%23r", "200 {\"created_at\":N,\"game_id\":\"\",\"owner_id\":\"\",\"record_id\":\"r\",\"store_id\":\"{s}\",\"tags\":[\"a\",\"b\"]}\n"},
	{"a deleted store takes metadata of its id along", []string{aStore, `POST /api/metadata/any/{s} {"a":1}`, "DELETE /api/stores/{s}"}, "GET /api/metadata/any/{s}", "404 metadata not found\n"},
	{"a deleted record takes metadata of its id along", []string{aStore, aRecord, "DELETE /api/stores/{s}/records/r"}, "GET /api/metadata/record_info/{s}%23r", "404 metadata not found\n"},
}

func TestRESTOnDocumentDB(t *testing.T) {
	address := start(t, sandbox.New(sandbox.Config{Backend: sandbox.DocumentDB}))
	dial(t, "http://"+address, "", 0).runREST(t, documentContract)
}

func (x *target) runREST(t *testing.T, cases []restCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			store := unique(t)
			fill := strings.NewReplacer("{s}", store)
			for _, request := range c.given {
				if got := x.do(t, fill.Replace(request)); got[0] != '2' {
					t.Fatalf("%s: got %s, want success", request, got)
				}
			}
			got, want := "", fill.Replace(c.want)
			for end := time.Now().Add(x.patience); ; {
				if got = x.do(t, fill.Replace(c.ask)); like(got, want) || !time.Now().Before(end) {
					break
				}
			}
			if !like(got, want) {
				t.Errorf("%.200s:\n got %.400q\nwant %.400q", fill.Replace(c.ask), got, want)
			}
			x.do(t, fill.Replace("DELETE /api/stores/{s}"))
		})
	}
}

var (
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`)
	anyUnix = regexp.MustCompile(`("(?:created_at|updated_at)":)\d{10}`)
)

// do sends a request and returns the answer as the cases write it. Errors must
// be plain text, and successes must have the type of their kind.
func (x *target) do(t *testing.T, request string) string {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	path, body, _ := strings.Cut(target, " ")
	answer := x.send(t, method, path, strings.NewReader(body))
	checkHeaders(t, answer.Response, path)
	out := anyTime.ReplaceAllString(string(answer.text), "T")
	return answer.Status[:4] + anyUnix.ReplaceAllString(out, "${1}N")
}

func checkHeaders(t *testing.T, answer *http.Response, path string) {
	t.Helper()
	want := ""
	switch kind := answer.Header.Get("Content-Type"); {
	case answer.StatusCode >= 400:
		want = "text/plain; charset=utf-8"
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: an error without nosniff", path)
		}
	case answer.StatusCode == http.StatusMovedPermanently || !strings.HasPrefix(path, "/api/") || answer.ContentLength == 0 && kind == "":
		return
	case strings.Contains(path, "/blobs/") && answer.Request.Method == http.MethodGet:
		want = "application/octet-stream"
	case answer.Request.Method == http.MethodGet:
		want = "application/json"
	}
	if got := answer.Header.Get("Content-Type"); got != want {
		t.Errorf("%s: got Content-Type %q, want %q", path, got, want)
	}
}

// like compares with a pattern in which * stands for anything at the ends.
func like(got, pattern string) bool {
	head, tail, open := strings.Cut(pattern, "*")
	if !open {
		return got == pattern
	}
	middle := strings.TrimSuffix(tail, "*")
	return strings.HasPrefix(got, head) && strings.Contains(got[len(head):], middle)
}

func TestListsEndAtAMegabyte(t *testing.T) {
	x := newTarget(t)
	if !x.hasREST() {
		return
	}
	store := unique(t)
	x.do(t, `POST /api/stores {"store_id":"`+store+`"}`)
	big := strings.Repeat("x", 100<<10)
	for i := range 30 {
		id := fmt.Sprintf("r%02d", i)
		if got := x.do(t, "POST /api/stores/"+store+`/records {"record_id":"`+id+`","properties":{"p":"`+big+`"}}`); got != "201 " {
			t.Fatalf("creating record %q: got %.100s", id, got)
		}
	}
	for _, path := range []string{"", "?limit=30"} {
		if got := strings.Count(x.do(t, "GET /api/stores/"+store+"/records"+path), `"record_id"`); got != 11 {
			t.Errorf("listing 30 records of 100 KB %s: got %d, want 11", path, got)
		}
	}
	x.do(t, "DELETE /api/stores/"+store)
	left := 0
	for i := range 30 {
		path := fmt.Sprintf("/api/stores/%s/records/r%02d", store, i)
		if got := x.do(t, "GET "+path); got[0] == '2' {
			left++
			x.do(t, "DELETE "+path)
		}
	}
	if left != 19 {
		t.Errorf("records that outlive their store: got %d, want 19", left)
	}
}
