package scenario

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// foreign is a record that another replica keeps. Without its ledger no more is
// known of it than what that replica told, and since when.
type foreign struct {
	store, key string
	version    uint32 // at least
	heard      time.Duration
	accused    bool          // of what was told as a violation; it is not read any more
	missed     int           // reads in a row that showed less for too long
	since      time.Duration // the first of them was sent
}

// prefix is what the keys of all records of its writer begin with.
func (f foreign) prefix() string { return f.key[:strings.LastIndexByte(f.key, ledger.Record)+1] }

const (
	// foreignKept bounds the records of others that are remembered.
	foreignKept = 512
	// foreignReads is one in so many reads of a record that goes to another's.
	foreignReads = 20
	// What a read of another's record that shows too little must be seen again, as
	// a single answer may be odd, before it counts as a violation.
	foreignSightings = 3
	foreignSpan      = 10 * time.Second
)

// peers are the records of other replicas that are read here.
type peers struct {
	count atomic.Int64

	mu    sync.Mutex
	known []foreign
	at    map[string]int // by key
	doubt string         // the key of one that is looked into
}

// Tell returns what others may know of some of our records, to find them by.
func (w *World) Tell() (told []string) {
	for range hintsARecord {
		o := w.records.From(rand.IntN(max(1, w.records.Len())), anyObject)
		if o == nil {
			continue
		}
		if version := o.Told(); version > 0 {
			told = append(told, o.Parent.Key+"/"+o.Key+"/"+strconv.FormatUint(uint64(version), 10))
		}
	}
	return told
}

// Hear takes in what all living replicas tell, at instant now, and forgets the
// records of those that tell nothing any more.
func (w *World) Hear(told []string, now time.Duration) {
	p := &w.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	living := map[string]bool{}
	for _, one := range told {
		parts := strings.Split(one, "/")
		if len(parts) != 3 || strings.LastIndexByte(parts[1], ledger.Record) < 0 || strings.HasPrefix(parts[1], w.recordPrefix) {
			continue
		}
		version, err := strconv.ParseUint(parts[2], 10, 32)
		if err != nil {
			continue
		}
		f := foreign{store: parts[0], key: parts[1], version: uint32(version), heard: now}
		living[f.prefix()] = true
		p.hear(f)
	}
	for key, i := range p.at {
		if !living[p.known[i].prefix()] {
			p.drop(key)
		}
	}
	p.count.Store(int64(len(p.known)))
}

// hear notes one record; a full table forgets another one, by chance.
func (p *peers) hear(f foreign) {
	if i, known := p.at[f.key]; known {
		if f.version > p.known[i].version && !p.known[i].accused {
			p.known[i] = f
		}
		return
	}
	if len(p.known) >= foreignKept {
		p.drop(p.known[rand.IntN(len(p.known))].key)
	}
	if p.at == nil {
		p.at = map[string]int{}
	}
	p.at[f.key] = len(p.known)
	p.known = append(p.known, f)
}

func (p *peers) drop(key string) {
	i, known := p.at[key]
	if !known {
		return
	}
	last := len(p.known) - 1
	p.known[i] = p.known[last]
	p.at[p.known[i].key] = i
	p.known = p.known[:last]
	delete(p.at, key)
}

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

// choose draws a record, every other time that which is looked into; none where
// there is none, or too many are accused.
func (p *peers) choose(r *rand.Rand) foreign {
	if i, doubtful := p.at[p.doubt]; doubtful && r.IntN(2) == 0 {
		return p.known[i]
	}
	for range min(len(p.known), hintsARecord) {
		if f := p.known[r.IntN(len(p.known))]; !f.accused {
			return f
		}
	}
	return foreign{}
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

// look notes what a read showed, and says whether too little was seen so often
// that it is sure.
func (p *peers) look(f foreign, sent time.Duration, missed bool) (sure bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, known := p.at[f.key]
	if !known || p.known[i].version != f.version {
		return false // more has been told of it since
	}
	at := &p.known[i]
	if !missed {
		if at.missed = 0; p.doubt == f.key {
			p.doubt = ""
		}
		return false
	}
	if at.missed++; at.missed == 1 {
		at.since, p.doubt = sent, f.key
	}
	return at.missed >= foreignSightings && sent-at.since >= foreignSpan
}

// accuseForeign tells a violation, once for a record.
func (w *World) accuseForeign(t *Task, v Violation) {
	t.Result.Verdict = metric.Violation
	if !w.peers.accuse(t.foreign.key) {
		return
	}
	v.Op, v.Check, v.Connection = t.Op, metric.CheckRecord, t.Answer.Connection
	v.Key, v.Store, v.Past = t.foreign.key, t.foreign.store, "another replica keeps it"
	w.tell(v)
}

// accuse says whether it is the first violation of a record. It stays known, so
// that it is not taken in anew.
func (p *peers) accuse(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, known := p.at[key]
	if !known || p.known[i].accused {
		return false
	}
	p.known[i].accused = true
	if p.doubt == key {
		p.doubt = ""
	}
	return true
}

func (p *peers) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(key)
	p.count.Store(int64(len(p.known)))
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
