package report

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// weather is a series of about 100: a slope a day, a daily cycle, noise that
// remembers a share of the sample before, and a step of 10.
type weather struct {
	days, slope, cycle, noise, memory float64
	step                              float64       // the day it comes; 0: never
	every                             time.Duration // between samples; default: a minute
}

func (w weather) draw(seed int) []Sample {
	random := rand.New(rand.NewPCG(uint64(seed), 11))
	noise := 0.0
	return sampled(0, w.days*24*60-1, cmp.Or(w.every, time.Minute), func(minute float64) float64 {
		day := minute / 24 / 60
		noise = w.memory*noise + math.Sqrt(1-w.memory*w.memory)*random.NormFloat64()
		value := 100 + w.slope*(day-w.days/2) + w.cycle*math.Sin(2*math.Pi*day) + w.noise*noise
		if w.step > 0 && day >= w.step {
			value += 10
		}
		return value
	})
}

func drift(t *testing.T, samples []Sample) Drift {
	t.Helper()
	d, err := FindDrift(samples)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// count draws the series and counts the drifts that are claimed, and the
// intervals that cover the truth.
func (w weather) count(t *testing.T, draws int) (claimed, covered int) {
	t.Helper()
	for seed := range draws {
		d := drift(t, w.draw(seed))
		if d.Significant {
			claimed++
		}
		if d.PerDay.Low <= w.slope && w.slope <= d.PerDay.High {
			covered++
		}
	}
	t.Logf("%+v: of %d draws %d claimed, %d covered", w, draws, claimed, covered)
	return claimed, covered
}

func TestAPercentADayIsFoundUnderADailyCycle(t *testing.T) {
	t.Parallel()
	claimed, covered := weather{days: 7, slope: 1, cycle: 20, noise: 5, memory: 0.5}.count(t, 20)
	if claimed < 20 || covered < 18 {
		t.Errorf("got %d claimed and %d covered, want 20 and at least 18", claimed, covered)
	}
	d := drift(t, weather{days: 7, slope: 1, cycle: 20, noise: 5}.draw(0))
	if d.N != 7*24 || d.Relative.Low <= 0 || d.Relative.Low > 0.01 || d.Relative.High < 0.01 || math.Abs(d.Relative.Value-0.01) > 0.001 {
		t.Errorf("got %+v, want 1 %% in 168 hours", d)
	}
}

func TestNoDriftIsClaimedWhereThereIsNone(t *testing.T) {
	for name, w := range map[string]weather{
		"noise":                      {days: 7, cycle: 20, noise: 5, every: 10 * time.Minute},
		"noise that remembers":       {days: 7, cycle: 20, noise: 5, memory: 0.5},
		"noise that remembers hours": {days: 7, cycle: 20, noise: 5, memory: 0.9, every: 10 * time.Minute},
		"two days":                   {days: 2, cycle: 20, noise: 5, memory: 0.5, every: 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if claimed, _ := w.count(t, 200); claimed > 10 {
				t.Errorf("got %d claimed of 200, want 10 at most", claimed)
			}
		})
	}
}

func TestBelowTwoDaysACycleCannotBeToldFromDrift(t *testing.T) {
	for _, days := range []float64{0.5, 1.9} {
		d := drift(t, weather{days: days, slope: 50, noise: 1}.draw(1))
		if d.Caveat != CycleCaveat || d.Significant || d.PerDay.Low <= 0 || math.Abs(d.PerDay.Value-50) > 5 {
			t.Errorf("%v days: got %+v, want a slope of 50 with the caveat", days, d)
		}
	}
	apart := slices.Concat(sampled(0, 300, time.Minute, flat(1)), sampled(3*24*60+720, 3*24*60+900, time.Minute, flat(2)))
	if d := drift(t, apart); d.Caveat != CycleCaveat {
		t.Errorf("no hour of the day twice: got %+v, want the caveat", d)
	}
}

func flat(value float64) func(float64) float64 { return func(float64) float64 { return value } }

func TestGapsAndSamplesWithoutAValueDoNoHarm(t *testing.T) {
	samples := weather{days: 7, slope: 1, cycle: 20, noise: 5}.draw(2)
	samples = slices.Concat(samples[:2000], samples[3500:3510], samples[4000:])
	samples = append(samples, Sample{at(-1e6), math.NaN()}, Sample{at(1e6), math.Inf(-1)})
	d := drift(t, samples)
	if !d.Significant || d.PerDay.Low > 1 || d.PerDay.High < 1 {
		t.Errorf("got %+v, want a slope of 1", d)
	}
}

func TestALineIsItsSlopeAndAConstantHasNone(t *testing.T) {
	line := drift(t, weather{days: 7, slope: -2}.draw(0))
	want := Drift{Estimate{-2, -2, -2}, Estimate{-0.02, -0.02, -0.02}, 168, true, ""}
	if diff := gocmp.Diff(want, line, cmpopts.EquateApprox(1e-5, 0)); diff != "" {
		t.Errorf("line: -want +got:\n%s", diff)
	}
	for _, value := range []float64{5, 0} {
		want := Drift{Relative: Estimate{}, N: 72}
		if value == 0 {
			want.Relative = Estimate{math.NaN(), math.NaN(), math.NaN()}
		}
		got := drift(t, sampled(0, 3*24*60-1, time.Minute, flat(value)))
		if diff := gocmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("constant: -want +got:\n%s", diff)
		}
	}
}

func TestGrowthThatIsNoLineIsDrift(t *testing.T) {
	grown := sampled(0, 7*24*60-1, time.Minute, func(minute float64) float64 { return math.Exp(minute / 7 / 24 / 60) })
	if d := drift(t, grown); !d.Significant {
		t.Errorf("got %+v, want a drift", d)
	}
}

func TestAStepIsDriftOnlyIfNoiseHidesItsEdgeAndDaysStraddleIt(t *testing.T) {
	for name, c := range map[string]struct {
		weather
		want bool
	}{
		"sharp":          {weather{days: 7, cycle: 20, noise: 0.5, step: 3.5}, false},
		"in the noise":   {weather{days: 7, cycle: 20, noise: 20, step: 3.5}, true},
		"near the end":   {weather{days: 7, cycle: 20, noise: 20, step: 6.8}, false},
		"near the start": {weather{days: 7, cycle: 20, noise: 0.5, step: 0.2}, false},
	} {
		if d := drift(t, c.draw(4)); d.Significant != c.want {
			t.Errorf("%s: got %+v, want significant %v", name, d, c.want)
		}
	}
}

func TestTwoHoursHaveASlopeWithoutBoundsAndLessIsAnError(t *testing.T) {
	inf := Estimate{24, math.Inf(-1), math.Inf(1)}
	want := Drift{inf, Estimate{16, math.Inf(-1), math.Inf(1)}, 2, false, CycleCaveat}
	if diff := gocmp.Diff(want, drift(t, []Sample{{at(90), 2}, {at(30), 1}}), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, few := range [][]Sample{nil, {{at(0), 1}}, {{at(0), 1}, {at(59), 2}}, {{at(0), 1}, {at(90), math.NaN()}}} {
		if d, err := FindDrift(few); err == nil {
			t.Errorf("%v: got %+v, want an error", few, d)
		}
	}
}

func FuzzFindDrift(f *testing.F) {
	f.Add([]byte{1, 100, 200, 90, 3, 3, 3, 4, 3, 5})
	f.Add([]byte{72, 9, 72, 10, 72, 11, 72, 12, 1, 13})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := FindDrift(series(data))
		if err != nil {
			return
		}
		if e := d.PerDay; !(e.Low <= e.Value && e.Value <= e.High) {
			t.Errorf("got %+v", d)
		}
	})
}
