package report

import "testing"

// grown is a report of levels by requests in flight and requests a second.
func grown(levels ...[2]float64) *Report {
	r := &Report{}
	for _, l := range levels {
		r.Levels = append(r.Levels, Measured{RPS: Figure(l[1]), InFlight: Figure(l[0]), Served: Figure(l[1])})
	}
	r.scale()
	return r
}

func TestAPeakIsToldOnlyWhereTheLevelsSettleIt(t *testing.T) {
	for name, test := range map[string]struct {
		r    *Report
		want string
	}{
		"three levels that are all but straight": {
			grown([2]float64{1, 100}, [2]float64{5, 500}, [2]float64{10.6, 1000}),
			"Three levels leave nothing to tell the error of the scalability law by: it takes a fourth to tell where throughput peaks.",
		},
		"a peak that may be twice as high": {
			grown([2]float64{1, 100}, [2]float64{3, 290}, [2]float64{8, 660}, [2]float64{20, 1350}, [2]float64{40, 1700}),
			"The levels do not settle where throughput peaks: it may be anywhere from 1480 to 3820 requests a second (95 %).",
		},
		"a limit that is run into, with no level between": {
			grown([2]float64{0.2762, 50}, [2]float64{0.5416, 100}, [2]float64{0.8148, 150}, [2]float64{0.9886, 180}, [2]float64{389.5, 200}, [2]float64{0.112, 20}),
			"The levels do not tell where throughput peaks: by the law at 1930 requests a second, which is more than twice what any level served.",
		},
		"a peak": {
			grown([2]float64{2, 195.7}, [2]float64{6, 541.5}, [2]float64{15, 1132}, [2]float64{40, 1912}, [2]float64{90, 2053}, [2]float64{150, 1775}),
			"",
		},
	} {
		if got := test.r.Scaling.Refusal; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestATargetIsFullWhereArrivalsFoundNoPlace(t *testing.T) {
	for name, test := range map[string]struct {
		level Measured
		want  bool
	}{
		"too many in flight":        {Measured{RPS: 1000, Served: 900, Dropped: 80, Crowded: 80}, true},
		"the tester itself stalled": {Measured{RPS: 1000, Served: 900, Dropped: 80, Crowded: 0}, false},
		"nothing tells":             {Measured{RPS: 1000, Served: 900, Dropped: 80, Crowded: none}, false},
		"hardly any":                {Measured{RPS: 1000, Served: 980, Dropped: 20, Crowded: 20}, false},
	} {
		if got := test.level.full(); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
