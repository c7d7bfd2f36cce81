package desired

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/common/model"
)

// reasonLimit bounds the reason, in bytes: it goes to logs and the list of changes.
const reasonLimit = 256

// maxWeight keeps sums of weights finite.
const maxWeight = 1e9

// merged returns the override that is left when a document is merged into
// the one in force, or nil when it wants nothing any more.
func (s State) merged(d document, now time.Time) (*Override, error) {
	if err := d.check(s.Base); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	before := s.Active(now)
	after := Override{Started: now}
	if before != nil {
		after = *before
	}
	d.mergeInto(&after)
	d.expire(&after, before == nil, s.Base.DefaultTTL, now)
	if after.empty() {
		return nil, nil
	}
	if before == nil || !sameRate(*before, after) {
		after.Since, after.From = now, s.At(now).From
	}
	return &after, nil
}

// sameRate says that a ramp on its way may go on: a document sent twice
// must not start it anew.
func sameRate(a, b Override) bool {
	return a.Ramp == b.Ramp && (a.RPS == b.RPS || a.RPS != nil && b.RPS != nil && *a.RPS == *b.RPS)
}

func (d document) has(name string) bool { _, sent := d.sent[name]; return sent }

func (d document) mergeInto(o *Override) {
	if d.has("rps") {
		o.RPS = (*float64)(d.RPS)
	}
	if d.has("ramp") {
		o.Ramp = model.Duration(value(d.Ramp))
	}
	if d.has("scenarios") {
		o.Scenarios = maps.Clone(map[string]float64(d.Scenarios))
	}
	if d.has("read_ratio") {
		o.ReadRatio = (*float64)(d.ReadRatio)
	}
	if d.has("paused") {
		o.Paused = bool(value(d.Paused))
	}
	if d.has("reason") {
		o.Reason = string(value(d.Reason))
	}
}

// expire sets the end of the override where the document names one, and by
// default where it starts the override or takes its end away.
func (d document) expire(o *Override, starts bool, standard time.Duration, now time.Time) {
	ttl := standard
	switch {
	case d.TTL != nil:
		ttl = time.Duration(*d.TTL)
	case !starts && !d.has("ttl"):
		return
	}
	o.Expires = time.Time{}
	if ttl > 0 {
		o.Expires = now.Add(ttl)
	}
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// check returns all mistakes of a document under a configuration.
func (d document) check(base Base) error {
	var mistakes []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	if d.RPS != nil {
		rps := float64(*d.RPS)
		want(rps >= 0, "rps: got %v, want 0 or more requests per second", rps)
		want(!(rps > base.MaxRPS), "rps: got %v, want at most %v (load.max_rps)", rps, base.MaxRPS)
	}
	if d.ReadRatio != nil {
		ratio := float64(*d.ReadRatio)
		want(ratio >= 0 && ratio <= 1, "read_ratio: got %v, want 0 to 1", ratio)
	}
	want(value(d.Ramp) >= 0, "ramp: got %s, want 0s or more", time.Duration(value(d.Ramp)))
	want(value(d.TTL) >= 0, "ttl: got %s, want 0s (never) or more", time.Duration(value(d.TTL)))
	reason := string(value(d.Reason))
	want(len(reason) <= reasonLimit, "reason: got %d bytes, want at most %d", len(reason), reasonLimit)
	want(strings.IndexFunc(reason, unicode.IsControl) < 0, "reason: got control characters, want one line of text")
	return errors.Join(append(mistakes, d.Scenarios.check(base.Known))...)
}

func (w weights) check(known []string) error {
	if w == nil {
		return nil
	}
	var mistakes []error
	var sum float64
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if !slices.Contains(known, name) {
			mistakes = append(mistakes, fmt.Errorf("scenarios: got %.100q, want one of %s", name, strings.Join(known, ", ")))
		}
		if weight := w[name]; !(weight >= 0 && weight <= maxWeight) {
			mistakes = append(mistakes, fmt.Errorf("scenarios.%.100s: got %v, want a weight of 0 to %v", name, weight, float64(maxWeight)))
		}
		sum += w[name]
	}
	if sum == 0 {
		mistakes = append(mistakes, errors.New("scenarios: got no weight above 0, want at least one"))
	}
	return errors.Join(mistakes...)
}
