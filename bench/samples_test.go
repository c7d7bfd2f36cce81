package bench

import (
	"testing"
)

func TestSamplesAddUpTheSeriesThatHaveAllLabels(t *testing.T) {
	s := readSamples(`# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{operation="ping",outcome="success"} 3
requests_total{operation="ping",outcome="error"} 1
requests_total{operation="get_store",outcome="success"} 1e+02
requests_total_more{operation="ping",outcome="success"} 7
warmup 1
`)
	for name, test := range map[string]struct {
		labels []string
		family string
		want   float64
	}{
		"all of a family":             {family: "requests_total", want: 104},
		"those with one label":        {family: "requests_total", labels: []string{`operation="ping"`}, want: 4},
		"the one with two":            {family: "requests_total", labels: []string{`outcome="success"`, `operation="ping"`}, want: 3},
		"a series without any":        {family: "warmup", want: 1},
		"nothing where there is none": {family: "warm", want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := s.sum(test.family, test.labels...); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
