package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/units"

	"opensaves-soak/alerts"
	"opensaves-soak/exporter/metric"
)

// loadGenerator shows whether the tester itself can be trusted, and the view of
// one operation.
func loadGenerator(o Options) design {
	return design{
		name: "load", uid: alerts.BoardLoad, title: "Load generator",
		description: "Whether the tester does what is asked of it, and what it sees of each operation.",
		sections: []section{
			numbers(
				asked(), answered(o.Objectives), stalls(), lagNow(), inFlightNow(), guardNow(),
				overrideSince(), leaders(), ownThrottling(), volumeUsed(), ledgerErrors(), reloaded(),
			),
			graphs("", askedAndAnswered(), drops(), scheduleLag(), connectionWait(), inFlight(), omission()),
			graphs("Operation: $operation",
				testerRate(), outcomes(), responseHeat(), responseTimes(o.Objectives), errorsByCode(), payload(), blobTimes(), cacheTimes()),
			details("Load", stages(), fleetRate(), conversions(), background(), attempts(), guards()),
			details("The process", processCPU(), processMemory(), goroutines(), cfsThrottling(), descriptors(), collections()),
			details("Ledger and working set", objects(), objectBytes(), doubtfulWrites(), cleanup(), volume(), ledgerFailures()),
		},
	}
}

// stalled is the share of arrivals that the tester was too late for.
func stalled(window string) string {
	grown := func(d metric.Definition, matchers ...string) string {
		return sum("", "rate("+own(d, matchers...)+"["+window+"])")
	}
	return ratio(grown(metric.ArrivalsDropped, `reason="stall"`), grown(metric.Arrivals))
}

func stalls() panel {
	return number(about{"Dropped by stalls", "Share of the arrivals in the time shown that the tester could not send in time, by its own fault.", units.PercentUnit},
		stalled("$__range"), under(alerts.StallDropShare))
}

func lagNow() panel {
	return number(about{"Schedule lag p99", "Time from the intended start of an arrival to sending its request that 99 of 100 stay below; above 10 ms the tester measures itself.", units.Seconds},
		quantile(0.99, "", metric.ScheduleLag), under(generatorLag))
}

func inFlightNow() panel {
	return number(about{"In flight", "Requests that are waiting for their answers.", units.Short}, sum("", own(metric.InFlight)), neutral())
}

func guardNow() panel {
	return number(about{"Guards", "Safety guards that hold the load down.", units.Short}, sum("", own(metric.GuardActive)), under(1))
}

func overrideSince() panel {
	return number(about{"Override", "Time since the override by the control API began, where one is in force.", units.DurationSeconds},
		highest("", "time() - "+own(metric.OverrideStart)+" and "+own(metric.OverrideActive)+" == 1"), under(alerts.OverrideSeconds)).NoValue("none")
}

func leaders() panel {
	return number(about{"Leaders", "Replicas that do the work that one of a fleet does, of which there must be one for each fleet.", units.Short},
		sum(ofFleet, metric.Leader.Name+"{"+ofJob+"}"), exactly(1))
}

func ownThrottling() panel {
	return number(about{"CFS throttling", "Share of the tester's scheduling periods in which its CPU limit held it up.", units.PercentUnit},
		highest("", ownPodThrottling), under(alerts.CPUThrottledShare)).NoValue("no limit")
}

func volumeUsed() panel {
	return number(about{"Ledger's volume", "Share of the volume that holds the ledger which is in use.", units.PercentUnit},
		highest("", own(metric.LedgerVolumeUsed)), under(alerts.LedgerVolumeShare)).NoValue("none")
}

func ledgerErrors() panel {
	return number(about{"Ledger errors", "Times in the time shown that the ledger could not be written to disk.", units.Short},
		sum("", shown(metric.LedgerErrors)), under(1)).Decimals(0)
}

func reloaded() panel {
	return number(about{"Configuration", "Whether all replicas took the configuration file when they last loaded it, and the load that the fleet keeps.", units.BoolYesNo},
		"min("+either(own(metric.ReloadSuccessful), called("of", "load", own(metric.FleetLoadValid)))+")", over(1)).NoValue("no file")
}

func drops() panel {
	return bars(graph(about{"Dropped by reason", "Arrivals that were never sent: max_in_flight is the target's fault, stall the tester's.", units.RequestsPerSecond},
		query{sum("reason", rate(metric.ArrivalsDropped)), "{{reason}}"}))
}

func scheduleLag() panel {
	return line(graph(about{"Schedule lag", "Time from the intended start of an arrival to sending its request.", units.Seconds},
		percentiles(metric.ScheduleLag)...), under(generatorLag))
}

func connectionWait() panel {
	return graph(about{"Connection wait", "Time that a request waited for a connection, which its duration includes.", units.Seconds},
		percentiles(metric.ConnectionWait)...)
}

func inFlight() panel {
	return graph(about{"In flight by replica", "Requests of arrivals that are waiting for their answers.", units.Short},
		query{sum("instance", own(metric.InFlight)), "{{instance}}"})
}

// omission shows what a closed loop would hide.
func omission() panel {
	return graph(about{"Waiting in the tester", "p99 from the intended start and from sending: the distance between them is time lost before sending.", units.Seconds},
		query{quantile(0.99, "", metric.ResponseTime), "from the intended start"}, query{quantile(0.99, "", metric.RequestDuration), "from sending"})
}

func outcomes() panel {
	return bars(graph(about{"Requests by outcome", "Requests of the chosen operations, by how they ended.", units.RequestsPerSecond},
		query{sum("outcome", rate(metric.Requests, ofOperation)), "{{outcome}}"}))
}

func payload() panel {
	return graph(about{"Payload", "Bytes of payload of the chosen operations that crossed the wire.", units.BytesPerSecondSI},
		query{sum("direction", rate(metric.PayloadBytes, ofOperation)), "{{direction}}"})
}

func blobTimes() panel {
	return graph(about{"Blob transfers p99", "Time from the intended start of a successful transfer to its first and last byte, by size up to the one named.", units.Seconds},
		query{quantile(0.99, "size, phase", metric.BlobDuration, ofOperation), "{{size}}, {{phase}}"})
}

func cacheTimes() panel {
	return graph(about{"Reads by cache p50", "Time from sending a read to its answer, by cache hint and by whether the object was read since its last write; only the scenario cache makes them.", units.Seconds},
		query{quantile(0.5, "hint, access", metric.CacheReadDuration, ofOperation), "{{hint}}, {{access}}"})
}

func stages() panel {
	return graph(about{"State of the load", "Number of the stage in force, and whether the load warms up, changes or is overridden: 1 or 0.", units.Short},
		query{highest("", own(metric.Stage)), "stage"}, query{highest("", own(metric.Warmup)), "warm-up"},
		query{highest("", own(metric.LoadTransition)), "transition"}, query{highest("", own(metric.OverrideActive)), "override"})
}

func fleetRate() panel {
	return graph(about{"Fleet's rate", "Requests a second that all replicas together are to make, and may never exceed.", units.RequestsPerSecond},
		query{highest("", own(metric.FleetTargetRPS)), "asked"}, query{highest("", own(metric.MaxRPS)), "cap"})
}

func conversions() panel {
	return graph(about{"Converted arrivals", "Arrivals that became another operation because of the state of the working set.", units.RequestsPerSecond},
		query{sum("operation, became", rate(metric.ArrivalsConverted, ofOperation)) + " > 0", "{{operation}} became {{became}}"})
}

func background() panel {
	return graph(about{"Background requests", "Requests that no arrival made, by what they were for.", units.RequestsPerSecond},
		query{sum("purpose, code", rate(metric.BackgroundRequests)), "{{purpose}}: {{code}}"})
}

func attempts() panel {
	return graph(about{"Written to connections", "Requests that were really written to a connection, background ones included.", units.RequestsPerSecond},
		query{sum("operation", rate(metric.WireAttempts, ofOperation)), "{{operation}}"})
}

func guards() panel {
	return line(graph(about{"Guards by reason", "Whether a safety guard holds the load down, by what it guards against: 1 or 0.", units.Short},
		query{highest("reason", own(metric.GuardActive)), "{{reason}}"}).Max(1), under(1))
}

func objects() panel {
	return graph(about{"Working set", "Objects that the tester keeps on the target.", units.Short},
		query{sum("kind", own(metric.WorkingSetObjects)), "{{kind}}"})
}

func objectBytes() panel {
	return graph(about{"Bytes of the working set", "Bytes of payload that the tester keeps on the target.", units.BytesSI},
		query{sum("kind", own(metric.WorkingSetBytes)), "{{kind}}"})
}

func cleanup() panel {
	return graph(about{"Cleanup", "Objects of this run, or of a dead one, that were to be deleted, by what became of them.", units.OpsPerSecond},
		query{sum("kind, result", rate(metric.CleanupObjects)), "{{kind}}: {{result}}"})
}

func volume() panel {
	return line(graph(about{"Ledger's volume by replica", "Share of the volume that holds the ledger which is in use.", units.PercentUnit},
		query{highest("instance", own(metric.LedgerVolumeUsed)), "{{instance}}"}).Max(1), under(alerts.LedgerVolumeShare))
}

func ledgerFailures() panel {
	return graph(about{"Failed writes of the ledger", "Times that the ledger could not be written to disk.", units.OpsPerSecond},
		query{sum("instance", rate(metric.LedgerErrors)), "{{instance}}"})
}
