package exporter

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"opensaves-soak/load/desired"
)

// documentLimit bounds the body of a PATCH, in bytes.
const documentLimit = 64 << 10

// Load is what /api/v1/load and below show and change.
type Load interface {
	// Status is the state now.
	Status() desired.Status
	// Patch merges a document into the override and returns the state after it. ifMatch is
	// the header's value. Errors are those of desired.Store; others are a fault of ours.
	Patch(ctx context.Context, ifMatch string, document []byte) (desired.Status, error)
	// Changes are the last changes, the newest first.
	Changes() []desired.Change
}

// loadHandler answers GET, HEAD and PATCH. It does not look at the
// Content-Type: curl -d sends that of a form.
type loadHandler struct{ load Load }

func (h loadHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPatch {
		showStatus(w, h.load.Status())
		return
	}
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, documentLimit))
	if err != nil {
		problem(w, bodyStatus(err), "reading the change: "+err.Error())
		return
	}
	status, err := h.load.Patch(r.Context(), strings.Join(r.Header.Values("If-Match"), ", "), document)
	if err != nil {
		problem(w, patchStatus(err), err.Error())
		return
	}
	showStatus(w, status)
}

func bodyStatus(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

func patchStatus(err error) int {
	switch {
	case errors.Is(err, desired.ErrDocument):
		return http.StatusBadRequest
	case errors.Is(err, desired.ErrStale):
		return http.StatusPreconditionFailed
	case errors.Is(err, desired.ErrRefused):
		return http.StatusUnprocessableEntity
	case errors.Is(err, desired.ErrUnavailable):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func showStatus(w http.ResponseWriter, status desired.Status) {
	w.Header().Set("ETag", `"`+status.Version+`"`)
	show(w, status)
}

// change is a desired.Change as it is shown.
type change struct {
	Time   time.Time      `json:"time"`
	From   float64        `json:"from"` // requests a second
	To     float64        `json:"to"`
	Source desired.Source `json:"source"`
	Reason string         `json:"reason"`
}

// changes answers with the last changes of the load.
func changes(of Load) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		list := []change{}
		for _, c := range of.Changes() {
			c.Time = c.Time.UTC()
			list = append(list, change(c))
		}
		show(w, map[string][]change{"changes": list})
	})
}

func show(w http.ResponseWriter, state any) {
	body, err := json.Marshal(state)
	if err != nil {
		problem(w, http.StatusInternalServerError, "writing the state: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(append(body, '\n'))
}
