package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"opensaves-soak/alerts"
	"opensaves-soak/dashboards"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/scenario"
)

// The tables of the documents are written by the test that compares them.
//go:generate env UPDATE=1 go test -count=1 -run=^TestTheDocumentsSayWhatTheCodeSays$ .

// tables renders all tables of the documents, by name, in Markdown.
func tables() (map[string]string, error) {
	config, err := configTable()
	if err != nil {
		return nil, err
	}
	panels, err := panelTable()
	if err != nil {
		return nil, err
	}
	boards, err := boardTable()
	return map[string]string{"boards": boards, "panels": panels, "alerts": alertTable(), "configuration": config, "metrics": metricTable(metric.Soak), "aws": metricTable(metric.AWS), "operations": operationTable()}, err
}

// panelTable renders every panel of every dashboard.
func panelTable() (string, error) {
	panels, err := dashboards.Panels(dashboards.Options{Objectives: alerts.DefaultObjectives()})
	var rows []string
	for _, p := range panels {
		rows = append(rows, row(p.Board, p.Title, strings.ReplaceAll(p.Description, "|", "\\|")))
	}
	return markdown(rows, "dashboard", "panel", "what it shows"), err
}

// boardTable renders every dashboard with the titles of its panels.
func boardTable() (string, error) {
	options := dashboards.Options{Objectives: alerts.DefaultObjectives()}
	boards, err := dashboards.Boards(options)
	if err != nil {
		return "", err
	}
	panels, err := dashboards.Panels(options)
	titles := map[string][]string{}
	for _, p := range panels {
		titles[p.Board] = append(titles[p.Board], p.Title)
	}
	var rows []string
	for _, b := range boards {
		rows = append(rows, row(b.Title, strings.Join(titles[b.Name], ", ")))
	}
	return markdown(rows, "dashboard", "panels"), err
}

// alertTable renders every alert.
func alertTable() string {
	var rows []string
	for _, group := range alerts.Rules(alerts.DefaultObjectives(), alerts.DefaultSettings()) {
		for _, r := range group.Rules {
			if r.Alert != "" {
				rows = append(rows, row("["+code(r.Alert)+"](runbooks/"+r.Alert+".md)", r.Labels["severity"], model.Duration(r.For).String(), r.Annotations["summary"]))
			}
		}
	}
	return markdown(rows, "alert", "severity", "holds for", "summary")
}

// markdown renders a table of rows.
func markdown(rows []string, columns ...string) string {
	return row(columns...) + "|" + strings.Repeat("---|", len(columns)) + "\n" + strings.Join(rows, "")
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func code(text string) string { return "`" + text + "`" }

// metricTable renders metrics.
func metricTable(definitions []metric.Definition) string {
	var rows []string
	for _, d := range definitions {
		labels := make([]string, len(d.Labels))
		for i, label := range d.Labels {
			labels[i] = code(label)
		}
		rows = append(rows, row(code(d.Name), d.Type, strings.Join(labels, ", "), d.Help))
	}
	return markdown(rows, "metric", "type", "labels", "meaning")
}

// operationTable renders every operation: its class, the APIs that have it, and
// its weight in each scenario.
func operationTable() string {
	names := scenario.Names()
	var rows []string
	for op := range metric.Operation(metric.Operations) {
		cells := []string{code(op.String()), classes(op), yes(op.On(metric.HTTP)), yes(op.On(metric.GRPC))}
		for _, name := range names {
			cells = append(cells, weight(name, op))
		}
		rows = append(rows, row(cells...))
	}
	return markdown(rows, append([]string{"operation", "class", "REST", "gRPC"}, names...)...)
}

func classes(op metric.Operation) string {
	if op.Transfers() {
		return "by size"
	}
	return op.Class(0).String()
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func weight(name string, op metric.Operation) string {
	for _, w := range scenario.Weights(name) {
		if w.Op == op {
			return fmt.Sprint(w.Weight)
		}
	}
	return ""
}

// configTable renders every key of the configuration file, with its default
// and meaning, as a Markdown table. Meanings are the struct tags "help".
func configTable() (string, error) {
	rows, err := configRows(reflect.ValueOf(DefaultConfig()), "")
	if err != nil {
		return "", fmt.Errorf("rendering the configuration: %w", err)
	}
	return markdown(rows, "key", "default", "meaning"), nil
}

func configRows(section reflect.Value, path string) ([]string, error) {
	var rows []string
	for field, value := range section.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		key, help := join(path, name), field.Tag.Get("help")
		if help != "" {
			standard, err := flow(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			rows = append(rows, row(code(key), code(standard), help))
		}
		if inner, suffix, ok := elements(value, help == ""); ok {
			more, err := configRows(inner, key+suffix)
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
	}
	return rows, nil
}

// elements returns what has keys of its own: a section, or the items of a list.
func elements(value reflect.Value, section bool) (inner reflect.Value, suffix string, ok bool) {
	switch {
	case value.Kind() == reflect.Struct && section:
		return value, "", true
	case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
		return reflect.Zero(value.Type().Elem()), "[]", true
	}
	return reflect.Value{}, "", false
}

// flow renders a value as YAML on one line.
func flow(value reflect.Value) (string, error) {
	if value.Kind() == reflect.Pointer && value.IsNil() {
		return "{}", nil
	}
	var node yaml.Node
	if err := node.Encode(value.Interface()); err != nil {
		return "", err
	}
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	return strings.Join(strings.Fields(string(text)), " "), err
}
