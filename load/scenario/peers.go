package scenario

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/load/ledger"
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
