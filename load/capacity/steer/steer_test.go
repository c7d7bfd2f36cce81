package steer_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/load"
	"opensaves-soak/load/capacity/steer"
	"opensaves-soak/load/desired"
)

func TestARateIsSetForGoodAndTakenAwayAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t)
		w := steer.Take(l, time.Now())
		set(t, w, 141.4)
		time.Sleep(time.Hour)
		if err := w.Check(time.Now()); err != nil || l.target() != 141.4 {
			t.Errorf("got %v requests a second after an hour, %v, want 141.4", l.target(), err)
		}
		if got, want := l.State().Override.Reason, "capacity search: climb 141.4"; got != want {
			t.Errorf("got the reason %q, want %q", got, want)
		}
		if err := w.Release(t.Context(), time.Now()); err != nil || l.State().Override != nil {
			t.Errorf("got the override %v, %v, want none", l.State().Override, err)
		}
	})
}

func TestWhatElseIsWantedStaysWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t)
		l.patch(t, `{"scenarios": {"crud": 1}, "ttl": "2h"}`)
		before := *l.State().Override
		w := steer.Take(l, time.Now())
		if err := errors.Join(w.Set(t.Context(), time.Now(), 100, "climb"), w.Release(t.Context(), time.Now())); err != nil {
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
				l := newLoad(t)
				w := steer.Take(l, time.Now())
				set(t, w, 100)
				l.patch(t, document)
				want := l.State()
				if err := w.Check(time.Now()); !errors.Is(err, steer.ErrTaken) {
					t.Errorf("got %v, want %v", err, steer.ErrTaken)
				}
				if err := w.Set(t.Context(), time.Now(), 200, "climb"); !errors.Is(err, steer.ErrTaken) {
					t.Errorf("got %v of another rate, want %v", err, steer.ErrTaken)
				}
				if err := w.Release(t.Context(), time.Now()); err != nil && !errors.Is(err, steer.ErrTaken) {
					t.Errorf("got %v of the end, want nothing or %v", err, steer.ErrTaken)
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
		l := newLoad(t)
		w := steer.Take(l, time.Now())
		set(t, w, 100)
		l.patch(t, `{"ttl": "3h"}`)
		if err := w.Set(t.Context(), time.Now(), 141.4, "climb"); err != nil || l.target() != 141.4 {
			t.Errorf("got %v requests a second, %v, want 141.4", l.target(), err)
		}
	})
}

func TestAReloadOfWhatMattersEndsTheSearch(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*load.Config)
		want   error
	}{
		"of the rate":         {func(c *load.Config) { c.RPS = 5 }, steer.ErrTaken},
		"of the cap":          {func(c *load.Config) { c.MaxRPS = 1000 }, steer.ErrTaken},
		"of the ladder":       {func(c *load.Config) { c.Stages = []desired.Stage{{RPS: 70, Duration: 1e9}} }, steer.ErrTaken},
		"of its repetition":   {func(c *load.Config) { c.Repeat = true }, steer.ErrTaken},
		"of the default ttl":  {func(c *load.Config) { c.DefaultTTL = 1e9 }, nil},
		"of nothing":          {func(*load.Config) {}, nil},
		"of the mix of reads": {func(c *load.Config) { c.ReadRatio = 0.5 }, steer.ErrTaken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t)
				w := steer.Take(l, time.Now())
				set(t, w, 100)
				l.reload(test.change)
				if err := w.Check(time.Now()); !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
			})
		})
	}
}

func TestARateOfSomebodyElseIsNeverReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t)
		l.patch(t, `{"rps": 33, "reason": "the target is on one node today", "ttl": "0s"}`)
		want := l.State()
		w := steer.Take(l, time.Now())
		if err := w.Set(t.Context(), time.Now(), 100, "climb"); !errors.Is(err, steer.ErrTaken) {
			t.Errorf("got %v, want %v", err, steer.ErrTaken)
		}
		if err := w.Release(t.Context(), time.Now()); err != nil {
			t.Errorf("got %v, want nothing released", err)
		}
		if diff := cmp.Diff(want, l.State()); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
	})
}

func TestAChangeWhoseAnswerWasLostIsKnownForOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t)
		w := steer.Take(l, time.Now())
		set(t, w, 100)
		l.fleet.loseNext()
		set(t, w, 141.4)
		if got, want := l.State().Override.Reason, "capacity search: climb 141.4"; l.target() != 141.4 || got != want {
			t.Errorf("got %v requests a second for the reason %q, want 141.4 for %q", l.target(), got, want)
		}
		set(t, w, 100)
		l.fleet.loseNext()
		if err := w.Release(t.Context(), time.Now()); err != nil || l.State().Override != nil {
			t.Errorf("got the override %v, %v, want it released", l.State().Override, err)
		}
	})
}

func TestAnotherChangeAfterALostAnswerIsSomebodyElses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t)
		w := steer.Take(l, time.Now())
		set(t, w, 100)
		l.fleet.loseNext()
		time.AfterFunc(2*time.Second, func() { l.patch(t, `{"rps": 77}`) })
		if err := w.Set(t.Context(), time.Now(), 141.4, "climb"); !errors.Is(err, steer.ErrTaken) || l.target() != 77 {
			t.Errorf("got %v and %v requests a second, want %v and 77", err, l.target(), steer.ErrTaken)
		}
	})
}

func TestAnOverrideIsASearchsWhereItsReasonRepeatsItsRate(t *testing.T) {
	type owner struct{ Own, Free bool }
	for name, test := range map[string]struct {
		before string // a change by somebody else
		search bool   // it sets a rate
		after  string // another change by somebody else
		want   owner
	}{
		"none":                           {want: owner{false, true}},
		"of a mix":                       {before: `{"read_ratio": 0.5}`, want: owner{false, true}},
		"of a pause":                     {before: `{"paused": true}`, want: owner{false, false}},
		"of a rate":                      {before: `{"rps": 141.4, "reason": "rehearsal"}`, want: owner{false, false}},
		"of a search":                    {search: true, want: owner{true, true}},
		"of a search over a mix":         {before: `{"read_ratio": 0.5}`, search: true, want: owner{true, true}},
		"of a search that is paused":     {search: true, after: `{"paused": true}`, want: owner{true, false}},
		"of a search, changed since":     {search: true, after: `{"rps": 100}`, want: owner{false, false}},
		"of a search, given a reason":    {search: true, after: `{"reason": "leave it so"}`, want: owner{false, false}},
		"of a number that ends the same": {search: true, after: `{"rps": 41.4}`, want: owner{false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t)
				if test.before != "" {
					l.patch(t, test.before)
				}
				if test.search {
					set(t, steer.Take(l, time.Now()), 141.4)
				}
				if test.after != "" {
					l.patch(t, test.after)
				}
				own, free := steer.Owner(l.State().Active(time.Now()))
				if got := (owner{own, free}); got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			})
		})
	}
}
