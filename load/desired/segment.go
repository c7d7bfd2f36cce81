package desired

import "time"

// Segment is a stretch of time in which the rate goes in a straight line.
type Segment struct {
	For      time.Duration // 0: for good
	From, To float64       // requests a second at its begin and at its end
}

// piece is a segment in absolute time.
type piece struct {
	start, end time.Time // end is zero: for good
	from, to   float64
}

func hold(rate float64) piece { return piece{from: rate, to: rate} }

func (p piece) rate(at time.Time) float64 {
	if p.from == p.to {
		return p.to
	}
	share := float64(at.Sub(p.start)) / float64(p.end.Sub(p.start))
	return p.from + (p.to-p.from)*min(max(share, 0), 1) // clocks of replicas differ: at may lie before it
}

// cut ends the piece at an instant, if that comes before its own end.
func (p piece) cut(end time.Time) piece {
	if end.IsZero() || !p.end.IsZero() && !end.Before(p.end) {
		return p
	}
	p.to = p.rate(end)
	p.end = end
	return p
}

// forGood is a time after which nobody looks: sums of longer ones would overflow.
const forGood = 100 * 365 * 24 * time.Hour

// since is what is left of the piece at an instant within it, under a cap.
func (p piece) since(at time.Time, maxRPS float64) Segment {
	s := Segment{From: min(p.rate(at), maxRPS), To: min(p.to, maxRPS)}
	if d := p.end.Sub(at); !p.end.IsZero() && d < forGood {
		s.For = d
	}
	return s
}
