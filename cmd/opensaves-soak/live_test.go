package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	livefeed "opensaves-soak/exporter/live"
	"opensaves-soak/exporter/metric"
)

// watchLive opens the live stream of a daemon; each call of next returns a moment.
func (d *daemon) watchLive(t *testing.T) (next func() livefeed.Moment) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + d.face[0].Addr().String() + "/api/v1/live")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewReader(answer.Body)
	return func() (m livefeed.Moment) {
		t.Helper()
		for event := ""; ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if name, found := strings.CutPrefix(line, "event: "); found {
				event = name
			}
			if data, found := strings.CutPrefix(line, "data: "); found && event == "moment\n" {
				if err := json.Unmarshal([]byte(data), &m); err != nil {
					t.Fatal(err)
				}
				return m
			}
		}
	}
}

// soon returns the first moment that is as it is to become.
func soon(t *testing.T, next func() livefeed.Moment, is func(livefeed.Moment) bool) livefeed.Moment {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		m := next()
		if is(m) {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("got %+v at last", m)
		}
	}
}

func beyond(p *float64, limit float64) bool { return p != nil && *p > limit }

func TestTheLiveStreamShowsWhatTheDaemonDoes(t *testing.T) {
	others := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, others) }) // when the stream is closed
	d, end := begin(t, "load: {rps: 200, max_rps: 300}\ndata: {records: 300, stores: 2}\n")
	next := d.watchLive(t)
	m := soon(t, next, func(m livefeed.Moment) bool { return beyond(m.Achieved, 150) && !m.Warmup })
	if m.Asked != 200 || *m.Failed != 0 || *m.Dropped > 20 || m.Wrong != 0 || *m.Judged < 0.5 || m.Load.RPS != 200 || m.USDPerHour != nil || len(m.Components) > 0 {
		t.Errorf("got %+v", m)
	}
	if !(*m.P50 > 0 && *m.P50 <= *m.P99) {
		t.Errorf("got p50 %v and p99 %v", *m.P50, *m.P99)
	}
	sum := 0.0
	for i, one := range m.Operations {
		sum += one.RPS
		if i > 0 && one.Operation <= m.Operations[i-1].Operation || one.P99 == nil {
			t.Errorf("got %+v after %+v, want them by name, with latencies", one, m.Operations[i-1])
		}
	}
	if math.Abs(sum-*m.Achieved) > 1e-6 {
		t.Errorf("got %v a second of all operations, want %v", sum, *m.Achieved)
	}
	d.send(t, http.MethodPut, "/api/v1/sandbox/faults", `{"error": {"ratio": 0.3, "code": "Unavailable"}, "kinds": {"corrupt": 0.3}}`)
	soon(t, next, func(m livefeed.Moment) bool { return beyond(m.Failed, 20) && m.Wrong > 0 })
	d.send(t, http.MethodPatch, "/api/v1/load", `{"paused": true, "reason": "enough"}`)
	m = soon(t, next, func(m livefeed.Moment) bool { return m.Asked == 0 && m.Achieved != nil && *m.Achieved == 0 })
	if !m.Load.Paused || m.P99 != nil || m.Judged != nil || len(m.Operations) > 0 || m.InFlight != 0 {
		t.Errorf("while paused: got %+v", m)
	}
	if got := d.send(t, http.MethodGet, "/api/v1/load/changes", ""); !strings.Contains(got, `"from":200,"to":0,"source":"api","reason":"enough"}]`) {
		t.Errorf("got changes %s", got)
	}
	began := time.Now()
	if err := end(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 4*time.Second { // less than a face waits for an answer
		t.Errorf("got %s until the end with a reader, want no delay", took)
	}
}

func TestWhatAMomentIsMadeOfIsInARegistryOfItsOwn(t *testing.T) {
	all, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	f := metric.Factory{Registerer: few{all, own}}
	f.Counter(metric.Requests).WithLabelValues("ping", "read", "success", "OK").Inc()
	f.Counter(metric.WireAttempts).WithLabelValues("ping").Inc()
	f.GaugeFunc(metric.InFlight, func() float64 { return 3 })
	f.GaugeFunc(metric.Leader, func() float64 { return 1 })
	for registry, want := range map[*prometheus.Registry][]string{
		all: {metric.InFlight.Name, metric.Leader.Name, metric.Requests.Name, metric.WireAttempts.Name},
		own: {metric.InFlight.Name, metric.Requests.Name},
	} {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, family := range families {
			names = append(names, family.GetName())
		}
		if diff := gocmp.Diff(want, names); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	}
}

func TestAPaceIsOfTheSuccessesBetweenTwoSamples(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := metric.Factory{Registerer: registry}
	requests, times := f.Counter(metric.Requests), f.Histogram(metric.ResponseTime)
	take := func(second int, count, seconds float64) sample {
		t.Helper()
		requests.WithLabelValues("ping", "read", "success", "OK").Add(count)
		requests.WithLabelValues("ping", "read", "error", "Unavailable").Add(count / 4)
		for range int(count) {
			times.WithLabelValues("ping", "read", "success").Observe(seconds)
			times.WithLabelValues("ping", "read", "error").Observe(30)
		}
		s, err := gather(registry)
		if err != nil {
			t.Fatal(err)
		}
		s.narrow(metric.ResponseTime)
		return sample{time.Unix(int64(second), 0), s}
	}
	first, second, third := take(0, 1000, 5), take(10, 400, 0.1), take(20, 0, 0)
	p := first.until(second)
	got := p.operations()
	if len(got) != 1 || got[0].Operation != "ping" || got[0].RPS != 50 || got[0].Failed != 0.2 || math.Abs(*got[0].P99/0.1-1) > 0.1 {
		t.Errorf("got %+v", got)
	}
	if rate := p.rate(metric.Requests, labels{"outcome": "error"}); *rate != 10 {
		t.Errorf("got %v errors a second, want 10", *rate)
	}
	p = second.until(third)
	if rate := p.rate(metric.Requests, nil); *rate != 0 || len(p.operations()) > 0 {
		t.Errorf("at rest: got %v a second of %v, want 0 of nothing", *rate, p.operations())
	}
	if p50, p99 := p.quantiles(labels{}); p50 != nil || p99 != nil {
		t.Errorf("at rest: got latencies %v and %v, want none", *p50, *p99)
	}
}

func TestComponentsHaveTheirWorstReadingTheirLimitAndTheirAge(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := metric.Factory{Registerer: registry}
	set := func(v *prometheus.GaugeVec, value float64, values ...string) { v.WithLabelValues(values...).Set(value) }
	units := f.Gauge(metric.DynamoDBReadUnits)
	set(units, 100, "us-east-1", "records", "records", "")
	set(units, 20.5, "us-east-1", "records", "records", "owners")
	set(f.Gauge(metric.S3ErrorRatio), 0.02, "us-east-1", "blobs", "", "5xx")
	cpu, vcpus := f.Gauge(metric.RedisCPU), f.Gauge(metric.RedisVCPUs)
	set(cpu, 0.3, "us-east-1", "cache", "1", "avg")
	set(cpu, 0.4, "us-east-1", "cache", "2", "avg")
	set(cpu, 0.9, "us-east-1", "cache", "2", "max")
	set(f.Gauge(metric.CloudWatchDataAge), 200, "dynamodb")
	costs := f.Gauge(metric.CostPerHour)
	set(costs, 0.25, "eks", "fixed")
	set(costs, 0.5, "dynamodb", "variable")
	million := f.Gauge(metric.CostPerMillion)
	set(million, 1.5, "eks", "fixed")
	set(million, 2, "dynamodb", "variable")
	now := time.Unix(1000, 0)
	reader := awsReader{gatherer: registry}
	read := func(after time.Duration) map[string]string {
		t.Helper()
		if err := reader.read(now.Add(after)); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, c := range reader.components {
			text := func(p *float64) string {
				if p == nil {
					return "-"
				}
				return fmt.Sprint(*p)
			}
			got[c.Component+": "+c.Name] = text(c.Value) + " " + c.Unit + ", limit " + text(c.Limit) + ", age " + text(c.Age)
		}
		return got
	}
	set(vcpus, 2, "us-east-1", "cache", "2")
	want := map[string]string{
		"eks: CPU of the busiest pod, of its limit": "- share, limit -, age -",
		"eks: pods that are ready":                  "- pods, limit -, age -",
		"dynamodb: read capacity units":             "120.5 a second, limit -, age 200",
		"dynamodb: write capacity units":            "- a second, limit -, age 200",
		"dynamodb: throttle events":                 "- a second, limit -, age 200",
		"s3: requests":                              "- a second, limit -, age -",
		"s3: requests answered with 5xx":            "0.02 share, limit 0.01, age -",
		"redis: CPU of the busiest host":            "0.4 share, limit 0.45, age -",
		"redis: CPU of the busiest engine thread":   "- share, limit 0.8, age -",
		"redis: memory of the fullest node":         "- share, limit 0.8, age -",
	}
	if diff := gocmp.Diff(want, read(0)); diff != "" || *reader.usdPerHour != 0.75 || *reader.usdPerMio != 3.5 {
		t.Errorf("got %v USD an hour and %v a million, wanted -, got +\n%s", *reader.usdPerHour, *reader.usdPerMio, diff)
	}
	set(vcpus, 4, "us-east-1", "cache", "2")
	if diff := gocmp.Diff(want, read(awsEvery-1)); diff != "" {
		t.Errorf("before it is time: wanted -, got +\n%s", diff)
	}
	want["redis: CPU of the busiest host"] = "0.4 share, limit -, age -" // of a large one the engine's thread has the limit
	if diff := gocmp.Diff(want, read(awsEvery)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	reader.gatherer = new(passing) // as with a replica that does not lead any more
	if got := read(2 * awsEvery); len(got) > 0 || reader.usdPerHour != nil || reader.usdPerMio != nil {
		t.Errorf("got %v, want nothing", got)
	}
}
