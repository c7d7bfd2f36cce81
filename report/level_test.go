package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// at is so many minutes after the start.
func at(minutes float64) time.Time {
	return monday.Add(time.Duration(minutes * float64(time.Minute)))
}

// sampled asks a series every so often, from a minute to another one.
func sampled(from, to float64, step time.Duration, value func(minute float64) float64) []Sample {
	list := make([]Sample, 1+int((to-from)/step.Minutes()+rounding))
	for i := range list {
		minute := from + float64(i)*step.Minutes()
		list[i] = Sample{at(minute), value(minute)}
	}
	return list
}

// stairs is 1000 for ten minutes, ramps in two to 2000, holds that for ten
// minutes, and ramps in two to 0.
func stairs(minute float64) float64 {
	switch {
	case minute <= 10:
		return 1000
	case minute < 12:
		return 1000 + 500*(minute-10)
	case minute <= 22:
		return 2000
	}
	return max(0, 2000-1000*(minute-22))
}

func check(t *testing.T, rate, warmup []Sample, rules LevelRules, levels []Level, gaps []Gap) {
	t.Helper()
	gotLevels, gotGaps := FindLevels(rate, warmup, rules)
	if diff := cmp.Diff(levels, gotLevels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(gaps, gotGaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
}

func TestLevelsAreFoundBetweenRamps(t *testing.T) {
	want := []Level{{1000, at(0.25), at(10)}, {2000, at(12.25), at(22)}}
	rate := sampled(0, 30, 15*time.Second, stairs)
	check(t, rate, nil, LevelRules{}, want, nil)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rate), func(i, j int) { rate[i], rate[j] = rate[j], rate[i] })
	check(t, append(rate, rate...), nil, LevelRules{}, want, nil)
}

func TestTheSettleTimeAndTheShortestLengthAreParameters(t *testing.T) {
	rate := sampled(0, 30, 15*time.Second, stairs)
	check(t, rate, nil, LevelRules{Settle: time.Minute}, []Level{{1000, at(1), at(10)}, {2000, at(13), at(22)}}, nil)
	check(t, rate, nil, LevelRules{Shortest: 10 * time.Minute}, nil, nil)
	short := sampled(0, 2.25, 15*time.Second, func(float64) float64 { return 5 })
	check(t, short, nil, LevelRules{}, []Level{{5, at(0.25), at(2.25)}}, nil)
	check(t, short[1:], nil, LevelRules{}, nil, nil)
}

func TestWarmUpOfAnyReplicaIsCutOffTheFront(t *testing.T) {
	rate := sampled(0, 20, 15*time.Second, func(float64) float64 { return 300 })
	warm := func(until float64) func(float64) float64 {
		return func(minute float64) float64 {
			if minute <= until {
				return 1
			}
			return 0
		}
	}
	aligned := append(sampled(0, 20, 15*time.Second, warm(2)), sampled(0, 20, 15*time.Second, warm(4))...)
	check(t, rate, aligned, LevelRules{}, []Level{{300, at(4.5), at(20)}}, nil)
	askew := append(sampled(0.1, 20, 15*time.Second, warm(-1)), sampled(0.05, 20, 15*time.Second, warm(4.1))...)
	check(t, rate, askew, LevelRules{}, []Level{{300, at(4.75), at(20)}}, nil)
	rare := sampled(0, 20, time.Minute, warm(4))
	check(t, rate, rare, LevelRules{}, []Level{{300, at(5.25), at(20)}}, nil)
}

func TestARateThatComesBackIsAnotherLevelAndAPauseIsNone(t *testing.T) {
	rate := sampled(0, 30, 15*time.Second, func(minute float64) float64 {
		if minute > 10 && minute < 15 {
			return 0
		}
		if minute == 20 {
			return 990
		}
		return 1000
	})
	want := []Level{{1000, at(0.25), at(10)}, {1000, at(15.25), at(19.75)}, {1000, at(20.5), at(30)}}
	check(t, rate, nil, LevelRules{}, want, nil)
}

func TestAGapEndsALevelAndIsTold(t *testing.T) {
	flat := func(float64) float64 { return 70 }
	rate := append(sampled(0, 10, 15*time.Second, flat), sampled(11.5, 20, 15*time.Second, flat)...)
	rate = append(rate, sampled(21.25, 30, 15*time.Second, flat)...) // five steps are no gap
	rate = append(rate, Sample{at(10.5), math.NaN()}, Sample{at(11), math.Inf(1)})
	want := []Level{{70, at(0.25), at(10)}, {70, at(11.75), at(30)}}
	check(t, rate, nil, LevelRules{}, want, []Gap{{at(10), at(11.5)}})
}

func TestUnevenStepsAndRatesWithinHalfAPercentAreOneLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 1))
	var rate []Sample
	for minute := 0.0; minute < 60; minute += 0.1 + 0.3*random.Float64() {
		rate = append(rate, Sample{at(minute), 998 + 4*random.Float64()})
	}
	levels, gaps := FindLevels(rate, nil, LevelRules{})
	if len(levels) != 1 || gaps != nil || math.Abs(levels[0].RPS-1000) > 1 {
		t.Errorf("got %v and gaps %v, want one level of 1000", levels, gaps)
	}
}

func TestASlowRampIsNoLevelAndTheHoldAtItsEndIsOne(t *testing.T) {
	rate := sampled(0, 24*60+30, 15*time.Second, func(minute float64) float64 {
		return min(5000, 1000+4000*minute/24/60)
	})
	levels, _ := FindLevels(rate, nil, LevelRules{})
	if len(levels) != 1 || levels[0].RPS != 5000 || levels[0].Start.Before(at(24*60-10)) || levels[0].Start.After(at(24*60+1)) {
		t.Errorf("got %v, want the last half hour", levels)
	}
}

func TestAWeekOfSamplesTakesNoSquareOfTheirNumber(t *testing.T) {
	rate := sampled(0, 7*24*60, 5*time.Second, func(float64) float64 { return 800 })
	check(t, rate, rate[:2], LevelRules{}, []Level{{800, at(0.25), at(7 * 24 * 60)}}, nil)
}

func TestNothingAndASingleSampleHoldNoLevel(t *testing.T) {
	check(t, nil, nil, LevelRules{}, nil, nil)
	check(t, []Sample{{at(0), 5}}, []Sample{{at(0), 1}}, LevelRules{}, nil, nil)
}

// series reads samples from bytes: a time step and a value each.
func series(data []byte) (list []Sample) {
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 1e150, -1e150, math.SmallestNonzeroFloat64, 0, -1}
	now := monday
	for ; len(data) > 1; data = data[2:] {
		now = now.Add(time.Duration(int8(data[0])) * 20 * time.Minute)
		value := float64(data[1])
		if int(data[1]) < len(odd) {
			value = odd[data[1]]
		}
		list = append(list, Sample{now, value})
	}
	return list
}

func FuzzFindLevels(f *testing.F) {
	f.Add([]byte{1, 100, 1, 100, 1, 100, 1, 100}, []byte{1, 9}, int64(0), int64(0))
	f.Add([]byte{1, 3, 1, 3, 1, 3, 255, 0, 1, 4}, []byte{}, int64(-1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, rate, warmup []byte, shortest, settle int64) {
		rules := LevelRules{time.Duration(shortest), time.Duration(settle)}
		levels, gaps := FindLevels(series(rate), series(warmup), rules)
		for i, l := range levels {
			if !(l.RPS > 0) || i > 0 && l.Start.Before(levels[i-1].End) || l.End.Before(l.Start) {
				t.Errorf("got %v", levels)
			}
		}
		for _, g := range gaps {
			if !g.End.After(g.Start) {
				t.Errorf("got the gap %v", g)
			}
		}
	})
}
