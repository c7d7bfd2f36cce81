package report

import (
	"math"
	"time"
)

// rich is a report that has something of everything: seven levels of eight minutes,
// each twice the one before.
func rich() *Report {
	r := &Report{
		Start: began, End: began.Add(70 * time.Minute), Highest: 1600,
		Bottleneck: Bottleneck{
			Component: "eks",
			Sentence:  "The pods of Open Saves or their nodes gives way first: CPU of the busiest pod, of its limit was 97 % (limit: 90 %) from 2026-11-20 12:52:00 UTC on, at 3200 requests a second.",
			Onsets: []Onset{
				{Component: "eks", Name: busiestPod, Unit: Share, At: began.Add(52 * time.Minute), RPS: 3200, Value: 0.97, Limit: 0.9},
				{Component: "dynamodb", Name: "throttle events of the most throttled table, of its requests", Unit: Share, At: began.Add(63 * time.Minute), RPS: 6400, Value: 0.004, Limit: 0.001, Cold: true},
			},
			Blind: []string{"Nothing tells whether Redis was saturated: its figures are not in Prometheus.", unseen},
		},
		Cost: CostLine{Fixed: 1.2, PerMillion: 0.764, Deviation: 0.03, Sentence: "Cost grows with the rate in a straight line: 1.2 USD an hour and 0.764 USD for a million requests; no level is further from that than 3 %."},
		Drift: []Trend{
			{Name: "p99 of class read", Unit: Seconds, PerDay: Bounds{0.0021, 0.0012, 0.0031}, Relative: Bounds{0.05, 0.03, 0.08}, Hours: 72, Significant: true},
			{Name: "resident memory of the tester", Unit: Bytes, PerDay: Bounds{-12345, -2e5, 3e5}, Relative: Bounds{0, -0.002, 0.003}, Hours: 6, Caveat: CycleCaveat},
		},
		Advice: []Advice{
			{Component: "eks", Do: "Let the autoscaler aim at 60 % of the pods' CPU limit, with 4 to 16 pods.", Arithmetic: "4 pods use 58 % of their limit at 1600 requests a second (the busiest one): 4 × 0.58 ÷ 0.6 = 4 pods there, at least 2."},
			{Component: "dynamodb", Do: "Keep DynamoDB on demand.", Arithmetic: "At 1600 requests a second the tables consume 800 read and 400 write units a second."},
		},
		Notes: []string{"There are no samples from 2026-11-20T12:20:00Z to 2026-11-20T12:21:00Z: levels end there.", "Prometheus remarks: a counter was reset | twice."},
	}
	law := USL{Lambda: Estimate{Value: 80}, Sigma: Estimate{Value: 0.012}, Kappa: Estimate{Value: 0.00004}}
	r.Ceiling = 2980
	r.Scaling = Scaling{
		Lambda: Bounds{80, 78, 82}, Sigma: Bounds{0.012, 0.010, 0.014}, Kappa: Bounds{0.00004, 0.00003, 0.00005},
		PeakN: Bounds{157, 140, 181}, PeakRPS: Bounds{3270, 3150, 3400}, R2: 0.9987,
	}
	for i := range 7 {
		r.Levels = append(r.Levels, rung(i, law))
	}
	r.Timeline = moved(r.Levels)
	return r
}

// rung is the level number i.
func rung(i int, law USL) Measured {
	asked := 100 * math.Pow(2, float64(i))
	inFlight := []float64{1.3, 2.6, 5.4, 11.5, 27, 130, 420}[i]
	achieved := min(asked, law.Throughput(inFlight))
	slow := []float64{1, 1, 1.05, 1.2, 1.6, 9, 40}[i]
	start := began.Add(time.Duration(10*i)*time.Minute + time.Minute)
	m := Measured{
		RPS: Figure(asked), Start: start, End: start.Add(8 * time.Minute), Achieved: Figure(achieved), Served: Figure(achieved), Success: 0.99993, InFlight: Figure(inFlight), Lag: 0.0004, Covered: 1,
		Dropped: Figure(max(0, asked-achieved-20)), CostAMio: map[string]float64{},
		CostAnHour: map[string]float64{"eks": 0.9 + asked/4000, "dynamodb": asked * 0.0018, "s3": asked * 0.0007, "redis": 0.3},
		Shared:     []string{"redis"},
		Blobs:      []Blob{{"1KiB", Figure(achieved / 10), Figure(0.018 * slow), Figure(0.06 * slow), none}, {"1MiB", Figure(achieved / 100), Figure(0.2 * slow), Figure(0.7 * slow), none}},
		Components: []Reading{
			{"eks", busiestPod, Share, Figure(min(0.97, asked/3300)), Figure(min(1, asked/3000)), podCPU, asked/3300 > podCPU},
			{"eks", podsReady, Count, 4, 4, none, false},
			{"dynamodb", "throttle events of the most throttled table, of its requests", Share, Figure(asked / 1.6e6), Figure(asked / 1e6), 0.001, asked/1.6e6 > 0.001},
			{"dynamodb", readUnits, UnitsASecond, Figure(asked / 2), Figure(asked / 1.9), none, false},
			{"redis", engineCPU, Share, Figure(asked / 20000), Figure(asked / 15000), 0.8, false},
			{"s3", "bytes moved", BytesASecond, Figure(asked * 20000), Figure(asked * 22000), none, false},
		},
	}
	for component, usd := range m.CostAnHour {
		m.CostAMio[component] = usd / achieved / 3600 * 1e6
	}
	for k, name := range []string{"create_record", "get_blob", "get_record", "query_records", "update_record"} {
		mean := 0.008 * float64(k+1) * slow
		m.Operations = append(m.Operations, Operation{
			Name: name, RPS: Figure(achieved / 5), Failed: 0.00007, Mean: Figure(mean), P50: Figure(0.8 * mean), P95: Figure(2 * mean), P99: Figure(3.1 * mean), Error: 0.0433, Noise: 0.06,
		})
	}
	switch i {
	case 5:
		m.Success, m.Errors = 0.994, map[string]float64{"Unavailable": 17.25, "DeadlineExceeded": 0.5}
		m.Missed = []string{"availability: got 99.4 %, want at least 99.9 %", "latency of read: got 81.2 % within 50ms, want at least 99 %"}
	case 6:
		m.Success, m.Errors, m.Violations = 0.71, map[string]float64{"Unavailable": 912}, map[string]float64{"stale": 4}
		m.Missed = []string{"availability: got 71 %, want at least 99.9 %", "achieved rate: got 51 %, want at least 99 %", "wrong answers: got 4, want none"}
		m.Operations[4].Noise, m.Lag = none, 0.023
		m.Invalid = "The tester itself was late by 23 ms at p99 (limit: 10 ms): this level says little of the target."
	}
	return m
}

// moved is the timeline of levels, with a gap.
func moved(levels []Measured) (line []Moment) {
	for at := began; !at.After(began.Add(70 * time.Minute)); at = at.Add(20 * time.Second) {
		minute := int(at.Sub(began).Minutes())
		m := levels[min(minute/10, len(levels)-1)]
		wave := 1 + 0.02*math.Sin(float64(at.Unix())/70)
		moment := Moment{at, m.RPS, m.Achieved * Figure(wave), m.Operations[2].P99 * Figure(wave*wave)}
		if minute == 20 {
			moment = Moment{at, none, none, none}
		}
		line = append(line, moment)
	}
	return line
}
