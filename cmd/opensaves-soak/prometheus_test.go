package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"opensaves-soak/alerts"
	"opensaves-soak/dashboards"
	"opensaves-soak/tools"
)

// promServer is a real Prometheus, in a process of its own.
type promServer struct {
	url string
}

// startPrometheus starts one that scrapes an address in a mode, with the rules, and
// ends it with the test.
func startPrometheus(t *testing.T, address, mode, rules string) *promServer {
	t.Helper()
	directory := t.TempDir()
	config := fmt.Sprintf(`
global: {scrape_interval: 5s, evaluation_interval: 5s, external_labels: {cluster: test}}
rule_files: [%q]
scrape_configs:
  - job_name: opensaves-soak
    track_timestamps_staleness: true
    %s
    static_configs: [{targets: [%q], labels: {cluster: test, namespace: soak}}]
`, rules, mode, address)
	file := filepath.Join(directory, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return &promServer{url: tools.Prometheus(t, "--config.file="+file, "--storage.tsdb.path="+directory)}
}

// ask puts a question to its HTTP API.
func (p *promServer) ask(t *testing.T, path, query string, into any) {
	t.Helper()
	answer, err := http.PostForm(p.url+path, url.Values{"query": {query}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body := struct {
		Error string
		Data  any
	}{Data: into}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Error != "" {
		t.Fatalf("%s: got %v %s", query, err, body.Error)
	}
}

// has says whether a query returns anything.
func (p *promServer) has(t *testing.T, query string) bool {
	var data struct {
		ResultType string
		Result     json.RawMessage
	}
	p.ask(t, "/api/v1/query", query, &data)
	return data.ResultType == "scalar" || string(data.Result) != "[]"
}

// chosen are values of the boards' variables.
var chosen = strings.NewReplacer(
	"$__rate_interval", "1m", "$__interval", "15s", "$__range", "5m", "$pods", "0", "${pods}", "0",
	"$cluster", ".*", "$namespace", ".*", "$job", ".*", "$replica", ".*", "$operation", ".*", "$target_namespace", ".*", "$workload", ".*",
	"${cluster}", ".*", "${namespace}", ".*", "${job}", ".*", "${replica}", ".*", "${operation}", ".*", "${target_namespace}", ".*", "${workload}", ".*",
)

// questions are all queries of panels and all operands of rules' comparisons, by
// where they stand.
func questions(t *testing.T, p *promServer, rules []alerts.Group) map[string]string {
	t.Helper()
	all := map[string]string{}
	panels, err := dashboards.Panels(dashboards.Options{Objectives: alerts.DefaultObjectives()})
	if err != nil {
		t.Fatal(err)
	}
	for _, panel := range panels {
		for i, query := range panel.Queries {
			all[fmt.Sprintf("%s / %s / %d", panel.Board, panel.Title, i)] = chosen.Replace(query)
		}
	}
	for _, group := range rules {
		for _, rule := range group.Rules {
			var parsed node
			p.ask(t, "/api/v1/parse_query", rule.Expr, &parsed)
			for i, operand := range parsed.operands() {
				all[fmt.Sprintf("%s%s / %d", rule.Alert, rule.Record, i)] = operand
			}
		}
	}
	return all
}

// silent are the questions that a sandbox on one machine cannot answer, with the
// reason.
var silent = []struct {
	query  *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`kube_|container_|opensaves_pod_memory`), "there is no Kubernetes"},
	{regexp.MustCompile(`offset (4h48m|33h36m)0s`), "there was no tester a day and a week ago, times being shortened"},
	{regexp.MustCompile(`provisioned_(read|write)|redis_(request_latency|ecpu|throttled|all_commands|replication_lag)|credits.*standard`), "the stock deployment has none"},
	{regexp.MustCompile(`redis_cache_hit_ratio`), "the REST server never reads its cache"},
	{regexp.MustCompile(`outcome="aborted"`), "REST knows no contention"},
	{regexp.MustCompile(`cloudwatch_api_errors_total`), "AWS refuses nothing"},
}

// forms are what a mode of scraping leaves out: rules ask for both forms of a
// histogram, one `or` the other.
var forms = map[string]*regexp.Regexp{
	"native":  regexp.MustCompile(`_bucket\{|_seconds_count\{`),
	"classic": regexp.MustCompile(`histogram_(count|fraction|avg|sum)\(`),
}

func mute(mode, query string) bool {
	if form := forms[mode]; form != nil && form.MatchString(query) {
		return true
	}
	for _, s := range silent {
		if s.query.MatchString(query) {
			return true
		}
	}
	return false
}

// The daemon against a sandbox in a process of its own that misbehaves, seen by
// three real Prometheis: what every panel and rule asks for must be there.
func TestEveryQueryOfPanelsAndRulesReturnsData(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	box, err := launch(exec.Command(name, "sandbox", "--web.listen-address=127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.end(syscall.SIGKILL) })
	send(t, http.MethodPut, box.url+"/api/v1/sandbox/faults", `{"error": {"ratio": 0.02, "code": "Unavailable"}, "dynamodb_throttle": 0.02, "kinds": {"corrupt": 0.01}}`)
	config := filepath.Join(directory, "soak.yml")
	write(t, config, `
load: {rps: 150, scenarios: {mixed: 3, cache: 1, queries: 1, blobs: 1}}
data: {records: 1500, stores: 4}
safety: {error_ratio: 0}
storage: {path: `+filepath.Join(directory, "ledger")+`}
cloudwatch: {region: us-east-1, delay: 0s, s3: {delay: 0s}, dynamodb: {throttle_reasons: true}}
cost: {budget_usd_per_hour: 1}
`)
	run := exec.Command(name, "run", "--config.file="+config, "--target.address="+box.url, "--web.listen-address=127.0.0.1:0")
	run.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+box.url+"/aws", "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_CA_BUNDLE=")
	soak, err := launch(run)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = soak.end(syscall.SIGKILL) })
	send(t, http.MethodPatch, soak.url+"/api/v1/load", `{"rps": 160}`) // an override, of which a panel tells
	settings := alerts.DefaultSettings()
	settings.Shorten = 5
	rules := alerts.Rules(alerts.DefaultObjectives(), settings)
	file := filepath.Join(directory, "rules.yaml")
	var text bytes.Buffer
	if err := alerts.WritePrometheus(&text, rules); err != nil {
		t.Fatal(err)
	}
	write(t, file, text.String())
	for mode, scrape := range map[string]string{
		"native":  "scrape_native_histograms: true",
		"classic": "scrape_native_histograms: false",
		"both":    "scrape_native_histograms: true\n    always_scrape_classic_histograms: true",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := startPrometheus(t, strings.TrimPrefix(soak.url, "http://"), scrape, file)
			left := questions(t, p, rules)
			for deadline := time.Now().Add(9 * time.Minute); len(left) > 0 && time.Now().Before(deadline); time.Sleep(10 * time.Second) {
				for at, query := range left {
					if mute(mode, query) || p.has(t, query) {
						delete(left, at)
					}
				}
			}
			for at, query := range left {
				t.Errorf("%s: got no data of %s", at, query)
			}
		})
	}
}

func send(t *testing.T, method, address, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: got %s", method, address, answer.Status)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
