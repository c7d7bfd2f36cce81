package main

import (
	"fmt"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"opensaves-soak/alerts"
)

// alertFlags are the flags of alerts.
type alertFlags struct {
	configFile string
	format     string
	settings   alerts.Settings
}

func (f *alertFlags) declare(cmd *kingpin.CmdClause) {
	standard := alerts.DefaultSettings()
	cmd.Flag("config.file", "Configuration file, for its objectives; empty: the defaults.").StringVar(&f.configFile)
	cmd.Flag("format", "prometheus, prometheusrule, grafana, cloudformation, or inhibitions (of Alertmanager).").Default("prometheus").EnumVar(&f.format, "prometheus", "prometheusrule", "grafana", "cloudformation", "inhibitions")
	cmd.Flag("selector", "Matchers of the tester's series by cluster, namespace and job, so that two releases never alert twice.").Default(standard.Selector).StringVar(&f.settings.Selector)
	cmd.Flag("pods", "Matchers of the target's pods in kube-state-metrics and cAdvisor.").Default(standard.Pods).StringVar(&f.settings.Pods)
	cmd.Flag("runbook-url", "What the names of runbooks are appended to.").Default(standard.RunbookURL).StringVar(&f.settings.RunbookURL)
	cmd.Flag("dashboard-url", "Address of the Grafana that alerts link to; empty: links within it.").StringVar(&f.settings.DashboardURL)
	cmd.Flag("shorten", "Divide all times of rules, to try them.").Hidden().Float64Var(&f.settings.Shorten)
}

// writeAlerts prints the rules in a format.
func (c *command) writeAlerts(f alertFlags) error {
	config, err := (configSource{path: f.configFile, locked: lockedShare}).load()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := f.settings.Validate(); err != nil {
		return fmt.Errorf("%w: --selector, --pods: %w", errUsage, err)
	}
	groups := alerts.Rules(config.Objectives, f.settings)
	write := map[string]func(io.Writer, []alerts.Group) error{
		"prometheus": alerts.WritePrometheus, "prometheusrule": alerts.WritePrometheusRule,
		"grafana": alerts.WriteGrafana, "cloudformation": alerts.WriteCloudFormation,
		"inhibitions": func(w io.Writer, _ []alerts.Group) error { return alerts.WriteInhibitions(w) },
	}
	return write[f.format](c.stdout, groups)
}
