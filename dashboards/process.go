package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
)

// What the Go and process collectors say of the tester, and cAdvisor of its pod.

// foreign is a series that others define, of the tester's process.
func foreign(name string) string { return name + "{" + ofReplica + "}" }

func foreignRate(name string) string { return "rate(" + foreign(name) + "[$__rate_interval])" }

// ownPodThrottling finds the tester's pods by the labels that a scrape through
// Kubernetes gives to its own series.
const ownPodThrottling = `sum by (namespace, pod) (rate(container_cpu_cfs_throttled_periods_total{cluster=~"$cluster",namespace=~"$namespace",container!=""}[$__rate_interval]))` +
	` / sum by (namespace, pod) (rate(container_cpu_cfs_periods_total{cluster=~"$cluster",namespace=~"$namespace",container!=""}[$__rate_interval]))` +
	` and on (namespace, pod) opensaves_soak_target_rps{` + ofReplica + `}`

func processCPU() panel {
	return graph(about{"CPU of the tester", "Cores that each replica uses.", units.Short},
		query{foreignRate("process_cpu_seconds_total"), "{{instance}}"})
}

func processMemory() panel {
	return graph(about{"Memory of the tester", "Resident memory of each replica, and the part that holds live objects of Go.", units.BytesIEC},
		query{foreign("process_resident_memory_bytes"), "{{instance}} resident"},
		query{foreign("go_memstats_heap_inuse_bytes"), "{{instance}} heap"})
}

func goroutines() panel {
	return graph(about{"Goroutines of the tester", "Goroutines of each replica, which follow the requests in flight.", units.Short},
		query{foreign("go_goroutines"), "{{instance}}"})
}

func cfsThrottling() panel {
	return line(graph(about{"CFS throttling of the tester", "Share of a pod's scheduling periods in which its CPU limit held it up; nothing where there is no limit.", units.PercentUnit},
		query{ownPodThrottling, "{{pod}}"}), under(alerts.CPUThrottledShare))
}

func descriptors() panel {
	return graph(about{"File descriptors of the tester", "Share of the file descriptors that a replica may open which are open.", units.PercentUnit},
		query{foreign("process_open_fds") + " / " + foreign("process_max_fds"), "{{instance}}"}).Max(1)
}

func collections() panel {
	return graph(about{"Pauses of the tester", "Share of the time for which the garbage collector stops a replica.", units.PercentUnit},
		query{foreignRate("go_gc_duration_seconds_sum"), "{{instance}}"})
}
