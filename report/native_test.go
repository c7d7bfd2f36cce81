package report

import (
	"bytes"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"

	"opensaves-soak/alerts"
	"opensaves-soak/tools"
)

// remote is history with native histograms, which Prometheus takes by remote write.
type remote struct {
	*testing.T
	series []prompb.TimeSeries
}

// add adds a series.
func (w *remote) add(name string, labels map[string]string, s prompb.TimeSeries) {
	all := map[string]string{"__name__": name, "job": "opensaves-soak", "instance": "soak-0"}
	maps.Copy(all, labels)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		s.Labels = append(s.Labels, prompb.Label{Name: key, Value: all[key]})
	}
	w.series = append(w.series, s)
}

// value adds a series of plain samples, over ten minutes.
func (w *remote) value(name string, labels map[string]string, at func(time.Duration) float64) {
	var s prompb.TimeSeries
	for t := time.Duration(0); t <= 10*time.Minute; t += scrape {
		s.Samples = append(s.Samples, prompb.Sample{Value: at(t), Timestamp: began.Add(t).UnixMilli()})
	}
	w.add(name, labels, s)
}

// native adds a series of native histograms of the factor that the tester has:
// so many observations of a value come in each scrape's time.
func (w *remote) native(name string, labels map[string]string, each int, value func(time.Duration) float64) {
	w.Helper()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "Observations.", NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: 1e-5})
	var s prompb.TimeSeries
	for t := time.Duration(0); t <= 10*time.Minute; t += scrape {
		var m dto.Metric
		if err := h.Write(&m); err != nil {
			w.Fatal(err)
		}
		s.Histograms = append(s.Histograms, prompb.FromIntHistogram(began.Add(t).UnixMilli(), integers(m.Histogram)))
		for range each {
			h.Observe(value(t))
		}
	}
	w.add(name, labels, s)
}

// integers is the native part of a histogram as Prometheus keeps it.
func integers(from *dto.Histogram) *histogram.Histogram {
	h := &histogram.Histogram{
		Schema: from.GetSchema(), ZeroThreshold: from.GetZeroThreshold(), ZeroCount: from.GetZeroCount(),
		Count: from.GetSampleCount(), Sum: from.GetSampleSum(), PositiveBuckets: from.PositiveDelta,
	}
	for _, span := range from.PositiveSpan {
		h.PositiveSpans = append(h.PositiveSpans, histogram.Span{Offset: span.GetOffset(), Length: span.GetLength()})
	}
	return h
}

// serve starts a Prometheus that has taken the history.
func (w *remote) serve() string {
	w.Helper()
	directory := w.TempDir()
	config := filepath.Join(directory, "prometheus.yml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		w.Fatal(err)
	}
	address := tools.Prometheus(w, "--config.file="+config, "--storage.tsdb.path="+directory, "--storage.tsdb.retention.time=10y", "--web.enable-remote-write-receiver")
	body, err := (&prompb.WriteRequest{Timeseries: w.series}).Marshal()
	if err != nil {
		w.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.Context(), http.MethodPost, address+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, body)))
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Content-Encoding", "snappy")
	request.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	if said, _ := io.ReadAll(response.Body); response.StatusCode/100 != 2 {
		w.Fatalf("writing: got %s: %s", response.Status, said)
	}
	return address
}

// report is one of everything that was written.
func (w *remote) report() *Report {
	w.Helper()
	client, err := NewClient(w.serve())
	if err != nil {
		w.Fatal(err)
	}
	got, err := Make(w.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{Start: began, End: began.Add(11 * time.Minute), Objectives: alerts.DefaultObjectives()})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// The level's second half is twice as slow as the first: 10 and 20 ms, 15 on average.
// Of five parts of it two or three have a p99 of 10 ms, the others of 20.
func TestTheFiguresOfNativeHistogramsAreThoseOfAHandCalculation(t *testing.T) {
	w := &remote{T: t}
	counting := func(rate float64) func(time.Duration) float64 {
		return func(at time.Duration) float64 { return rate * at.Seconds() }
	}
	halves := func(at time.Duration) float64 {
		if at < 5*time.Minute {
			return 0.01
		}
		return 0.02
	}
	read := map[string]string{"operation": "get_record", "class": "read"}
	success := map[string]string{"operation": "get_record", "class": "read", "outcome": "success"}
	ok := map[string]string{"operation": "get_record", "class": "read", "outcome": "success", "code": "OK"}
	w.value("opensaves_soak_fleet_target_rps", nil, func(time.Duration) float64 { return 100 })
	w.value("opensaves_soak_warmup", nil, func(time.Duration) float64 { return 0 })
	w.value("opensaves_soak_requests_total", ok, counting(100))
	w.value("opensaves_soak_checks_total", map[string]string{"check": "record", "result": "ok"}, counting(100))
	w.native("opensaves_soak_response_time_seconds", success, 1500, halves)
	w.native("opensaves_soak_request_duration_seconds", read, 1500, halves)
	w.native("opensaves_soak_staleness_seconds", read, 3, func(time.Duration) float64 { return 1 })
	w.native("opensaves_soak_schedule_lag_seconds", nil, 1500, func(time.Duration) float64 { return 0.001 })
	w.native("opensaves_soak_blob_duration_seconds", map[string]string{"operation": "get_blob", "size": "64KiB", "phase": "total"}, 15, func(time.Duration) float64 { return 2 })
	got := w.report()
	if len(got.Levels) != 1 || len(got.Levels[0].Operations) != 1 {
		t.Fatalf("got %+v, want a level with an operation", got.Levels)
	}
	l, o := got.Levels[0], got.Levels[0].Operations[0]
	within := func(got Figure, low, high float64) bool { return float64(got) >= low && float64(got) <= high }
	for name, right := range map[string]bool{
		"average":   within(o.Mean, 0.0149, 0.0153), // the first sample is cut off
		"p50":       within(o.P50, 0.0095, 0.0205),
		"p99":       math.Abs(float64(o.P99)-0.02) <= float64(o.Error*o.P99),
		"error":     math.Abs(float64(o.Error)-(1-math.Exp2(-46./8)/float64(o.P99))) < 1e-9,
		"noise":     within(o.Noise, 0.25, 0.4), // 10, 10, 20, 20, 20: 4.9 ÷ 16; 10, 10, 10, 20, 20: 4.9 ÷ 14
		"in flight": within(l.InFlight, 1.49, 1.53),
		"coverage":  within(l.Covered, 0.999, 1.001),
		"lag":       within(l.Lag, 0.00095, 0.0011),
		"blobs":     len(l.Blobs) == 1 && within(l.Blobs[0].RPS, 0.99, 1.01) && within(l.Blobs[0].Mean, 1.99, 2.01) && within(l.Blobs[0].P99, 1.9, 2.1),
	} {
		if !right {
			t.Errorf("%s: got %+v and %+v", name, l, o)
		}
	}
	want := []string{"stale ratio: got 0.2 %, want at most 0.1 %", "latency of small_blob: got 0 % within 1s, want at least 99 %"}
	if diff := cmp.Diff(want, l.Missed); diff != "" {
		t.Errorf("missed: wanted -, got +\n%s", diff)
	}
}
