package exporter

import (
	"net/http"
	"strings"
	"testing"
)

func TestThePrefixIsThatOfTheFlagsAsPrometheusHasThem(t *testing.T) {
	for _, test := range []struct{ external, prefix, want string }{
		{"", "", ""},
		{"", "/", ""},
		{"", "soak", "/soak"},
		{"", "/soak/", "/soak"},
		{"", "//tools/soak//", "/tools/soak"},
		{"https://tools.example", "", ""},
		{"https://tools.example/", "", ""},
		{"https://tools.example/soak/", "", "/soak"},
		{"http://tools.example:9842/a/b", "", "/a/b"},
		{"/soak", "", "/soak"},
		{"https://tools.example/soak", "/", ""},
		{"https://tools.example/soak", "/inner", "/inner"},
		{"https://tools.example", "/v1.2_a~b", "/v1.2_a~b"},
	} {
		if got, err := RoutePrefix(test.external, test.prefix); got != test.want || err != nil {
			t.Errorf("%q and %q: got %q and %v, want %q", test.external, test.prefix, got, err, test.want)
		}
	}
}

func TestAPrefixThatIsNoneIsRefused(t *testing.T) {
	for _, test := range []struct{ external, prefix, want string }{
		{"tools.example/soak", "", "--web.external-url: got"},
		{"localhost:9842/soak", "", "--web.external-url: got"},
		{"ftp://tools.example/soak", "", "--web.external-url: got"},
		{"https:///soak", "", "--web.external-url: got"},
		{"https://me:secret@tools.example/soak", "", "--web.external-url: got"},
		{"https://tools.example/soak?a=b", "", "--web.external-url: got"},
		{"https://tools.example/soak#a", "", "--web.external-url: got"},
		{`"https://tools.example/soak"`, "", "--web.external-url"},
		{"//tools.example/soak", "", "--web.external-url: got"},
		{"https://tools.example/a%20b", "", "--web.route-prefix"},
		{"", "/a//b", "--web.route-prefix"},
		{"", "/a/../b", "--web.route-prefix"},
		{"", "/.", "--web.route-prefix"},
		{"", "/{name}", "--web.route-prefix"},
		{"", "GET /soak", "--web.route-prefix"},
		{"", "/so\nak", "--web.route-prefix"},
		{"", "/soak?a", "--web.route-prefix"},
		{"", "/sóak", "--web.route-prefix"},
	} {
		if got, err := RoutePrefix(test.external, test.prefix); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q and %q: got %q and %v, want an error with %q", test.external, test.prefix, got, err, test.want)
		}
	}
}

// FuzzRoutePrefix holds that no prefix breaks the routing, or leads elsewhere.
func FuzzRoutePrefix(f *testing.F) {
	for _, seed := range []string{"", "/soak/", "//evil.example", "/{a}", "GET /", "/%2f", "/a/..", "\\evil", "/$", "/;a=b"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, external, route string) {
		prefix, err := RoutePrefix(external, route)
		if err != nil {
			return
		}
		if prefix != "" && (prefix[0] != '/' || strings.HasPrefix(prefix, "//") || strings.HasSuffix(prefix, "/")) {
			t.Fatalf("got %q", prefix)
		}
		mount(prefix, probes(func() bool { return true })) // panics where it is no pattern
	})
}

func TestAllPathsAreBelowThePrefixAndTheRootLeadsThere(t *testing.T) {
	o := options(t)
	o.Prefix = "/tools/soak"
	address := face(t, o)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]struct {
		status   int
		location string
	}{
		"/":                                   {status: 302, location: "/tools/soak/"},
		"/tools/soak":                         {status: 307, location: "/tools/soak/"},
		"/tools/soak/":                        {status: 200},
		"/tools/soak/page.js":                 {status: 200},
		"/tools/soak/metrics":                 {status: 200},
		"/tools/soak/-/ready":                 {status: 200},
		"/tools/soak/api/v1/load":             {status: 200},
		"/tools/soak/api/v1/live":             {status: 200},
		"/tools/soak/api/v1/openapi.yaml":     {status: 200},
		"/tools/soak/debug/pprof/goroutine":   {status: 200},
		"/tools/soak/api/v1/sandbox/lies":     {status: 200},
		"/metrics":                            {status: 404},
		"/tools":                              {status: 404},
		"/tools/":                             {status: 404},
		"/tools/metrics":                      {status: 404},
		"/tools/soakmetrics":                  {status: 404},
		"/TOOLS/SOAK/metrics":                 {status: 404},
		"/tools/soak/tools/soak/metrics":      {status: 404},
		"/tools%2fsoak/metrics":               {status: 404},
		"/tools/%73oak/metrics":               {status: 404},
		"//tools/soak/metrics":                {status: 307, location: "/tools/soak/metrics"},
		"/tools//soak/metrics":                {status: 307, location: "/tools/soak/metrics"},
		"/tools/soak//metrics":                {status: 307, location: "/tools/soak/metrics"},
		"/tools/soak/../soak/metrics":         {status: 307, location: "/tools/soak/metrics"},
		"/tools/soak/../../metrics":           {status: 307, location: "/metrics"},
		"//evil.example/..":                   {status: 307, location: "/"},
		"//evil.example/%0d%0aX-Evil:%201":    {status: 307, location: "/evil.example/%250d%250aX-Evil:%25201"},
		"/tools/soak/%2e%2e/%2e%2e/etc":       {status: 404},
		"/tools/soak/page%00.js":              {status: 404},
		"/tools/soak/vendor/%2e%2e%2fpage.go": {status: 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = "//" + address + path // sent as it is
		got, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != want.status || got.Header.Get("Location") != want.location || got.Header.Get("X-Evil") != "" {
			t.Errorf("%s: got %d to %q, want %d to %q", path, got.StatusCode, got.Header.Get("Location"), want.status, want.location)
		}
	}
	client.CloseIdleConnections()
}

func TestBehindAPrefixTheSameAreRefused(t *testing.T) {
	open, locked := options(t), options(t)
	open.Prefix, locked.Prefix = "/soak", "/soak"
	locked.ControlTokenFile = tokenFile(t, "swordfish")
	byToken := http.Header{"Authorization": {"Bearer swordfish"}}
	for name, test := range map[string]struct {
		options Options
		call    call
		status  int
	}{
		"its own page":                {open, call{host: "localhost", header: http.Header{"Origin": {"http://localhost"}}}, 200},
		"a stranger's page":           {open, call{host: "localhost", header: http.Header{"Origin": {"http://evil.example"}}}, 403},
		"an origin with the prefix":   {open, call{host: "localhost", header: http.Header{"Origin": {"http://evil.example/soak"}}}, 403},
		"a rebound name":              {open, call{host: "evil.example"}, 403},
		"another machine":             {open, call{host: "localhost", peer: elsewhere}, 403},
		"another machine with a path": {open, call{peer: elsewhere, header: http.Header{"X-Forwarded-Prefix": {"/soak"}}}, 403},
		"the token":                   {locked, call{peer: elsewhere, header: byToken}, 200},
		"no token":                    {locked, call{}, 401},
	} {
		for _, c := range mutating {
			t.Run(name+" "+c.method+" "+c.path, func(t *testing.T) {
				c.host, c.peer, c.header, c.path = test.call.host, test.call.peer, test.call.header, "/soak"+c.path
				checkAccess(t, c.to(t, face(t, test.options)), test.status, "")
			})
		}
	}
}
