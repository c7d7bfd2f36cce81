package report

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// law is what the points of a test follow.
type law struct{ lambda, sigma, kappa float64 }

func (l law) at(n float64) float64 {
	return l.lambda * n / (1 + l.sigma*(n-1) + l.kappa*n*(n-1))
}

// means are λ, σ, κ, N* and X(N*).
func (l law) means() [5]float64 {
	peak := math.Sqrt((1 - l.sigma) / l.kappa)
	if l.kappa == 0 {
		return [5]float64{l.lambda, l.sigma, 0, peak, l.lambda / l.sigma}
	}
	return [5]float64{l.lambda, l.sigma, l.kappa, peak, l.at(peak)}
}

// points measures at so many loads, the first below one in flight, with errors
// of a share of X, or of the same size for all, a share of X at the last.
func (l law) points(top float64, count int, share float64, relative bool, seed int) (list []Point) {
	random := rand.New(rand.NewPCG(uint64(seed), 7))
	for i := range count {
		p := Point{N: max(0.4, top*float64(i)/float64(count-1))}
		if p.X = l.at(p.N); relative {
			p.Weight = 1 / p.X / p.X
			p.X *= 1 + share*random.NormFloat64()
		} else {
			p.X = max(0.1, p.X+share*l.at(top)*random.NormFloat64())
		}
		list = append(list, p)
	}
	return list
}

func estimates(u USL) [5]Estimate { return [5]Estimate{u.Lambda, u.Sigma, u.Kappa, u.PeakN, u.PeakX} }

func TestTheLawIsFoundExactlyWhereNothingDisturbsIt(t *testing.T) {
	for _, l := range []law{{100, 0.02, 0.0005}, {1000, 0.1, 1e-4}, {50, 0, 1e-3}, {500, 0.5, 0}, {20, 0.9, 0.02}} {
		u, err := FitUSL(l.points(60, 8, 0, false, 0))
		if err != nil {
			t.Fatal(err)
		}
		var got [5]float64
		for k, e := range estimates(u) {
			got[k] = e.Value
		}
		if diff := cmp.Diff(l.means(), got, cmpopts.EquateApprox(1e-4, 1e-7)); diff != "" || u.R2 < 1-1e-9 {
			t.Errorf("%v: R² %v, (-want +got):\n%s", l, u.R2, diff)
		}
		if want := l.at(0.7); math.Abs(u.Throughput(0.7)/want-1) > 1e-4 {
			t.Errorf("X(0.7): got %v, want %v", u.Throughput(0.7), want)
		}
	}
}

// The tolerances are shares of the truth for λ, N* and X(N*) in 95 % of the
// draws, and steps of σ; 0: no claim.
func TestIntervalsCoverTheTruthAndEstimatesAreNearIt(t *testing.T) {
	for name, c := range map[string]struct {
		law
		top, share             float64
		count                  int
		relative               bool
		lambda, sigma, n, peak float64
	}{
		"past the peak":      {law{100, 0.02, 0.0005}, 80, 0.02, 8, false, 0.25, 0.03, 0.08, 0.04},
		"before the peak":    {law{100, 0.02, 0.0005}, 40, 0.01, 8, true, 0.03, 0.01, 0.15, 0.03},
		"contention":         {law{1000, 0.1, 1e-4}, 120, 0.01, 10, true, 0.03, 0.005, 0.2, 0.01},
		"crosstalk alone":    {law{50, 0, 1e-3}, 40, 0.03, 6, false, 0.6, 0.06, 0.45, 0.06},
		"one queue, no peak": {law{500, 0.5, 0}, 20, 0.02, 8, true, 0.05, 0.04, 0, 0.08},
		"five loads":         {law{100, 0.02, 0.0005}, 60, 0.01, 5, false, 0.2, 0.02, 0.1, 0.03},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const draws = 200
			var covered, near [5]int
			truth := c.means()
			tolerances := [5]float64{c.lambda * c.law.lambda, c.sigma, math.Inf(1), c.n * truth[3], c.peak * truth[4]}
			if c.n == 0 {
				tolerances[3] = math.Inf(1)
			}
			for seed := range draws {
				u, err := FitUSL(c.points(c.top, c.count, c.share, c.relative, seed))
				if err != nil {
					t.Fatal(err)
				}
				for k, e := range estimates(u) {
					if e.Low <= truth[k] && truth[k] <= e.High {
						covered[k]++
					}
					if !(math.Abs(e.Value-truth[k]) > tolerances[k]) {
						near[k]++
					}
				}
			}
			t.Logf("of %d draws, λ σ κ N* X(N*): covered %v, near %v", draws, covered, near)
			for k := range covered {
				if covered[k] < draws*9/10 || near[k] < draws*95/100 {
					t.Errorf("quantity %d: got %d covered and %d near, want 180 and 190", k, covered[k], near[k])
				}
			}
		})
	}
}

// refusal fits what must be refused.
func refusal(t *testing.T, points []Point) FitError {
	t.Helper()
	u, err := FitUSL(points)
	refused, ok := errors.AsType[*FitError](err)
	if !ok {
		t.Fatalf("got %v and the error %v, want a refusal", u, err)
	}
	return *refused
}

func TestALineIsNoSaturation(t *testing.T) {
	var points []Point
	for n := 0.5; n <= 64; n *= 2 {
		points = append(points, Point{N: n, X: 200 * n})
	}
	want := FitError{NoSaturation, "No saturation seen up to 64 requests in flight (12800 requests a second)."}
	if diff := cmp.Diff(want, refusal(t, points)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := refusal(t, points[:3]).Refusal; got != NoSaturation {
		t.Errorf("three points: got %q", got)
	}
}

func TestANoisyLineIsSeldomTakenForSaturation(t *testing.T) {
	fits := 0
	for seed := range 200 {
		if _, err := FitUSL(law{300, 0, 0}.points(100, 8, 0.02, true, seed)); err == nil {
			fits++
		}
	}
	if fits > 10 {
		t.Errorf("got %d fits of 200, want 10, 5 %%", fits)
	}
}

func TestGarbageIsRefused(t *testing.T) {
	want := FitError{TooMuchScatter, "Throughput does not follow the scalability law: it is off by 92 %, too much to predict a peak."}
	got := refusal(t, []Point{{N: 1, X: 900}, {N: 2, X: 10}, {N: 4, X: 800}, {N: 8, X: 20}, {N: 16, X: 700}, {N: 32, X: 30}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	random := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		points := make([]Point, 8)
		for i := range points {
			points[i] = Point{N: 0.1 + 100*random.Float64(), X: 1 + 1000*random.Float64()}
		}
		refusal(t, points)
	}
}

func TestFewerThanThreeLoadsAreRefused(t *testing.T) {
	want := FitError{TooFewLevels, "The scalability law needs at least three different loads; got 2."}
	two := []Point{{N: 1, X: 10}, {N: 10, X: 60}}
	for _, points := range [][]Point{two, append(two, Point{N: 10.2, X: 61}, Point{N: 1.01, X: 10})} {
		if diff := cmp.Diff(want, refusal(t, points)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	if got := refusal(t, nil).Refusal; got != TooFewLevels {
		t.Errorf("no points: got %q", got)
	}
}

func TestThreeLoadsGiveAFitWithoutBounds(t *testing.T) {
	l := law{100, 0.05, 0.001}
	u, err := FitUSL(l.points(60, 3, 0, false, 0))
	if err != nil {
		t.Fatal(err)
	}
	for k, e := range estimates(u) {
		want := Estimate{l.means()[k], 0, math.Inf(1)}
		if diff := cmp.Diff(want, e, cmpopts.EquateApprox(1e-4, 1e-7)); diff != "" {
			t.Errorf("quantity %d: -want +got:\n%s", k, diff)
		}
	}
}

func TestWhatCannotBeMeasuredIsAnError(t *testing.T) {
	for _, bad := range []Point{
		{N: math.NaN(), X: 1},
		{N: 1, X: math.NaN()},
		{N: 1, X: 1, Weight: math.NaN()},
		{N: math.Inf(1), X: 1},
		{N: 1, X: math.Inf(1)},
		{N: 1, X: 1, Weight: math.Inf(1)},
		{N: -1, X: 1},
		{N: 1, X: -1},
		{N: 1, X: 1, Weight: -1},
		{N: 0, X: 1},
		{N: 1, X: 0},
	} {
		_, err := FitUSL([]Point{{N: 1, X: 10}, bad})
		want := "fitting the scalability law: got N " + number(bad.N) + ", X " + number(bad.X) + ", weight " + number(bad.Weight) + " in point 2, want positive numbers"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func FuzzFitUSL(f *testing.F) {
	f.Add(1.0, 2.0, 0.0, 3.0, 4.0, 1.0, 5.0, 5.0, 0.0, 9.0, 5.5, 2.0)
	f.Add(1e-29, 1e29, 1e29, 1e29, 1e-29, 1e-29, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0)
	f.Add(0.1, 10.0, 0.0, 0.5, 10.0, 0.0, 100.0, 10.0, 0.0, 1000.0, 10.0, 0.0)
	f.Fuzz(func(t *testing.T, n1, x1, w1, n2, x2, w2, n3, x3, w3, n4, x4, w4 float64) {
		points := []Point{{n1, x1, w1}, {n2, x2, w2}, {n3, x3, w3}, {n4, x4, w4}}
		u, err := FitUSL(points)
		if err != nil {
			return
		}
		for k, e := range estimates(u) {
			if !(e.Low <= e.Value && e.Value <= e.High && e.Low >= 0) {
				t.Errorf("quantity %d of %v: got %v", k, points, e)
			}
		}
	})
}
