package exporter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The types of problems: ordinary ones say no more than their status, and one is
// of a call that lacks the control token, or has a wrong one.
const (
	ordinary    = "about:blank"
	tokenNeeded = "urn:opensaves-soak:control-token"
)

// problem answers with an ordinary error.
func problem(w http.ResponseWriter, status int, detail string) {
	refusal{status, ordinary, detail}.to(w)
}

// refusal is why a call is not answered.
type refusal struct {
	status int
	kind   string
	detail string
}

// to answers with the error as RFC 9457 writes it.
func (r refusal) to(w http.ResponseWriter) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{r.kind, http.StatusText(r.status), r.status, r.detail})
	if err != nil { // strings and a number: there is no such error
		http.Error(w, http.StatusText(r.status), r.status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.status)
	w.Write(append(body, '\n'))
}

// only answers 405 to all but the methods.
func only(next http.Handler, methods ...string) http.Handler {
	allow := strings.Join(methods, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(methods, r.Method) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", allow)
		problem(w, http.StatusMethodNotAllowed, "this resource answers "+allow)
	})
}

// atMost answers 503 to what comes while n requests are being answered.
func atMost(n int, next http.Handler) http.Handler {
	slots := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(w, r)
		default:
			problem(w, http.StatusServiceUnavailable, fmt.Sprintf("got more than %d readers at once", n))
		}
	})
}

// nosniff keeps browsers from guessing that an answer is a page.
func nosniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
