package leftover

import (
	"sync"
	"time"
)

// watch is what a sweeper has seen of one note.
type watch struct {
	note
	first   time.Duration // when it was first read as it is now
	counted time.Duration // when reading it last counted
	reads   int           // that count
	moved   bool          // it was once read otherwise
	there   bool          // in the last list
	done    bool          // all of it was deleted, or in a dry run counted
	job     *job          // nil: it is not claimed by us
	counts  counts
}

const (
	// minReads is how many reads must show a dead run unchanged.
	minReads = 5
	// spread is how many times reads can count within the time of waiting.
	spread = 6
)

// span is how long w must be silent to be dead; 0: the operator says it is.
func (w *watch) span(after time.Duration) time.Duration {
	if after == 0 {
		return 0
	}
	return max(after, time.Duration(w.After))
}

// see takes a read into account that was sent and answered at these instants.
func (w *watch) see(n note, sent, answered, after time.Duration) {
	w.there = true
	switch {
	case w.reads == 0 || n.text != w.text:
		w.moved, w.done = w.reads > 0, false
		w.note, w.first, w.counted, w.reads = n, answered, answered, 1
	case sent-w.counted >= w.span(after)/spread:
		w.counted = sent
		w.reads++
	}
}

// dead says whether the note stood still long enough, by a read sent at instant sent.
func (w *watch) dead(sent, after time.Duration) bool {
	return after == 0 || w.reads >= minReads && sent-w.first >= w.span(after)
}

// ranks says whether a claim goes before another one on the same run.
func (n *note) ranks(other *note) bool {
	if n.Sweeping != other.Sweeping {
		return n.Sweeping
	}
	return n.By < other.By
}

// State is what a sweeper thinks of a run.
type State string

// The states.
const (
	Watching  State = "watching"    // not yet seen for long enough
	Alive     State = "alive"       // its counter moved
	Dead      State = "dead"        // claimed, or being swept
	Contended State = "claimed"     // by another sweeper that lives
	Other     State = "other"       // written over another protocol
	Swept     State = "swept"       // nothing of it is left, but for what was kept
	Partly    State = "not cleaned" // a whole pass over it had failures
)

// Counts are how many objects of each kind ended how.
type Counts map[Kind]map[Result]int

// counts are added to by several goroutines.
type counts struct {
	mu  sync.Mutex
	all Counts
}

func (c *counts) add(kind Kind, result Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = Counts{}
	}
	if c.all[kind] == nil {
		c.all[kind] = map[Result]int{}
	}
	c.all[kind][result]++
}

// Status is what a sweeper knows of a run.
type Status struct {
	Run     string
	Replica int
	State   State
	Counts  Counts // since it was claimed; in a dry run Deleted is what would be
}

// Settled says that watching on would bring nothing new.
func (s Status) Settled() bool { return s.State != Watching && s.State != Dead }
