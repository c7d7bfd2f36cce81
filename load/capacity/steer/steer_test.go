package steer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load/desired"
)

// load is a load that nobody makes.
type load struct{ *desired.Store }

func newLoad() load {
	base := desired.Base{RPS: 50, MaxRPS: 5000, Scenarios: map[string]float64{"mixed": 1}, Known: []string{"crud", "mixed"}, DefaultTTL: time.Minute}
	return load{desired.NewStore(time.Now(), base, desired.Hooks{})}
}

func (l load) State() desired.State {
	l.Advance(time.Now())
	return l.Get()
}

func (l load) Patch(_ context.Context, ifMatch string, document []byte) (desired.Status, error) {
	_, err := l.Store.Patch(time.Now(), ifMatch, document)
	return desired.Status{}, err
}

// patch is a change by somebody else.
func (l load) patch(t *testing.T, document string) {
	t.Helper()
	if _, err := l.Store.Patch(time.Now(), "", []byte(document)); err != nil {
		t.Fatal(err)
	}
}

func (l load) target() float64 { return l.State().At(time.Now()).Target }

func TestARateIsSetForGoodAndTakenAwayAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad()
		w := Take(l)
		if err := w.Set(t.Context(), 141.4, "climb"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if err := w.Check(); err != nil || l.target() != 141.4 {
			t.Errorf("got %v requests a second after an hour, %v, want 141.4", l.target(), err)
		}
		if got, want := l.State().Override.Reason, "capacity search: climb 141.4"; got != want {
			t.Errorf("got the reason %q, want %q", got, want)
		}
		if err := w.Release(t.Context()); err != nil || l.State().Override != nil {
			t.Errorf("got the override %v, %v, want none", l.State().Override, err)
		}
	})
}

func TestWhatElseIsWantedStaysWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad()
		l.patch(t, `{"scenarios": {"crud": 1}, "ttl": "2h"}`)
		before := *l.State().Override
		w := Take(l)
		if err := errors.Join(w.Set(t.Context(), 100, "climb"), w.Release(t.Context())); err != nil {
			t.Fatal(err)
		}
		before.From = 100 // of a ramp that is over
		if diff := cmp.Diff(&before, l.State().Override); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestTheLoadIsLeftAloneOnceSomebodyElseChangedIt(t *testing.T) {
	for _, document := range []string{`{"rps": 300}`, `{"rps": null}`, `{"paused": true}`, `{"scenarios": {"crud": 1}}`} {
		t.Run(document, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad()
				w := Take(l)
				if err := w.Set(t.Context(), 100, "climb"); err != nil {
					t.Fatal(err)
				}
				l.patch(t, document)
				want := l.State()
				if err := w.Check(); !errors.Is(err, ErrTaken) {
					t.Errorf("got %v, want %v", err, ErrTaken)
				}
				if err := w.Set(t.Context(), 200, "climb"); !errors.Is(err, ErrTaken) {
					t.Errorf("got %v of another rate, want %v", err, ErrTaken)
				}
				if err := w.Release(t.Context()); err != nil && !errors.Is(err, ErrTaken) {
					t.Errorf("got %v of the end, want nothing or %v", err, ErrTaken)
				}
				if diff := cmp.Diff(want, l.State()); diff != "" {
					t.Errorf("wanted -, got +\n%s", diff)
				}
			})
		})
	}
}

func TestAnotherVersionOfTheSameLoadIsNoHindrance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad()
		w := Take(l)
		if err := w.Set(t.Context(), 100, "climb"); err != nil {
			t.Fatal(err)
		}
		l.patch(t, `{"ttl": "3h"}`)
		if err := w.Set(t.Context(), 141.4, "climb"); err != nil || l.target() != 141.4 {
			t.Errorf("got %v requests a second, %v, want 141.4", l.target(), err)
		}
	})
}

func TestAnOverrideIsASearchsWhereItsReasonRepeatsItsRate(t *testing.T) {
	rps := 141.4
	for name, test := range map[string]struct {
		override  *desired.Override
		own, free bool
	}{
		"none":                     {nil, false, true},
		"of a mix":                 {&desired.Override{ReadRatio: &rps}, false, true},
		"of a rate":                {&desired.Override{RPS: &rps, Reason: "rehearsal"}, false, false},
		"of a search":              {&desired.Override{RPS: &rps, Reason: "capacity search: found 141.4"}, true, false},
		"changed since":            {&desired.Override{RPS: &rps, Reason: "capacity search: found 100"}, false, false},
		"with the end of a number": {&desired.Override{RPS: &rps, Reason: "capacity search: found 3141.4"}, false, false},
	} {
		if own, free := Owner(test.override); own != test.own || free != test.free {
			t.Errorf("%s: got own %t, free %t, want %t, %t", name, own, free, test.own, test.free)
		}
	}
}
