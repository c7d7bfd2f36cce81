package exporter

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load/desired"
)

func TestAChangeOfTheLoadIsAnsweredByItsKind(t *testing.T) {
	padded := func(size int) string { return `{"rps": 60` + strings.Repeat(" ", size-len(`{"rps": 60}`)) + "}" }
	for name, test := range map[string]struct {
		body   string
		header http.Header
		status int
		text   string
	}{
		"a rate":                   {body: `{"rps": 500}`, status: 200, text: `{"rps":500,"max_rps":5000,"achieved_rps":0,"paused":false,"source":"api"`},
		"what curl -d sends":       {body: `{"rps": 500}`, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, status: 200, text: `{"rps":500,`},
		"64 KiB":                   {body: padded(64 << 10), status: 200},
		"over 64 KiB":              {body: padded(64<<10 + 1), status: 413, text: "too large"},
		"any version":              {body: `{"rps": 1}`, header: http.Header{"If-Match": {"*"}}, status: 200},
		"a stale version":          {body: `{"rps": 1}`, header: http.Header{"If-Match": {`"1"`}}, status: 412, text: "If-Match"},
		"two lines of versions":    {body: `{"rps": 1}`, header: http.Header{"If-Match": {`"1"`, `"2"`}}, status: 412},
		"an injected header":       {body: `{"reason\r\nX-Evil: 1": 1}`, status: 400},
		"no JSON":                  {body: `rps=500`, status: 400, text: "reading the change"},
		"nothing":                  {status: 400},
		"an unknown field":         {body: `{"rpz": 1}`, status: 400, text: "rpz: got an unknown field"},
		"a rate over the cap":      {body: `{"rps": 5001}`, status: 422, text: "rps: got 5001, want at most 5000"},
		"a negative rate":          {body: `{"rps": -1}`, status: 422},
		"NaN":                      {body: `{"rps": NaN}`, status: 422},
		"an unknown scenario":      {body: `{"scenarios": {"chess": 1}}`, status: 422},
		"a read ratio of too much": {body: `{"read_ratio": 2}`, status: 422},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			load := newWanted()
			o.Load = load
			address, before := face(t, o), load.Get()
			got := call{method: "PATCH", path: "/api/v1/load", body: test.body, header: test.header}.to(t, address)
			if got.status != test.status || !strings.Contains(got.body, test.text) {
				t.Errorf("got %d %s\nwant %d … %s", got.status, got.body, test.status, test.text)
			}
			if test.status == 200 {
				return
			}
			if !isProblem(got) || got.header.Get("X-Evil") != "" {
				t.Errorf("got %v %s, want a problem", got.header, got.body)
			}
			if diff := cmp.Diff(before, load.Get()); diff != "" {
				t.Errorf("before -, after +\n%s", diff)
			}
		})
	}
}

func TestTheTagOfAnAnswerAllowsTheNextChange(t *testing.T) {
	address := face(t, options(t))
	shown := call{method: "GET", path: "/api/v1/load"}.to(t, address)
	first := http.Header{"If-Match": {shown.header.Get("ETag")}}
	change := call{method: "PATCH", path: "/api/v1/load", body: `{"rps": 60}`, header: first}
	changed := change.to(t, address)
	if changed.status != 200 || changed.header.Get("ETag") == shown.header.Get("ETag") {
		t.Errorf("got %d with tag %s after %s, want 200 and another one", changed.status, changed.header.Get("ETag"), shown.header.Get("ETag"))
	}
	if got := change.to(t, address).status; got != 412 {
		t.Errorf("got %d with the first tag, want 412", got)
	}
	change.header = http.Header{"If-Match": {changed.header.Get("ETag")}}
	if got := change.to(t, address).status; got != 200 {
		t.Errorf("got %d with the second tag, want 200", got)
	}
	if got := (call{method: "HEAD", path: "/api/v1/load"}).to(t, address); got.status != 200 || got.body != "" || got.header.Get("ETag") == "" {
		t.Errorf("got %d %q, want 200, a tag and no body", got.status, got.body)
	}
}

// broken is a load that can be neither changed nor shown.
type broken struct{}

func (broken) Status() desired.Status {
	return desired.Status{RPS: math.Inf(1)}
}

func (broken) Changes() []desired.Change { return []desired.Change{{From: math.Inf(1)}} }

func (broken) Patch(context.Context, string, []byte) (desired.Status, error) {
	return desired.Status{}, errors.New("writing the ConfigMap: connection refused")
}

func TestAFaultOfOursIsA500(t *testing.T) {
	o := options(t)
	o.Load = broken{}
	address := face(t, o)
	for method, text := range map[string]string{"GET": "writing the state", "PATCH": "connection refused"} {
		got := call{method: method, path: "/api/v1/load", body: "{}"}.to(t, address)
		if got.status != 500 || !isProblem(got) || !strings.Contains(got.body, text) {
			t.Errorf("%s: got %d %s, want 500", method, got.status, got.body)
		}
	}
}
