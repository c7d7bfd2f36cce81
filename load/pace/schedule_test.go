package pace

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// upTo takes every arrival due at or before end.
func upTo(s *Schedule, end time.Duration) (due []time.Duration) {
	for d := s.Due(); d <= end; d = s.Due() {
		due = append(due, d)
		s.Take()
	}
	return due
}

func constant(rate float64) []Segment { return []Segment{{From: rate, To: rate}} }

func TestArrivalsAreDueWhereTheIntegralPassesAMark(t *testing.T) {
	for name, test := range map[string]struct {
		segments []Segment
		repeat   bool
		offset   float64
		until    time.Duration
		want     []time.Duration
	}{
		"a constant rate gives equal gaps": {
			segments: constant(2), until: 2 * time.Second,
			want: []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second},
		},
		"an offset shifts every arrival by a share of the gap": {
			segments: constant(2), offset: 0.5, until: time.Second,
			want: []time.Duration{250 * time.Millisecond, 750 * time.Millisecond},
		},
		"rate 0 never fires": {segments: constant(0), offset: 0.1, until: time.Hour},
		"a ramp from 0 to 2 in 2 s has its marks at the roots": {
			segments: []Segment{{For: 2 * time.Second, From: 0, To: 2}}, offset: 0.5, until: 3 * time.Second,
			want: []time.Duration{time.Second, time.Duration(math.Sqrt(3) * 1e9), 2250 * time.Millisecond, 2750 * time.Millisecond},
		},
		"stages that repeat start over": {
			segments: []Segment{{For: time.Second, From: 1, To: 1}, {For: time.Second}}, repeat: true, offset: 0.5, until: 5 * time.Second,
			want: []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond, 4500 * time.Millisecond},
		},
		"the last rate holds when stages are over": {
			segments: []Segment{{For: time.Second, From: 1, To: 1}, {For: time.Second, From: 2, To: 2}}, offset: 1, until: 3 * time.Second,
			want: []time.Duration{time.Second, 1500 * time.Millisecond, 2 * time.Second, 2500 * time.Millisecond, 3 * time.Second},
		},
		"a repeated silence never ends, and says so": {
			segments: []Segment{{For: time.Second}}, repeat: true, offset: 0.5, until: time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(test.offset, nil)
			s.Change(0, test.segments, test.repeat)
			got := upTo(s, test.until)
			near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= 2 })
			if diff := cmp.Diff(test.want, got, near); diff != "" {
				t.Errorf("arrivals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChangeOfRateLeavesNoBacklogAndNoGap(t *testing.T) {
	s := New(0, nil)
	s.Change(0, constant(100), false)
	upTo(s, time.Minute)
	s.Change(time.Minute, constant(5000), false)
	fast := upTo(s, 2*time.Minute)
	s.Change(2*time.Minute, constant(100), false)
	slow := upTo(s, 3*time.Minute)
	for _, part := range []struct {
		due  []time.Duration
		want int
		gap  time.Duration
	}{{fast, 300_000, 200 * time.Microsecond}, {slow, 6_000, 10 * time.Millisecond}} {
		if got := len(part.due); got < part.want-1 || got > part.want+1 {
			t.Errorf("arrivals in a minute: got %d, want %d ± 1", got, part.want)
		}
		for i := 1; i < len(part.due); i++ {
			if gap := part.due[i] - part.due[i-1]; (gap - part.gap).Abs() > time.Microsecond {
				t.Fatalf("gap %d: got %v, want %v", i, gap, part.gap)
			}
		}
	}
}

func TestARateSetAgainAndAgainStillFires(t *testing.T) {
	s := New(1, nil)
	var due []time.Duration
	for now := time.Duration(0); now <= time.Minute; now += 700 * time.Millisecond {
		s.Change(now, constant(0.1), false)
		due = append(due, upTo(s, now+700*time.Millisecond)...)
	}
	if got := len(due); got != 6 {
		t.Errorf("arrivals at 0.1 a second in a minute: got %d, want 6", got)
	}
	if got := len(s.segments); got != 1 {
		t.Errorf("segments kept after 86 changes: got %d, want 1", got)
	}
}

func TestWhatWasDueBeforeAChangeStaysDue(t *testing.T) {
	s := New(0, nil)
	s.Change(0, constant(10), false)
	s.Change(950*time.Millisecond, constant(0), false)
	if got := len(upTo(s, time.Hour)); got != 10 {
		t.Errorf("arrivals due before the rate went to 0: got %d, want 10", got)
	}
}

func TestPoissonArrivalsHaveTheMeanAndTheSpreadOfTheirRate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := New(0, Exponential(r.Float64))
	s.Change(0, constant(1000), false)
	due := upTo(s, 100*time.Second)
	mean := float64(len(due)) / 100
	if math.Abs(mean-1000) > 4*math.Sqrt(10) { // four standard deviations of the mean of 100 seconds
		t.Errorf("arrivals a second: got %.1f, want 1000 ± 13", mean)
	}
	var square float64
	for i := 1; i < len(due); i++ {
		gap := (due[i] - due[i-1]).Seconds() * 1000
		square += gap * gap
	}
	if got := square / float64(len(due)-1); math.Abs(got-2) > 0.1 {
		t.Errorf("mean square of the gaps in units of their mean: got %.3f, want 2", got)
	}
}

func segments(t *rapid.T) []Segment {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Segment {
		return Segment{
			For:  time.Duration(rapid.IntRange(0, 20_000).Draw(t, "for")) * time.Millisecond,
			From: rapid.Float64Range(0, 500).Draw(t, "from"),
			To:   rapid.Float64Range(0, 500).Draw(t, "to"),
		}
	}), 1, 5).Draw(t, "segments")
}

// integral is Λ by the trapezoid rule over the schedule's own rate, segment by segment.
func integral(ss []Segment, d time.Duration) (sum float64) {
	for _, s := range ss {
		if s.For >= d {
			return sum + s.area(d)
		}
		sum += s.area(s.For)
		d -= s.For
	}
	return sum + ss[len(ss)-1].To*d.Seconds()
}

func TestTheCountOfArrivalsIsTheIntegralOfTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ss := segments(t)
		end := time.Duration(rapid.IntRange(0, 60_000).Draw(t, "end")) * time.Millisecond
		s := New(1, nil)
		s.Change(0, ss, false)
		due := upTo(s, end)
		if want := integral(ss, end); math.Abs(float64(len(due))-want) > 1.001 {
			t.Fatalf("arrivals until %v: got %d, want %.3f", end, len(due), want)
		}
		for i := 1; i < len(due); i++ {
			if due[i] < due[i-1] {
				t.Fatalf("arrival %d is due at %v, before its predecessor at %v", i, due[i], due[i-1])
			}
		}
	})
}

func TestChangesAtAnyTimeKeepTheIntegralGoing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(1, nil)
		var now time.Duration
		var want float64
		var got int
		for range rapid.IntRange(1, 8).Draw(t, "changes") {
			ss := segments(t)
			s.Change(now, ss, false)
			d := time.Duration(rapid.IntRange(0, 30_000).Draw(t, "next")) * time.Millisecond
			if rapid.Bool().Draw(t, "late") { // the caller was held up, and comes back at the next change
				now += d
			} else {
				got += len(upTo(s, now+d))
				now += d
			}
			want += integral(ss, d)
		}
		got += len(upTo(s, now))
		if math.Abs(float64(got)-want) > 1.01 {
			t.Fatalf("arrivals until %v: got %d, want %.3f", now, got, want)
		}
	})
}

func TestAClippedRateNeverExceedsItsLimitAndElsewhereIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ss := segments(t)
		limit := rapid.Float64Range(0.1, 600).Draw(t, "limit")
		whole, clipped := New(0, nil), New(0, nil)
		whole.Change(0, ss, false)
		clipped.Change(0, Clip(ss, limit), false)
		at := time.Duration(rapid.IntRange(0, int(length(ss)/time.Microsecond)).Draw(t, "at")) * time.Microsecond
		want := min(limit, whole.Rate(at))
		if got := clipped.Rate(at); math.Abs(got-want) > 0.001*max(1, want)+1e-3*limit {
			t.Fatalf("clipped rate at %v: got %v, want %v", at, got, want)
		}
	})
}

func TestOverdueArrivalsAreReleasedAtTwiceTheRate(t *testing.T) {
	var throttle Throttle
	now, released := time.Second, 0
	for now < 2*time.Second {
		throttle.Released(now, 100)
		released++
		now = throttle.Ready(now)
	}
	if released < 200 || released > 203 {
		t.Errorf("released in the second after a stall at 100 a second: got %d, want 200 to 203", released)
	}
}

func BenchmarkSchedule(b *testing.B) {
	s := New(0, nil)
	s.Change(0, constant(5000), false)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Due()
		s.Take()
	}
}

func TestAPartIsAShareOfTheRateUntilItsEnd(t *testing.T) {
	ramp := []Segment{{For: 10 * time.Second, From: 0, To: 100}, {For: 10 * time.Second, From: 100, To: 100}}
	for name, test := range map[string]struct {
		left time.Duration
		want []Segment
	}{
		"within a ramp":  {4 * time.Second, []Segment{{For: 4 * time.Second, From: 0, To: 10}, {}}},
		"at a boundary":  {10 * time.Second, []Segment{{For: 10 * time.Second, From: 0, To: 25}, {}}},
		"after the last": {25 * time.Second, []Segment{{For: 10 * time.Second, From: 0, To: 25}, {For: 10 * time.Second, From: 25, To: 25}, {For: 5 * time.Second, From: 25, To: 25}, {}}},
		"never":          {Never, []Segment{{For: 10 * time.Second, From: 0, To: 25}, {For: 10 * time.Second, From: 25, To: 25}}},
		"over":           {0, []Segment{{}}},
	} {
		if diff := cmp.Diff(test.want, Part(ramp, 0.25, test.left)); diff != "" {
			t.Errorf("%s: wanted -, got +\n%s", name, diff)
		}
	}
}
