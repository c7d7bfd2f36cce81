// Package page is the web page of the daemon: embedded files, from which a browser
// draws what the HTTP API tells. Its addresses are relative, so that it works under
// any path, and it asks nobody but the daemon.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static
var static embed.FS

// policy allows what the page is made of and nothing else: no inline script, no
// frame around it, no form that a browser sends by itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are the content types by the ends of names: what the machine knows of them
// may differ.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	"":      "text/plain; charset=utf-8",
	".md":   "text/plain; charset=utf-8",
}

// Handler serves the page at "/" and its files below it, to GET and HEAD. Other
// paths are 404, other methods 405. It looks at the path alone: a prefix is to be
// stripped before.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "got "+r.Method+", want GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	body, err := static.ReadFile("static/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	header.Set("Content-Type", types[path.Ext(name)])
	header.Set("Cache-Control", "no-cache") // a new version shows at once
	header.Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
