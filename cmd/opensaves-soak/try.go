package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/exporter/metric"
)

// tryFlags are the flags of try.
type tryFlags struct {
	url       string
	tokenFile string
	timeout   time.Duration
}

func (f *tryFlags) declare(cmd *kingpin.CmdClause) {
	cmd.Flag("url", "Address of the daemon.").Default("http://127.0.0.1:9842").StringVar(&f.url)
	cmd.Flag("token-file", "File with the control token; empty: the daemon has none, and a PATCH from elsewhere must be refused.").StringVar(&f.tokenFile)
	cmd.Flag("timeout", "How long the daemon may take to be ready.").Default("1m").DurationVar(&f.timeout)
}

// tryDaemon asks a daemon for all that an installation needs: that it is ready,
// that its load can be changed, by a change that changes nothing, and that it
// shows its metrics.
func (c *command) tryDaemon(ctx context.Context, f tryFlags) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	t := caller{f}
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{{"ready", t.ready}, {"load changed", t.change}, {"metrics shown", t.metrics}} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("trying %s: %w", f.url, err)
		}
		fmt.Fprintf(c.stdout, "%s: %s\n", f.url, step.what)
	}
	return nil
}

// caller asks the daemon.
type caller struct{ tryFlags }

// answerLimit bounds what is read of an answer, in bytes.
const answerLimit = 8 << 20

// ask returns the status and the body of an answer.
func (t caller) ask(ctx context.Context, method, path, body string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(t.url, "/")+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if t.tokenFile != "" {
		token, err := os.ReadFile(t.tokenFile)
		if err != nil {
			return 0, nil, fmt.Errorf("reading the control token: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	return answer.StatusCode, text, err
}

// ready asks until the daemon is ready.
func (t caller) ready(ctx context.Context) error {
	for {
		status, _, err := t.ask(ctx, http.MethodGet, "/-/ready", "")
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("got status %d of /-/ready, want %d", status, http.StatusOK), err)
		case <-time.After(time.Second):
		}
	}
}

// change sends a change of nothing. Without a token one from elsewhere is refused,
// as it must be.
func (t caller) change(ctx context.Context) error {
	status, text, err := t.ask(ctx, http.MethodPatch, "/api/v1/load", "{}")
	if refused := t.tokenFile == "" && status == http.StatusForbidden; err != nil || status != http.StatusOK && !refused {
		return errors.Join(fmt.Errorf("got status %d of a PATCH, want %d: %.200s", status, http.StatusOK, text), err)
	}
	return nil
}

func (t caller) metrics(ctx context.Context) error {
	status, text, err := t.ask(ctx, http.MethodGet, "/metrics", "")
	if err != nil || status != http.StatusOK || !bytes.Contains(text, []byte("\n"+metric.TargetRPS.Name+" ")) {
		return errors.Join(fmt.Errorf("got status %d of /metrics, want %d and %s", status, http.StatusOK, metric.TargetRPS.Name), err)
	}
	return nil
}
