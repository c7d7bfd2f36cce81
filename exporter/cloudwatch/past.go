package cloudwatch

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// past is what was read of a query.
type past struct {
	*query
	window
	values []float64 // as CloudWatch gives them, one a period of the window; NaN: none
}

func newPast(q *query, w window) *past {
	w = w.whole(q.period())
	p := &past{q, w, make([]float64, w.periods(q.period()))}
	for i := range p.values {
		p.values[i] = math.NaN()
	}
	return p
}

// index is the place of the period that a time is in.
func (p *past) index(at time.Time) int { return window{p.start, at}.periods(p.period()) }

// take takes the answer for a piece of the window; the pieces come in order of time.
func (p *past) take(a answer, w window) {
	for _, got := range a.points {
		if w.holds(got.at) {
			p.values[p.index(got.at)] = got.value
		}
	}
	if a.status == types.StatusCodeComplete {
		p.fill(w)
	}
}

// fill gives periods without a value the one that this means.
func (p *past) fill(w window) {
	for i := p.index(w.start); i < p.index(w.end); i++ {
		switch {
		case !math.IsNaN(p.values[i]):
		case p.row.empty == zero:
			p.values[i] = 0
		case p.row.empty == hold && i > 0:
			p.values[i] = p.values[i-1]
		}
	}
}

// points makes points of the values of a window's periods; NaN: there is none.
func points(w window, period time.Duration, value func(i int) float64) (made []Point) {
	for i := range w.periods(period) {
		if v := value(i); !math.IsNaN(v) {
			made = append(made, Point{w.start.Add(time.Duration(i+1) * period), v})
		}
	}
	return made
}
