package report

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/api"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// front is a server before a Prometheus, which changes what it is asked or refuses it.
func front(t *testing.T, address string, change func(asked url.Values) (refusal string)) string {
	t.Helper()
	behind, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if refusal := change(r.Form); refusal != "" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"status": "error", "errorType": "execution", "error": %q}`, refusal)
			return
		}
		r.Method, r.Body, r.ContentLength, r.URL.RawQuery = http.MethodGet, http.NoBody, 0, r.Form.Encode()
		r.Header.Del("Content-Type")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// align moves a range to multiples of its step, as query frontends do.
func align(asked url.Values) string {
	step, err := strconv.ParseFloat(asked.Get("step"), 64)
	if err != nil {
		return "" // an instant
	}
	for _, end := range []string{"start", "end"} {
		if at, err := strconv.ParseFloat(asked.Get(end), 64); err == nil {
			asked.Set(end, strconv.FormatFloat(step*math.Floor(at/step), 'f', -1, 64))
		}
	}
	return ""
}

func TestTheTimelineIsTheSameBehindAFrontendThatAlignsRanges(t *testing.T) {
	b := steps(t)
	b.close()
	address := b.serve()
	timeline := func(address string) []Moment {
		client, err := api.NewClient(api.Config{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
			Start: began.Add(7 * time.Second), End: began.Add(110 * time.Minute), Objectives: alerts.DefaultObjectives(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return got.Timeline
	}
	want := timeline(address)
	if diff := cmp.Diff(want, timeline(front(t, address, align)), near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if !want[20].Asked.Known() || !want[20].Achieved.Known() || !want[20].P99.Known() {
		t.Errorf("got %v, want figures", want[20])
	}
}

// A Prometheus refuses to load more samples than it is told to.
func TestWhatAServerRefusesIsNotedAndLeftOut(t *testing.T) {
	const refusal = "query processing would load too many samples into memory in query execution"
	b := &block{T: t}
	b.fill([]phase{healthy(100, 4*time.Hour)})
	b.more()
	b.evenly("process_resident_memory_bytes", "", 0, 4*time.Hour, time.Minute, constantly(1e6))
	b.close()
	got, err := b.until(4*time.Hour, front(t, b.serve(), func(asked url.Values) string {
		if strings.Contains(asked.Get("query"), "process_resident_memory_bytes") {
			return refusal
		}
		return ""
	}))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range got.Drift {
		names = append(names, d.Name)
	}
	if diff := cmp.Diff([]string{"p99 of class read", "requests that failed, of all", "requests in flight"}, names); diff != "" {
		t.Errorf("drift: wanted -, got +\n%s", diff)
	}
	notes := []string{"Prometheus remarks: it did not answer, so the report goes without: " + refusal + `: max(process_resident_memory_bytes{job="opensaves-soak"})`}
	if diff := cmp.Diff(notes, got.Notes); diff != "" {
		t.Errorf("notes: wanted -, got +\n%s", diff)
	}
}

// Of what AWS has told up to a minute, a server that has no shorter memory than its
// own makes no more.
func TestAServerThatRepeatsSamplesMakesNoMinutesOfAWS(t *testing.T) {
	b := steps(t)
	b.evenly(metric.RedisEngineCPU.Name, `,region="r",cache_cluster="c",cache_node="1",stat="avg"`, time.Minute, 21*time.Minute, time.Minute, stepped(0.1, 0.4, 0.95))
	b.close()
	got, err := b.until(30*time.Minute, front(t, b.serve(), func(asked url.Values) string {
		asked.Del("lookback_delta")
		return ""
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Figure{0.1, 0.4, none}, means(got, metric.Redis, engineCPU), near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestARangeThatIsLongerThanItsSamplesIsNoted(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 10*time.Minute)})
	client, err := NewClient(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Make(t.Context(), NewPrometheus(client, alerts.DefaultSettings()), Question{
		Start: began.Add(-time.Hour), End: began.Add(time.Hour), Objectives: alerts.DefaultObjectives(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"There are no samples before 2026-11-20T12:00:00Z.", "There are no samples after 2026-11-20T12:09:45Z."}, got.Notes); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestWrongAnswersOfLevelsThatAreLeftOutAreNotOutsideOfLevels(t *testing.T) {
	wrong := healthy(100, 10*time.Minute)
	wrong.wrong = 9
	b := &block{T: t}
	b.fill([]phase{wrong, healthy(200, 10*time.Minute)})
	client, err := NewClient(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	p := NewPrometheus(client, alerts.DefaultSettings())
	for from, want := range map[time.Duration]map[string]float64{0: {"stale": 9}, 10 * time.Minute: {}} {
		r := &Report{Start: began, End: began.Add(20 * time.Minute)}
		if err := r.outside(t.Context(), p, began.Add(from)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Outside, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("from %s: wanted -, got +\n%s", from, diff)
		}
	}
}
