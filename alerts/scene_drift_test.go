package alerts

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
)

// then is a counter that goes by so much every 30 s for some days, and by
// another step for a day after that.
func then(days int, before, after float64) string {
	return fmt.Sprintf("0+%gx%d 0+%gx2880", before, days*2880, after)
}

func driftScenes() (all []scene) {
	slower, errors, memory := "OpenSavesSoakLatencyDrift", "OpenSavesSoakErrorDrift", "OpenSavesSoakMemoryDrift"
	load := func(after float64) input { return of(metric.Arrivals, "", then(1, 300, after)) }
	same, second, week := load(300), 26*time.Hour, 7*24*time.Hour+2*time.Hour
	add := func(at time.Duration, s scene) {
		s.at, s.every = at, 10*time.Minute
		all = append(all, s)
	}
	labels := `operation="get_record",class="read",outcome="success"`
	name := metric.ResponseTime.Name
	moved := map[string]func(days int, to float64) []input{ // from one bucket into the next
		"classic": func(days int, to float64) []input {
			return []input{
				from("soak-0", name+"_bucket", labels+`,le="0.05"`, then(days, 300, 300-to)),
				from("soak-0", name+"_bucket", labels+`,le="0.1"`, then(days, 300, 300)),
				from("soak-0", name+"_bucket", labels+`,le="+Inf"`, then(days, 300, 300)),
			}
		},
		"native": func(days int, to float64) []input {
			const start, one = "{{schema:0 sum:0 count:0 offset:-4 buckets:[0 0]}}", "{{schema:0 sum:1 count:300 offset:-4 buckets:[%g %g]}}"
			return []input{from("soak-0", name, labels, fmt.Sprintf(start+"+"+one+"x%d "+start+"+"+one+"x2880", 300., 0., days*2880, 300-to, to))}
		},
	}
	p99 := map[string]string{"classic": "99.5ms", "native": "124.1ms"}
	for _, form := range slices.Sorted(maps.Keys(moved)) {
		read := here(p99[form], "class", "read")
		add(second, scene{alert: slower, form: form, name: "twice that of yesterday", input: append(moved[form](1, 300), same), fires: read})
		add(second, scene{alert: slower, form: form, name: "as yesterday", input: append(moved[form](1, 0), same)})
		add(second, scene{alert: slower, form: form, name: "at another rate", input: append(moved[form](1, 300), load(400))})
		add(second, scene{alert: slower, form: form, name: "the load changes", input: append(moved[form](1, 300), same, of(metric.LoadTransition, "", "1x4000"))})
	}
	add(week, scene{
		alert: slower, form: "native", name: "twice that of last week, as yesterday", fires: here(p99["native"], "class", "read"),
		input: []input{of(metric.Arrivals, "", "0+300x25000"), from("soak-0", name, labels,
			"{{schema:0 sum:0 count:0 offset:-4 buckets:[0 0]}}+{{schema:0 sum:1 count:300 offset:-4 buckets:[300 0]}}x14400 "+
				"{{schema:0 sum:0 count:0 offset:-4 buckets:[0 0]}}+{{schema:0 sum:1 count:300 offset:-4 buckets:[0 300]}}x10000")},
	})
	failing := func(before, after float64) []input {
		return append(answers("0+300x6000", then(1, before, after))[:2], same, of(metric.ArrivalsDropped, `reason="max_in_flight",class="read"`, "0x6000"))
	}
	add(second, scene{alert: errors, name: "three times those of yesterday", input: failing(0.3, 0.9), fires: here("0.2991%")})
	add(second, scene{alert: errors, name: "from none to some", input: failing(0, 0.3), fires: here("0.0999%")})
	add(second, scene{alert: errors, name: "from none to hardly any", input: failing(0, 0.015)})
	add(second, scene{alert: errors, name: "half as many again", input: failing(0.3, 0.45)})
	bytes := func(after string) input {
		return foreigner("container_memory_working_set_bytes", `job="kubelet"`, "104857600x2880 "+after+"x2880")
	}
	share := of(metric.EKSPodMemory, `region="r",eks_cluster="c",workload_namespace="n",workload="w",workload_pod="p",stat="avg"`, "0.2x2880 0.3x2880")
	add(second, scene{alert: memory, name: "130 MiB after 100 MiB", input: []input{running, same, bytes("136314880")}, fires: here("130Mi")})
	add(second, scene{alert: memory, name: "by Container Insights", input: []input{running, same, share}, fires: here("0.3")})
	add(second, scene{alert: memory, name: "110 MiB after 100 MiB", input: []input{running, same, bytes("115343360")}})
	return all
}
