package page_test

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opensaves-soak/exporter"
	"opensaves-soak/exporter/live"
	"opensaves-soak/load/desired"
	"opensaves-soak/load/scenario"
)

// daemon is the program's face over a load that sends nothing: its moments are what
// a test says.
type daemon struct {
	*httptest.Server
	store *desired.Store
	feed  *live.Feed
	live  desired.Live
	token string // the file of the control token; empty: none is needed

	now     time.Time // of the last moment
	said    int       // moments
	mu      sync.Mutex
	changes []desired.Change
}

// prefix is the path that everything is below.
const prefix = "/team/soak"

// start starts a daemon with some minutes of moments. token is the control token;
// "": none is needed.
func start(t *testing.T, token string) *daemon {
	t.Helper()
	d := &daemon{feed: live.NewFeed(), now: time.Now().Add(-10 * time.Minute), live: desired.Live{AchievedRPS: 499, Replica: desired.Replica{ShareRPS: 500, Count: 1}}}
	base := desired.Base{RPS: 500, MaxRPS: 5000, Scenarios: map[string]float64{"mixed": 1}, ReadRatio: 0.8, Known: scenario.Names()}
	d.store = desired.NewStore(time.Now(), base, desired.Hooks{OnChange: d.changed})
	o := exporter.Options{
		Gatherer: prometheus.NewRegistry(), Ready: func() bool { return true }, Load: d, Live: d.feed, Prefix: prefix, Logger: slog.New(slog.DiscardHandler),
	}
	if token != "" {
		d.token = filepath.Join(t.TempDir(), "token")
		write(t, d.token, token)
		o.ControlTokenFile = d.token
	}
	face, err := exporter.New(o)
	if err != nil {
		t.Fatal(err)
	}
	d.Server = httptest.NewServer(face)
	t.Cleanup(func() { d.feed.End(); d.CloseClientConnections(); d.Close() })
	for range 300 {
		d.say(t, d.moment())
	}
	return d
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d *daemon) page() string { return d.URL + prefix + "/" }

func (d *daemon) Status() desired.Status { return d.store.Get().Status(time.Now(), d.live) }

func (d *daemon) Patch(_ context.Context, ifMatch string, document []byte) (desired.Status, error) {
	state, err := d.store.Patch(time.Now(), ifMatch, document)
	return state.Status(time.Now(), d.live), err
}

func (d *daemon) Changes() []desired.Change {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.changes)
}

func (d *daemon) changed(c desired.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes = slices.Insert(d.changes, 0, c)
}

// patched changes the load behind the page's back.
func (d *daemon) patched(t *testing.T, document string) {
	t.Helper()
	if _, err := d.Patch(t.Context(), "", []byte(document)); err != nil {
		t.Fatal(err)
	}
}

// moment is an ordinary one, a second after the one before.
func (d *daemon) moment() live.Moment {
	d.now, d.said = d.now.Add(time.Second), d.said+1
	status := d.Status()
	some := func(v float64) *float64 { return &v }
	return live.Moment{
		Glance: live.Glance{
			Time: d.now.UTC(), Started: time.Date(2026, 11, 25, 5, 0, 0, 0, time.UTC), Version: "1.2.3",
			Target: live.Target{Name: "open-saves.open-saves:8080", Protocol: "http", Backend: "dynamodb"},
			Asked:  status.RPS, Achieved: some(status.RPS - 1), Failed: some(0), Dropped: some(0), InFlight: 12 + math.Round(4*math.Sin(float64(d.said)/9)),
			P50: some(0.004), P99: some(0.0123), Judged: some(0.9995), USDPerHour: some(0.31), USDPerMio: some(0.04),
		},
		Load: status,
		Operations: []live.Operation{
			{Operation: "get_record", RPS: 400.2, P50: some(0.004), P99: some(0.011)},
			{Operation: "update_record", RPS: 99.6, Failed: 0.00004, P50: some(0.0061)},
		},
		Components: []live.Component{
			{Component: "dynamodb", Name: "read capacity units", Unit: "a second", Value: some(120.5), Age: some(200)},
			{Component: "redis", Name: "host CPU", Unit: "share", Value: some(0.5), Limit: some(0.45), Age: some(80)},
		},
	}
}

// say streams a moment.
func (d *daemon) say(t *testing.T, m live.Moment) {
	t.Helper()
	if err := d.feed.Add(m); err != nil {
		t.Fatal(err)
	}
}
