package report

import (
	"math"
	"testing"
	"time"

	"github.com/go-analyze/charts"
	"github.com/google/go-cmp/cmp"
)

func TestAnAxisHasRoundTicks(t *testing.T) {
	hour := func(h int) time.Time { return began.Add(time.Duration(h) * time.Hour) }
	for name, test := range map[string]struct {
		got  axis
		want []string
	}{
		"near":        {numbers(100, 400), []string{"0", "100", "200", "300", "400"}},
		"far":         {numbers(100, 3200), []string{"100", "200", "400", "800", "1600", "3200"}},
		"far, uneven": {numbers(1.3, 130), []string{"1", "2", "4", "8", "16", "32", "64", "128", "256"}},
		"farther":     {numbers(1, 1e5), []string{"1", "8", "64", "512", "4100", "32800", "262000"}},
		"small":       {numbers(0.013, 0.02), []string{"0", "0.005", "0.01", "0.015", "0.02"}},
		"an hour":     {clock(hour(0), hour(1)), []string{"12:00", "12:10", "12:20", "12:30", "12:40", "12:50", "13:00"}},
		"no time":     {clock(hour(0), hour(0)), []string{"12:00", "12:01"}},
		"three days":  {clock(hour(0), hour(72)), []string{"20 Nov 12:00", "21 Nov 00:00", "21 Nov 12:00", "22 Nov 00:00", "22 Nov 12:00", "23 Nov 00:00", "23 Nov 12:00"}},
	} {
		if diff := cmp.Diff(test.want, test.got.ticks); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}

func TestAnAxisOfValuesEndsNotFarAboveThem(t *testing.T) {
	for v := 1e-3; v < 1e6; v *= 1.01 {
		if end := top(v); end < v || end > 1.34*v {
			t.Errorf("got the end %v for %v", end, v)
		}
	}
}

func TestALineGoesStraightBetweenItsPointsAndBreaksWhereThereIsNone(t *testing.T) {
	c := chart{x: numbers(10, 10)} // from 0 to 10
	l := trace{points: []spot{{0, 0}, {5, 50}, {7, math.NaN()}, {8, 80}, {10, 100}}}
	got := c.path(l, true)
	at := func(x float64) float64 { return math.Round(got[c.column(x)]) }
	null := math.Round(charts.GetNullValue())
	if diff := cmp.Diff([]float64{0, 25, 50, null, null, 80, 90, 100}, []float64{at(0), at(2.5), at(5), at(6), at(7.5), at(8), at(9), at(10)}); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	marks := 0
	for _, v := range c.path(l, false) {
		if v != charts.GetNullValue() {
			marks++
		}
	}
	if marks != 4 {
		t.Errorf("got %d points that stand apart, want 4", marks)
	}
}

func TestAChartWithFewerThanTwoPointsIsLeftOut(t *testing.T) {
	r := rich()
	r.Timeline, r.Levels = r.Timeline[:1], r.Levels[:1]
	if got := r.charts(); len(got) != 0 {
		t.Errorf("got %d charts of one point each, want none", len(got))
	}
}
