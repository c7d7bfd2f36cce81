package scenario

import (
	"strconv"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// readForeign prepares the read of another replica's record.
func (w *World) readForeign(t *Task) bool {
	p := &w.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.foreign = p.choose(t.rand); t.foreign.key == "" {
		return false
	}
	w.hint(t)
	t.Call.Store, t.Call.Key = t.foreign.store, t.foreign.key
	return true
}

// settleForeign judges what a read of another's record shows in itself, and by
// what was told of it. That it is not there is not judged: its owner may have
// deleted it, and says so if it is lost.
func (w *World) settleForeign(t *Task, err error, now time.Duration) {
	f := t.foreign
	if opensaves.CodeOf(err) == metric.NotFound {
		t.unjudged(metric.CheckRecord)
		t.Result.Outcome = metric.AbortedOutcome
		w.peers.forget(f.key)
		return
	}
	if err != nil {
		return
	}
	t.checked(metric.CheckRecord)
	h, fault := identify(&t.Answer.Record)
	if fault == "" && h.Key != f.key {
		fault = "the key of another object"
	}
	if fault != "" {
		w.accuseForeign(t, Violation{Kind: ledger.Corrupt, Seen: ledger.Seen{Version: h.Version, Fault: fault}})
		return
	}
	w.judgeForeign(t, h.Version)
	w.listen(t, now)
}

// judgeForeign judges the version that a read showed.
func (w *World) judgeForeign(t *Task, version uint32) {
	f, limit := t.foreign, time.Duration(w.Verify.CacheLimit)
	if w.Protocol == metric.HTTP || t.Call.Hint.SkipCache {
		limit = time.Duration(w.Verify.StaleLimit)
	}
	age := t.sent - f.heard
	if version < f.version {
		t.suspected(age)
	}
	if w.peers.look(f, t.sent, version < f.version && age > limit) {
		w.accuseForeign(t, Violation{Kind: ledger.Stale, Low: f.version, Seen: ledger.Seen{Version: version}, Age: age})
	}
}

// accuseForeign tells a violation, once for a record.
func (w *World) accuseForeign(t *Task, v Violation) {
	t.Result.Verdict, t.Result.Kind = metric.Violation, v.Kind
	if !w.peers.accuse(t.foreign.key) {
		return
	}
	v.Op, v.Check, v.Connection, v.Trace = t.Op, metric.CheckRecord, t.Answer.Connection, t.Trace.String()
	v.Key, v.Store, v.Past = t.foreign.key, t.foreign.store, "another replica keeps it"
	w.tell(v)
}

// listen takes in the hints of a record that was read.
func (w *World) listen(t *Task, now time.Duration) {
	_, filling, _ := ledger.ParseHeader(t.Answer.Record.Opaque)
	store, prefix := t.foreign.store, t.foreign.prefix()
	w.peers.mu.Lock()
	defer w.peers.mu.Unlock()
	if _, living := w.peers.at[t.foreign.key]; !living {
		return
	}
	hinted(filling, func(number uint64, version uint32) {
		w.peers.hear(foreign{store: store, key: prefix + strconv.FormatUint(number, 10), version: version, heard: now})
	})
	w.peers.count.Store(int64(len(w.peers.known)))
}
