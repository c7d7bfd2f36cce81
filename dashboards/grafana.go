package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Grafana is where boards are applied to, also a workspace of Amazon Managed
// Grafana.
type Grafana struct {
	URL   string // http or https, with the path below which Grafana is served
	Token string // of a service account that may read and write folders and dashboards
}

const (
	callTimeout = 30 * time.Second // of a call, its answer included
	answerLimit = 16 << 20         // bytes
	quoteLimit  = 300              // bytes of Grafana's own words in an error
)

// validUID is what Grafana accepts, and what needs no escaping in a path.
var validUID = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)

// statusError is an answer other than 2xx.
type statusError struct {
	status int
	detail string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("got %d %s", e.status, http.StatusText(e.status))
	if e.detail != "" {
		text += " (" + e.detail + ")"
	}
	switch e.status {
	case http.StatusUnauthorized:
		text += ", want a token that is valid"
	case http.StatusForbidden:
		text += ", want a token that may read and write dashboards and folders"
	}
	return text
}

// missing says whether Grafana has not got what was asked for.
func missing(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == http.StatusNotFound
}

// client follows no redirect: the token is for one address, and what Grafana
// redirects to is its page for logging in.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call sends in, unless nil, and reads the answer into out, unless nil.
func (g Grafana) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := g.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the answer: %w", err)
	case response.StatusCode/100 != 2:
		return &statusError{response.StatusCode, detail(response, body)}
	case len(body) > answerLimit:
		return fmt.Errorf("reading the answer: got more than %d bytes", answerLimit)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

func (g Grafana) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	base, err := url.Parse(g.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("calling Grafana: got address %q, want http or https, a host and maybe a path", base.Redacted())
	}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("writing the call: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, base.JoinPath(path).String(), body)
	if err != nil {
		return nil, fmt.Errorf("calling Grafana: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+g.Token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	return request, nil
}

// detail is what Grafana says of a refusal, or where a redirect leads.
func detail(response *http.Response, body []byte) string {
	if to := response.Header.Get("Location"); to != "" {
		return "to " + cut(to)
	}
	var said struct{ Status, Message string }
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	return cut(strings.TrimPrefix(said.Status+": "+said.Message, ": "))
}

// cut keeps a foreign text from filling an error.
func cut(s string) string {
	if len(s) > quoteLimit {
		s = s[:quoteLimit] + "…"
	}
	return strings.ToValidUTF8(s, "")
}
