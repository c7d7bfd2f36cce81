package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lost is a level in which the tester was late, and that lost writes nonetheless.
func lost(rps Figure, writes float64) Measured {
	m := steady(rps)
	m.Invalid, m.Violations = "The tester was late.", map[string]float64{"lost_write": writes}
	m.Missed = []string{"wrong answers: got 3, want none"}
	return m
}

// missing is a level that misses an objective.
func missing(rps Figure) Measured {
	m := steady(rps)
	m.Success, m.Missed = 0.92, []string{"availability: got 92 %, want at least 99.9 %"}
	return m
}

// brief is a level of which the scatter is not known.
func brief(rps Figure) Measured {
	m := steady(rps)
	m.Operations[0].Noise = none
	return m
}

func TestAWrongAnswerIsPastTheLimitHoweverLateTheTesterWas(t *testing.T) {
	for name, c := range map[string]struct {
		a, b *Report
		want []Row
	}{
		"late in B": {
			held(500, steady(100), steady(500)), held(100, steady(100), lost(500, 3)),
			[]Row{{500, 500, "wrong answers, lost_write", Count, 0, 3, Figure(math.Inf(1)), none, Worse, true}},
		},
		"late in both": {
			held(100, steady(100), lost(500, 2)), held(100, steady(100), lost(500, 3)),
			[]Row{{500, 500, "wrong answers, lost_write", Count, 2, 3, 0.5, 0, Worse, true}},
		},
		"late in B, which held no valid level of that rate in A": {
			held(100, steady(100)), held(100, steady(100), lost(500, 3)),
			[]Row{{none, 500, "wrong answers, lost_write", Count, 0, 3, Figure(math.Inf(1)), none, Worse, true}},
		},
		"as many in both": {held(100, steady(100), lost(500, 3)), held(100, steady(100), lost(500, 3)), nil},
	} {
		if diff := cmp.Diff(c.want, changed(Compare(c.a, c.b, 1000)), likely); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestAnotherLevelThatIsNotValidIsNamedAndNotSaidToBeMissing(t *testing.T) {
	c := Compare(held(500, steady(100), steady(500)), held(100, steady(100), lost(500, 3)), 0.1)
	want := []string{
		"The highest level that met all objectives cannot be compared: A has one of 500 requests a second, B one of 100, and the other has no valid level of such a rate.",
		"The level of 500 requests a second of B, from 2026-11-20 12:00:00 UTC, is not valid, so of it only wrong answers are compared: The tester was late.",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" || c.Levels != 1 {
		t.Errorf("got %d levels, want one; wanted -, got +\n%s", c.Levels, diff)
	}
}

func TestALevelThatIsNotValidGetsNoLevelThatAValidOneCanHave(t *testing.T) {
	got := match([]Measured{steady(500)}, []Measured{lost(500, 3), steady(510)})
	if len(got) != 1 || got[0].b != 1 || got[0].spoilt != 0 {
		t.Errorf("got %+v, want the valid level", got)
	}
}

func TestObjectivesThatALevelMissesAndMetInTheBaseArePastAnyLimit(t *testing.T) {
	base, broken := held(1000, steady(100), steady(500), steady(1000)), held(100, steady(100), missing(500))
	for name, c := range map[string]struct {
		a, b *Report
		want []Row
	}{
		"missed":  {base, broken, []Row{{500, 500, "objectives missed", Count, 0, 1, Figure(math.Inf(1)), none, Worse, true}}},
		"met":     {broken, base, []Row{{500, 500, "objectives missed", Count, 1, 0, -1, 0, Better, false}}},
		"neither": {broken, broken, nil},
	} {
		var got []Row
		for _, r := range changed(Compare(c.a, c.b, 1000)) {
			if r.Name == "objectives missed" {
				got = append(got, r)
			}
		}
		if diff := cmp.Diff(c.want, got, likely); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestWithoutItsNoiseALatencyCannotBeToldAndThatIsSaid(t *testing.T) {
	c := Compare(held(100, brief(100)), held(100, slow(steady(100), 1000)), 0.1)
	want := Row{100, 100, "p99 of get_record", Seconds, 0.04, 40, 999, none, Unsure, false}
	if diff := cmp.Diff(want, c.Rows[6], likely); diff != "" || len(changed(c)) != 4 || c.Regressions() != nil {
		t.Errorf("got %+v, want four latencies that cannot be told; wanted -, got +\n%s", changed(c), diff)
	}
	text := "# Load comparison\n\n- A, the base: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n- B: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n\n" +
		"**Past the limit of 10 %: 0.** Worse: 0, better: 0, the same: 4, cannot be told: 4; levels compared: 1. **No limit was held against what cannot be told.**\n\n" +
		"## What could not be told or compared\n\n" +
		"- At 100 requests a second it cannot be told whether latencies changed, and no limit was held against them, of: get_record (p99 +99900 %). " +
		"Either the level is too short for its scrape interval to tell their noise (levels of 12 scrapes do), or a sixth of it has no answers, or both are beyond the last bucket, or they are not those of all answers.\n"
	if diff := cmp.Diff(text, markdownOf(t, c)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestBeyondTheLastBucketALatencyIsToldFromOneWithinAndNotFromAnother(t *testing.T) {
	within, beyond := steady(100), slow(steady(100), 750)
	beyond.Operations[0].Ends99 = Bucket{beyond.Operations[0].P99, Figure(math.Inf(1))}
	for _, c := range []struct {
		a, b Measured
		want Verdict
	}{{within, beyond, Worse}, {beyond, within, Better}, {beyond, beyond, Unsure}} {
		if got := Compare(held(100, c.a), held(100, c.b), 0.1).Rows[6]; got.Name != "p99 of get_record" || got.Verdict != c.want {
			t.Errorf("got %+v, want %s", got, c.want)
		}
	}
}

// Classic buckets are wide: what is read off the same one does not differ, what is
// read off the next but one does, and the mean, which is read off none, beyond 1 %.
func TestBucketsHideWhatIsWithinThemAndNoMore(t *testing.T) {
	of := func(mean, p50, p99 Figure) *Report {
		m := steady(100)
		m.Operations[0] = Operation{
			Name: "get_record", RPS: 100, Mean: mean, P50: p50, P95: p50, P99: p99, Noise: 0, // as where all parts are in one bucket
			Ends50: bucketOf(p50, nil), Ends95: bucketOf(p50, nil), Ends99: bucketOf(p99, nil),
		}
		return held(100, m)
	}
	for _, test := range []struct {
		with *Report
		want []Verdict // of the average, p50, p95 and p99
	}{
		{of(0.00406, 0.0045, 0.049), []Verdict{Same, Same, Same, Same}},
		{of(0.02, 0.003, 0.028), []Verdict{Worse, Same, Same, Same}},
		{of(0.004, 0.02, 0.028), []Verdict{Same, Worse, Worse, Same}},
		{of(0.004, 0.003, 0.14), []Verdict{Same, Same, Same, Worse}},
	} {
		var got []Verdict
		for _, r := range Compare(of(0.004, 0.003, 0.027), test.with, 0.1).Rows {
			if r.Unit == Seconds {
				got = append(got, r.Verdict)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	}
}

// tried is a level whose p99 is the mean of five parts that scatter.
func tried(random *rand.Rand, scatter float64) latency {
	var sum, squares float64
	for range parts {
		x := 1 + scatter*random.NormFloat64()
		sum, squares = sum+x, squares+x*x
	}
	mean := sum / parts
	return latency{value: Figure(mean), ends: Bucket{Figure(mean), Figure(mean)}, noise: Figure(math.Sqrt(squares/parts-mean*mean) / mean)}
}

func TestChanceGoesBeyondTheNoiseOfALatencyOneTimeInTwentyAtTheMost(t *testing.T) {
	for _, scatter := range [][2]float64{{0.05, 0.05}, {0.05, 0.02}, {0.05, 0.001}} {
		random := rand.New(rand.NewPCG(1, 2))
		beyond := 0
		const draws = 40_000
		for range draws {
			a, b := tried(random, scatter[0]), tried(random, scatter[1])
			if math.Abs(float64(b.value-a.value)) > float64(latencyNoise(a, b)) {
				beyond++
			}
		}
		// The share of so many draws scatters by 0.0011.
		if got := float64(beyond) / draws; got > 0.05+3*0.0011 {
			t.Errorf("%v: got %.4f beyond the noise, want at most 0.05", scatter, got)
		}
	}
}

func TestLevelsOfAsManyScrapesAsAComparisonAsksForTellTheirNoise(t *testing.T) {
	for _, scrapes := range []int{11, 12} {
		b := &block{T: t}
		b.fill([]phase{healthy(100, time.Duration(scrapes+2)*scrape)}) // the first is cut off, and both ends have one
		got, err := b.report(b.serve())
		if err != nil {
			t.Fatal(err)
		}
		l := got.Levels[0]
		if noise := l.Operations[0].Noise; l.End.Sub(l.Start) != time.Duration(scrapes)*scrape || noise.Known() != (scrapes == 12) {
			t.Errorf("got noise %v of %d scrapes, want it known from 12 on", noise, scrapes)
		}
	}
	if !strings.Contains(whyUntold, "levels of 12 scrapes do") {
		t.Errorf("got %q, want 12 scrapes", whyUntold)
	}
}
