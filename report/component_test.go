package report

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gauge writes a gauge that is read every step, and tells what was so long before.
func (b *block) gauge(name, labels string, step, late time.Duration, value func(since time.Duration) float64) {
	if !strings.Contains(b.text.String(), "# TYPE "+name+" ") {
		fmt.Fprintf(&b.text, "# TYPE %s gauge\n", name)
	}
	for at := step; at <= ladderLength+10*time.Minute; at += step {
		fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=\"soak-0\"%s} %v %d\n", name, labels, value(at-late), began.Add(at).Unix())
	}
}

const ladderLength = 30 * time.Minute

// ladder is three levels of ten minutes with what AWS says of them: DynamoDB's and
// Redis's figures have their own times, those of S3 and cost come five minutes late.
func ladder(t *testing.T) *block {
	b := &block{T: t}
	within := [4]float64{0, 90, 100, 100}
	b.fill([]phase{
		{length: 10 * time.Minute, target: 100, answered: 100, inFlight: 2, within: within},
		{length: 10 * time.Minute, target: 200, answered: 200, inFlight: 4, within: within},
		{length: 10 * time.Minute, target: 400, answered: 300, inFlight: 90, within: within},
	})
	b.text.Truncate(b.text.Len() - len("# EOF\n"))
	levels := func(values ...float64) func(time.Duration) float64 {
		return func(since time.Duration) float64 {
			i := int((since - time.Second) / (10 * time.Minute)) // a minute that ends with a level is of it
			return values[min(max(i, 0), len(values)-1)]
		}
	}
	aws := func(name, labels string, value func(time.Duration) float64) {
		b.gauge("opensaves_"+name, `,region="us-east-1",`+labels, time.Minute, 0, value)
	}
	late := func(name, labels string, value func(time.Duration) float64) {
		b.gauge("opensaves_"+name, labels, scrape, 5*time.Minute, value)
	}
	aws("dynamodb_request_latency_seconds", `table="records",role="records",operation="GetItem",stat="avg"`, levels(0.005, 0.005, 0.06))
	aws("dynamodb_successful_requests_per_second", `table="records",role="records",operation="GetItem"`, levels(100, 200, 300))
	aws("dynamodb_consumed_read_capacity_units_per_second", `table="records",role="records",index=""`, levels(50, 100, 150))
	aws("dynamodb_consumed_write_capacity_units_per_second", `table="records",role="records",index=""`, levels(20, 40, 60))
	aws("redis_cpu_utilization_ratio", `cache_cluster="c",cache_node="1",stat="avg"`, func(since time.Duration) float64 {
		if since > 23*time.Minute {
			return 0.6
		}
		return 0.1
	})
	aws("redis_node_vcpus", `cache_cluster="c",cache_node="1"`, levels(2))
	late("s3_first_byte_latency_seconds", `,region="us-east-1",bucket="b",filter_id="f",stat="avg"`, levels(0.02, 0.022, 0.024))
	late("cloudwatch_data_age_seconds", `,component="s3"`, levels(300))
	late("cost_usd_per_hour", `,component="dynamodb",kind="variable"`, levels(0.1, 0.2, 0.3))
	late("cost_usd_per_hour", `,component="eks",kind="fixed"`, levels(0.2))
	for item, usd := range map[string]float64{
		"dynamodb_read_unit": 0.125e-6, "dynamodb_write_unit": 0.625e-6, "dynamodb_read_capacity_hour": 0.00013, "dynamodb_write_capacity_hour": 0.00065,
	} {
		late("cost_price_usd", `,region="us-east-1",source="default",unit="u",item="`+item+`"`, levels(usd))
	}
	b.text.WriteString("# EOF\n")
	return b
}

func TestTheReadingsOfALevelAreThoseOfItsOwnTime(t *testing.T) {
	b := ladder(t)
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]Figure{
		{"dynamodb latency": 0.005, "read units": 50, "write units": 20, "requests": 100, "s3 first byte": 0.02, "redis host": 0.1},
		{"dynamodb latency": 0.005, "read units": 100, "write units": 40, "requests": 200, "s3 first byte": 0.022, "redis host": 0.1},
		{"dynamodb latency": 0.06, "read units": 150, "write units": 60, "requests": 300, "s3 first byte": 0.024, "redis host": 0.475}, // two of its eight whole minutes at 0.1
	}
	names := map[string]string{
		ownLatency: "dynamodb latency", readUnits: "read units", writeUnits: "write units", "requests that succeeded": "requests",
		firstByte: "s3 first byte", hostCPU: "redis host",
	}
	var levels []map[string]Figure
	for _, l := range got.Levels {
		readings := map[string]Figure{}
		for _, r := range l.Components {
			readings[names[r.Name]] = r.Mean
		}
		levels = append(levels, readings)
	}
	if diff := cmp.Diff(want, levels, near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestTheComponentThatIsSaturatedFirstIsNamed(t *testing.T) {
	b := ladder(t)
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	want := Bottleneck{
		Component: "dynamodb",
		Sentence:  "DynamoDB gives way first: its own latency was 60 ms (limit: 25 ms) from 2026-11-20 12:22:00 UTC on, at 400 requests a second.",
		Onsets: []Onset{
			{"dynamodb", ownLatency, Seconds, began.Add(22 * time.Minute), 400, 0.06, 0.025, false},
			{"redis", hostCPU, Share, began.Add(24 * time.Minute), 400, 0.475, 0.45, false},
		},
		Blind: []string{"Nothing tells whether EKS was saturated: its figures are not in Prometheus.", unseen},
	}
	if diff := cmp.Diff(want, got.Bottleneck, near); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestCostIsThatOfTheLevelAndOnAStraightLine(t *testing.T) {
	b := ladder(t)
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	var hourly, millions []map[string]float64
	for _, l := range got.Levels {
		hourly, millions = append(hourly, l.CostAnHour), append(millions, l.CostAMio)
	}
	want := []map[string]float64{{"dynamodb": 0.1, "eks": 0.2}, {"dynamodb": 0.2, "eks": 0.2}, {"dynamodb": 0.3, "eks": 0.2}}
	approximately := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-3*math.Abs(b) })
	if diff := cmp.Diff(want, hourly, approximately); diff != "" {
		t.Errorf("an hour: wanted -, got +\n%s", diff)
	}
	// 0.1 USD an hour ÷ (100 × 3600 requests an hour) × 10⁶ = 0.2778 USD.
	want = []map[string]float64{{"dynamodb": 0.27778, "eks": 0.55556}, {"dynamodb": 0.27778, "eks": 0.27778}, {"dynamodb": 0.27778, "eks": 0.18519}}
	if diff := cmp.Diff(want, millions, approximately); diff != "" {
		t.Errorf("a million: wanted -, got +\n%s", diff)
	}
	line := CostLine{
		Fixed: 0.2, PerMillion: 0.27778,
		Sentence: "Cost grows with the rate in a straight line: 0.2 USD an hour and 0.2778 USD for a million requests; no level is further from that than 0 %.",
	}
	if diff := cmp.Diff(line, got.Cost, near); diff != "" {
		t.Errorf("line: wanted -, got +\n%s", diff)
	}
}

func TestLevelsThatAreNotValidExplainNothing(t *testing.T) {
	invalid := Measured{Invalid: "The generator was late.", Missed: []string{"achieved rate"}}
	for want, levels := range map[string][]Measured{
		"Unknown: no level is valid.":                                                                                              {invalid},
		"No component that is watched was saturated.":                                                                              {invalid, {}},
		"Unexplained: objectives were missed, but no component that is watched was saturated.":                                     {invalid, {Missed: []string{"availability"}}},
		"No component that is watched was saturated so far, as AWS has not told all yet.":                                          {{}, {Awaited: []string{"s3"}}},
		"Unexplained so far, as AWS has not told all yet: objectives were missed, but no component that is watched was saturated.": {{Missed: []string{"availability"}, Awaited: []string{"s3"}}},
	} {
		var b Bottleneck
		if b.conclude(levels); b.Sentence != want {
			t.Errorf("got %q, want %q", b.Sentence, want)
		}
	}
}
