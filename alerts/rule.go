package alerts

import (
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The files in rules are written by the test that compares them.
//go:generate env UPDATE=1 go test -count=1 -run=^TestGeneratedFilesAreUpToDate$ .

// Rule records a series or raises an alert: one of Record and Alert is set.
type Rule struct {
	Record      string
	Alert       string
	Expr        string        // PromQL
	For         time.Duration // how long Expr must hold before the alert fires
	Labels      map[string]string
	Annotations map[string]string
	Alarms      []Alarm // the same watch by CloudWatch, where it can
}

// Group is rules that are evaluated one after the other.
type Group struct {
	Name     string
	Scope    string // a hash of the selector, empty for the default one
	Interval time.Duration
	Rules    []Rule
}

// Settings are what rules need to know of the place where they run.
type Settings struct {
	Selector     string  // matchers of the tester's series, by the labels cluster, namespace and job alone
	Pods         string  // matchers of Open Saves' pods in kube-state-metrics and cAdvisor
	RunbookURL   string  // what the names of runbooks are appended to
	DashboardURL string  // address of Grafana; empty: links within it
	Shorten      float64 // divides all times but those of AWS, for tests; 0: 1
}

// DefaultSettings are those of a stock deployment. Its links to runbooks are
// paths in this repository.
func DefaultSettings() Settings {
	return Settings{
		Selector:   `job="opensaves-soak"`,
		Pods:       `namespace="open-saves",pod=~"open-saves-.*"`,
		RunbookURL: "docs/runbooks",
	}
}

// The values of the label "severity": critical wakes somebody, warning can wait
// for the day.
const (
	Critical = "critical"
	Warning  = "warning"
)

// The uids of the dashboards that alerts link to.
const (
	BoardOverview = "opensaves-soak-overview"
	BoardEKS      = "opensaves-soak-eks"
	BoardDynamoDB = "opensaves-soak-dynamodb"
	BoardS3       = "opensaves-soak-s3"
	BoardRedis    = "opensaves-soak-redis"
	BoardLoad     = "opensaves-soak-load"
)

// Rules returns all rules for objectives and settings that are valid, in the
// order in which they must be loaded.
func Rules(o Objectives, s Settings) []Group {
	b := builder{o, s}
	return []Group{b.integrity(), b.objectives(), b.tester(), b.components(), b.aws(), b.drift()}
}

// Validate refuses a selector that recorded series could not be found by, and
// what is no list of matchers.
func (s Settings) Validate() error {
	names, err := matched(s.Selector)
	if err != nil {
		return fmt.Errorf("reading the selector: %w", err)
	}
	for _, name := range names {
		if name != "cluster" && name != "namespace" && name != "job" {
			return fmt.Errorf("reading the selector: got label %q, want cluster, namespace or job, which recorded series keep", name)
		}
	}
	if _, err := matched(s.Pods); err != nil {
		return fmt.Errorf("reading the pods' selector: %w", err)
	}
	return nil
}

var matcher = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\["\\])*")\s*(?:,|$)`)

// matched returns the labels that a list of matchers names; there is at least one.
func matched(selector string) (names []string, err error) {
	if strings.HasSuffix(strings.TrimSpace(selector), ",") {
		return nil, fmt.Errorf("got %q, want no comma at the end: more matchers follow", selector)
	}
	for rest := selector; rest != "" || names == nil; {
		found := matcher.FindStringSubmatch(rest)
		if found == nil {
			return nil, fmt.Errorf(`got %q at %q, want matchers such as job="opensaves-soak"`, selector, rest)
		}
		if strings.HasSuffix(found[2], "~") {
			value := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(found[3][1 : len(found[3])-1])
			if _, err := regexp.Compile(value); err != nil {
				return nil, fmt.Errorf("reading the value of label %q: %w", found[1], err)
			}
		}
		names, rest = append(names, found[1]), rest[len(found[0]):]
	}
	return names, nil
}

// alert is an alert before it knows where it runs.
type alert struct {
	name, severity, board string
	expr                  string
	wait                  time.Duration
	summary, description  string
	alarms                []Alarm
}

// builder makes rules.
type builder struct {
	Objectives
	Settings
}

// group makes a group of recording rules and alerts.
func (b builder) group(name string, records []Rule, alerts ...alert) Group {
	g := Group{Name: "opensaves-soak." + name, Scope: b.scope(), Interval: b.short(time.Minute), Rules: records}
	for _, a := range alerts {
		g.Rules = append(g.Rules, Rule{
			Alert: a.name, Expr: a.expr, For: b.short(a.wait), Alarms: a.alarms,
			Labels: map[string]string{"severity": a.severity},
			Annotations: map[string]string{
				"summary":       a.summary,
				"description":   a.description,
				"dashboard_url": strings.TrimSuffix(b.DashboardURL, "/") + "/d/" + a.board + boardVariables,
				"runbook_url":   strings.TrimSuffix(b.RunbookURL, "/") + "/" + a.name + ".md",
			},
		})
	}
	return g
}

// scope tells the rules of releases apart where their names are not enough.
func (s Settings) scope() string {
	if s.Selector == DefaultSettings().Selector {
		return ""
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, s.Selector) // a hash takes everything
	return fmt.Sprintf("%08x", h.Sum32())
}

const boardVariables = "?var-cluster={{ $labels.cluster }}&var-namespace={{ $labels.namespace }}&var-job={{ $labels.job }}"

// short is a time as it is in a test.
func (b builder) short(d time.Duration) time.Duration {
	if b.Shorten == 0 {
		return d
	}
	return time.Duration(float64(d) / b.Shorten).Round(time.Millisecond)
}

// over writes a time as PromQL has it, shortened.
func (b builder) over(d time.Duration) string { return model.Duration(b.short(d)).String() }
