package capacity

import "time"

// An on-demand table of DynamoDB may throttle traffic of more than twice its
// previous peak that comes within 30 minutes of it, see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html.
const (
	warmUp   = 30 * time.Minute
	doubling = 2
	worth    = 1.1 // a step up of less is not worth its time: it waits for more
)

// climb is the step after a rate that held, where none has broken.
func (s *Search) climb(now time.Time) Step {
	best := s.best()
	next := round(best * growth)
	if s.cap <= next*near { // or what is left would be a tiny step of its own
		next = s.cap
	}
	if s.config.IgnoreWarmUp {
		return Step{next, s.config.Settle, Climb}
	}
	if limit := s.warm(now); limit >= next {
		return Step{next, s.config.Settle, Climb}
	} else if limit >= worth*best {
		return Step{round(limit), s.config.Settle, Climb}
	}
	return Step{best, max(s.config.Settle, s.warmFor(worth*best).Sub(now)), Wait}
}

// warm is the highest rate that may follow at an instant: the rates that held long
// enough ago allow it, as of others nobody knows how much of them was sent. The
// first one counts as in force for ever.
func (s *Search) warm(now time.Time) float64 {
	peak := s.config.Start
	for _, d := range s.steps {
		if d.Held() && !d.Start.After(now.Add(-warmUp)) {
			peak = max(peak, d.RPS)
		}
	}
	return doubling * peak
}

// warmFor is when a rate may follow that is at most twice the best one.
func (s *Search) warmFor(rps float64) time.Time {
	for _, d := range s.steps {
		if d.Held() && doubling*d.RPS >= rps {
			return d.Start.Add(warmUp)
		}
	}
	return time.Time{} // not so: the best one was a step
}
