package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// noted is a report that could not tell all.
func noted(r *Report, notes ...string) *Report {
	r.Notes = notes
	return r
}

// covering is a level whose latencies are of a share of its answers.
func covering(rps, share Figure) Measured {
	m := steady(rps)
	m.Covered = share
	return m
}

func TestWhatAReportCouldNotTellAComparisonTellsNeither(t *testing.T) {
	c := Compare(noted(held(100, steady(100)), "There are no samples."), noted(held(100, steady(100)), "AWS was not asked.", "There are no samples."), 0.1)
	text := "# Load comparison\n\n- A, the base: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n- B: 2026-11-20 12:00:00 to 2026-11-20 13:00:00 UTC\n\n" +
		"**Nothing of what could be compared changed beyond noise.** Levels compared: 1, figures: 8.\n\n" +
		"## What could not be told or compared\n\n- A: There are no samples.\n- B: AWS was not asked.\n- B: There are no samples.\n"
	if diff := cmp.Diff(text, markdownOf(t, c)); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestLatenciesThatAreNotThoseOfAllAnswersCannotBeTold(t *testing.T) {
	for _, test := range []struct {
		a, b  Figure
		count int
	}{
		{0.95, 1.05, 0}, {0.94, 1, 4}, {1, 0.94, 4}, {1.06, 1, 4}, {1, 1.06, 4}, {none, none, 0},
	} {
		c := Compare(held(100, covering(100, test.a)), held(100, covering(100, test.b)), 0.1)
		told := strings.HasPrefix(c.headline(), "**Nothing changed")
		if c.Untold() != test.count || len(changed(c)) != test.count || told != (test.count == 0) || told != (len(c.Notes) == 0) {
			t.Errorf("%v with %v: got %+v, %q, %q, want %d that cannot be told", test.a, test.b, changed(c), c.headline(), c.Notes, test.count)
		}
	}
}

func TestAComparisonOfLowRatesNamesThem(t *testing.T) {
	a, b := steady(1.5), steady(1.51)
	b.Operations[0].Name = "query_store"
	c := Compare(held(2.5, a, steady(0.5)), held(none, b), 0.1)
	want := []string{
		"The highest level that met all objectives cannot be compared: A has one of 2.5 requests a second, B one of 0, and the other has no valid level of such a rate.",
		"At 1.5 requests a second only A has: get_record.",
		"At 1.51 requests a second only B has: query_store.",
		"Only A has a level of 0.5 requests a second, from 2026-11-20 12:00:00 UTC.",
	}
	if diff := cmp.Diff(want, c.Notes); diff != "" || c.Rows[0].level() != "1.5, 1.51" {
		t.Errorf("got levels %q; wanted -, got +\n%s", c.Rows[0].level(), diff)
	}
	highest := Compare(held(2.5, steady(2.5)), held(0.5, steady(0.5), steady(2.5)), 0.1).Regressions()[0].String()
	if want := "highest level that met all objectives from 2.5 to 0.5 (-80 %)"; highest != want {
		t.Errorf("got %q, want %q", highest, want)
	}
}
