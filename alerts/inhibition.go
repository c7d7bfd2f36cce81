package alerts

import (
	"io"
	"slices"
	"strings"
)

// inhibition is the format of Alertmanager; see
// https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings.
type inhibition struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string `yaml:"equal,flow"`
}

// WriteInhibitions writes rules for Alertmanager's configuration: what is a
// consequence is not told beside its cause. Wrong data is always told.
func WriteInhibitions(w io.Writer) error {
	named := func(operator string, names ...string) string {
		return "alertname" + operator + `"` + strings.Join(names, "|") + `"`
	}
	equal := strings.Split(kept, ", ")
	faster := func(objective string, more ...string) inhibition {
		name := "OpenSavesSoak" + objective + "Burn"
		return inhibition{[]string{named("=", name+"Fast")}, []string{named("=", name+"Slow")}, slices.Concat(equal, more)}
	}
	generator := named("=~", "OpenSavesSoakGeneratorStalled", "OpenSavesSoakCPUThrottled")
	down := []string{"OpenSavesSoakTargetDown", "OpenSavesSoakAbsent"}
	rest := []string{named("=~", "OpenSavesSoak.+"), named("!~", append(down, "OpenSavesSoakWrongData")...)}
	return write(w, "\n# A section of Alertmanager's configuration.", struct {
		Rules []inhibition `yaml:"inhibit_rules"`
	}{[]inhibition{
		{[]string{generator}, []string{named("=~", "OpenSavesSoakLatency.+")}, equal},
		{[]string{named("=~", down...)}, rest, equal},
		faster("Availability"),
		faster("Latency", "class", "threshold"),
	}})
}
