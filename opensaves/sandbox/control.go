package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"

	"opensaves-soak/opensaves/sandbox/fault"
)

// ControlPath is the path below which Control answers.
const ControlPath = "/api/v1/sandbox/"

const maxFaults = 64 << 10 // bytes

// Control returns the control API: GET and PUT of ControlPath+"faults", GET of
// ControlPath+"requests" and ControlPath+"lies", the counts since the faults were
// set; with an AWS account GET of ControlPath+"aws", what that was asked. It asks
// nobody who calls.
func (s *Sandbox) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(ControlPath+"faults", s.serveFaults)
	mux.HandleFunc(ControlPath+"requests", serveCounts(func() any { return s.Requests() }))
	mux.HandleFunc(ControlPath+"lies", serveCounts(func() any { return s.plan.Load().Told() }))
	if s.cloud != nil {
		mux.HandleFunc(ControlPath+"aws", serveCounts(func() any {
			return map[string]map[string]int64{"billed_metrics": s.cloud.Billed(), "calls": s.cloud.Calls()}
		}))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "nothing is at "+r.URL.Path)
	})
	return mux
}

func (s *Sandbox) serveFaults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		writeJSON(w, s.Faults())
	case http.MethodPut:
		s.putFaults(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		problem(w, http.StatusMethodNotAllowed, "got "+r.Method+", want GET or PUT")
	}
}

func (s *Sandbox) putFaults(w http.ResponseWriter, r *http.Request) {
	f, err := fault.Decode(http.MaxBytesReader(w, r.Body, maxFaults))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		problem(w, http.StatusRequestEntityTooLarge, "the body is longer than 64 KiB")
	case errors.Is(err, fault.ErrRange):
		problem(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		problem(w, http.StatusBadRequest, err.Error())
	default:
		s.SetFaults(f)
		writeJSON(w, f)
	}
}

func serveCounts(counts func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			problem(w, http.StatusMethodNotAllowed, "got "+r.Method+", want GET")
			return
		}
		writeJSON(w, counts())
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client has gone
}

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client has gone
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}
