package sandbox

import (
	"net/http"
	"strings"

	"opensaves-soak/exporter/metric"
)

// route is what a REST request asks for.
type route struct {
	op                  metric.Operation
	store, record, name string // of metadata: type and id are store and record
	root                bool   // no operation: the greeting
}

var (
	errNoMethod = &refusal{http.StatusMethodNotAllowed, "Method not allowed"}
	errNoPage   = &refusal{http.StatusNotFound, "404 page not found"}
	errNoPath   = &refusal{http.StatusBadRequest, "Invalid metadata path"}
)

// methods maps an HTTP method to an operation.
type methods map[string]metric.Operation

var (
	onStores   = methods{http.MethodGet: metric.ListStores, http.MethodPost: metric.CreateStore}
	onStore    = methods{http.MethodGet: metric.GetStore, http.MethodDelete: metric.DeleteStore}
	onRecords  = methods{http.MethodGet: metric.ListRecords, http.MethodPost: metric.CreateRecord}
	onRecord   = methods{http.MethodGet: metric.GetRecord, http.MethodPut: metric.UpdateRecord, http.MethodDelete: metric.DeleteRecord}
	onBlobs    = methods{http.MethodGet: metric.ListBlobs}
	onBlob     = methods{http.MethodGet: metric.GetBlob, http.MethodPut: metric.CreateBlob, http.MethodDelete: metric.DeleteBlob}
	onMetadata = methods{http.MethodGet: metric.GetMetadata, http.MethodPost: metric.SetMetadata, http.MethodDelete: metric.DeleteMetadata}
)

// of completes a route.
func (m methods) of(method string, at route) (route, error) {
	op, ok := m[method]
	if !ok {
		return route{}, errNoMethod
	}
	at.op = op
	return at, nil
}

// parseRoute reads a clean, decoded path. Where only the method is wrong on a
// list of records, the route has the store, which must exist for a 405.
func parseRoute(method, path string) (route, error) {
	switch path {
	case "/":
		return route{root: true}, nil
	case "/health":
		return route{op: metric.Ping}, nil
	case "/api/stores":
		return onStores.of(method, route{})
	}
	if rest, ok := strings.CutPrefix(path, "/api/metadata/"); ok {
		kind, id, two := strings.Cut(rest, "/")
		if !two || strings.Contains(id, "/") {
			return route{}, errNoPath
		}
		return onMetadata.of(method, route{store: kind, record: id})
	}
	if rest, ok := strings.CutPrefix(path, "/api/stores/"); ok {
		return parseStore(method, rest)
	}
	return route{}, errNoPage
}

// parseStore reads what follows /api/stores/.
func parseStore(method, path string) (route, error) {
	store, rest, more := strings.Cut(path, "/")
	at := route{store: store}
	switch {
	case !more:
		return onStore.of(method, at)
	case rest == "records":
		found, err := onRecords.of(method, at)
		if err != nil {
			return at, err
		}
		return found, nil
	}
	rest, ok := strings.CutPrefix(rest, "records/")
	if !ok {
		return route{}, errNoPage
	}
	at.record, rest, more = strings.Cut(rest, "/")
	switch {
	case !more:
		return onRecord.of(method, at)
	case rest == "blobs":
		return onBlobs.of(method, at)
	}
	at.name, ok = strings.CutPrefix(rest, "blobs/")
	if !ok || strings.Contains(at.name, "/") {
		return route{}, errNoPage
	}
	return onBlob.of(method, at)
}
