package page_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/page"
)

// answer is what is to be said of an answer.
type answer struct {
	Status                                    int
	Type, Policy, Sniff, Referrer, Kept, More string
	Tagged, Body                              bool
}

func get(t *testing.T, method, path, tag string) (a answer, etag string) {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	header := w.Header()
	etag = header.Get("ETag")
	return answer{
		Status: w.Code, Type: header.Get("Content-Type"), Policy: header.Get("Content-Security-Policy"), Sniff: header.Get("X-Content-Type-Options"),
		Referrer: header.Get("Referrer-Policy"), Kept: header.Get("Cache-Control"), More: header.Get("Allow"), Tagged: etag != "", Body: len(body) > 0,
	}, etag
}

func TestThePageIsServedWithWhatKeepsItSafe(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         answer
	}{
		{"GET", "/", answer{Status: 200, Type: "text/html; charset=utf-8", Body: true}},
		{"GET", "", answer{Status: 200, Type: "text/html; charset=utf-8", Body: true}},
		{"HEAD", "/", answer{Status: 200, Type: "text/html; charset=utf-8"}},
		{"GET", "/page.js", answer{Status: 200, Type: "text/javascript; charset=utf-8", Body: true}},
		{"GET", "/page.css", answer{Status: 200, Type: "text/css; charset=utf-8", Body: true}},
		{"GET", "/vendor/uPlot.iife.min.js", answer{Status: 200, Type: "text/javascript; charset=utf-8", Body: true}},
		{"GET", "/vendor/LICENSE", answer{Status: 200, Type: "text/plain; charset=utf-8", Body: true}},
		{"GET", "/vendor", answer{Status: 404, Type: "text/plain; charset=utf-8", Body: true}},
		{"GET", "/../page.go", answer{Status: 404, Type: "text/plain; charset=utf-8", Body: true}},
		{"GET", "//page.js", answer{Status: 404, Type: "text/plain; charset=utf-8", Body: true}},
		{"POST", "/", answer{Status: 405, Type: "text/plain; charset=utf-8", More: "GET, HEAD", Body: true}},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			test.want.Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
			test.want.Sniff, test.want.Referrer = "nosniff", "no-referrer"
			if test.want.Status == http.StatusOK {
				test.want.Kept, test.want.Tagged = "no-cache", true
			}
			got, tag := get(t, test.method, test.path, "")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
			if got, _ := get(t, test.method, test.path, tag); tag != "" && (got.Status != http.StatusNotModified || got.Body) {
				t.Errorf("when it is known already: got %+v, want 304", got)
			}
		})
	}
}
