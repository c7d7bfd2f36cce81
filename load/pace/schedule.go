// Package pace says when requests are due. It is arithmetic: no clock, no
// sleeping, no goroutine. Instants are durations since an origin that the
// caller chooses.
//
// The schedule is the integral Λ(t) of the rate: an arrival is due where Λ
// passes the next mark. Marks are 1 apart for constant arrivals and unit
// exponentials for Poisson arrivals, which makes the latter an inhomogeneous
// Poisson process (Çinlar's time change; https://en.wikipedia.org/wiki/Poisson_point_process).
package pace

import (
	"math"
	"time"
)

// Never is the due time of an arrival that no rate will bring.
const Never = time.Duration(math.MaxInt64)

// Segment is a stretch of time in which the rate, in arrivals a second, goes
// linearly From → To. In the last segment of a schedule that does not repeat,
// To holds for ever once For is over.
type Segment struct {
	For      time.Duration
	From, To float64
}

// area is the integral of the rate over the first d of the segment.
func (s Segment) area(d time.Duration) float64 {
	x := d.Seconds()
	return x*s.From + x*x*s.slope()/2
}

func (s Segment) slope() float64 {
	if s.For <= 0 {
		return 0
	}
	return (s.To - s.From) / s.For.Seconds()
}

// after is the rest of the segment when d of it is over.
func (s Segment) after(d time.Duration) Segment {
	return Segment{For: s.For - d, From: s.From + s.slope()*d.Seconds(), To: s.To}
}

// reach is the time in which the integral grows by ahead; it solves
// From·x + slope·x²/2 = ahead in the form that stays exact for a small slope.
func (s Segment) reach(ahead float64) time.Duration {
	root := math.Sqrt(math.Max(0, s.From*s.From+2*s.slope()*ahead))
	if s.From+root <= 0 {
		return Never
	}
	x := 2 * ahead / (s.From + root) * float64(time.Second)
	if x >= float64(Never) {
		return Never
	}
	return time.Duration(math.Round(x))
}

// Schedule is Λ(t), and the mark that the next arrival is due at. Its zero
// value has no rate; New makes one.
type Schedule struct {
	gap      func() float64 // from one mark to the next
	segments []Segment
	loop     int           // where it goes on after the last segment; -1: To holds
	start    time.Duration // of segments[0]; never after the last arrival
	ahead    float64       // from Λ(start) to the next mark, so that nothing grows with time
}

// New makes a schedule without a rate, whose first mark is at offset. A nil
// gap makes constant arrivals; Exponential makes Poisson ones. Of n generators
// that share a rate, the i-th takes the offset i/n to stay out of step.
func New(offset float64, gap func() float64) *Schedule {
	if gap == nil {
		gap = func() float64 { return 1 }
	}
	return &Schedule{gap: gap, loop: -1, ahead: offset, segments: []Segment{{}}}
}

// Exponential returns unit exponential gaps drawn from uniform, which yields
// numbers in [0, 1).
func Exponential(uniform func() float64) func() float64 {
	return func() float64 { return -math.Log1p(-uniform()) }
}

// Change lets the rate follow segments from instant at on, which is not before
// the last arrival taken; repeat starts them over when they end. Λ continues:
// what was due before at stays due, and the fraction of an arrival that had
// built up is kept. Segments must not be empty.
func (s *Schedule) Change(at time.Duration, segments []Segment, repeat bool) {
	kept := s.until(at)
	if s.Due() >= at { // nothing is overdue: what is past can be summed up
		for _, seg := range kept {
			s.ahead -= seg.area(seg.For)
		}
		s.start, kept = max(s.start, at), nil
	}
	s.loop = -1
	if repeat && length(segments) > 0 {
		s.loop = len(kept)
	}
	s.segments = append(kept, segments...)
}

// until is what the schedule does from its start to instant at.
func (s *Schedule) until(at time.Duration) []Segment {
	var kept []Segment
	now := s.start
	for i := 0; now < at; i = s.next(i) {
		seg := s.segment(i)
		if d := at - now; seg.For > d {
			seg = Segment{For: d, From: seg.From, To: seg.after(d).From}
		}
		kept = append(kept, seg)
		now += seg.For
	}
	return kept
}

// segment is the i-th; one past the end is the holding of the last rate.
func (s *Schedule) segment(i int) Segment {
	if i < len(s.segments) {
		return s.segments[i]
	}
	hold := s.segments[len(s.segments)-1].To
	return Segment{For: Never, From: hold, To: hold}
}

func (s *Schedule) next(i int) int {
	if i+1 >= len(s.segments) && s.loop >= 0 {
		return s.loop
	}
	return i + 1
}

// Due is when the next arrival is due, or Never.
func (s *Schedule) Due() time.Duration {
	_, start, ahead := s.find()
	return add(start, ahead)
}

// find walks to the segment of the next mark: its index, its start, and the
// time from there to the mark.
func (s *Schedule) find() (i int, start, reach time.Duration) {
	start, ahead := s.start, s.ahead
	empty := 0 // segments in a row that brought nothing: a repeated silence never ends
	for {
		seg := s.segment(i)
		if d := seg.reach(ahead); seg.For == Never || d <= seg.For {
			return i, start, d
		}
		area := seg.area(seg.For)
		if area > 0 {
			empty = 0
		} else if empty++; empty > len(s.segments) && s.loop >= 0 {
			return i, start, Never
		}
		ahead -= area
		start += seg.For
		i = s.next(i)
	}
}

// Take takes the arrival that is due, and moves the mark to the next one.
func (s *Schedule) Take() {
	i, start, reach := s.find()
	if reach == Never {
		return
	}
	s.forget(i, start)
	s.ahead += s.gap()
	const many = 1 << 20 // rebasing rounds to a nanosecond, so it is done seldom
	if seg := s.segment(0); s.ahead > many && seg.For-reach > 0 {
		s.ahead -= seg.area(reach)
		s.start += reach
		if seg.For != Never {
			s.segments[0] = seg.after(reach)
		}
	}
}

// forget drops the segments before the i-th, which begins at start.
func (s *Schedule) forget(i int, start time.Duration) {
	if i == 0 {
		return
	}
	now := s.start
	for j := 0; now < start; j = s.next(j) {
		seg := s.segment(j)
		s.ahead -= seg.area(seg.For)
		now += seg.For
	}
	s.start = start
	switch {
	case i >= len(s.segments):
		s.segments = []Segment{s.segment(i)}
	case s.loop >= 0:
		s.rotate(i)
	default:
		s.segments = s.segments[i:]
	}
}

// rotate lets a schedule that repeats begin at its i-th segment.
func (s *Schedule) rotate(i int) {
	if i < s.loop {
		s.segments, s.loop = s.segments[i:], s.loop-i
		return
	}
	cycle := s.segments[s.loop:]
	i -= s.loop
	s.segments = append(append([]Segment{}, cycle[i:]...), cycle[:i]...)
	s.loop = 0
}

// Rate is the rate at an instant not before the last arrival taken.
func (s *Schedule) Rate(at time.Duration) float64 {
	now := s.start
	for i := 0; ; i = s.next(i) {
		seg := s.segment(i)
		if at-now < seg.For || seg.For == Never {
			return seg.after(max(0, at-now)).From
		}
		now += seg.For
	}
}

// Clip keeps the rate at or below limit, splitting the ramps that cross it.
func Clip(segments []Segment, limit float64) []Segment {
	var out []Segment
	for _, s := range segments {
		if (s.From > limit) == (s.To > limit) || s.slope() == 0 {
			out = append(out, Segment{For: s.For, From: min(s.From, limit), To: min(s.To, limit)})
			continue
		}
		d := time.Duration((limit - s.From) / s.slope() * float64(time.Second))
		out = append(out,
			Segment{For: d, From: min(s.From, limit), To: limit},
			Segment{For: s.For - d, From: limit, To: min(s.To, limit)})
	}
	return out
}

// Part is a share of the rate for as long as left, and none after it; Never: for good.
func Part(segments []Segment, share float64, left time.Duration) []Segment {
	if left <= 0 {
		return []Segment{{}}
	}
	var out []Segment
	forGood := left == Never
	for i, s := range segments {
		s.From, s.To = s.From*share, s.To*share
		if !forGood && s.For >= left {
			return append(out, Segment{For: left, From: s.From, To: s.after(left).From}, Segment{})
		}
		out, left = append(out, s), left-s.For
		if i == len(segments)-1 && !forGood {
			out = append(out, Segment{For: left, From: s.To, To: s.To}, Segment{})
		}
	}
	return out
}

func length(segments []Segment) (total time.Duration) {
	for _, s := range segments {
		total += s.For
	}
	return total
}

func add(a, b time.Duration) time.Duration {
	if b > Never-a {
		return Never
	}
	return a + b
}
