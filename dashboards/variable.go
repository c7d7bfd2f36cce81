package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// variables are what one may choose on a board.
func (d design) variables() []cog.Builder[dashboard.VariableModel] {
	all := []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"),
		choice("cluster", "Cluster", labelValues(metric.TargetRPS, "", "cluster")),
		choice("namespace", "Namespace", labelValues(metric.TargetRPS, `cluster=~"$cluster"`, "namespace")),
		choice("job", "Job", labelValues(metric.TargetRPS, `cluster=~"$cluster",namespace=~"$namespace"`, "job")),
		choice("replica", "Replica", labelValues(metric.TargetRPS, ofJob, "instance")),
		choice("operation", "Operation", labelValues(metric.Requests, ofReplica, "operation")),
		choice("target_namespace", "Target's namespace", "query_result("+targetNamespaces+")").Regex(`/target_namespace="([^"]+)"/`),
		dashboard.NewTextBoxVariableBuilder("workload").Label("Target's workloads").
			Description("A regular expression for the names of the target's Deployments or StatefulSets.").
			DefaultValue(text("open-saves.*")),
	}
	if d.pods {
		all = append(all, podSource())
	}
	return all
}

// targetNamespaces is each namespace that a source of pod metrics knows.
var targetNamespaces = "group by (target_namespace) (" + either(
	`label_replace(kube_pod_info{cluster=~"$cluster"}, "target_namespace", "$1", "namespace", "(.+)")`,
	`label_replace(`+metric.EKSWorkloadPods.Name+`{`+ofJob+`}, "target_namespace", "$1", "workload_namespace", "(.+)")`) + ")"

// podSource chooses whose metrics of pods are shown.
func podSource() cog.Builder[dashboard.VariableModel] {
	return dashboard.NewCustomVariableBuilder("pods").Label("Pod metrics").
		Values(text("whatever there is : 0,kube-state-metrics and cAdvisor : 1,Container Insights : 2")).
		Current(option("whatever there is", "0"))
}

// pods is the series of pods, from the source that is chosen. Those of the
// cluster are fresher, and taken where both are there.
func pods(cluster, insights string) string {
	return either("(("+cluster+") and on () (vector($pods) != 2))", "(("+insights+") and on () (vector($pods) != 1))")
}

func labelValues(d metric.Definition, selector, label string) string {
	return "label_values(" + d.Name + "{" + selector + "}, " + label + ")"
}

// choice is of any number of values. All of them is .*, so that a label which
// nobody sets, as cluster often is, hides nothing.
func choice(name, label, query string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source).
		Query(text(query)).Definition(query).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").Current(option("All", "$__all"))
}

func option(shown, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{String: &shown},
		Value:    dashboard.StringOrArrayOfString{String: &value},
	}
}

func text(s string) dashboard.StringOrMap { return dashboard.StringOrMap{String: &s} }

// keep carries what is chosen into a link.
const keep = "${__url_time_range}&${datasource:queryparam}&${cluster:queryparam}&${namespace:queryparam}&${job:queryparam}" +
	"&${replica:queryparam}&${target_namespace:queryparam}&${workload:queryparam}"

// toOperation leads from a series or a row of a table to the view of its
// operation; value is where Grafana finds the name.
func toOperation(value string) []cog.Builder[dashboard.DashboardLink] {
	return []cog.Builder[dashboard.DashboardLink]{
		dashboard.NewDashboardLinkBuilder("Show this operation").
			Url("/d/" + alerts.BoardLoad + "?var-operation=" + value + "&" + keep),
	}
}

// Where a link finds an operation.
const (
	inSeries = "${__field.labels.operation}"
	inTable  = "${__data.fields.operation}"
)
