package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/promslog"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/tools"
)

// begin starts a daemon in this process. end ends it, and returns its error.
func begin(t *testing.T, config string, flags ...string) (d *daemon, end func() error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &screen{stdout: new(strings.Builder), stderr: new(strings.Builder)}
	c := &command{stdout: log.stdout, stderr: log.stderr, screen: log}
	app, _ := c.app()
	flags = append([]string{"run", "--config.file=" + file, "--web.listen-address=127.0.0.1:0"}, flags...)
	if _, err := app.Parse(flags); err != nil {
		t.Fatal(err)
	}
	c.log = promslog.New(&promslog.Config{Writer: log})
	d, err := c.newDaemon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.live(ctx) }()
	return d, func() error { cancel(); return <-ended }
}

// eventually gathers until nothing is missing.
func (d *daemon) eventually(t *testing.T, missing func(snapshot) []string) {
	t.Helper()
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for end := time.Now().Add(patience); ; <-beat.C {
		s, err := gather(d.registry)
		if err != nil {
			t.Fatal(err)
		}
		lacks := missing(s)
		if len(lacks) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waiting for %s", strings.Join(lacks, ", "))
		}
	}
}

func TestADaemonThatEndsLeavesNothingUncountedAndNothingRunning(t *testing.T) {
	for _, protocol := range []string{"http", "grpc"} {
		t.Run("with "+protocol, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			d, end := begin(t, "load: {rps: 200, max_rps: 200}\ndata: {records: 300, stores: 2}\n", "--target.protocol="+protocol)
			d.eventually(t, func(s snapshot) []string {
				if s.sum(metric.Requests, nil) < 100 {
					return []string{"100 requests"}
				}
				return nil
			})
			if err := end(); err != nil {
				t.Fatal(err)
			}
			s, err := gather(d.registry)
			if err != nil {
				t.Fatal(err)
			}
			arrivals, answered := s.sum(metric.Arrivals, nil), s.sum(metric.Requests, nil)
			if dropped := s.sum(metric.ArrivalsDropped, nil); arrivals != answered+dropped {
				t.Errorf("got %v arrivals, %v requests and %v drops, want arrivals to be both together", arrivals, answered, dropped)
			}
			if diff := gocmp.Diff(attempts(s), seen(d)); diff != "" {
				t.Errorf("wanted what was written to connections -, got what the server saw +\n%s", diff)
			}
		})
	}
}

// attempts are the requests by operation that the daemon wrote to connections.
func attempts(s snapshot) map[string]float64 {
	counts := map[string]float64{}
	for _, one := range s[metric.WireAttempts.Name] {
		if one.value > 0 {
			counts[one.labels["operation"]] = one.value
		}
	}
	return counts
}

// seen are the requests by operation that the embedded sandbox saw.
func seen(d *daemon) map[string]float64 {
	counts := map[string]float64{}
	for operation, n := range d.sandbox.Requests() {
		if n > 0 {
			counts[operation] = float64(n)
		}
	}
	return counts
}

// everything is a load that sends every operation of a protocol, with blobs of
// the sizes that the defaults have, and soon: most chunked uploads are to be
// committed.
func everything(protocol metric.Protocol) string {
	weights := []string{}
	for op := range metric.Operation(metric.Operations) {
		if op.On(protocol) {
			weight := map[metric.Operation]float64{metric.UploadChunk: 6, metric.AbortChunkedUpload: 0.5}[op]
			weights = append(weights, fmt.Sprintf("%s: %v", op, cmp.Or(weight, 1)))
		}
	}
	return `
load: {rps: 120, max_rps: 120, operations: {` + strings.Join(weights, ", ") + `}}
data: {records: 300, stores: 5, blob_sizes: {1KiB: 1, 100KiB: 1, 2MiB: 1}, max_blob_write_rate: 1GiB, hot_keys: 1}
verify: {blob_quiet: 1ms}
`
}

// Budgets of one replica.
const (
	seriesBudget       = 3000
	nativeSeriesBudget = 900
	pageBudget         = 1 << 20 // bytes
)

func TestTheMetricsOfEveryOperationAreCleanAndWithinTheirBudgets(t *testing.T) {
	promtool := tools.Path(t, "promtool")
	for _, protocol := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		for form, budget := range map[string]int{"": seriesBudget, "no-": nativeSeriesBudget} {
			t.Run(protocol.String()+" --"+form+"metrics.classic-histograms", func(t *testing.T) {
				t.Parallel()
				d, end := begin(t, everything(protocol), "--target.protocol="+protocol.String(), "--"+form+"metrics.classic-histograms")
				defer func() {
					if err := end(); err != nil {
						t.Error(err)
					}
				}()
				d.eventually(t, func(s snapshot) []string { return unseen(s, protocol) })
				d.send(t, http.MethodPatch, "/api/v1/load", `{"scenarios": {"cache": 1}}`)
				d.eventually(t, func(s snapshot) []string {
					if got, want := len(s[metric.CacheReadDuration.Name]), cacheReads[protocol]; got < want {
						return []string{fmt.Sprintf("reads of the cache in %d more ways", want-got)}
					}
					return nil
				})
				checkSeries(t, d, budget)
				checkPage(t, d, promtool)
			})
		}
	}
}

// cacheReads is in how many ways the scenario cache is sure to read soon: what,
// with which hint, and whether for the first time since the last write. Blobs
// have mostly been read before.
var cacheReads = map[metric.Protocol]int{metric.HTTP: 3*2 - 1, metric.GRPC: (2*2+1)*2 - 2}

// send sends a request to the daemon and returns what a success says.
func (d *daemon) send(t *testing.T, method, path, body string) string {
	t.Helper()
	answer, err := ask(method, "http://"+d.face[0].Addr().String()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	status, text, _ := strings.Cut(answer, "\n")
	if status != "200 OK" {
		t.Fatalf("%s %s: got %s", method, path, answer)
	}
	return text
}

// unseen are the operations of a protocol, and the sizes of blobs, that were
// not answered yet.
func unseen(s snapshot, protocol metric.Protocol) (list []string) {
	for op := range metric.Operation(metric.Operations) {
		if !op.On(protocol) {
			continue
		}
		match := labels{"operation": op.String()}
		if s.sum(metric.Requests, match) == 0 {
			list = append(list, op.String())
		}
		for _, size := range blobSizesOf(op) {
			if s.histogram(metric.BlobDuration, match.and("size", size.String())).count() == 0 {
				list = append(list, op.String()+" "+size.String())
			}
		}
	}
	return list
}

// blobSizesOf are the sizes that an operation comes in; a chunk is never large.
func blobSizesOf(op metric.Operation) []metric.BlobSize {
	switch {
	case !op.Transfers():
		return nil
	case op == metric.UploadChunk || op == metric.GetBlobChunk:
		return []metric.BlobSize{metric.Upto64KiB, metric.Upto1MiB}
	}
	return []metric.BlobSize{metric.Upto64KiB, metric.Upto1MiB, metric.Upto10MiB}
}

func checkSeries(t *testing.T, d *daemon, budget int) {
	t.Helper()
	families, err := d.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, family := range families {
		if strings.TrimSpace(family.GetHelp()) == "" {
			t.Errorf("%s has no help", family.GetName())
		}
		for _, m := range family.Metric {
			total += stored(m)
		}
	}
	t.Logf("%d series", total)
	if total > budget {
		t.Errorf("got %d series, want at most %d", total, budget)
	}
	problems, err := testutil.GatherAndLint(d.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// stored is how many series Prometheus makes of a metric: a native histogram
// is one, a classic one has a series for each bucket, +Inf included, and for
// sum and count. A summary has one for each quantile.
func stored(m *dto.Metric) int {
	switch {
	case m.Histogram != nil && len(m.Histogram.Bucket) == 0:
		return 1
	case m.Histogram != nil:
		return len(m.Histogram.Bucket) + 3
	case m.Summary != nil:
		return len(m.Summary.Quantile) + 2
	}
	return 1
}

// checkPage looks at what a scrape in text form gets.
func checkPage(t *testing.T, d *daemon, promtool string) {
	t.Helper()
	text := d.send(t, http.MethodGet, "/metrics", "")
	if len(text) > pageBudget {
		t.Errorf("got %d bytes, want at most %d", len(text), pageBudget)
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	var said bytes.Buffer
	check.Stdout, check.Stderr = &said, &said
	if err := check.Run(); err != nil || said.Len() > 0 {
		t.Errorf("promtool check metrics: got %v, want no complaint\n%s", err, said.String())
	}
}
