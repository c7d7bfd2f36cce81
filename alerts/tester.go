package alerts

import (
	"time"

	"opensaves-soak/exporter/metric"
)

// unsettled is how long the load may change: it holds other alerts back.
const unsettled = 6 * time.Hour

// tester is about the tester itself, and about the target where only the tester
// can tell whose fault it is.
func (b builder) tester() Group {
	return b.group("tester", nil, append(b.generator(), b.state()...)...)
}

// generator is about the rate that is asked for.
func (b builder) generator() []alert {
	five := 5 * time.Minute
	arrivals := sum(b.rate(metric.Arrivals, five))
	dropped := func(matcher string) string { return sum(b.rate(metric.ArrivalsDropped, five, matcher)) }
	return []alert{
		{
			name: "OpenSavesSoakAbsent", severity: Warning, board: BoardLoad, wait: 10 * time.Minute,
			expr:        b.absent(),
			summary:     "The soak tester is gone.",
			description: "Prometheus has had no metrics of the soak tester for 10 minutes: nothing tests Open Saves.",
		},
		{
			name: "OpenSavesSoakGeneratorStalled", severity: Warning, board: BoardLoad, wait: five,
			expr:        dropped(`reason="`+metric.Stall.String()+`"`) + "\n/ (" + arrivals + " > 0)\n> " + number(StallDropShare),
			summary:     "The soak tester cannot keep up with its own schedule.",
			description: "{{ $value | humanizePercentage }} of the arrivals were dropped because the tester was over a second late for them.",
		},
		{
			name: "OpenSavesSoakRateMissed", severity: Warning, board: BoardLoad, wait: five,
			expr: sum(b.rate(metric.Requests, five)) + "\n/ (" + arrivals + " - " + dropped(`reason!="`+metric.MaxInFlight.String()+`"`) +
				" > 0)\n< " + number(b.AchievedRate),
			summary:     "Open Saves does not answer at the rate that is asked for.",
			description: "Only {{ $value | humanizePercentage }} of the arrivals are answered.",
		},
		{
			name: "OpenSavesSoakCPUThrottled", severity: Warning, board: BoardLoad, wait: 10 * time.Minute,
			expr:        b.throttled(),
			summary:     "The soak tester is held up by its CPU limit.",
			description: "A replica is throttled in {{ $value | humanizePercentage }} of its CPU periods: its latencies are partly its own.",
		},
	}
}

// absent finds a tester that was there within a day, or none at all.
func (b builder) absent() string {
	target := b.series(metric.TargetRPS.Name)
	return "(\n  " + over("group", "last_over_time("+target+"["+b.over(day)+"])") + "\n  unless " + b.present() +
		"\n)\nor on () absent(" + target + ")"
}

// throttled joins what cAdvisor counts with the pods that are testers.
func (b builder) throttled() string {
	periods := func(name string) string {
		return "sum by (cluster, namespace, pod) (rate(" + name + `{container="opensaves-soak"}[` + b.over(10*time.Minute) + "]))"
	}
	return over("max", "\n  "+periods("container_cpu_cfs_throttled_periods_total")+
		"\n  / ("+periods("container_cpu_cfs_periods_total")+" > 0)"+
		"\n  * on (cluster, namespace, pod) group_right () "+over("group", b.series(metric.TargetRPS.Name), "pod")+"\n") +
		" > " + number(CPUThrottledShare)
}

// state is about what holds the tester down or makes its answers worth less.
func (b builder) state() []alert {
	failed := b.increase(metric.CleanupObjects, 30*time.Minute, `result="failed"`)
	return []alert{
		{
			name: "OpenSavesSoakGuardTripped", severity: Warning, board: BoardLoad,
			expr:        over("max", b.series(metric.GuardActive.Name), "reason") + " == 1",
			summary:     "A guard holds the load down ({{ $labels.reason }}).",
			description: "The guard against {{ $labels.reason }} is active: less is sent than is asked for.",
		},
		{
			name: "OpenSavesSoakOverrideForgotten", severity: Warning, board: BoardLoad,
			expr:        "time() - " + over("min", b.series(metric.OverrideStart.Name)+" > 0") + " > " + b.seconds(OverrideSeconds),
			summary:     "An override of the load may have been forgotten.",
			description: "The load has been overridden by the control API for {{ $value | humanizeDuration }}.",
		},
		{
			name: "OpenSavesSoakLoadUnsettled", severity: Warning, board: BoardLoad, wait: unsettled,
			expr:        b.gauge(metric.LoadTransition) + " == 1",
			summary:     "The load of the soak tester does not settle.",
			description: "The load has been changing for six hours: burn rates, drift and the components raise no alert meanwhile.",
		},
		{
			// A rollout restarts replicas that cannot reload what has changed.
			name: "OpenSavesSoakReloadFailed", severity: Warning, board: BoardLoad, wait: 15 * time.Minute,
			expr: over("min", b.series(metric.ReloadSuccessful.Name)) + " == 0\nor " +
				over("min", b.series(metric.FleetLoadValid.Name)) + " == 0",
			summary:     "The soak tester refuses its configuration, or the load that its fleet keeps.",
			description: "A replica goes on with the last good configuration or load.",
		},
		{
			name: "OpenSavesSoakLedgerErrors", severity: Warning, board: BoardLoad,
			expr:        b.moved(metric.LedgerErrors),
			summary:     "The ledger cannot be written.",
			description: "{{ $value | humanize }} writes of the ledger failed in an hour: writes to Open Saves become reads meanwhile.",
		},
		{
			name: "OpenSavesSoakLedgerVolumeFull", severity: Warning, board: BoardLoad,
			expr:        b.gauge(metric.LedgerVolumeUsed) + " > " + number(LedgerVolumeShare),
			summary:     "The volume of the ledger is nearly full.",
			description: "{{ $value | humanizePercentage }} of the volume that holds the ledger is in use.",
		},
		{
			name: "OpenSavesSoakLeaders", severity: Warning, board: BoardLoad, wait: 2 * time.Minute,
			expr:        sum(b.series(metric.Leader.Name)) + " != 1",
			summary:     "The fleet of soak testers has not got exactly one leader.",
			description: "{{ $value }} replicas lead: CloudWatch, leftovers and guards are looked after by nobody, or twice.",
		},
		{
			name: "OpenSavesSoakCleanupFailing", severity: Warning, board: BoardLoad, wait: 30 * time.Minute,
			expr:        sum(failed) + " > 0",
			summary:     "What dead runs left behind cannot be deleted.",
			description: "{{ $value | humanize }} objects could not be deleted in half an hour.",
		},
	}
}

// seconds writes a number of seconds as PromQL has it, shortened.
func (b builder) seconds(s float64) string {
	return number(b.short(time.Duration(s * float64(time.Second))).Seconds())
}
