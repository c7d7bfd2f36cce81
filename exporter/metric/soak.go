package metric

const prefix = "opensaves_soak_"

func counter(name, help string, labels ...string) Definition {
	return Definition{Name: prefix + name, Type: "counter", Labels: labels, Help: help}
}

func gauge(name, help string, labels ...string) Definition {
	return Definition{Name: prefix + name, Type: "gauge", Labels: labels, Help: help}
}

func histogram(name, help string, buckets []float64, labels ...string) Definition {
	return Definition{Name: prefix + name, Type: "histogram", Labels: labels, Help: help, Buckets: buckets}
}

// What the tester says of its own traffic and of the answers.
var (
	Requests = counter("requests_total",
		"Requests that arrivals made, by how they ended.", "operation", "class", "outcome", "code")
	BackgroundRequests = counter("background_requests_total",
		"Requests that no arrival made, by what they were for.", "purpose", "code")
	WireAttempts = counter("wire_attempts_total",
		"Requests that were really written to a connection, background ones and retries of the transport included.", "operation")
	RequestDuration = histogram("request_duration_seconds",
		"Time from sending a request to the last byte of its answer.", LatencyBuckets, "operation", "class")
	ResponseTime = histogram("response_time_seconds",
		"Time from the intended start of an arrival to the last byte of its answer.", LatencyBuckets, "operation", "class", "outcome")
	BlobDuration = histogram("blob_duration_seconds",
		"Time from the intended start of a successful blob transfer to its first or last byte, by size up to the one named.",
		LatencyBuckets, "operation", "size", "phase")
	CacheReadDuration = histogram("cache_read_duration_seconds",
		"Time from sending a read to its answer, by cache hint and by whether this object was read since its last write.",
		LatencyBuckets, "operation", "hint", "access")
	ScheduleLag = histogram("schedule_lag_seconds",
		"Time from the intended start of an arrival to sending its request.", LagBuckets)
	ConnectionWait = histogram("connection_wait_seconds",
		"Time that a request waited for a connection, which its duration includes.", LagBuckets)
	Arrivals = counter("arrivals_total",
		"Arrivals that the schedule brought, sent or dropped.")
	ArrivalsDropped = counter("arrivals_dropped_total",
		"Arrivals that were never sent, by the reason.", "reason", "class")
	ArrivalsConverted = counter("arrivals_converted_total",
		"Arrivals that became another operation because of the state of the working set.", "operation", "became")
	TargetRPS = gauge("target_rps",
		"Arrivals a second that this replica is to make.")
	FleetTargetRPS = gauge("fleet_target_rps",
		"Arrivals a second that all replicas together are to make.")
	MaxRPS = gauge("max_rps",
		"Arrivals a second that all replicas together may never exceed.")
	InFlight = gauge("in_flight_requests",
		"Requests of arrivals that are waiting for their answers.")
	Warmup = gauge("warmup",
		"Whether the working set has yet to reach nine tenths of its size for the first time.")
	OverrideActive = gauge("override_active",
		"Whether an override by the control API is in force.")
	OverrideStart = gauge("override_start_timestamp_seconds",
		"Unix time at which the override in force began, or 0.")
	Leader = gauge("leader",
		"Whether this replica does the work that one of a fleet does.")
	FleetLoadValid = gauge("fleet_load_valid",
		"Whether the load that the fleet keeps can be used (1), or is refused while the last good one stays in force (0).")
	Stage = gauge("stage",
		"Number of the load stage in force, from 1, or 0 outside of stages.")
	LoadTransition = gauge("load_transition",
		"Whether the load changes or changed so recently that alerts on its effects should wait.")
	LoadChanges = counter("load_changes_total",
		"Changes of the wanted load, by where they came from.", "source")
	GuardActive = gauge("guard_active",
		"Whether a safety guard holds the load down, by what it guards against.", "reason")
	GuardTrips = counter("guard_trips_total",
		"Times that a safety guard began to hold the load down.", "reason")
	PayloadBytes = counter("payload_bytes_total",
		"Bytes of payload that crossed the wire.", "operation", "direction")
	Checks = counter("checks_total",
		"Answers looked at by the oracle, by its verdict.", "check", "result")
	CheckViolations = counter("check_violations_total",
		"Answers that no correct server gives, by what was wrong.", "check", "kind")
	Staleness = histogram("staleness_seconds",
		"Age of the acknowledged write that a stale read did not show.", StalenessBuckets, "operation")
	UnknownWrites = counter("unknown_writes_total",
		"Writes whose end nobody knows, because of a failure, a timeout or a cut.")
	AbandonedRecords = counter("abandoned_records_total",
		"Records given up before their unknown writes were settled, because there were too many.")
	SupersededUnread = counter("superseded_unread_total",
		"Acknowledged writes that were overwritten or deleted before a read past the caches had borne them out.")
	LateWrites = counter("late_writes_total",
		"Times that content showed under a key that the tester had given up, which a slow server may do.")
	CleanupObjects = counter("cleanup_objects_total",
		"Objects that the tester, or a dead run, had made and that were to be deleted, by what became of them.", "kind", "result")
	LedgerErrors = counter("ledger_errors_total",
		"Times that the ledger could not be written to disk.")
	LedgerVolumeUsed = gauge("ledger_volume_used_ratio",
		"Share of the volume that holds the ledger which is in use.")
	SelfTestInjected = counter("self_test_injected_total",
		"Violations that the self-test made of true answers, which the checks must find.", "kind")
	SelfTestCaught = counter("self_test_caught_total",
		"Violations of the self-test that the checks have found.", "kind")
	SelfTestMissed = counter("self_test_missed_total",
		"Violations of the self-test that the checks have not found in time.", "kind")
	NonMonotonic = counter("non_monotonic_total",
		"Reads that showed an older version than an earlier read of the same object.")
	Spans = counter("spans_total",
		"Spans of traces, by what became of them: the collector took them, there was no room to wait for it, or it did not take them.", "result")
	WorkingSetObjects = gauge("working_set_objects",
		"Objects that the tester keeps on the target.", "kind")
	WorkingSetBytes = gauge("working_set_bytes",
		"Bytes of payload that the tester keeps on the target.", "kind")
	TargetInfo = gauge("target_info",
		"What is tested, as labels of the constant 1.", "name", "protocol", "backend")
	ReloadSuccessful = gauge("config_last_reload_successful",
		"Whether the last attempt to load the configuration file succeeded.")
	ReloadTimestamp = gauge("config_last_reload_success_timestamp_seconds",
		"Unix time at which the configuration file was last loaded successfully.")
)

// Soak is every definition of the tester, in the order of its documents.
var Soak = []Definition{
	Requests, BackgroundRequests, WireAttempts, RequestDuration, ResponseTime, BlobDuration, CacheReadDuration,
	ScheduleLag, ConnectionWait, Arrivals, ArrivalsDropped, ArrivalsConverted, TargetRPS, FleetTargetRPS, MaxRPS,
	InFlight, Warmup, OverrideActive, OverrideStart, Leader, FleetLoadValid, Stage, LoadTransition, LoadChanges, GuardActive,
	GuardTrips, PayloadBytes, Checks, CheckViolations, Staleness, UnknownWrites, AbandonedRecords, SupersededUnread, LateWrites, CleanupObjects, LedgerErrors, LedgerVolumeUsed, SelfTestInjected, SelfTestCaught, SelfTestMissed, NonMonotonic,
	Spans, WorkingSetObjects, WorkingSetBytes, TargetInfo, ReloadSuccessful, ReloadTimestamp,
}
