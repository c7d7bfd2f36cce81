package ledger

import "time"

// Seen is what an answer showed of an object.
type Seen struct {
	Absent  bool
	Version uint32 // where not Absent
	Fault   string // what is wrong with the content itself; empty if nothing
}

// Expect is what was known of an object when a read was sent.
type Expect struct {
	Past  bool // the read passes every cache
	acked uint32
	seen  uint32
}

// Verdict is the judgement on one read. Corrupt and PhantomWrite are wrong at
// once: no server may do that. Stale says that an acknowledged write was not
// shown, acknowledged Age before the read was sent: a suspicion, because an
// eventually consistent server may. Backwards says that a read which was over
// when this one was sent had shown more; whoever knows that the server must be
// consistent makes NonMonotonic of it.
type Verdict struct {
	Kind      Kind
	Backwards bool
	Age       time.Duration
	Low       uint32 // the admissible versions, from here
	High      uint32 // to here
}

// Before returns what a read that is about to be sent must show at least.
func (o *Object) Before() Expect {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Expect{acked: o.acked, seen: o.seen}
}

// Judge compares what a complete answer showed with what it may show: the
// versions from the last acknowledged one when it was sent up to the last
// intended one now, without rejected ones.
func (o *Object) Judge(seen Seen, before Expect, sent time.Duration) Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.judge(seen, before, sent)
}

// JudgeIndexed is Judge for what came through an index, or from a question that
// did not name the object: it must show what was acknowledged lag before it was sent.
func (o *Object) JudgeIndexed(seen Seen, sent, lag time.Duration) Verdict {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.judge(seen, Expect{acked: o.ackedBy(sent - lag)}, sent)
}

// ackedBy is the highest version that was acknowledged at an instant, 0 where
// that is forgotten.
func (o *Object) ackedBy(at time.Duration) uint32 {
	for version := o.intended; version >= lowest(o.intended) && version > 0; version-- {
		if in := o.intents[version%kept]; in.version == version && in.acked && in.at <= at {
			return version
		}
	}
	return 0
}

func (o *Object) judge(seen Seen, before Expect, sent time.Duration) Verdict {
	v := Verdict{Low: before.acked, High: o.intended}
	if seen.Fault != "" {
		v.Kind = Corrupt
		return v
	}
	at := o.position(seen, before)
	if at > o.intended || o.impossible(seen) {
		v.Kind = PhantomWrite
		return v
	}
	v.Backwards = at < before.seen
	if at < before.acked {
		v.Kind, v.Age = Stale, sent-o.missed(at, sent)
	} else {
		o.seen = max(o.seen, at)
		if before.Past {
			o.settled = max(o.settled, before.acked)
		}
	}
	return v
}

// position is the version that an answer shows. Absence is the latest deletion,
// else the time before the creation; where a deletion may have been forgotten
// while the read was under way, it is given the benefit of the doubt.
func (o *Object) position(seen Seen, before Expect) uint32 {
	if !seen.Absent {
		return seen.Version
	}
	for version := o.intended; version > 0; version-- {
		in := o.intents[version%kept]
		switch {
		case in.version != version && o.lasting:
			return 0
		case in.version != version && version >= before.acked:
			return version
		case in.version != version:
			return 0
		case in.absent && !in.rejected:
			return version
		}
	}
	return 0
}

// impossible says whether content was shown that was never to be: under the
// number of a rejected write, of a deletion, or under none.
func (o *Object) impossible(seen Seen) bool {
	if seen.Absent {
		return false
	}
	in := o.intents[seen.Version%kept]
	return seen.Version == 0 || in.version == seen.Version && (in.rejected || in.absent)
}

// missed is when the first acknowledged version after at was acknowledged; of
// those that are forgotten, the oldest that is not, so that ages are never overstated.
func (o *Object) missed(at uint32, sent time.Duration) time.Duration {
	for version := max(at+1, lowest(o.intended)); version <= o.intended; version++ {
		if in := o.intents[version%kept]; in.version == version && in.acked {
			return in.at
		}
	}
	if in := o.intents[o.acked%kept]; in.version == o.acked && in.acked {
		return in.at // of an earlier start: versions after it may have been sent
	}
	return sent
}

// lowest is the oldest version that an object remembers.
func lowest(intended uint32) uint32 {
	if intended < kept {
		return 1
	}
	return intended - kept + 1
}
