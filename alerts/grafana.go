package alerts

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// grafanaFile is the format of Grafana's provisioning; see
// https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/.
type grafanaFile struct {
	APIVersion int            `yaml:"apiVersion"`
	Groups     []grafanaGroup `yaml:"groups"`
}

type grafanaGroup struct {
	OrgID    int            `yaml:"orgId"`
	Name     string         `yaml:"name"`
	Folder   string         `yaml:"folder"`
	Interval model.Duration `yaml:"interval"`
	Rules    []grafanaRule  `yaml:"rules"`
}

type grafanaRule struct {
	UID          string            `yaml:"uid"`
	Title        string            `yaml:"title"`
	Condition    string            `yaml:"condition"`
	Data         []grafanaQuery    `yaml:"data"`
	NoDataState  string            `yaml:"noDataState"`
	ExecErrState string            `yaml:"execErrState"`
	For          model.Duration    `yaml:"for"`
	Annotations  map[string]string `yaml:"annotations"`
	Labels       map[string]string `yaml:"labels"`
}

type grafanaQuery struct {
	RefID      string         `yaml:"refId"`
	Range      map[string]int `yaml:"relativeTimeRange"`
	DataSource string         `yaml:"datasourceUid"`
	Model      map[string]any `yaml:"model"`
}

// GrafanaDataSource is the variable of Grafana's environment that holds the uid
// of the Prometheus data source.
const GrafanaDataSource = "${PROMETHEUS_UID}"

// WriteGrafana writes the alerts as Grafana-managed rules for its folder
// provisioning/alerting. The data source must be a Prometheus that has the
// recording rules of WritePrometheus.
func WriteGrafana(w io.Writer, groups []Group) error {
	f := grafanaFile{APIVersion: 1}
	for _, g := range groups {
		to := grafanaGroup{OrgID: 1, Name: g.Name, Folder: joined("Open Saves soak", " ", g.Scope), Interval: model.Duration(max(g.Interval, leastInterval))}
		for _, r := range g.Rules {
			if r.Alert != "" {
				to.Rules = append(to.Rules, grafanaRuleOf(r, g.Scope))
			}
		}
		f.Groups = append(f.Groups, to)
	}
	return write(w, "\n# Set PROMETHEUS_UID in Grafana's environment: a data source that has the recording rules of prometheus.yaml.", f)
}

// leastInterval is how often Grafana evaluates rules at most.
const leastInterval = 10 * time.Second

// grafanaRuleOf asks as Prometheus does, where every series that comes back
// fires, whatever its value. Uids are unique in Grafana, titles in their folder.
func grafanaRuleOf(r Rule, scope string) grafanaRule {
	annotations := map[string]string{}
	for name, text := range r.Annotations {
		annotations[name] = strings.ReplaceAll(text, "$value", "$values.A.Value")
	}
	return grafanaRule{
		UID: joined(grafanaUID(r.Alert), "-", scope), Title: r.Alert, Condition: "C", For: model.Duration(r.For), Labels: r.Labels, Annotations: annotations,
		NoDataState: "OK", ExecErrState: "Error",
		Data: []grafanaQuery{
			{"A", map[string]int{"from": 600, "to": 0}, GrafanaDataSource, map[string]any{
				"refId": "A", "expr": r.Expr, "instant": true, "range": false,
			}},
			{"B", map[string]int{"from": 0, "to": 0}, "__expr__", map[string]any{
				"refId": "B", "type": "math", "expression": "is_number($A) || is_inf($A)",
			}},
			{"C", map[string]int{"from": 0, "to": 0}, "__expr__", map[string]any{
				"refId": "C", "type": "threshold", "expression": "B",
				"conditions": []map[string]any{{"evaluator": map[string]any{"type": "gt", "params": []int{0}}}},
			}},
		},
	}
}

// joined adds the scope to a name, if there is one.
func joined(name, separator, scope string) string {
	if scope == "" {
		return name
	}
	return name + separator + scope
}

// grafanaUID makes a uid that stays the same: "soak-wrong-data", at most 31 characters.
func grafanaUID(name string) string {
	var uid strings.Builder
	uid.WriteString("soak")
	upper := true
	for _, c := range strings.TrimPrefix(name, "OpenSavesSoak") {
		was := upper
		if upper = 'A' <= c && c <= 'Z'; upper && !was || uid.Len() == len("soak") {
			uid.WriteByte('-')
		}
		fmt.Fprint(&uid, strings.ToLower(string(c)))
	}
	return uid.String()
}
