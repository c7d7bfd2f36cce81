package ledger

import "time"

// Rules say how much evidence makes a violation of a suspicion.
type Rules struct {
	StaleLimit time.Duration // a sighting counts as the last one only past this age of the write
}

const (
	// enoughSightings must agree, over at least longEnough and on at least two
	// connections, so that one bad moment or one bad pod's backend is no evidence.
	enoughSightings = 3
	longEnough      = 10 * time.Second
	// SightEvery is how long a suspicion rests between two sightings.
	SightEvery = longEnough / (enoughSightings - 1)
)

// Step is what a suspicion needs next.
type Step uint8

// The steps of one sighting, in order. The sentinel is another object of the
// same kind in the same store: while it cannot be read either, that the suspect
// is not shown says nothing about it. Enclose comes once, last, for what is absent.
const (
	Before  Step = iota // read the sentinel
	Target              // read the suspect past every cache
	After               // read the sentinel again
	Enclose             // ask a list or query that would show the suspect if it were there
)

// State is what has become of a suspicion.
type State uint8

// The states.
const (
	Open State = iota
	Cleared
	Confirmed
)

// Suspicion is an acknowledged write that an answer did not show, until it is
// clear whether the target has lost it or shows it late.
type Suspicion struct {
	Object *Object
	Missed time.Duration // when the write was acknowledged that was not shown
	Due    time.Duration // when the next step is due

	step        Step
	state       State
	absent      bool // the last sighting
	count       int
	at          time.Duration // of the sighting under way
	via         string        // its connection
	first, last time.Duration // of those that count
	connections [2]string
}

// Step returns what is needed next.
func (s *Suspicion) Step() Step { return s.step }

// State returns what has become of it.
func (s *Suspicion) State() State { return s.state }

// Sentinel takes note of a read of the sentinel: well says that it showed what
// it must. One that failed takes back all sightings: the target may not be able
// to show anything.
func (s *Suspicion) Sentinel(well bool, r Rules, now time.Duration) {
	switch {
	case !well:
		s.again(now)
	case s.step == Before:
		s.step = Target
	case s.step == After:
		s.count++
		s.note(r)
	}
}

// again begins anew, a rest later.
func (s *Suspicion) again(now time.Duration) {
	s.step, s.count, s.connections = Before, 0, [2]string{}
	s.Due = now + SightEvery
}

// note counts a complete sighting.
func (s *Suspicion) note(r Rules) {
	if s.count == 1 {
		s.first = s.at
	}
	s.last = s.at
	switch s.via {
	case s.connections[0], s.connections[1]:
	default:
		s.connections[min(1, s.count-1)] = s.via
	}
	s.step, s.Due = Before, s.at+SightEvery*enoughSightings/time.Duration(s.needed())
	if !s.enough(r) {
		return
	}
	if s.absent && s.Object.Letter() == Record {
		s.step, s.Due = Enclose, 0
		return
	}
	s.state = Confirmed
}

// needed is how many sightings must agree. Of what is absent and no list encloses,
// twice as many: a server that says 404 for one failure of its backend in fifty
// would be accused of a loss every few million answers otherwise.
func (s *Suspicion) needed() int {
	if s.absent && s.Object.Letter() != Record {
		return 2 * enoughSightings
	}
	return enoughSightings
}

func (s *Suspicion) enough(r Rules) bool {
	return s.count >= s.needed() && s.last-s.first >= longEnough && s.last-s.Missed >= r.StaleLimit &&
		s.connections[0] != "" && s.connections[1] != ""
}

// Sight takes note of a read of the suspect itself, sent at an instant over a
// connection. One that showed it clears the suspicion.
func (s *Suspicion) Sight(shown, absent bool, sent time.Duration, connection string) {
	if shown {
		s.state = Cleared
		return
	}
	s.step, s.absent, s.at, s.via = After, absent, sent, connection
}

// Failed takes note of a read of the suspect that brought no answer to judge.
func (s *Suspicion) Failed(now time.Duration) {
	if s.step != Enclose {
		s.step = Before
	}
	s.Due = now + time.Second
}

// Enclosed takes note of an answer that would show the suspect if it were there.
// One that does contradicts the reads: they are no evidence then.
func (s *Suspicion) Enclosed(shown bool, now time.Duration) {
	if shown {
		s.again(now)
		return
	}
	s.state = Confirmed
}

// Kind is what a confirmed suspicion is: a deletion that did not last, or a
// write that did not.
func (s *Suspicion) Kind() Kind {
	if !s.absent && s.Object.Deleted() {
		return Resurrected
	}
	return LostWrite
}
