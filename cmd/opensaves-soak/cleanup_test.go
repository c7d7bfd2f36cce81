package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/leftover"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/rest"
	"opensaves-soak/opensaves/sandbox"
)

// cleanUp runs the command with its flags and returns what it prints.
func cleanUp(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var f cleanupFlags
	app := kingpin.New(name, "")
	f.declare(app.Command("cleanup", ""))
	if _, err := app.Parse(append([]string{"cleanup"}, args...)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := &command{stdout: &out, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	err = c.runCleanup(t.Context(), f)
	return out.String(), err
}

// emptyTarget serves a sandbox and returns its address and how to call it.
func emptyTarget(t *testing.T) (address string, do leftover.Do) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sandbox.New(sandbox.Config{}).Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	cfg := opensaves.DefaultConfig()
	cfg.Address = "http://" + listener.Addr().String()
	client, err := rest.New(cfg, opensaves.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return cfg.Address, client.Do
}

// leave registers a run that makes a store with a record and a stranger's store.
func leave(t *testing.T, do leftover.Do, run string, after time.Duration) *leftover.Registration {
	t.Helper()
	id, start := ledger.Identity{Run: run}, time.Now()
	r := leftover.NewRegistration(leftover.Options{
		Do: do, Identity: id, After: after, Now: func() time.Duration { return time.Since(start) },
	}, false, func(err error) {
		if err != nil {
			t.Error(err)
		}
	})
	if err := r.Reserve(t.Context(), 's', 2); err != nil {
		t.Fatal(err)
	}
	key := id.Key('r', 1)
	opaque := string(ledger.Header{Key: key, Version: 1, Length: 99}.Append(nil))
	for _, call := range []opensaves.Call{
		{Op: metric.CreateStore, Store: id.Key('s', 1), StoreName: "a game " + id.Key('s', 1)},
		{Op: metric.CreateRecord, Record: &opensaves.Record{Store: id.Key('s', 1), Key: key, Opaque: opaque}},
		{Op: metric.CreateStore, Store: id.Key('s', 2), StoreName: "somebody's"},
	} {
		if err := do(t.Context(), &call, new(opensaves.Answer)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func printed(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !regexp.MustCompile("(?m)^" + line + "$").MatchString(got) {
			t.Errorf("got no line %s in\n%s", line, got)
		}
	}
}

func TestCleanupDeletesWhatTheOperatorSaysIsDead(t *testing.T) {
	address, do := emptyTarget(t)
	leave(t, do, "dead0000", time.Hour)
	args := []string{"--target.address=" + address, "--older-than=0s"}
	for range 2 { // it changes nothing
		out, err := cleanUp(t, append(args, "--dry-run")...)
		if err != nil {
			t.Error(err)
		}
		printed(t, out, "run dead0000 replica 0: dead: 1 store, 1 record would be deleted; 1 store kept",
			"1 runs, 1 of them dead; objects: 2 would be deleted, 1 kept, 0 failed")
	}
	out, err := cleanUp(t, args...)
	if err != nil {
		t.Error(err)
	}
	printed(t, out, "run dead0000 replica 0: swept: 1 store, 1 record, 1 run deleted; 1 store kept",
		"1 runs, 1 of them dead; objects: 3 deleted, 1 kept, 0 failed")
	out, err = cleanUp(t, args...)
	if err != nil {
		t.Error(err)
	}
	printed(t, out, "0 runs, 0 of them dead; objects: 0 deleted, 0 kept, 0 failed")
}

func TestCleanupWatchesBeforeItDeletes(t *testing.T) {
	address, do := emptyTarget(t)
	leave(t, do, "dead0000", time.Second)
	live := leave(t, do, "beef0000", 2*time.Second)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		live.Run(ctx)
	}()
	out, err := cleanUp(t, "--target.address="+address, "--older-than=1s")
	if err != nil {
		t.Error(err)
	}
	printed(t, out, "run dead0000 replica 0: watching", "run dead0000 replica 0: dead", "run dead0000 replica 0: swept: .* deleted; 1 store kept",
		"run beef0000 replica 0: alive", "2 runs, 1 of them dead; objects: 3 deleted, 1 kept, 0 failed")
	stop()
	<-ended
	if live.Lost() {
		t.Error("got the live run lost")
	}
}

func TestCleanupFailsWhereSomethingCannotBeDeleted(t *testing.T) {
	address, do := emptyTarget(t)
	leave(t, do, "dead0000", time.Hour)
	behind, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/records/soak-dead") {
			http.Error(w, "Failed to delete record", http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer broken.Close()
	out, err := cleanUp(t, "--target.address="+broken.URL, "--older-than=0s")
	if err == nil || errors.Is(err, errUsage) {
		t.Errorf("got %v, want an error", err)
	}
	printed(t, out, "run dead0000 replica 0: not cleaned: 1 store kept; 1 record failed",
		"1 runs, 1 of them dead; objects: 0 deleted, 1 kept, 1 failed")
}

func TestCleanupFindsNothingWhereNoRunHasBeen(t *testing.T) {
	address, _ := emptyTarget(t)
	for _, target := range []string{address, strings.TrimPrefix(address, "http://")} {
		out, err := cleanUp(t, "--target.address="+target)
		if err != nil {
			t.Error(err)
		}
		printed(t, out, "0 runs, 0 of them dead; objects: 0 deleted, 0 kept, 0 failed")
	}
}

func TestCleanupSaysWhatIsWrongWithItsFlags(t *testing.T) {
	for want, args := range map[string][]string{
		"target.address: got none":                 {},
		"--older-than: got -1s, want 0s to 720h":   {"--older-than=-1s", "--target.address=http://127.0.0.1:1"},
		"--older-than: got 721h0m0s":               {"--older-than=721h", "--target.address=http://127.0.0.1:1"},
		`target.protocol: got "smtp"`:              {"--target.protocol=smtp"},
		"reading the configuration: open no-such-": {"--config.file=no-such-file.yml"},
	} {
		if _, err := cleanUp(t, args...); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", args, err, want)
		}
	}
}
