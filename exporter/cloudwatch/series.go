package cloudwatch

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// series is what is known of a query's values. One goroutine owns it.
type series struct {
	query   *query
	status  types.StatusCode
	points  map[time.Time]*held // by the start of their period
	newest  time.Time           // start of the newest that has a value; zero: none
	settled time.Time           // end of the newest that was answered completely
	retry   bool                // ask once more, however long it has been silent
	first   time.Time           // when it was first asked for
	total   float64             // of the counter
	gauge   sample
}

// held is a value that was read, and how much of it the counter holds.
type held struct{ value, counted float64 }

// sample is a value and the end of the period that it is of; without an end
// there is none.
type sample struct {
	value float64
	end   time.Time
}

// reading is an answer with what is needed to judge it.
type reading struct {
	answer
	window
	now         time.Time
	since       time.Time // counters count periods that began no earlier
	consecutive bool      // the poll before covered the periods before
}

// news is what a reading brought.
type news struct {
	delays  []time.Duration // from the end of a period to now, where its value is new
	revised int             // values that are not what they were
}

// record takes a reading. Reading the same periods again changes nothing: a
// counter holds for each period the most that was ever read of it.
func (s *series) record(r reading) (n news) {
	s.status = r.status
	if r.status == types.StatusCodeForbidden {
		s.points, s.newest, s.gauge = map[time.Time]*held{}, time.Time{}, sample{}
		return news{}
	}
	for _, p := range r.points {
		if p.at.Before(r.start) || !p.at.Before(r.end) {
			continue
		}
		known, was := s.points[p.at]
		switch {
		case !was:
			known = &held{}
			s.points[p.at] = known
			if r.consecutive {
				n.delays = append(n.delays, r.now.Sub(p.at.Add(s.query.period())))
			}
		case known.value != p.value:
			n.revised++
		}
		known.value = p.value
		s.count(known, !p.at.Before(r.since))
		if p.at.After(s.newest) {
			s.newest = p.at
		}
	}
	if r.status == types.StatusCodeComplete {
		s.settled = r.end
	}
	s.forget(r.now)
	return n
}

func (s *series) count(h *held, within bool) {
	if within && h.value > h.counted {
		s.total += h.value - h.counted
		h.counted = h.value
	}
}

// forget drops what no poll will read again.
func (s *series) forget(now time.Time) {
	oldest := now.Add(-maxLookback - 4*s.query.period() - time.Hour)
	for at := range s.points {
		if at.Before(oldest) {
			delete(s.points, at)
		}
	}
}

// settle makes the sample of the newest period for which anything of the
// component has a value: later ones may just not be published yet. A stamped
// sample stays as it was first told, since Prometheus refuses a second value
// for one time.
func (s *series) settle(newest time.Time, stamped bool) {
	period := s.query.period()
	if s.query.row.empty == hold {
		if at, ok := s.points[s.newest]; ok {
			s.gauge = sample{at.value * s.query.scale(), s.newest.Add(period)}
		}
		return
	}
	if newest.IsZero() || s.status == types.StatusCodeInternalError || s.status == "" {
		return // what was before holds until it is stale
	}
	end := newest.Add(period)
	if stamped && s.gauge.end.Equal(end) {
		return
	}
	if at, ok := s.points[newest]; ok {
		s.gauge = sample{at.value * s.query.scale(), end}
	} else if s.query.row.empty == zero && s.status == types.StatusCodeComplete {
		s.gauge = sample{0, end}
	} else if s.status == types.StatusCodeComplete {
		s.gauge = sample{}
	}
}
