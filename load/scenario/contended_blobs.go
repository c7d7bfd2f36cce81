package scenario

import (
	"slices"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
)

// crowd is the blobs that arrivals upload to one record at once; REST only. They
// are so many as come within a short time, and are looked for in the record's
// list when all is over. A server that rewrites the list from a stale read loses
// some of their names, and is made that way.
type crowd struct {
	blobs    []*ledger.Object
	first    time.Duration  // when the first was sent
	inFlight int            // uploads
	lacking  *ledger.Object // acknowledged, but a list lacked it
	since    time.Duration  // when that list was sent
	judged   bool
}

const (
	collecting     = 10 * time.Second // for so long a crowd gathers
	confirming     = 10 * time.Second // between two lists that lack a name
	contendedBytes = 1 << 10          // of a blob: what is at stake are their names
)

// gathers says whether a contest takes uploads: from when every server can find
// its record.
func (c *contest) gathers(now, quiet time.Duration) bool {
	n := len(c.crowd.blobs)
	return !c.crowd.judged && n < blobsARecord && now-c.opened >= quiet && (n == 0 || now-c.crowd.first < collecting)
}

// crowdIn uploads to the contest that takes uploads, whoever else does; where
// there is none the arrival makes one, or lists the blobs of one.
func (w *World) crowdIn(t *Task) metric.Operation {
	if w.enter(t); t.contest != nil {
		return metric.CreateRecord
	}
	if w.held.Load() || !w.numbersLeft(ledger.Blob) {
		return metric.ListBlobs
	}
	for i := range w.contests.places {
		if c := w.contests.places[i].Load(); c != nil && w.uploadTo(t, c) {
			return t.Op
		}
	}
	return metric.ListBlobs
}

// uploadTo fills the call with a blob under a new name; false where the contest
// takes none.
func (w *World) uploadTo(t *Task, c *contest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gathers(t.sent, w.quiet) || c.object.Suspected() || !w.uploads.take(t.Size, t.sent) {
		return false
	}
	t.contest, t.parent = c, c.object
	w.upload(t)
	if len(c.crowd.blobs) == 0 {
		c.crowd.first = t.sent
	}
	c.crowd.blobs = append(c.crowd.blobs, t.object)
	c.crowd.inFlight++
	return true
}

// settleCrowd learns how an upload to a contest ended.
func (w *World) settleCrowd(t *Task, err error, now time.Duration) {
	w.ended(t, err, now)
	c := t.contest
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crowd.inFlight--
	c.object.Touch(now)
}

// judgeCrowd looks for blobs of a contest that a list of its record lacks.
func (w *World) judgeCrowd(t *Task) {
	switch t.contest.judge(t.Answer.Blobs, t.sent, w.quiet) {
	case metric.Unjudged:
		t.unjudged(metric.CheckList)
	case metric.Violation:
		t.accuse(w, Violation{Kind: ledger.LostUpdate, Detail: "no name of an acknowledged blob"}, t.object)
	}
}

// judge compares a list with the blobs whose upload was acknowledged, once all
// uploads are over and so long ago that a read must show them. A name that is
// lacking is a violation if a second list lacks it later.
func (c *contest) judge(names []string, sent, quiet time.Duration) metric.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := &c.crowd
	if g.judged || len(g.blobs) == 0 || g.inFlight > 0 || c.gathers(sent, quiet) || sent-c.object.Quiet() < quiet {
		return metric.Right
	}
	lacking := g.missing(names)
	switch {
	case lacking == nil:
		g.judged = true
		return metric.Right
	case lacking != g.lacking:
		g.lacking, g.since = lacking, sent
		return metric.Unjudged
	case sent-g.since <= confirming:
		return metric.Unjudged
	}
	g.judged = true
	return metric.Violation
}

// missing is the first acknowledged blob whose name is not there, nil if all are.
func (g *crowd) missing(names []string) *ledger.Object {
	for _, blob := range g.blobs {
		if blob.Present() && !slices.Contains(names, blob.Key) {
			return blob
		}
	}
	return nil
}

// close ends uploads, and returns the blobs that there may be.
func (c *contest) close() []*ledger.Object {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crowd.judged = true
	return c.crowd.blobs
}
