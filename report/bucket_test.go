package report

import (
	"math"
	"testing"
	"time"
)

func TestAQuantileIsAtMostSoFarOffAsItsBucketIsWide(t *testing.T) {
	native := []Bucket{{0.008, 0.0087}, {0.0087, 0.0095}}
	for name, test := range map[string]struct {
		quantile Figure
		native   []Bucket
		want     Figure
	}{
		"near the upper end of a classic bucket": {0.0475, nil, 0.0225 / 0.0475},
		"near the lower end":                     {0.026, nil, 0.024 / 0.026},
		"in a native bucket":                     {0.009, native, 0.0005 / 0.009},
		"at the upper end of one":                {0.0087, native, 0.0007 / 0.0087},
		"in a last bucket without an end":        {30, nil, Figure(math.Inf(1))},
		"without a quantile":                     {none, nil, none},
	} {
		got := bucketOf(test.quantile, test.native).resolution(test.quantile)
		if math.Abs(float64(got-test.want)) > 1e-12 || got.Known() != test.want.Known() {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

// All requests take the same time, just above the lower end of a bucket: a quantile
// that is read off by rank is near the upper end.
func TestTheTrueQuantileIsWithinTheErrorThatIsTold(t *testing.T) {
	for _, took := range []float64{0.0093, 0.0187, 0.02} {
		w := &remote{T: t}
		success := map[string]string{"operation": "get_record", "class": "read", "outcome": "success"}
		ok := map[string]string{"operation": "get_record", "class": "read", "outcome": "success", "code": "OK"}
		w.value("opensaves_soak_fleet_target_rps", nil, func(time.Duration) float64 { return 100 })
		w.value("opensaves_soak_requests_total", ok, func(at time.Duration) float64 { return 100 * at.Seconds() })
		w.native("opensaves_soak_response_time_seconds", success, 1500, constantly(took))
		got := w.report()
		o := got.Levels[0].Operations[0]
		if off := math.Abs(float64(o.P99) - took); off > float64(o.Error*o.P99) || o.Error > 0.0906 {
			t.Errorf("all take %v s: got a p99 of %v ± %v, want it to hold that and to be no wider than a bucket", took, o.P99, o.Error)
		}
	}
}
