package trace

import (
	"encoding/hex"
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opensaves-soak/opensaves"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheHeaderIsWhatThePropagatorPrescribes(t *testing.T) {
	c := Context{ID: [16]byte{0x57, 0x59, 0xe9, 0x88, 15: 1}, Attempt: [8]byte{0xab, 7: 2}}
	for name, test := range map[string]struct {
		xray, sampled bool
		want          opensaves.Header
	}{
		"w3c":          {want: opensaves.Header{Name: "traceparent", Value: "00-5759e988000000000000000000000001-ab00000000000002-00"}},
		"w3c sampled":  {sampled: true, want: opensaves.Header{Name: "traceparent", Value: "00-5759e988000000000000000000000001-ab00000000000002-01"}},
		"xray":         {xray: true, want: opensaves.Header{Name: "X-Amzn-Trace-Id", Value: "Root=1-5759e988-000000000000000000000001;Parent=ab00000000000002;Sampled=0"}},
		"xray sampled": {xray: true, sampled: true, want: opensaves.Header{Name: "X-Amzn-Trace-Id", Value: "Root=1-5759e988-000000000000000000000001;Parent=ab00000000000002;Sampled=1"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, tracer := c, &Tracer{config: Config{Propagator: W3C}}
			if c.xray, c.Sampled = test.xray, test.sampled; test.xray {
				tracer.config.Propagator = XRay
			}
			if diff := cmp.Diff(test.want, tracer.Header(c)); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoTwoArrivalsShareAnID(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		c := newContext(false, 0, time.Now)
		for _, id := range []string{hex.EncodeToString(c.ID[:]), hex.EncodeToString(c.Arrival[:]), hex.EncodeToString(c.Attempt[:])} {
			if seen[id] || regexp.MustCompile("^0+$").MatchString(id) {
				t.Fatalf("got the id %s twice or zero", id)
			}
			seen[id] = true
		}
	}
}

func TestAnIDForXRayCarriesTheTime(t *testing.T) {
	c := newContext(true, 0, func() time.Time { return time.Unix(0x5759e988, 0) })
	if got, want := c.String(), regexp.MustCompile("^1-5759e988-[0-9a-f]{24}$"); !want.MatchString(got) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheSampledShareIsTheRatio(t *testing.T) {
	const draws = 100_000
	for _, ratio := range []float64{0, 0.01, 0.5, 1} {
		sampled := 0
		for range draws {
			if newContext(false, boundOf(ratio), time.Now).Sampled {
				sampled++
			}
		}
		spread := 6 * math.Sqrt(ratio*(1-ratio)*draws) // six standard deviations
		if off := math.Abs(float64(sampled) - ratio*draws); off > spread {
			t.Errorf("got %d of %d, want the ratio %v", sampled, draws, ratio)
		}
	}
}

func TestWithoutTracingARequestAllocatesNothing(t *testing.T) {
	var off *Tracer
	if allocated := testing.AllocsPerRun(1000, func() {
		c := off.Begin()
		if off.Header(c) != (opensaves.Header{}) || off.Keeps(c, 0, 0, time.Hour) != "" {
			t.Error("got a trace, want none")
		}
	}); allocated > 0 {
		t.Errorf("got %v allocations, want none", allocated)
	}
}
