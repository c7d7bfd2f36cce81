package report

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// steady is a level of ten minutes in which all was well.
func steady(rps Figure) Measured {
	return Measured{
		RPS: rps, Start: began, End: began.Add(10 * time.Minute), Achieved: rps, Success: 0.9995, Covered: 1, CostAMio: map[string]float64{"dynamodb": 2.5},
		Operations: []Operation{{Name: "get_record", RPS: rps, Mean: 0.012, P50: 0.01, P95: 0.02, P99: 0.04, Ends50: about(0.01), Ends95: about(0.02), Ends99: about(0.04), Noise: 0.03}},
	}
}

// about is a narrow bucket around a latency.
func about(f Figure) Bucket { return Bucket{0.98 * f, 1.02 * f} }

// held is a report of levels.
func held(highest Figure, levels ...Measured) *Report {
	return &Report{Schema: schema, Start: began, End: began.Add(time.Hour), Levels: levels, Highest: highest}
}

// slow makes the tail of a level's operation longer.
func slow(m Measured, times Figure) Measured {
	o := &m.Operations[0]
	o.P99 *= times
	o.Ends99 = about(o.P99)
	return m
}

// changed are the rows that are not the same.
func changed(c *Comparison) (rows []Row) {
	for _, r := range c.Rows {
		if r.Verdict != Same {
			rows = append(rows, r)
		}
	}
	return rows
}

// likely compares figures but for rounding.
var likely = cmp.Comparer(func(a, b Figure) bool {
	return a == b || a != a && b != b || math.Abs(float64(a-b)) < 1e-6*math.Abs(float64(b))
})

func markdownOf(t *testing.T, c *Comparison) string {
	t.Helper()
	var b strings.Builder
	if err := c.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAReportIsTheSameAsItself(t *testing.T) {
	c := Compare(held(500, steady(100), steady(500)), held(500, steady(100), steady(500)), 0)
	if rows := changed(c); rows != nil || c.Levels != 2 || len(c.Rows) != 15 || len(c.Notes) != 0 {
		t.Errorf("got %+v, want 15 rows that are the same at 2 levels", c)
	}
	want := "# Load comparison\n\n- A, the base: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n- B: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n\n" +
		"**Nothing changed beyond noise.** Levels compared: 2, figures: 15.\n"
	if diff := cmp.Diff(want, markdownOf(t, c)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

// The noise of 40 ms against 42.6 ms is 0.02·40 + 0.02·42.6 + 2.776·0.03·√(40² + 42.6²)/2 = 4.085 ms.
func TestNoiseHidesASmallChange(t *testing.T) {
	c := Compare(held(100, steady(100)), held(100, slow(steady(100), 1.065)), 0)
	want := Row{100, 100, "p99 of get_record", Seconds, 0.04, 0.0426, 0.065, 0.10213182, Same, false}
	if diff := cmp.Diff(want, c.Rows[len(c.Rows)-2], likely); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if rows := changed(c); rows != nil {
		t.Errorf("got %v, want nothing changed", rows)
	}
}

func TestALevelThatIsNotValidIsNotCompared(t *testing.T) {
	late := slow(steady(500), 3)
	late.Invalid = "The tester was late."
	c := Compare(held(500, steady(500)), held(none, late), 0.1)
	if c.Levels != 0 || c.Regressions() != nil || len(c.Notes) != 2 {
		t.Errorf("got %d levels, regressions %v and notes %q, want none, none and two", c.Levels, c.Regressions(), c.Notes)
	}
}

func TestWrongAnswersOutsideOfLevelsAreARegression(t *testing.T) {
	b := held(100, steady(100))
	b.Outside = map[string]float64{"stale": 7}
	past := Compare(held(100, steady(100)), b, 0.1).Regressions()
	if len(past) != 1 || past[0].Name != "wrong answers, stale, outside of levels" {
		t.Errorf("got %v, want the stale answers", past)
	}
}

func TestARealRegressionIsPastTheLimit(t *testing.T) {
	b := slow(steady(505), 1.5)
	b.Achieved, b.Success = 404, 0.99
	c := Compare(held(500, steady(500)), held(none, b), 0.1)
	for i := range c.Rows {
		c.Rows[i].Noise = 0
	}
	want := []Row{
		{none, none, "highest level that met all objectives", PerSecond, 500, 0, -1, 0, Worse, true},
		{500, 505, "achieved, of the rate asked for", Share, 1, 0.8, -0.2, 0, Worse, true},
		{500, 505, "success", Share, 0.9995, 0.99, 0.99/0.9995 - 1, 0, Worse, false},
		{500, 505, "p99 of get_record", Seconds, 0.04, 0.06, 0.5, 0, Worse, true},
	}
	if diff := cmp.Diff(want, changed(c), likely); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got := c.Regressions(); len(got) != 3 || got[2].String() != "p99 of get_record at 505 requests a second from 40 ms to 60 ms (+50 %)" {
		t.Errorf("got %v, want three regressions, the last of p99", got)
	}
	text := markdownOf(t, c)
	for _, want := range []string{
		"**Past the limit of 10 %: 3.** Worse: 4, better: 0, the same: 4, cannot be told: 0; levels compared: 1.",
		"| highest level that met all objectives | – | 500 | 0 | -100 % | 0 % | **worse** |",
		"| p99 of get_record | 500, 505 | 40 ms | 60 ms | +50 % | 0 % | **worse** |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "p50") {
		t.Errorf("got what did not change in\n%s", text)
	}
}

func TestTheLimitLetsARegressionThrough(t *testing.T) {
	if got := Compare(held(500, steady(500)), held(500, slow(steady(500), 1.5)), 0.6).Regressions(); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

func TestBetterIsTold(t *testing.T) {
	b := slow(steady(500), 0.5)
	b.Success, b.CostAMio["dynamodb"] = 1, 2
	c := Compare(held(100, steady(100), steady(500)), held(500, steady(100), b), 0)
	var got []string
	for _, r := range changed(c) {
		got = append(got, r.Name+" "+string(r.Verdict))
	}
	want := []string{"highest level that met all objectives better", "success better", "p99 of get_record better", "cost of dynamodb better"}
	if diff := cmp.Diff(want, got); diff != "" || c.Regressions() != nil {
		t.Errorf("got regressions %v; wanted -, got +\n%s", c.Regressions(), diff)
	}
}

func TestFailuresThatChanceExplainsAreNoChange(t *testing.T) {
	for successes, want := range map[Figure]Verdict{1: Same, 1 - 3.0/60_000: Same, 1 - 30.0/60_000: Worse} {
		a, b := steady(100), steady(100)
		a.Success, b.Success = 1, successes
		if got := Compare(held(100, a), held(100, b), 0).Rows[2]; got.Name != "success" || got.Verdict != want {
			t.Errorf("%v: got %+v, want %s", successes, got, want)
		}
	}
}

func TestOneWrongAnswerMoreIsPastAnyLimit(t *testing.T) {
	a, b := steady(100), steady(100)
	a.Violations = map[string]float64{"stale": 3.9, "lost": 2}
	b.Violations = map[string]float64{"stale": 4.1, "lost": 1, "corrupt": 1}
	got := changed(Compare(held(100, a), held(100, b), 1000))
	want := []Row{
		{100, 100, "wrong answers, corrupt", Count, 0, 1, Figure(math.Inf(1)), none, Worse, true},
		{100, 100, "wrong answers, lost", Count, 2, 1, -0.5, 0, Better, false},
	}
	if diff := cmp.Diff(want, got, likely); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestCostCountsBeyondAPercent(t *testing.T) {
	for usd, want := range map[float64]Row{
		2.524: {100, 100, "cost of dynamodb", USDAMillion, 2.5, 2.524, 0.0096, 0.01, Same, false},
		2.53:  {100, 100, "cost of dynamodb", USDAMillion, 2.5, 2.53, 0.012, 0.01, Worse, false},
		3:     {100, 100, "cost of dynamodb", USDAMillion, 2.5, 3, 0.2, 0.01, Worse, true},
	} {
		b := steady(100)
		b.CostAMio["dynamodb"] = usd
		c := Compare(held(100, steady(100)), held(100, b), 0.1)
		if diff := cmp.Diff(want, c.Rows[len(c.Rows)-1], likely); diff != "" {
			t.Errorf("%v USD: wanted -, got +\n%s", usd, diff)
		}
	}
}

func TestWhatOnlyOneHasIsNamed(t *testing.T) {
	a, b := steady(105), steady(100)
	a.Operations[0].Name, a.Success = "query_store", none
	b.CostAMio["s3"] = 1
	c := Compare(held(1000, steady(30), a, steady(1000)), held(none, b), 0.1)
	want := []string{
		"The highest level that met all objectives cannot be compared: A has one of 1000 requests a second, B one of 0, and the other has no valid level of such a rate.",
		"At 105 requests a second only A has: query_store.",
		"At 100 requests a second only B has: success, get_record, cost of s3.",
		"Only A has a level of 30 requests a second, from 2026-11-20 12:00:00 UTC.",
		"Only A has a level of 1000 requests a second, from 2026-11-20 12:00:00 UTC.",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" || c.Levels != 1 || len(c.Rows) != 2 {
		t.Errorf("got %+v; wanted -, got +\n%s", c.Rows, diff)
	}
	if text := markdownOf(t, c); !strings.Contains(text, "## What could not be told or compared\n\n- The highest level") {
		t.Errorf("got no list of what is missing in\n%s", text)
	}
}

func TestTheNearestLevelsBelongTogetherEachOnce(t *testing.T) {
	for _, c := range []struct{ a, b, want []Figure }{
		{[]Figure{100, 200}, []Figure{200, 100}, []Figure{100, 100, 200, 200}},
		{[]Figure{100, 105}, []Figure{104}, []Figure{105, 104}},
		{[]Figure{100, 100}, []Figure{100, 100, 110}, []Figure{100, 100, 100, 100}},
		{[]Figure{100, 1000}, []Figure{110, 1101}, []Figure{100, 110}},
		{nil, []Figure{1}, nil},
	} {
		var a, b []Measured
		for _, rps := range c.a {
			a = append(a, steady(rps))
		}
		for _, rps := range c.b {
			b = append(b, steady(rps))
		}
		var got []Figure
		for _, p := range match(a, b) {
			got = append(got, a[p.a].RPS, b[p.b].RPS)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v with %v: wanted -, got +\n%s", c.a, c.b, diff)
		}
	}
}

func TestAComparisonInJSONHasAllRows(t *testing.T) {
	b := steady(100)
	b.Violations = map[string]float64{"lost": 1}
	text, err := json.Marshal(Compare(held(100, steady(100)), held(100, b), 0.1))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"max_regression":0.1,"levels_in_common":1,"rows":[{"level_a_rps":null,"level_b_rps":null,"name":"highest level that met all objectives"`,
		`"name":"wrong answers, lost","unit":"","a":0,"b":1,"change":null,"noise":null,"verdict":"worse","past_limit":true}`,
		`"name":"p50 of get_record","unit":"seconds","a":0.01,"b":0.01,"change":0,`, `"notes":[]`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("got no %s in\n%s", want, text)
		}
	}
}
