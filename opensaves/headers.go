package opensaves

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"opensaves-soak/exporter/metric"
)

// Headers are what every request carries beside its own; Values are secrets.
type Headers struct {
	Values map[string]string
}

// redacted stands where a header's value stood.
const redacted = "<redacted>"

// maxText is how much of what a server said an error keeps.
const maxText = 200

// Text returns what a server said as an Error may carry it: one printable line
// of at most 200 bytes without any header's value, nor what follows its scheme.
func (h *Headers) Text(said string) string {
	for _, value := range h.Values {
		_, credentials, _ := strings.Cut(value, " ")
		for _, secret := range [...]string{value, strings.TrimSpace(credentials)} {
			if secret != "" {
				said = strings.ReplaceAll(said, secret, redacted)
			}
		}
	}
	said = strings.Join(strings.Fields(strings.ToValidUTF8(said, "�")), " ")
	if len(said) > maxText {
		said = strings.ToValidUTF8(said[:maxText], "")
	}
	return said
}

// headerEvery is how often the header files are looked at.
const headerEvery = time.Second

// WatchHeaders calls set with the target's headers before it returns, and again
// from a goroutine of its own whenever a file has changed and holds a usable
// value; until it does, the old one stays. stop ends that goroutine and waits for it.
func (c *Config) WatchHeaders(set func(*Headers)) (stop func(), err error) {
	w := &headerWatch{config: c, seen: make(map[string]os.FileInfo), values: make(map[string]string)}
	for name, value := range c.Headers {
		w.values[name] = string(value)
	}
	if _, err := w.refresh(); err != nil {
		return nil, err
	}
	set(w.snapshot())
	if len(c.HeaderFiles) == 0 {
		return func() {}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, set)
	}()
	return func() { cancel(); <-done }, nil
}

type headerWatch struct {
	config *Config
	seen   map[string]os.FileInfo
	values map[string]string
}

func (w *headerWatch) run(ctx context.Context, set func(*Headers)) {
	tick := time.NewTicker(headerEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A file that cannot be read now keeps its old value; the target will say if that is no good any more.
		if changed, _ := w.refresh(); changed {
			set(w.snapshot())
		}
	}
}

func (w *headerWatch) snapshot() *Headers { return &Headers{Values: maps.Clone(w.values)} }

func (w *headerWatch) refresh() (changed bool, err error) {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(w.config.HeaderFiles)) {
		again, err := w.read(name, w.config.HeaderFiles[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("reading target.header_files.%s: %w", name, err))
		}
		changed = changed || again
	}
	return changed, errors.Join(errs...)
}

func (w *headerWatch) read(name, path string) (changed bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if old := w.seen[name]; old != nil && os.SameFile(old, info) && old.ModTime().Equal(info.ModTime()) && old.Size() == info.Size() {
		return false, nil
	}
	if info.Size() > maxHeaderFile {
		return false, fmt.Errorf("got a file of %d bytes, want at most %d", info.Size(), maxHeaderFile)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	value := strings.TrimSpace(string(body))
	if problem := w.config.valueProblem(name, value); problem != "" {
		return false, errors.New(problem)
	}
	changed = w.values[name] != value
	w.seen[name], w.values[name] = info, value
	return changed, nil
}

const maxHeaderFile = 64 << 10

// checkHeaders names headers, never their values.
func (c *Config) checkHeaders() []error {
	var errs []error
	seen := make(map[string]string)
	check := func(section, name, problem string) {
		path := "target." + section + "." + name
		lower := strings.ToLower(name)
		if problem == "" {
			problem = HeaderProblem(lower, c.Wire())
		}
		if problem != "" {
			errs = append(errs, fmt.Errorf("%s: %s", path, problem))
		} else if other := seen[lower]; other != "" {
			errs = append(errs, fmt.Errorf("%s: got the header a second time, want it only as %s", path, other))
		}
		seen[lower] = path
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		check("headers", name, c.valueProblem(name, string(c.Headers[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(c.HeaderFiles)) {
		problem := ""
		if c.HeaderFiles[name] == "" {
			problem = "got no path, want a file"
		}
		check("header_files", name, problem)
	}
	return errs
}

// ownHeaders are those that the wires set themselves.
var ownHeaders = map[string]bool{
	"connection": true, "content-length": true, "content-type": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "host": true, "user-agent": true, "expect": true,
}

// HeaderProblem says why no request may carry a header of this name in lower case;
// empty: it may.
func HeaderProblem(lower string, wire metric.Protocol) string {
	switch {
	case !httpguts.ValidHeaderFieldName(lower):
		return "got no header name"
	case ownHeaders[lower], wire == metric.GRPC && strings.HasPrefix(lower, "grpc-"):
		return "got a header that the wire sets itself, want another one"
	}
	return ""
}

func (c *Config) valueProblem(name, value string) string {
	unprintable := func(r rune) bool { return r < ' ' || r > '~' }
	binary := strings.HasSuffix(strings.ToLower(name), "-bin")
	switch {
	case value == "":
		return "got an empty value"
	case !httpguts.ValidHeaderFieldValue(value),
		c.Wire() == metric.GRPC && !binary && strings.ContainsFunc(value, unprintable):
		return "got a value with a character that no header may hold"
	}
	return ""
}
