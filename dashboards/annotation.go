package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"opensaves-soak/exporter/metric"
)

// annotations mark on every board what may explain a change.
func annotations() []cog.Builder[dashboard.AnnotationQuery] {
	return []cog.Builder[dashboard.AnnotationQuery]{
		event("Load changes", "blue", loadChanges(), "Load: {{rps}} requests a second", "by {{source}}"),
		event("Guard trips", "red", recent("reason", metric.GuardTrips), "Guard: {{reason}}", "A safety guard began to hold the load down."),
		event("Rollouts of the target", "purple", rollouts, "Rollout: {{replicaset}}", "A new ReplicaSet of {{namespace}}"),
		event("Scaling of the target", "orange", scaling, "Scaling: {{deployment}}", "Another number of replicas in {{namespace}}"),
	}
}

// event is what happened where an expression is above 0, looked at each minute.
func event(name, color, expr, title, body string) *dashboard.AnnotationQueryBuilder {
	return dashboard.NewAnnotationQueryBuilder().Name(name).Datasource(source).Enable(true).IconColor(color).
		Expr(expr).Step("60s").TitleFormat(title).TextFormat(body)
}

// recent is what grew within the last two minutes, so that no step misses it.
func recent(by string, d metric.Definition) string {
	return sum(by, "increase("+own(d)+"[2m])") + " > 0"
}

// loadChanges has the source of a change and the rate in force as labels: texts
// of annotations show labels, not values.
func loadChanges() string {
	rps := `count_values("rps", round(max(` + own(metric.FleetTargetRPS) + `), 0.1))`
	return "(" + recent("source", metric.LoadChanges) + ") * on () group_left (rps) " + rps
}

// What kube-state-metrics says of the target's Deployments.
const (
	rollouts = `max by (namespace, replicaset) (kube_replicaset_created{cluster=~"$cluster",namespace=~"$target_namespace",replicaset=~"($workload)-.*"}) > time() - 120`
	scaling  = `max by (namespace, deployment) (changes(kube_deployment_spec_replicas{cluster=~"$cluster",namespace=~"$target_namespace",deployment=~"$workload"}[2m])) > 0`
)
