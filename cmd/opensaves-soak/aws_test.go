package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"opensaves-soak/exporter/cloudwatch"
	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/sandbox"
)

// nobody is a listener that nobody connects to: a bubble of synctest has no network.
type nobody struct {
	closed chan struct{}
	once   sync.Once
}

func (n *nobody) Accept() (net.Conn, error) {
	<-n.closed
	return nil, net.ErrClosed
}

func (n *nobody) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *nobody) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// direct hands requests to a handler, below a prefix.
type direct struct {
	handler http.Handler
	prefix  string
}

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answered := httptest.NewRecorder()
	r.URL.RawPath = "" // a server reads the path anew
	http.StripPrefix(d.prefix, d.handler).ServeHTTP(answered, r)
	return answered.Result(), nil
}

// deployment is a sandbox with its AWS account, and all that looks at it, in
// simulated time.
type deployment struct {
	t        *testing.T
	box      *sandbox.Sandbox
	registry *prometheus.Registry

	mu  sync.Mutex
	own cost.Own
}

// watch starts all parts; they end with the context.
func (d *deployment) watch(ctx context.Context, config Config) {
	log := slog.New(slog.DiscardHandler)
	d.box, d.registry = sandbox.New(sandbox.Config{Region: homeRegion}), prometheus.NewPedanticRegistry()
	prices := config.newPrices()
	exporter, err := config.newExporter(ctx, "http://aws.test", prices, cloudwatch.Options{
		Metrics: metric.Factory{Registerer: d.registry}, Log: log,
		Connect: cloudwatch.Connection{HTTP: &http.Client{Transport: direct{d.box.AWS(), sandbox.AWSPath}}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	meter := cost.NewMeter(cost.MeterOptions{Config: config.Cost, Prices: prices, Measure: exporter.Measure, Log: log, Counts: d.counts})
	d.registry.MustRegister(prices, meter)
	listener := &nobody{closed: make(chan struct{})}
	go func() { _ = d.box.Serve(ctx, listener) }()
	go exporter.Run(ctx)
	go meter.Run(ctx)
	go prices.Run(ctx, exporter.Calls().GetProducts, log)
}

func (d *deployment) counts() cost.Own {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.own
}

// send makes a request and counts it as the tester's own.
func (d *deployment) send(op metric.Operation, method, path, body string) {
	answered := httptest.NewRecorder()
	d.box.REST().ServeHTTP(answered, httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body)))
	if answered.Code >= 300 {
		d.t.Errorf("%s %s: got %d %s", method, path, answered.Code, answered.Body)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.own.Requests++
	d.own.Attempts[op]++
}

// play sends the same every minute: 60 reads, 60 updates, 6 downloads, an upload.
func (d *deployment) play(minutes int) {
	const record = "/api/stores/s/records/r"
	time.Sleep(time.Second / 2) // between the seconds at which minutes are counted
	for second := range 60 * minutes {
		d.send(metric.GetRecord, "GET", record, "")
		d.send(metric.UpdateRecord, "PUT", record, `{"properties":{"owner_id":"o","game_id":"g"}}`)
		if second%60 == 0 {
			d.send(metric.CreateBlob, "PUT", fmt.Sprintf("%s/blobs/b%d", record, second/60), "content")
		}
		if second%10 == 5 {
			d.send(metric.GetBlob, "GET", record+"/blobs/b0", "")
		}
		time.Sleep(time.Second)
	}
}

// simulateDeployment lets a deployment be played with for some minutes.
func simulateDeployment(t *testing.T, minutes int, check func(*deployment)) {
	synctest.Test(t, func(t *testing.T) {
		config := DefaultConfig()
		config.CloudWatch.Sandbox = true
		config.embed(false)
		d := &deployment{t: t}
		ctx, cancel := context.WithCancel(t.Context())
		d.watch(ctx, config)
		d.send(metric.CreateStore, "POST", "/api/stores", `{"store_id":"s"}`)
		d.send(metric.CreateRecord, "POST", "/api/stores/s/records", `{"record_id":"r","properties":{"owner_id":"o","game_id":"g"}}`)
		d.play(minutes)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		check(d)
		cancel()
	})
}

// absent are the metrics that the stock deployment does not have.
var absent = []metric.Definition{
	metric.DynamoDBProvisionedRead, metric.DynamoDBProvisionedWrite, metric.DynamoDBThrottleReasons,
	metric.RedisReplicationLag, metric.RedisLatency, metric.RedisECPU, metric.RedisThrottled, metric.RedisAllCommands,
	metric.RedisHitRatio, // the REST server writes its cache and never reads it
	metric.CloudWatchErrors,
}

func TestTheSandboxShowsEveryMetricOfTheStockDeployment(t *testing.T) {
	simulateDeployment(t, 20, func(d *deployment) {
		shown, err := gather(d.registry)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, definition := range metric.AWS {
			want = append(want, definition.Name)
		}
		for _, definition := range absent {
			want = slices.DeleteFunc(want, func(name string) bool { return name == definition.Name })
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(shown))); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		for key, age := range shown[metric.CloudWatchDataAge.Name] {
			if limit := 4*time.Minute + 15*time.Second; age.value < 60 || age.value > limit.Seconds() && !strings.Contains(key, "s3") {
				t.Errorf("%s: got a data age of %v s, want the delay and a minute at most", key, age.value)
			}
		}
		for key, up := range shown[metric.CloudWatchUp.Name] {
			if up.value != 1 {
				t.Errorf("%s: got up %v, want 1", key, up.value)
			}
		}
		if problems, err := testutil.GatherAndLint(d.registry); err != nil || len(problems) > 0 {
			t.Errorf("got %v, %v, want no problems", problems, err)
		}
	})
}

// A minute of play is 127 requests. They read 60 × 0.5 units for reads, as many
// for updates and 7 × 0.5 for blobs: 63.5; and write three units (the table and
// two indexes) for each of 60 updates and the new blob: 183. S3 gets one PUT, and
// a HEAD and a GET for each of 6 downloads.
func TestCostPerMillionIsThatOfAHandCalculation(t *testing.T) {
	simulateDeployment(t, 20, func(d *deployment) {
		const requests = 127.0
		line := func(component, kind string) string {
			return labels{"component": component, "kind": kind}.String()
		}
		want := map[string]float64{
			line("dynamodb", "variable"): (63.5*0.125e-6 + 183*0.625e-6) / requests * 1e6,
			line("s3", "variable"):       (1*5e-6 + 12*0.4e-6) / requests * 1e6,
			line("eks", "fixed"):         (0.10 + 2*0.0416) / 60 / requests * 1e6,
			line("redis", "fixed"):       0.032 / 60 / requests * 1e6,
			line("network", "fixed"):     (0.045 + 0.025) / 60 / requests * 1e6,
			line("edge", "fixed"):        (2*5.0 + 4*1.0) / 730 / 60 / requests * 1e6,
			line("cloudwatch", "fixed"):  float64(polledPerHour) * 1e-5 / 60 / requests * 1e6,
			line("dynamodb", "fixed"):    0, // a few bytes are stored
			line("s3", "fixed"):          0,
		}
		shown, err := gather(d.registry)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, values(shown[metric.CostPerMillion.Name]), cmpopts.EquateApprox(1e-9, 1e-7)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		for key, shared := range shown[metric.CostShared.Name] {
			if shared.value != 0 {
				t.Errorf("%s: got the mark of shared work, want none: all of it is ours", key)
			}
		}
	})
}

// polledPerHour are the billed metrics of the stock deployment: each minute 69 of
// DynamoDB, 44 of EKS, 13 of S3 and 23 of Redis; each five minutes 4 credits of
// nodes and one of the cache; each hour 2 of S3.
const polledPerHour = 60*(69+44+13+23) + 12*(4+1) + 2

func values(all map[string]series) map[string]float64 {
	found := map[string]float64{}
	for key, one := range all {
		found[key] = one.value
	}
	return found
}
