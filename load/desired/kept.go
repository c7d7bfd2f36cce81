package desired

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// schema is the version of the document that a fleet keeps. A replica reads its
// own and the one before, of which there is none yet.
const schema = 1

// kept is the document that a fleet keeps: what a replica cannot know by itself.
type kept struct {
	Schema   int                  `json:"schema"`
	Override *Override            `json:"override,omitempty"`
	Reason   string               `json:"reason,omitempty"`       // sent with the change that made the override
	ReasonOf string               `json:"reason_of,omitempty"`    // the hash of that override: who edits one leaves this
	Began    map[string]time.Time `json:"stages_began,omitempty"` // by ladder
}

// ladders is how many ladders are remembered: while new configurations roll out,
// several are in force.
const ladders = 8

// ladder names the stages of a base, "" where there are none.
func (b Base) ladder() string {
	if len(b.Stages) == 0 {
		return ""
	}
	return hash(fmt.Sprint(b.Stages, b.Repeat))
}

func hash(text string) string {
	h := fnv.New64a()
	_, _ = io.WriteString(h, text) // a hash takes everything
	return fmt.Sprintf("%016x", h.Sum64())
}

// begin lets stages begin when the fleet says.
func (k kept) begin(b Base) Base {
	if at, known := k.Began[b.ladder()]; known {
		b.Began = at
	}
	return b
}

// with is the document for a base and an override. Stages that are new in it
// have begun when they did here.
func (k kept) with(b Base, o *Override) kept {
	next := kept{Schema: schema, Override: o, Reason: k.Reason, ReasonOf: k.ReasonOf, Began: maps.Clone(k.Began)}
	ladder := b.ladder()
	if _, known := next.Began[ladder]; known || ladder == "" {
		return next
	}
	names := slices.SortedFunc(maps.Keys(next.Began), func(a, b string) int { return next.Began[b].Compare(next.Began[a]) })
	for _, old := range names[min(ladders-1, len(names)):] {
		delete(next.Began, old)
	}
	if next.Began == nil {
		next.Began = map[string]time.Time{}
	}
	next.Began[ladder] = b.Began.UTC().Round(0)
	return next
}

// keptLimit bounds the document, in bytes.
const keptLimit = 64 << 10

// read reads a document that may have been written by hand; nothing is none.
func read(raw []byte, b Base) (k kept, err error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return kept{Schema: schema}, nil
	}
	if len(raw) > keptLimit {
		return k, fmt.Errorf("%w: got %d bytes, want at most %d", ErrDocument, len(raw), keptLimit)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&k); err != nil {
		return k, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return k, fmt.Errorf("%w: got more after the object", ErrDocument)
	}
	if k.Schema != schema {
		return k, fmt.Errorf("%w: %w: got %d, want %d", ErrRefused, errSchema, k.Schema, schema)
	}
	err = document{Reason: (*text)(&k.Reason)}.check(b)
	if o := k.Override; o != nil {
		err = errors.Join(err, o.check(b))
	}
	if err != nil {
		return k, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return k, nil
}

// errSchema is a document of another version of the program.
var errSchema = errors.New("schema")

// check returns all mistakes of an override under a configuration. Rates over the
// cap are none: it may have been lowered, and State keeps to it.
func (o Override) check(base Base) error {
	base.MaxRPS = math.MaxFloat64
	ramp := span(o.Ramp)
	d := document{
		RPS: (*number)(o.RPS), Ramp: &ramp, Scenarios: weights(o.Scenarios),
		ReadRatio: (*number)(o.ReadRatio), Reason: (*text)(&o.Reason),
	}
	err := d.check(base)
	if !(o.From >= 0) {
		err = errors.Join(err, fmt.Errorf("from: got %v, want 0 or more requests per second", o.From))
	}
	return err
}

// Adopt puts the document that the fleet keeps in force, but for one that is older
// than the last. source is API where this replica wrote it, else Fleet. What it
// returns, if anything, is to be kept instead: it has the beginning of stages that
// the fleet does not know. Errors are ErrDocument or ErrRefused, and leave the
// last good one in force.
func (s *Store) Adopt(now time.Time, raw []byte, version string, source Source) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(now)
	if s.shared && older(version, s.state.Version) {
		return nil, nil
	}
	k, err := read(raw, s.state.Base)
	if err == nil && (!s.shared || version != s.state.Version) {
		err = s.adopt(now, k, source)
	}
	s.state.Version = version
	if err != nil {
		return nil, err
	}
	return k.changed(k.with(s.state.Base, k.Override))
}

func (s *Store) adopt(now time.Time, k kept, source Source) error {
	next := s.state
	if next.Override = k.Override; next.Override != nil && (next.Override.empty() || next.Override.expired(now)) {
		next.Override = nil
	}
	if err := s.check(next); err != nil {
		return err
	}
	change := Change{Time: now, From: s.state.At(now).From, Source: source}
	if !reflect.DeepEqual(k.Override, s.kept.Override) {
		change.Reason = k.reason(s.kept)
	}
	s.kept, s.shared = k, true
	if next.Base = k.begin(next.Base); !reflect.DeepEqual(next, s.state) {
		s.become(next, change)
	}
	return nil
}

// reason is why the override is another one than before. Who edits the document by
// hand gives it in the override.
func (k kept) reason(before kept) string {
	if k.ReasonOf == k.Override.hash() {
		return k.Reason
	}
	if reason := value(k.Override).Reason; reason != value(before.Override).Reason {
		return reason
	}
	return ""
}

// hash names an override as it is kept; nil is one too.
func (o *Override) hash() string {
	raw, err := json.Marshal(o)
	if err != nil { // a number that is none: it cannot be kept either
		return ""
	}
	return hash(string(raw))
}

// older compares versions, which are numbers that only grow: a document may come
// late, by another way than the newer one.
func older(a, b string) bool {
	x, err1 := strconv.ParseUint(a, 10, 64)
	y, err2 := strconv.ParseUint(b, 10, 64)
	return err1 == nil && err2 == nil && x < y
}

// Merge returns the document to keep when a change is merged into the one that
// is kept, or nil where that changes nothing. One that is broken counts as the last
// good one, unless another version of the program made it. Errors are those of Patch.
func (s *Store) Merge(now time.Time, raw []byte, version, ifMatch string, change []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !matches(ifMatch, version) {
		return nil, fmt.Errorf("%w: got If-Match %.100s, want %q", ErrStale, ifMatch, version)
	}
	k, err := read(raw, s.state.Base)
	switch {
	case errors.Is(err, errSchema):
		return nil, err
	case err != nil:
		k = s.kept
	}
	state := s.state
	state.Override = k.Override
	next, reason, err := s.changedBy(state, change, now)
	if err != nil || reflect.DeepEqual(next.Override, k.Override) {
		return nil, err
	}
	after := k.with(next.Base, next.Override)
	if after.Reason, after.ReasonOf = reason, ""; reason != "" {
		after.ReasonOf = next.Override.hash()
	}
	return k.changed(after)
}

// changed writes the document that follows, nil where it is the same.
func (k kept) changed(next kept) ([]byte, error) {
	if reflect.DeepEqual(k, next) {
		return nil, nil
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return nil, fmt.Errorf("writing what the fleet keeps: %w", err)
	}
	return raw, nil
}
