package steer_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load"
	"opensaves-soak/load/capacity/steer"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/rest"
)

// fleet keeps a document as the API server does. It shares it with nobody.
type fleet struct {
	adopt func(document []byte, version string) // what a watch tells

	mu       sync.Mutex
	document []byte
	version  int
	lose     bool // the answer of the next write
}

func (f *fleet) Join(context.Context, func(desired.Place)) {}

func (f *fleet) Lead(context.Context, func(context.Context)) {}

func (f *fleet) Leads() bool { return true }

func (f *fleet) Others() desired.Report { return desired.Report{} }

func (f *fleet) Read(context.Context) ([]byte, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.document, strconv.Itoa(f.version), nil
}

func (f *fleet) Write(_ context.Context, document []byte, version string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if version != strconv.Itoa(f.version) {
		return "", desired.ErrConflict
	}
	f.document, f.version = document, f.version+1
	kept := strconv.Itoa(f.version)
	if f.lose {
		f.lose = false
		time.AfterFunc(3*time.Second, func() { f.adopt(document, kept) })
		return "", fmt.Errorf("%w: got a timeout", desired.ErrUnavailable)
	}
	return kept, nil
}

// loseNext loses the answer of the next write.
func (f *fleet) loseNext() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose = true
}

// steered is a load that is changed and not made.
type steered struct {
	*load.Runner
	fleet *fleet
}

func newLoad(t *testing.T) steered {
	t.Helper()
	l := steered{fleet: &fleet{}}
	config, data, identity := load.DefaultConfig(), scenario.DefaultConfig(), ledger.NewIdentity()
	config.RPS, config.MaxRPS = 50, 5000
	target := opensaves.DefaultConfig()
	target.Address = "http://127.0.0.1:1"
	var err error
	l.Runner, err = load.New(load.Options{
		Config: config, Safety: load.DefaultSafetyConfig(), Data: data, Protocol: metric.HTTP, Identity: identity, Fleet: l.fleet,
		Connect: func(o opensaves.Options) (opensaves.Client, error) { return rest.New(target, o) },
		World: func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
			return scenario.NewWorld(scenario.Config{Data: data, Verify: ledger.DefaultConfig(), Identity: identity, OnViolation: tell}, mix)
		},
		Price:   func(metric.Operation, int64, int64) float64 { return 0 },
		Metrics: metric.Factory{Registerer: prometheus.NewRegistry()}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.fleet.adopt = func(document []byte, version string) {
		if err := l.Adopt(t.Context(), document, version); err != nil {
			t.Error(err)
		}
	}
	l.fleet.adopt(nil, "0")
	return l
}

// patch is a change by somebody else.
func (l steered) patch(t *testing.T, document string) {
	t.Helper()
	if _, err := l.Patch(t.Context(), "", []byte(document)); err != nil {
		t.Fatal(err)
	}
}

// reload is a change of the configuration.
func (l steered) reload(change func(*load.Config)) {
	config := l.Config
	change(&config)
	l.Reload(config)
}

func (l steered) target() float64 { return l.State().At(time.Now()).Target }

// set sets a rate that the test goes on from.
func set(t *testing.T, w *steer.Wheel, rps float64) {
	t.Helper()
	if err := w.Set(t.Context(), time.Now(), rps, "climb"); err != nil {
		t.Fatal(err)
	}
}
