package rest

import (
	"net/http"
	"strconv"
	"strings"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

const (
	storePath    = "/api/stores/{store}"
	recordsPath  = storePath + "/records"
	recordPath   = recordsPath + "/{key}"
	blobPath     = recordPath + "/blobs/{blob}"
	metadataPath = "/api/metadata/{store}/{key}"
)

// operation is how one operation looks on the wire. Fields in braces are those
// of the call, percent-encoded; {query} is the whole query.
type operation struct {
	method    string
	path      string
	status    int // the only one that means success
	encode    func([]byte, *opensaves.Call) []byte
	decode    func(*scanner, *opensaves.Answer)
	uploads   bool // the request's body is Content
	downloads bool // the answer's body goes to Sink
}

// operations has no method where REST lacks the operation.
var operations = [metric.Operations]operation{
	metric.Ping:           {method: http.MethodGet, path: "/health", status: 200},
	metric.CreateStore:    {method: http.MethodPost, path: "/api/stores", status: 201, encode: encodeStore},
	metric.GetStore:       {method: http.MethodGet, path: storePath, status: 200, decode: decodeStore},
	metric.ListStores:     {method: http.MethodGet, path: "/api/stores", status: 200, decode: decodeStores},
	metric.DeleteStore:    {method: http.MethodDelete, path: storePath, status: 204},
	metric.CreateRecord:   {method: http.MethodPost, path: "/api/stores/{record.store}/records", status: 201, encode: encodeRecord},
	metric.GetRecord:      {method: http.MethodGet, path: recordPath, status: 200, decode: decodeRecord},
	metric.UpdateRecord:   {method: http.MethodPut, path: "/api/stores/{record.store}/records/{record.key}", status: 200, encode: encodeRecord},
	metric.DeleteRecord:   {method: http.MethodDelete, path: recordPath, status: 204},
	metric.QueryByOwner:   {method: http.MethodGet, path: recordsPath + "{query}", status: 200, decode: decodeRecords},
	metric.QueryByGame:    {method: http.MethodGet, path: recordsPath + "{query}", status: 200, decode: decodeRecords},
	metric.ListRecords:    {method: http.MethodGet, path: recordsPath + "{query}", status: 200, decode: decodeRecords},
	metric.SetMetadata:    {method: http.MethodPost, path: metadataPath, status: 200, encode: encodeMetadata},
	metric.GetMetadata:    {method: http.MethodGet, path: metadataPath, status: 200, decode: decodeMetadata},
	metric.DeleteMetadata: {method: http.MethodDelete, path: metadataPath, status: 204},
	metric.CreateBlob:     {method: http.MethodPut, path: blobPath, status: 200, uploads: true},
	metric.GetBlob:        {method: http.MethodGet, path: blobPath, status: 200, downloads: true},
	metric.DeleteBlob:     {method: http.MethodDelete, path: blobPath, status: 204},
	metric.ListBlobs:      {method: http.MethodGet, path: recordPath + "/blobs", status: 200, decode: decodeBlobs},
}

// appendTarget fills the path's fields from the call.
func appendTarget(b []byte, path string, call *opensaves.Call) []byte {
	for {
		text, rest, more := strings.Cut(path, "{")
		b = append(b, text...)
		if !more {
			return b
		}
		var field string
		field, path, _ = strings.Cut(rest, "}")
		if field == "query" {
			b = appendQuery(b, &call.Query)
		} else {
			b = appendEscaped(b, fieldOf(call, field))
		}
	}
}

func fieldOf(call *opensaves.Call, field string) string {
	switch field {
	case "store":
		return call.Store
	case "key":
		return call.Key
	case "blob":
		return call.Blob
	case "record.store":
		return call.Record.Store
	}
	return call.Record.Key
}

func appendQuery(b []byte, query *opensaves.Query) []byte {
	separator := byte('?')
	name := func(name string) {
		b = append(append(append(b, separator), name...), '=')
		separator = '&'
	}
	if query.Owner != "" {
		name("owner_id")
		b = appendEscaped(b, query.Owner)
	}
	if query.Game != "" {
		name("game_id")
		b = appendEscaped(b, query.Game)
	}
	if query.Limit > 0 {
		name("limit")
		b = strconv.AppendInt(b, int64(query.Limit), 10)
	}
	return b
}

// appendEscaped percent-encodes all but RFC 3986's unreserved characters, which
// suits a path's segment and a query's value.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}
