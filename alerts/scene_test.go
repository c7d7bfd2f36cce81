package alerts

import (
	"fmt"
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
)

const hours = "x800" // how often a value is repeated, so that it lasts for longer than most scenes

// of is a series of the tester's first replica.
func of(d metric.Definition, labels, values string) input {
	return from("soak-0", d.Name, labels, values)
}

// from is a series of a replica.
func from(pod, name, labels, values string) input {
	return input{name + `{cluster="eu",namespace="soak",job="opensaves-soak",instance="` + pod + `:9842",pod="` + pod + `",` + labels + `}`, values}
}

// foreigner is a series of one of Open Saves' pods that somebody else tells.
func foreigner(name, labels, values string) input {
	return input{name + `{cluster="eu",namespace="open-saves",pod="open-saves-5d7f-x2x",container="open-saves",` + labels + `}`, values}
}

// here are an alert's labels: the kept ones, and more as name, value, ….
func here(value string, more ...string) []told {
	labels := map[string]string{"cluster": "eu", "namespace": "soak", "job": "opensaves-soak"}
	for pair := range slices.Chunk(more, 2) {
		labels[pair[0]] = pair[1]
	}
	return []told{{labels, value}}
}

// answers are requests of which some succeed and some fail every 30 s.
func answers(success, failed string) []input {
	return []input{
		of(metric.Requests, `operation="get_record",class="read",outcome="success",code="OK"`, success),
		of(metric.Requests, `operation="get_record",class="read",outcome="error",code="Unavailable"`, failed),
		of(metric.ArrivalsDropped, `reason="max_in_flight",class="read"`, "0"+hours),
	}
}

// steps are a counter's values: by so much every 30 s.
func steps(by float64) string { return fmt.Sprintf("0+%g%s", by, hours) }

var (
	running  = of(metric.TargetRPS, "", "10x25000")
	changing = of(metric.LoadTransition, "", "1"+hours)
	warming  = of(metric.Warmup, "", "1"+hours)
)

func scenes() []scene {
	return slices.Concat(integrityScenes(), availabilityScenes(), latencyScenes(), staleScenes(), generatorScenes(), stateScenes(),
		databaseScenes(), redisScenes(), podScenes(), awsScenes(), driftScenes())
}

func integrityScenes() []scene {
	wrong := func(kind, values string) input {
		return of(metric.CheckViolations, `check="record",kind="`+kind+`"`, values)
	}
	protocol := func(p string) input { return of(metric.TargetInfo, `name="a",protocol="`+p+`",backend=""`, "1"+hours) }
	checks := func(result, values string) input {
		return of(metric.Checks, `check="record",result="`+result+`"`, values)
	}
	missed := func(values string) input { return of(metric.SelfTestMissed, `kind="corrupt"`, values) }
	return []scene{
		{
			alert: "OpenSavesSoakWrongData", name: "the first violation makes its series", at: 15 * time.Minute,
			input: []input{protocol("http"), wrong("lost_write", "_x20 1"+hours)},
			fires: here("1", "check", "record", "kind", "lost_write"),
		},
		{
			alert: "OpenSavesSoakWrongData", name: "a counter moves", at: 3 * time.Hour,
			input: []input{wrong("corrupt", "5x300 6"+hours)},
			fires: here("1.008", "check", "record", "kind", "corrupt"),
		},
		{
			alert: "OpenSavesSoakWrongData", name: "a lost update over gRPC", at: 15 * time.Minute,
			input: []input{protocol("grpc"), wrong("lost_update", "0x20 1"+hours)},
			fires: here("1", "check", "record", "kind", "lost_update"),
		},
		{
			alert: "OpenSavesSoakWrongData", name: "a lost update over REST", at: 15 * time.Minute,
			input: []input{protocol("http"), wrong("lost_update", "0x20 1"+hours)},
		},
		{
			alert: "OpenSavesSoakWrongData", name: "a lost update over REST, of a tester that is gone", at: 45 * time.Minute,
			input: []input{of(metric.TargetInfo, `name="a",protocol="http",backend=""`, "1x30 stale"), wrong("lost_update", "0x20 1x10 stale")},
		},
		{alert: "OpenSavesSoakWrongData", name: "violations of long ago", at: 3 * time.Hour, input: []input{wrong("corrupt", "5"+hours)}},
		{
			alert: "OpenSavesSoakChecksStalled", name: "answers and no checks", at: 30 * time.Minute,
			input: append(answers(steps(300), "0"+hours), checks("ok", "100"+hours), checks("unjudged", steps(300))), fires: here("1"),
		},
		{
			alert: "OpenSavesSoakChecksStalled", name: "answers and checks", at: 30 * time.Minute,
			input: append(answers(steps(300), "0"+hours), checks("ok", steps(1))),
		},
		{
			alert: "OpenSavesSoakChecksStalled", name: "nothing is sent", at: 30 * time.Minute,
			input: append(answers("9"+hours, "0"+hours), checks("ok", "9"+hours)),
		},
		{
			alert: "OpenSavesSoakSelfTestMissed", name: "one is missed", at: 15 * time.Minute,
			input: []input{missed("0x20 1" + hours)}, fires: here("1", "kind", "corrupt"),
		},
		{alert: "OpenSavesSoakSelfTestMissed", name: "long ago", at: 3 * time.Hour, input: []input{missed("1" + hours)}},
		{
			alert: "OpenSavesSoakUnjudged", name: "a tenth", at: 30 * time.Minute,
			input: []input{checks("ok", steps(90)), checks("unjudged", steps(10))}, fires: here("90%"),
		},
		{
			alert: "OpenSavesSoakUnjudged", name: "a hundredth", at: 30 * time.Minute,
			input: []input{checks("ok", steps(99)), checks("unjudged", steps(1))},
		},
		{alert: "OpenSavesSoakUnjudged", name: "no checks", at: 30 * time.Minute, input: []input{checks("ok", "0"+hours), checks("unjudged", "0"+hours)}},
	}
}

func availabilityScenes() []scene {
	fast, slow := "OpenSavesSoakAvailabilityBurnFast", "OpenSavesSoakAvailabilityBurnSlow"
	return []scene{
		{alert: "OpenSavesSoakTargetDown", name: "nothing succeeds", at: 10 * time.Minute, input: answers("0"+hours, steps(300)), fires: here("0%")},
		{alert: "OpenSavesSoakTargetDown", name: "a tenth succeeds", at: 10 * time.Minute, input: answers(steps(30), steps(270))},
		{alert: "OpenSavesSoakTargetDown", name: "nothing is sent", at: 10 * time.Minute, input: answers("0"+hours, "0"+hours)},
		{alert: fast, name: "2 % fail", at: time.Hour, input: answers(steps(294), steps(6)), fires: here("20")},
		{
			alert: fast, name: "2 % are dropped", at: time.Hour, fires: here("20"),
			input: []input{answers(steps(294), "0"+hours)[0], of(metric.ArrivalsDropped, `reason="max_in_flight",class="read"`, steps(6))},
		},
		{alert: fast, name: "0.8 % fail for long", at: time.Hour, input: answers(steps(297.6), steps(2.4)), fires: here("8")},
		{alert: fast, name: "within the objective", at: time.Hour, input: answers(steps(299.7), steps(0.3))},
		{alert: fast, name: "five minutes of an hour", at: time.Hour, input: answers(steps(300), "0x110 0+6x10")},
		{alert: fast, name: "over for half an hour", at: time.Hour, input: answers(steps(300), "0+6x55 330x100")},
		{alert: fast, name: "the load changes", at: time.Hour, input: append(answers(steps(294), steps(6)), changing)},
		{
			alert: fast, name: "the tester ends while the load changes", at: time.Hour,
			input: append(answers("0+294x110", "0+6x110"), of(metric.LoadTransition, "", "1x110 stale"), of(metric.TargetRPS, "", "10x110 stale")),
		},
		{alert: fast, name: "warm-up", at: time.Hour, input: append(answers(steps(294), steps(6)), warming)},
		{
			alert: fast, name: "contention", at: time.Hour,
			input: append(answers(steps(270), "0"+hours), of(metric.Requests, `operation="get_record",class="read",outcome="aborted",code="Aborted"`, steps(30))),
		},
		{alert: slow, name: "0.4 % fail", at: time.Hour, input: answers(steps(298.8), steps(1.2)), fires: here("4")},
		{alert: slow, name: "0.05 % fail", at: time.Hour, input: answers(steps(299.85), steps(0.15))},
		{alert: slow, name: "the load changes", at: time.Hour, input: append(answers(steps(298.8), steps(1.2)), changing)},
	}
}

// times are successes of which a part takes longer than the threshold of reads
// (with native buckets of 31 to 63 ms, and 250 to 500 ms).
func times(form string, slow float64) []input {
	labels := `operation="get_record",class="read",outcome="success"`
	return histogramOf(form, metric.ResponseTime.Name, labels, `le="0.1"`, -4, 300-slow, slow)
}

// histogramOf has so many observations in a bucket, and in the third after it,
// every 30 s.
func histogramOf(form, name, labels, bound string, offset int, within, beyond float64) []input {
	if form == "native" {
		add := fmt.Sprintf("{{schema:0 sum:1 count:%g offset:%d buckets:[%g 0 0 %g]}}", within+beyond, offset, within, beyond)
		return []input{from("soak-0", name, labels, fmt.Sprintf("{{schema:0 sum:0 count:0 offset:%d buckets:[0 0 0 0]}}+%s%s", offset, add, hours))}
	}
	return []input{
		from("soak-0", name+"_count", labels, steps(within+beyond)),
		from("soak-0", name+"_bucket", labels+","+bound, steps(within)),
		from("soak-0", name+"_bucket", labels+`,le="+Inf"`, steps(within+beyond)),
	}
}

func latencyScenes() (all []scene) {
	fast, slow := "OpenSavesSoakLatencyBurnFast", "OpenSavesSoakLatencyBurnSlow"
	read := func(value string) []told { return here(value, "class", "read", "threshold", "100ms") }
	for _, form := range []string{"classic", "native"} {
		all = append(all,
			scene{alert: fast, form: form, name: "a fifth is slow", at: time.Hour, input: times(form, 60), fires: read("20")},
			scene{alert: fast, form: form, name: "a two-hundredth is slow", at: time.Hour, input: times(form, 1.5)},
			scene{alert: fast, form: form, name: "the load changes", at: time.Hour, input: append(times(form, 60), changing)},
			scene{alert: fast, form: form, name: "warm-up", at: time.Hour, input: append(times(form, 60), warming)},
			scene{alert: fast, form: form, name: "nothing is answered", at: time.Hour, input: histogramOf(form, metric.ResponseTime.Name,
				`operation="get_record",class="read",outcome="success"`, `le="0.1"`, -4, 0, 0)},
			scene{alert: slow, form: form, name: "4 % are slow", at: time.Hour, input: times(form, 12), fires: read("4")},
			scene{alert: slow, form: form, name: "a two-hundredth is slow", at: time.Hour, input: times(form, 1.5)})
	}
	for _, bound := range []string{`le="1"`, `le="1.0"`} {
		all = append(all, scene{
			alert: fast, form: "classic", name: "small blobs, " + bound, at: time.Hour, fires: here("20", "class", "small_blob", "threshold", "1s"),
			input: histogramOf("classic", metric.BlobDuration.Name, `operation="get_blob",size="64KiB",phase="total"`, bound, 0, 240, 60),
		})
	}
	return append(all, scene{
		alert: fast, form: "native", name: "large blobs", at: time.Hour, fires: here("20", "class", "large_blob", "threshold", "5s"),
		input: histogramOf("native", metric.BlobDuration.Name, `operation="get_blob",size="larger",phase="total"`, "", 1, 240, 60),
	})
}

func staleScenes() (all []scene) {
	judged := of(metric.Checks, `check="record",result="ok"`, steps(300))
	stale := func(form string, n float64) []input {
		return append(histogramOf(form, metric.Staleness.Name, `operation="get_record"`, `le="1"`, 0, n, 0), judged)
	}
	for _, form := range []string{"classic", "native"} {
		all = append(all,
			scene{alert: "OpenSavesSoakStaleReads", form: form, name: "1 %", at: time.Hour, input: stale(form, 3), fires: here("1%")},
			scene{alert: "OpenSavesSoakStaleReads", form: form, name: "0.05 %", at: time.Hour, input: stale(form, 0.15)})
	}
	return all
}
