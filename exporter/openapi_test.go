package exporter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"opensaves-soak/exporter/live"
	"opensaves-soak/opensaves/sandbox"
)

// described is the description, with what it refers to in its place.
type described struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]any }
}

type operation struct {
	Parameters []struct {
		Name, In string
		Example  any
	}
	RequestBody struct {
		Content map[string]struct {
			Schema   any
			Examples map[string]struct{ Value any }
		}
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]struct{ Schema any }
	}
}

func readDescription(t *testing.T) described {
	t.Helper()
	var whole map[string]any
	if err := yaml.Unmarshal(description, &whole); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(resolved(whole, whole))
	if err != nil {
		t.Fatal(err)
	}
	var d described
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolved puts what references name in their place.
func resolved(root, node any) any {
	switch node := node.(type) {
	case []any:
		for i := range node {
			node[i] = resolved(root, node[i])
		}
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			found := root
			for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				found = found.(map[string]any)[name]
			}
			return resolved(root, found)
		}
		for name := range node {
			node[name] = resolved(root, node[name])
		}
	}
	return node
}

// mistakes are those of a value under a schema.
func mistakes(t *testing.T, schema, value any) []error {
	t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s spec.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return validate.NewSchemaValidator(&s, nil, "", strfmt.Default).Validate(value).Errors
}

// checkJSON holds a text against a schema.
func checkJSON(t *testing.T, schema any, text string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Errorf("got %s, want JSON: %v", text, err)
		return
	}
	if errs := mistakes(t, schema, value); len(errs) > 0 {
		t.Errorf("got %s, which is not as described: %v", text, errs)
	}
}

// attempt brings about one of the answers that are described.
type attempt struct {
	call    call
	options func(*Options)
}

// attempts are those that are not the same for all paths, by method, path and status.
var attempts = map[string]attempt{
	"GET /-/ready 503":               {options: func(o *Options) { o.Ready = func() bool { return false } }},
	"POST /-/reload 500":             {options: failingReload},
	"PUT /-/reload 500":              {options: failingReload},
	"GET /api/v1/load 500":           {options: func(o *Options) { o.Load = broken{} }},
	"PATCH /api/v1/load 400":         {call: call{body: "rps"}},
	"PATCH /api/v1/load 408":         {call: call{header: http.Header{"Test-Slow": {"1"}}}},
	"PATCH /api/v1/load 412":         {call: call{body: "{}", header: http.Header{"If-Match": {`"1"`}}}},
	"PATCH /api/v1/load 413":         {call: call{body: strings.Repeat(" ", 64<<10+1)}},
	"PATCH /api/v1/load 422":         {call: call{body: `{"rps": 5001}`}},
	"PATCH /api/v1/load 500":         {call: call{body: "{}"}, options: func(o *Options) { o.Load = broken{} }},
	"GET /api/v1/load/changes 500":   {options: func(o *Options) { o.Load = broken{} }},
	"GET /api/v1/live 503":           {options: func(o *Options) { o.Live = atMost(0, o.Live) }},
	"PUT /api/v1/sandbox/faults 400": {call: call{body: "rps"}},
	"PUT /api/v1/sandbox/faults 413": {call: call{body: strings.Repeat(" ", 64<<10+1)}},
	"PUT /api/v1/sandbox/faults 422": {call: call{body: `{"cut": 2}`}},
}

func failingReload(o *Options) {
	o.Reload = func(context.Context) error { return errors.New("config.yml:2: load.rpz: unknown key") }
}

// attemptFor is what brings about an answer; the same on all paths unless it is
// named above.
func attemptFor(t *testing.T, name, status string) attempt {
	t.Helper()
	if a, ok := attempts[name]; ok {
		return a
	}
	switch status {
	case "401":
		return attempt{options: func(o *Options) { o.ControlTokenFile = tokenFile(t, "swordfish") }}
	case "403":
		return attempt{call: call{header: http.Header{"Origin": {"https://evil.example"}}}}
	case "503":
		return attempt{options: func(o *Options) { o.ControlTokenFile = tokenFile(t, "swordfish") }}
	}
	return attempt{}
}

// slowly lets a body be as late as it seems to a server whose patience is over.
func slowly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Test-Slow") != "" {
			r.Body = late{}
		}
		next.ServeHTTP(w, r)
	})
}

type late struct{}

func (late) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
func (late) Close() error             { return nil }

func TestEveryAnswerIsAsTheDescriptionSays(t *testing.T) {
	for path, methods := range readDescription(t).Paths {
		for method, op := range methods {
			for status := range op.Responses {
				name := strings.ToUpper(method) + " " + path + " " + status
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					checkAnswer(t, name, op)
				})
			}
		}
	}
}

func checkAnswer(t *testing.T, name string, op operation) {
	t.Helper()
	words := strings.Fields(name)
	method, path, status := words[0], words[1], words[2]
	a := attemptFor(t, name, status)
	o := options(t)
	o.Sandbox = sandbox.New(sandbox.Config{Region: "us-east-1"}).Control()
	if a.options != nil {
		a.options(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, special := attempts[name]; status == "503" && !special {
		if err := os.Truncate(o.ControlTokenFile, 0); err != nil {
			t.Fatal(err)
		}
	}
	address := listen(t, slowly(handler), "")
	a.call.method, a.call.path = method, op.filled(path)
	bodies := []string{a.call.body}
	if status == "200" && len(op.RequestBody.Content) > 0 {
		bodies = op.examples(t)
	}
	for _, a.call.body = range bodies {
		op.check(t, a.call.to(t, address), status)
	}
	if method == http.MethodGet && status == "200" && !strings.HasPrefix(path, "/debug/") {
		a.call.method = http.MethodHead
		if got := a.call.to(t, address); got.status != 200 || got.body != "" {
			t.Errorf("HEAD: got %d %q, want 200 and no body", got.status, got.body)
		}
	}
}

// filled is a path with the examples of its parameters.
func (o operation) filled(path string) string {
	for _, p := range o.Parameters {
		switch p.In {
		case "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", fmt.Sprint(p.Example))
		case "query":
			path += "?" + p.Name + "=" + fmt.Sprint(p.Example)
		}
	}
	return path
}

// examples are bodies that the description gives, which must be as it says.
func (o operation) examples(t *testing.T) (bodies []string) {
	t.Helper()
	content := o.RequestBody.Content["application/json"]
	for _, name := range slices.Sorted(maps.Keys(content.Examples)) {
		body, err := json.Marshal(content.Examples[name].Value)
		if err != nil {
			t.Fatal(err)
		}
		checkJSON(t, content.Schema, string(body))
		bodies = append(bodies, string(body))
	}
	return bodies
}

// check holds an answer against what is described for its status.
func (o operation) check(t *testing.T, got answered, status string) {
	t.Helper()
	content := o.Responses[status].Content
	if fmt.Sprint(got.status) != status {
		t.Fatalf("got %d %s, want %s", got.status, got.body, status)
	}
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	media, ok := content[kind]
	switch {
	case len(content) == 0 && got.body != "":
		t.Errorf("got %q, want no body", got.body)
	case len(content) > 0 && !ok:
		t.Errorf("got %q, want one of %v", kind, slices.Sorted(maps.Keys(content)))
	case strings.HasSuffix(kind, "json"):
		checkJSON(t, media.Schema, got.body)
	}
}

func TestEveryRouteIsDescribedAndEveryDescribedPathHasARoute(t *testing.T) {
	d, o := readDescription(t), options(t)
	routes := map[string]bool{} // by path, whether it is described
	for _, r := range o.routes(access{}) {
		routes[r.path] = false
	}
	for path, methods := range d.Paths {
		route, _, _ := strings.Cut(path, "{")
		for _, known := routes[route]; !known && route != "/"; _, known = routes[route] {
			route = route[:strings.LastIndex(strings.TrimSuffix(route, "/"), "/")+1]
		}
		if route == "/" && path != "/" {
			t.Errorf("%s: got no route", path)
		}
		routes[route] = true
		for _, r := range o.routes(access{}) {
			if got := slices.Sorted(maps.Keys(methods)); r.path == path && r.methods != nil {
				if diff := cmp.Diff(lower(r.methods), got); diff != "" {
					t.Errorf("%s: wanted methods -, got +\n%s", path, diff)
				}
			}
		}
	}
	for path, known := range routes {
		if !known {
			t.Errorf("%s: got no description", path)
		}
	}
}

// lower are methods as a description names them; HEAD is described for all.
func lower(methods []string) (names []string) {
	for _, method := range methods {
		if method != http.MethodHead {
			names = append(names, strings.ToLower(method))
		}
	}
	slices.Sort(names)
	return names
}

func TestTheStreamIsAsDescribed(t *testing.T) {
	o, feed, value := options(t), live.NewFeed(), 1.5
	o.Live = feed
	status := newWanted().Status()
	m := live.Moment{
		Glance: live.Glance{Time: start, Started: start, Target: live.Target{Protocol: "http"}, Achieved: &value},
		Load:   status, Operations: []live.Operation{{Operation: "ping", P50: &value}},
		Components: []live.Component{{Component: "s3", Name: "requests", Unit: "a second", Value: &value}},
	}
	if err := feed.Add(m); err != nil {
		t.Fatal(err)
	}
	response := getLive(t, "http://"+face(t, o)+"/api/v1/live")
	m.Time = start.Add(time.Second)
	if err := feed.Add(m); err != nil {
		t.Fatal(err)
	}
	text := readUntil(t, response, regexp.MustCompile(`(?s)event: moment.*\n\n`))
	feed.End()
	schemas := readDescription(t).Components.Schemas
	for _, event := range regexp.MustCompile(`event: (\w+)\n(?:id: \d+\n)?data: (.*)\n`).FindAllStringSubmatch(text, -1) {
		schema := map[string]any{"history": schemas["History"], "moment": schemas["Moment"]}[event[1]]
		checkJSON(t, schema, event[2])
	}
	if n := strings.Count(text, "\ndata: "); n != 2 {
		t.Errorf("got %d events, want 2", n)
	}
}

// getLive opens a stream.
func getLive(t *testing.T, url string) io.Reader {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != 200 {
		t.Fatalf("got %s", response.Status)
	}
	return response.Body
}

// readUntil reads until what was read matches.
func readUntil(t *testing.T, from io.Reader, want *regexp.Regexp) string {
	t.Helper()
	var text []byte
	for part := make([]byte, 4096); !want.Match(text); {
		n, err := from.Read(part)
		if text = append(text, part[:n]...); err != nil {
			t.Fatalf("got %v after %s", err, text)
		}
	}
	return string(text)
}

func TestTheDescriptionOfAChangeRefusesWhatTheDaemonRefuses(t *testing.T) {
	schema := readDescription(t).Components.Schemas["LoadChange"]
	for document, valid := range map[string]bool{
		`{}`: true, `{"rps": 0}`: true, `{"rps": -1}`: false, `{"rps": "NaN"}`: false, `{"rps": null}`: true, `{"rpz": 1}`: false,
		`{"ramp": "30s"}`: true, `{"ramp": "1h30m"}`: true, `{"ramp": "1.5h"}`: true, `{"ramp": "1d"}`: true, `{"ramp": "-1s"}`: false, `{"ramp": 30}`: false,
		`{"ramp": null}`: true, `{"ttl": "0s"}`: true, `{"ttl": "0"}`: true, `{"ttl": "-2h"}`: false, `{"ttl": "soon"}`: false,
		`{"scenarios": {"crud": 1}}`: true, `{"scenarios": {}}`: false, `{"scenarios": {"crud": -1}}`: false, `{"scenarios": {"crud": 1e10}}`: false, `{"scenarios": null}`: true,
		`{"read_ratio": 1}`: true, `{"read_ratio": 1.1}`: false, `{"read_ratio": -0.1}`: false, `{"read_ratio": null}`: true,
		`{"paused": true}`: true, `{"paused": 1}`: false, `{"paused": null}`: true,
		`{"reason": "launch"}`: true, `{"reason": "` + strings.Repeat("a", 256) + `"}`: true, `{"reason": "` + strings.Repeat("a", 257) + `"}`: false,
		`{"reason": "a\r\nX-Evil: 1"}`: false, `{"reason": "\u0085"}`: false, `{"reason": null}`: true, `{"reason": 1}`: false, `[]`: false, `null`: false,
	} {
		t.Run(document, func(t *testing.T) {
			_, err := newWanted().Store.Patch(start, "", []byte(document))
			var value any
			if err := json.Unmarshal([]byte(document), &value); err != nil {
				t.Fatal(err)
			}
			if errs := mistakes(t, schema, value); (len(errs) == 0) != valid || (err == nil) != valid {
				t.Errorf("got %v of the description and %v of the daemon, want valid: %v", errs, err, valid)
			}
		})
	}
}
