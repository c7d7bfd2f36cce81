package exporter

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

const elsewhere = "10.1.2.3:40000"

// mutating are all calls that are not for everybody.
var mutating = []call{
	{method: "PATCH", path: "/api/v1/load", body: `{"rps": 60}`},
	{method: "POST", path: "/-/reload"},
	{method: "PUT", path: "/api/v1/sandbox/faults", body: "{}"},
	{method: "GET", path: "/debug/pprof/"},
	{method: "GET", path: "/debug/pprof/cmdline"},
}

func TestWithoutATokenOnlyLoopbackMayChange(t *testing.T) {
	address := face(t, options(t))
	_, port, _ := strings.Cut(address, ":")
	for name, test := range map[string]struct {
		host, peer string
		header     http.Header
		status     int
		text       string
	}{
		"loopback by address":                  {status: 200},
		"loopback by name":                     {host: "localhost:" + port, status: 200},
		"a forwarded port of another number":   {host: "localhost:19842", status: 200},
		"loopback in IPv6":                     {host: "[::1]:9842", peer: "[::1]:40000", status: 200},
		"loopback in IPv4 over IPv6":           {peer: "[::ffff:127.0.0.1]:40000", status: 200},
		"its own web page":                     {host: "localhost:9842", header: http.Header{"Origin": {"http://localhost:9842"}, "Sec-Fetch-Site": {"same-origin"}}, status: 200},
		"another machine":                      {peer: elsewhere, status: 403, text: "--web.control-token-file"},
		"another machine that says localhost":  {host: "localhost", peer: elsewhere, status: 403, text: "--web.control-token-file"},
		"another machine through a proxy here": {header: http.Header{"X-Forwarded-For": {"127.0.0.1"}}, status: 403, text: "--web.control-token-file"},
		"another machine through RFC 7239":     {header: http.Header{"Forwarded": {"for=127.0.0.1"}}, status: 403, text: "--web.control-token-file"},
		"a name that was rebound to loopback":  {host: "evil.example:" + port, status: 403, text: "foreign Host"},
		"a name that begins like loopback":     {host: "localhost.evil.example", status: 403, text: "foreign Host"},
		"an address that begins like loopback": {host: "127.0.0.1.evil.example", status: 403, text: "foreign Host"},
		"a page of a stranger":                 {header: http.Header{"Origin": {"https://evil.example"}}, status: 403, text: "foreign Origin"},
		"a page on another port":               {host: "localhost:9842", header: http.Header{"Origin": {"http://localhost:3000"}}, status: 403, text: "foreign Origin"},
		"a page without an origin":             {header: http.Header{"Origin": {"null"}}, status: 403, text: "foreign Origin"},
		"two origins":                          {host: "localhost:1", header: http.Header{"Origin": {"http://localhost:1", "http://evil.example"}}, status: 403, text: "foreign Origin"},
		"an image in a stranger's page":        {header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, status: 403, text: "another site"},
	} {
		for _, c := range mutating {
			t.Run(name+" "+c.method+" "+c.path, func(t *testing.T) {
				c.host, c.peer, c.header = test.host, test.peer, test.header
				checkAccess(t, c.to(t, address), test.status, test.text)
			})
		}
	}
}

func TestWithATokenOnlyTheTokenMayChange(t *testing.T) {
	o := options(t)
	o.ControlTokenFile = tokenFile(t, "swordfish\n")
	address := face(t, o)
	for name, test := range map[string]struct {
		host, peer string
		header     http.Header
		status     int
		text       string
	}{
		"the token":                            {peer: elsewhere, header: http.Header{"Authorization": {"Bearer swordfish"}}, status: 200},
		"the token in the case of RFC 6750":    {peer: elsewhere, header: http.Header{"Authorization": {"bearer swordfish"}}, status: 200},
		"the token beside a password":          {peer: elsewhere, header: http.Header{"Authorization": {"Basic dTpw"}, "X-Control-Token": {"swordfish"}}, status: 200},
		"a wrong token beside the right one":   {header: http.Header{"Authorization": {"Bearer swordfish"}, "X-Control-Token": {"x"}}, status: 401, text: "urn:opensaves-soak:control-token"},
		"the token at any host":                {host: "soak.example", header: http.Header{"Authorization": {"Bearer swordfish"}}, status: 200},
		"the token from its own web page":      {host: "soak.example", header: http.Header{"Authorization": {"Bearer swordfish"}, "Origin": {"https://SOAK.example"}}, status: 200},
		"the token from a stranger's web page": {host: "soak.example", header: http.Header{"Authorization": {"Bearer swordfish"}, "Origin": {"https://evil.example"}}, status: 403, text: "foreign Origin"},
		"no token on loopback":                 {status: 401, text: "--web.control-token-file"},
		"no token":                             {peer: elsewhere, status: 401, text: "urn:opensaves-soak:control-token"},
		"a wrong token":                        {header: http.Header{"Authorization": {"Bearer swordfisj"}}, status: 401},
		"a longer token":                       {header: http.Header{"Authorization": {"Bearer swordfish1"}}, status: 401},
		"an empty token":                       {header: http.Header{"Authorization": {"Bearer "}}, status: 401},
		"the token as a password":              {header: http.Header{"Authorization": {"Basic swordfish"}}, status: 401},
		"a password without the token":         {header: http.Header{"Authorization": {"Basic dTpw"}}, status: 403, text: "urn:opensaves-soak:control-token"},
		"the page without the token":           {header: http.Header{"Sec-Fetch-Site": {"same-origin"}}, status: 403, text: "urn:opensaves-soak:control-token"},
		"an old browser without the token":     {host: "soak.example", header: http.Header{"Origin": {"http://soak.example"}}, status: 403, text: "urn:opensaves-soak:control-token"},
		"the token without a scheme":           {header: http.Header{"Authorization": {"swordfish"}}, status: 401},
	} {
		for _, c := range mutating {
			t.Run(name+" "+c.method+" "+c.path, func(t *testing.T) {
				c.host, c.peer, c.header = test.host, test.peer, test.header
				got := c.to(t, address)
				checkAccess(t, got, test.status, test.text)
				if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
					t.Errorf("got challenge %q with status %d", challenge, got.status)
				}
				if strings.Contains(got.body, "swordfish") {
					t.Errorf("got the token in %s", got.body)
				}
			})
		}
	}
}

func checkAccess(t *testing.T, got answered, status int, text string) {
	t.Helper()
	if got.status != status || !strings.Contains(got.body, text) {
		t.Errorf("got %d %s\nwant %d … %s", got.status, got.body, status, text)
	}
	if got.status >= 400 && !isProblem(got) {
		t.Errorf("got %q %s, want a problem", got.header.Get("Content-Type"), got.body)
	}
}

func TestReadingIsForAllButStrangersPages(t *testing.T) {
	withToken := options(t)
	withToken.ControlTokenFile = tokenFile(t, "swordfish")
	for name, test := range map[string]struct {
		options Options
		call    call
		status  int
	}{
		"from elsewhere":                         {options(t), call{host: "soak.svc:9842", peer: elsewhere}, 200},
		"with a token, without showing it":       {withToken, call{host: "soak.svc:9842", peer: elsewhere}, 200},
		"by a name that was rebound to loopback": {options(t), call{host: "evil.example"}, 403},
		"from a stranger's page":                 {options(t), call{peer: elsewhere, header: http.Header{"Origin": {"https://evil.example"}}}, 403},
		"by a link on a stranger's page":         {options(t), call{header: http.Header{"Sec-Fetch-Site": {"cross-site"}}}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			address := face(t, test.options)
			for _, path := range []string{"/api/v1/load", "/api/v1/sandbox/requests"} {
				test.call.method, test.call.path = "GET", path
				if got := test.call.to(t, address); got.status != test.status {
					t.Errorf("%s: got %d %s, want %d", path, got.status, got.body, test.status)
				}
			}
			test.call.path = "/api/v1/live"
			if got := test.call.to(t, address); (got.status == 200) != (test.status == 200 && test.call.header == nil) {
				t.Errorf("the stream: got %d %s, want no page of a stranger's to take a place", got.status, got.body)
			}
			test.call.path = "/metrics"
			if got := test.call.to(t, address); got.status != 200 {
				t.Errorf("/metrics: got %d, want 200: a scrape may come by any name", got.status)
			}
		})
	}
}

func TestATokenCountsAsSoonAsItIsInTheFile(t *testing.T) {
	o := options(t)
	o.ControlTokenFile = tokenFile(t, "old")
	address := face(t, o)
	attempt := call{method: "POST", path: "/-/reload", header: http.Header{"Authorization": {"Bearer new"}}}
	for _, step := range []struct {
		text string
		want int
	}{{"old", 401}, {"new", 200}, {"", 503}, {"new", 200}} {
		if err := os.WriteFile(o.ControlTokenFile, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := attempt.to(t, address).status; got != step.want {
			t.Errorf("with %q in the file: got %d, want %d", step.text, got, step.want)
		}
	}
}

func TestATokenFileWithoutATokenFailsTheStart(t *testing.T) {
	for name, file := range map[string]string{
		"got nothing":         tokenFile(t, " \n"),
		"no such file":        tokenFile(t, "") + ".none",
		"got more than 4096 ": tokenFile(t, strings.Repeat("a", 4097)),
	} {
		o := options(t)
		o.ControlTokenFile = file
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want … %s", err, name)
		}
	}
}
