package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A replica comes when the level has lasted for five minutes, as does the pod that
// takes the place of another one, and all its errors come between two scrapes.
func TestErrorsOfAReplicaThatComesInALevelCount(t *testing.T) {
	b := &block{T: t}
	b.fill([]phase{healthy(100, 20*time.Minute)})
	b.more()
	const born = 5 * time.Minute
	late := func(name, labels string, from time.Duration, value float64) {
		for at := from; at < 20*time.Minute; at += scrape {
			fmt.Fprintf(&b.text, "%s{job=\"opensaves-soak\",instance=\"soak-1\"%s} %v %d\n", name, labels, value, began.Add(at).Unix())
		}
	}
	late("process_start_time_seconds", "", born, float64(began.Add(born-2*time.Second).Unix()))
	late("opensaves_soak_requests_total", `,operation="get_record",class="read",outcome="error",code="DeadlineExceeded"`, 10*time.Minute, 3000)
	late("opensaves_soak_check_violations_total", `,check="record",kind="corrupt"`, 10*time.Minute, 5)
	b.close()
	got, err := b.report(b.serve())
	if err != nil {
		t.Fatal(err)
	}
	l := got.Levels[0]
	if diff := cmp.Diff(map[string]float64{"DeadlineExceeded": 3000 / (l.End.Sub(l.Start).Seconds() + 1)}, l.Errors, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("errors a second: wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"corrupt": 5}, l.Violations, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("wrong answers: wanted -, got +\n%s", diff)
	}
}

// Of two fleets the one is asked for 1,000 requests a second and makes 700.
func TestWhatTwoFleetsMakeTogetherIsNoLevel(t *testing.T) {
	for name, test := range map[string]struct {
		fleets []float64
		want   string
	}{
		"one":                      {[]float64{1000}, ""},
		"two":                      {[]float64{1000, 400}, "The replicas make 140 % of the rate"},
		"one that is there twice":  {[]float64{1000, 1000}, "The replicas make 200 % of the rate"},
		"another one that is tiny": {[]float64{1000, 20}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := &block{T: t}
			b.fill([]phase{healthy(test.fleets[0], 10*time.Minute)})
			b.more()
			for i, rps := range test.fleets {
				instance := fmt.Sprintf(`,namespace="%d"`, i)
				b.evenly("opensaves_soak_target_rps", instance, 0, 10*time.Minute, scrape, constantly(rps))
			}
			b.close()
			got, err := b.report(b.serve())
			if err != nil {
				t.Fatal(err)
			}
			if invalid := got.Levels[0].Invalid; !strings.HasPrefix(invalid, test.want) || (test.want == "") != (invalid == "") {
				t.Errorf("got %q, want %q", invalid, test.want)
			}
		})
	}
}
