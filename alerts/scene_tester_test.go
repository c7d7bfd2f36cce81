package alerts

import (
	"fmt"
	"time"

	"opensaves-soak/exporter/metric"
)

func generatorScenes() []scene {
	arrivals := of(metric.Arrivals, "", steps(300))
	dropped := func(reason string, n float64) input {
		return of(metric.ArrivalsDropped, `reason="`+reason+`",class="read"`, steps(n))
	}
	answered := func(n float64) input { return answers(steps(n), "")[0] }
	cgroup := func(pod string, throttled float64) []input {
		labels := `{cluster="eu",namespace="soak",job="kubelet",pod="` + pod + `",container="opensaves-soak"}`
		return []input{
			running,
			{"container_cpu_cfs_periods_total" + labels, steps(300)},
			{"container_cpu_cfs_throttled_periods_total" + labels, steps(throttled)},
		}
	}
	half := 30 * time.Minute
	return []scene{
		{alert: "OpenSavesSoakAbsent", name: "never seen", at: half, alone: true, fires: []told{{map[string]string{"job": "opensaves-soak"}, ""}}},
		{alert: "OpenSavesSoakAbsent", name: "gone", at: half, input: []input{of(metric.TargetRPS, "", "10x20")}, fires: here("")},
		{
			alert: "OpenSavesSoakAbsent", name: "one of two is gone", at: half, fires: here("", "cluster", "us"),
			input: []input{running, {metric.TargetRPS.Name + `{cluster="us",namespace="soak",job="opensaves-soak",instance="b:9842"}`, "10x20"}},
		},
		{alert: "OpenSavesSoakAbsent", name: "there", at: half, input: []input{running}},
		{alert: "OpenSavesSoakGeneratorStalled", name: "2 %", at: half, input: []input{arrivals, dropped("stall", 6)}, fires: here("2%")},
		{
			alert: "OpenSavesSoakGeneratorStalled", name: "the target's fault", at: half,
			input: []input{arrivals, dropped("stall", 1), dropped("max_in_flight", 6)},
		},
		{
			alert: "OpenSavesSoakRateMissed", name: "drops because the target is slow", at: half, fires: here("93.33%"),
			input: []input{arrivals, answered(280), dropped("stall", 0), dropped("max_in_flight", 20)},
		},
		{
			alert: "OpenSavesSoakRateMissed", name: "drops of the generator", at: half,
			input: []input{arrivals, answered(280), dropped("stall", 20), dropped("max_in_flight", 0)},
		},
		{alert: "OpenSavesSoakCPUThrottled", name: "a fifth", at: half, input: cgroup("soak-0", 60), fires: here("20%")},
		{alert: "OpenSavesSoakCPUThrottled", name: "a twentieth", at: half, input: cgroup("soak-0", 15)},
		{alert: "OpenSavesSoakCPUThrottled", name: "another pod", at: half, input: cgroup("other", 60)},
	}
}

func stateScenes() []scene {
	one := func(d metric.Definition, labels, values string) []input { return []input{of(d, labels, values)} }
	override := func(ago int) []input { return one(metric.OverrideStart, "", fmt.Sprintf("%d%s", epoch-ago, hours)) }
	leaders := func(first, second string) []input {
		return []input{from("soak-0", metric.Leader.Name, "", first+hours), from("soak-1", metric.Leader.Name, "", second+hours)}
	}
	half := 30 * time.Minute
	return []scene{
		{alert: "OpenSavesSoakLoadUnsettled", name: "seven hours", at: 7 * time.Hour, input: one(metric.LoadTransition, "", "1x2000"), fires: here("")},
		{alert: "OpenSavesSoakLoadUnsettled", name: "five hours", at: 5 * time.Hour, input: one(metric.LoadTransition, "", "1x2000")},
		{alert: "OpenSavesSoakGuardTripped", name: "active", at: half, input: one(metric.GuardActive, `reason="errors"`, "1"+hours), fires: here("", "reason", "errors")},
		{alert: "OpenSavesSoakGuardTripped", name: "not active", at: half, input: one(metric.GuardActive, `reason="errors"`, "0"+hours)},
		{alert: "OpenSavesSoakOverrideForgotten", name: "a day and an hour", at: 10 * time.Minute, input: override(90000), fires: here("1d 1h 10m 0s")},
		{alert: "OpenSavesSoakOverrideForgotten", name: "an hour", at: 10 * time.Minute, input: override(3600)},
		{alert: "OpenSavesSoakOverrideForgotten", name: "none", at: 10 * time.Minute, input: override(epoch)},
		{alert: "OpenSavesSoakReloadFailed", name: "failed", at: half, input: one(metric.ReloadSuccessful, "", "0"+hours), fires: here("")},
		{alert: "OpenSavesSoakReloadFailed", name: "the fleet's load", at: half, input: one(metric.FleetLoadValid, "", "0"+hours), fires: here("")},
		{alert: "OpenSavesSoakReloadFailed", name: "for a rollout", at: half, input: one(metric.ReloadSuccessful, "", "1x20 0x20 1"+hours)},
		{alert: "OpenSavesSoakReloadFailed", name: "successful", at: half, input: one(metric.ReloadSuccessful, "", "1"+hours)},
		{alert: "OpenSavesSoakLedgerErrors", name: "three", at: half, input: one(metric.LedgerErrors, "", "0x20 3"+hours), fires: here("3")},
		{alert: "OpenSavesSoakLedgerErrors", name: "long ago", at: 3 * time.Hour, input: one(metric.LedgerErrors, "", "3"+hours)},
		{alert: "OpenSavesSoakLedgerVolumeFull", name: "90 %", at: half, input: one(metric.LedgerVolumeUsed, "", "0.9"+hours), fires: here("90%")},
		{alert: "OpenSavesSoakLedgerVolumeFull", name: "half", at: half, input: one(metric.LedgerVolumeUsed, "", "0.5"+hours)},
		{alert: "OpenSavesSoakLeaders", name: "two", at: half, input: leaders("1", "1"), fires: here("2")},
		{alert: "OpenSavesSoakLeaders", name: "none", at: half, input: leaders("0", "0"), fires: here("0")},
		{alert: "OpenSavesSoakLeaders", name: "one", at: half, input: leaders("1", "0")},
		{
			alert: "OpenSavesSoakCleanupFailing", name: "deletions fail", at: 2 * time.Hour, fires: here("60"),
			input: one(metric.CleanupObjects, `kind="record",result="failed"`, steps(1)),
		},
		{
			alert: "OpenSavesSoakCleanupFailing", name: "one deletion failed", at: 2 * time.Hour,
			input: one(metric.CleanupObjects, `kind="record",result="failed"`, "0x160 1"+hours),
		},
	}
}
