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
	first   time.Time           // the first end of what was answered completely
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
		s.gauge = sample{}
		return news{}
	}
	known := !s.newest.IsZero() // what comes with its first values was not late
	for _, p := range r.points {
		if !r.holds(p.at) {
			continue
		}
		h, was := s.points[p.at]
		switch {
		case !was:
			h = &held{}
			s.points[p.at] = h
			if known && r.consecutive {
				n.delays = append(n.delays, r.now.Sub(p.at.Add(s.query.period())))
			}
		case h.value != p.value:
			n.revised++
		}
		h.value = p.value
		s.count(h, !p.at.Before(r.since))
		s.newest = latest(s.newest, p.at)
	}
	if r.status == types.StatusCodeComplete {
		s.settled = r.end
		if s.first.IsZero() {
			s.first = r.end
		}
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

// at is the value of the period that began then, 0 without one.
func (s *series) at(start time.Time) float64 {
	if h, ok := s.points[start]; ok {
		return h.value
	}
	return 0
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

// settle makes the sample, where newest is the start of the newest period of which
// anything of the component is known. Later ones may just not be published yet. A
// stamped sample stays as it was first told, since Prometheus refuses a second
// value for one time.
func (s *series) settle(newest time.Time, stamped bool) {
	switch s.status {
	case types.StatusCodeForbidden, types.StatusCodeInternalError, "":
		return // what is there holds until it is stale
	}
	at, ok := s.choose(newest, stamped)
	if !ok {
		s.gauge = sample{}
		return
	}
	end := at.Add(s.query.period())
	if stamped && !end.After(s.gauge.end) {
		return
	}
	s.gauge = sample{s.at(at) * s.query.scale(), end}
}

// choose returns the start of the period to show. Metrics of a component are not
// all published at once: where a zero could not be taken back, a period is left
// for it to turn out to be late; and a stamped value may be shown until it is stale.
func (s *series) choose(newest time.Time, stamped bool) (at time.Time, ok bool) {
	patience := s.query.period()
	switch {
	case s.query.row.empty == hold:
		return s.newest, !s.newest.IsZero()
	case s.query.row.empty == absent:
		return s.newest, !s.newest.IsZero() && (stamped || !s.newest.Before(newest.Add(-patience)))
	case newest.IsZero():
		return time.Time{}, false
	case !stamped:
		patience = 0
	}
	if quiet := newest.Add(-patience); s.newest.Before(quiet) {
		return quiet, s.status == types.StatusCodeComplete
	}
	return s.newest, true
}
