package exporter

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// route is a path, with all below it where it ends in a slash, and who answers it.
type route struct {
	path    string
	handler http.Handler
	methods []string // others are answered 405; nil: the handler knows its own
}

// reading are the methods of what can only be looked at.
var reading = []string{http.MethodGet, http.MethodHead}

// mount returns the handler of routes that are all below a prefix. Handlers see
// their paths without it. Where there is one, / leads to it.
func mount(prefix string, routes []route) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		handler := r.handler
		if r.methods != nil {
			handler = only(handler, r.methods...)
		}
		mux.Handle(prefix+r.path, http.StripPrefix(prefix, handler))
	}
	if prefix != "" {
		mux.Handle("/{$}", http.RedirectHandler(prefix+"/", http.StatusFound))
	}
	return nosniff(mux)
}

// prefixes are what may stand before all paths, without its slashes at the end.
var prefixes = regexp.MustCompile(`^(/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@-]*)*$`)

// RoutePrefix returns the prefix of all paths, which begins with a slash and does
// not end with one; empty: none. As Prometheus has it, prefix says what it is, and
// where that is empty, the path of externalURL, under which clients reach us: a
// URL, or its path alone.
func RoutePrefix(externalURL, prefix string) (string, error) {
	u, err := url.Parse(externalURL)
	if err != nil {
		return "", fmt.Errorf("--web.external-url: %w", err)
	}
	whole := (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	path := u.Scheme == "" && u.Host == "" && (u.Path == "" || u.Path[0] == '/')
	if !whole && !path || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--web.external-url: got %q, want http(s)://host/path, or a path that begins with a slash", externalURL)
	}
	if prefix == "" {
		prefix = u.EscapedPath()
	}
	normal := ""
	if trimmed := strings.Trim(prefix, "/"); trimmed != "" {
		normal = "/" + trimmed
	}
	if !prefixes.MatchString(normal) {
		return "", fmt.Errorf("--web.route-prefix, or the path of --web.external-url: got %q, want one such as /soak", prefix)
	}
	return normal, nil
}
