package desired

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
)

var start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func second(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }

func base() Base {
	return Base{
		RPS:       50,
		MaxRPS:    5000,
		Scenarios: map[string]float64{"mixed": 1},
		ReadRatio: 0.8,
		Known:     []string{"crud", "mixed"},
	}
}

func ladder(repeat bool) Base {
	b := base()
	b.RPS, b.Repeat = 10, repeat
	b.Stages = []Stage{
		{RPS: 100, Duration: model.Duration(60 * time.Second), Ramp: model.Duration(10 * time.Second)},
		{RPS: 200, Duration: model.Duration(60 * time.Second), Ramp: model.Duration(60 * time.Second)},
	}
	return b
}

// step is one thing that happens to a store.
type step struct {
	at    float64 // seconds
	patch string
}

func play(t *testing.T, store *Store, steps ...step) {
	t.Helper()
	for _, s := range steps {
		if _, err := store.Patch(second(s.at), "", []byte(s.patch)); err != nil {
			t.Fatalf("at %v s, %s: %v", s.at, s.patch, err)
		}
	}
}

func TestARateFollowsFromOverrideStagesAndConfiguration(t *testing.T) {
	withTTL := base()
	withTTL.DefaultTTL = time.Minute
	for name, test := range map[string]struct {
		base  Base
		steps []step
		at    float64
		want  Point
	}{
		"the configuration holds while nothing overrides it": {
			base(), nil, 5, Point{Segment: Segment{From: 50, To: 50}, Target: 50, Source: Config, Stage: -1},
		},
		"an override holds at once without a ramp": {
			base(), []step{{5, `{"rps": 1000}`}}, 5, Point{Segment: Segment{From: 1000, To: 1000}, Target: 1000, Source: API, Stage: -1},
		},
		"a ramp goes in a straight line from the rate in force": {
			base(),
			[]step{{0, `{"rps": 1050, "ramp": "10s"}`}},
			4,
			Point{Segment: Segment{For: 6 * time.Second, From: 450, To: 1050}, Target: 1050, Source: API, Stage: -1},
		},
		"a second ramp starts where the first one is": {
			base(),
			[]step{{0, `{"rps": 1050, "ramp": "10s"}`}, {5, `{"rps": 50}`}},
			10,
			Point{Segment: Segment{For: 5 * time.Second, From: 300, To: 50}, Target: 50, Source: API, Stage: -1},
		},
		"a document sent again does not start its ramp anew": {
			base(),
			[]step{{0, `{"rps": 1050, "ramp": "10s"}`}, {5, `{"rps": 1050, "ramp": "10s"}`}},
			10,
			Point{Segment: Segment{From: 1050, To: 1050}, Target: 1050, Source: API, Stage: -1},
		},
		"a ramp of null goes there at once": {
			base(),
			[]step{{0, `{"rps": 1050, "ramp": "10s"}`}, {5, `{"ramp": null}`}},
			5,
			Point{Segment: Segment{From: 1050, To: 1050}, Target: 1050, Source: API, Stage: -1},
		},
		"an override ends when its ttl is over": {
			base(), []step{{0, `{"rps": 500, "ttl": "30s"}`}}, 30, Point{Segment: Segment{From: 50, To: 50}, Target: 50, Source: Config, Stage: -1},
		},
		"the end of an override is in its segment": {
			base(), []step{{0, `{"rps": 500, "ttl": "30s"}`}}, 10, Point{Segment: Segment{For: 20 * time.Second, From: 500, To: 500}, Target: 500, Source: API, Stage: -1},
		},
		"a ttl cuts a ramp on its way": {
			base(),
			[]step{{0, `{"rps": 1050, "ramp": "20s", "ttl": "10s"}`}},
			0,
			Point{Segment: Segment{For: 10 * time.Second, From: 50, To: 550}, Target: 1050, Source: API, Stage: -1},
		},
		"a ttl stays as it is unless it is sent again": {
			base(), []step{{0, `{"rps": 500, "ttl": "30s"}`}, {20, `{"rps": 600}`}}, 29, Point{Segment: Segment{For: time.Second, From: 600, To: 600}, Target: 600, Source: API, Stage: -1},
		},
		"a ttl that is sent again counts from then": {
			base(), []step{{0, `{"rps": 500, "ttl": "30s"}`}, {20, `{"ttl": "30s"}`}}, 45, Point{Segment: Segment{For: 5 * time.Second, From: 500, To: 500}, Target: 500, Source: API, Stage: -1},
		},
		"an override without a ttl has the default one": {
			withTTL, []step{{0, `{"rps": 500}`}, {30, `{"rps": 600}`}}, 59, Point{Segment: Segment{For: time.Second, From: 600, To: 600}, Target: 600, Source: API, Stage: -1},
		},
		"a ttl of null leads back to the default one": {
			withTTL, []step{{0, `{"rps": 500, "ttl": "2h"}`}, {30, `{"ttl": null}`}}, 80, Point{Segment: Segment{For: 10 * time.Second, From: 500, To: 500}, Target: 500, Source: API, Stage: -1},
		},
		"a ttl of 0 is never": {
			withTTL, []step{{0, `{"rps": 500, "ttl": "0s"}`}}, 1e6, Point{Segment: Segment{From: 500, To: 500}, Target: 500, Source: API, Stage: -1},
		},
		"null returns to the configuration": {
			base(), []step{{0, `{"rps": 500}`}, {1, `{"rps": null}`}}, 1, Point{Segment: Segment{From: 50, To: 50}, Target: 50, Source: Config, Stage: -1},
		},
		"null returns to the stages, which went on meanwhile": {
			ladder(false),
			[]step{{0, `{"rps": 500}`}, {70, `{"rps": null}`}},
			90,
			Point{Segment: Segment{For: 30 * time.Second, From: 150, To: 200}, Target: 200, Source: Stages, Stage: 1},
		},
		"paused is 0 and keeps the target": {
			base(), []step{{0, `{"rps": 500}`}, {1, `{"paused": true}`}}, 2, Point{Target: 500, Source: API, Stage: -1, Paused: true},
		},
		"a pause ends with the override's ttl": {
			base(), []step{{0, `{"paused": true, "ttl": "10s"}`}}, 4, Point{Segment: Segment{For: 6 * time.Second}, Target: 50, Source: Config, Stage: -1, Paused: true},
		},
		"a rate sent with the end of a pause ramps from 0": {
			base(),
			[]step{{0, `{"paused": true}`}, {10, `{"paused": false, "rps": 100, "ramp": "10s"}`}},
			15,
			Point{Segment: Segment{For: 5 * time.Second, From: 50, To: 100}, Target: 100, Source: API, Stage: -1},
		},
		"the first stage ramps from load.rps": {
			ladder(false), nil, 5, Point{Segment: Segment{For: 5 * time.Second, From: 55, To: 100}, Target: 100, Source: Stages, Stage: 0},
		},
		"a stage holds after its ramp": {
			ladder(false), nil, 20, Point{Segment: Segment{For: 40 * time.Second, From: 100, To: 100}, Target: 100, Source: Stages, Stage: 0},
		},
		"the last stage's rate holds": {
			ladder(false), nil, 500, Point{Segment: Segment{From: 200, To: 200}, Target: 200, Source: Stages, Stage: 1},
		},
		"repeated stages ramp from the last stage's rate": {
			ladder(true), nil, 125, Point{Segment: Segment{For: 5 * time.Second, From: 150, To: 100}, Target: 100, Source: Stages, Stage: 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore(start, test.base, Hooks{})
			play(t, store, test.steps...)
			if diff := cmp.Diff(test.want, store.Get().At(second(test.at))); diff != "" {
				t.Errorf("wanted -, got +\n%s", diff)
			}
		})
	}
}

func TestSegmentsFollowEachOtherUpToTheHorizon(t *testing.T) {
	store := NewStore(start, ladder(true), Hooks{})
	play(t, store, step{0, `{"rps": 500, "ttl": "30s"}`})
	got := store.Get().Segments(start, 130*time.Second)
	want := []Segment{
		{For: 30 * time.Second, From: 500, To: 500},
		{For: 30 * time.Second, From: 100, To: 100},
		{For: 60 * time.Second, From: 100, To: 200},
		{For: 10 * time.Second, From: 200, To: 100},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if got := NewStore(start, base(), Hooks{}).Get().Segments(start, time.Hour); len(got) != 1 {
		t.Errorf("got %v, want one segment that holds for good", got)
	}
}

func TestARefusedDocumentChangesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		document string
		kind     error
		text     string
	}{
		"not JSON":                      {`{"rps": }`, ErrDocument, "got no JSON object"},
		"nothing":                       {``, ErrDocument, "got no JSON object"},
		"an array":                      {`[1]`, ErrDocument, "got [1], want an object"},
		"null":                          {`null`, ErrDocument, "want an object"},
		"two objects":                   {`{"rps": 1} {"rps": 2}`, ErrDocument, "after top-level value"},
		"a field twice":                 {`{"rps": 1, "rps": 2}`, ErrDocument, `got field "rps" twice`},
		"an unknown field":              {`{"rpz": 1}`, ErrDocument, "rpz: got an unknown field"},
		"a field in capitals":           {`{"RPS": 1}`, ErrDocument, "RPS: got an unknown field"},
		"a rate in quotes":              {`{"rps": "500"}`, ErrDocument, `rps: got "500", want a number`},
		"a rate that is true":           {`{"rps": true}`, ErrDocument, "rps: got true, want a number"},
		"a pause of 1":                  {`{"paused": 1}`, ErrDocument, "paused: got 1, want true or false"},
		"a ramp without a unit":         {`{"rps": 1, "ramp": 30}`, ErrDocument, "ramp: got 30, want a duration"},
		"a reason that is an object":    {`{"reason": {}}`, ErrDocument, "reason: got {}, want a text"},
		"scenarios as a list":           {`{"scenarios": ["crud"]}`, ErrDocument, "scenarios: got [\"crud\"], want an object"},
		"a scenario twice":              {`{"scenarios": {"crud": 1, "crud": 2}}`, ErrDocument, `got field "crud" twice`},
		"a scenario of null":            {`{"scenarios": {"crud": null}}`, ErrDocument, "scenarios.crud: got null, want a number"},
		"a rate over the cap":           {`{"rps": 5001}`, ErrRefused, "rps: got 5001, want at most 5000 (load.max_rps)"},
		"a rate beyond all numbers":     {`{"rps": 1e999}`, ErrRefused, "rps: got +Inf, want at most 5000"},
		"a negative rate":               {`{"rps": -1}`, ErrRefused, "rps: got -1, want 0 or more"},
		"NaN":                           {`{"rps": NaN}`, ErrRefused, "got NaN or Infinity"},
		"NaN in quotes":                 {`{"rps": "NaN"}`, ErrRefused, "rps: got NaN"},
		"minus infinity":                {`{"rps": -Infinity}`, ErrRefused, "got NaN or Infinity"},
		"a read ratio over 1":           {`{"read_ratio": 1.1}`, ErrRefused, "read_ratio: got 1.1, want 0 to 1"},
		"a negative ramp":               {`{"rps": 1, "ramp": "-1s"}`, ErrRefused, "ramp: got -1s"},
		"a negative ttl":                {`{"rps": 1, "ttl": "-1h"}`, ErrRefused, "ttl: got -1h0m0s"},
		"an unknown scenario":           {`{"scenarios": {"chess": 1}}`, ErrRefused, `scenarios: got "chess", want one of crud, mixed`},
		"a negative weight":             {`{"scenarios": {"crud": -1, "mixed": 2}}`, ErrRefused, "scenarios.crud: got -1"},
		"no scenario":                   {`{"scenarios": {}}`, ErrRefused, "got no weight above 0"},
		"a reason of several lines":     {`{"rps": 1, "reason": "a\nb"}`, ErrRefused, "reason: got control characters"},
		"a reason that is too long":     {`{"rps": 1, "reason": "` + strings.Repeat("a", 257) + `"}`, ErrRefused, "reason: got 257 bytes"},
		"what the load does not permit": {`{"rps": 4999}`, ErrRefused, "too few records"},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore(start, base(), Hooks{
				Check: func(next State) error {
					if next.At(start).Target == 4999 {
						return errors.New("too few records")
					}
					return nil
				},
				OnChange: func(c Change) { t.Errorf("got change %v, want none", c) },
			})
			before := store.Get()
			_, err := store.Patch(start, "", []byte(test.document))
			if !errors.Is(err, test.kind) || !strings.Contains(fmt.Sprint(err), test.text) {
				t.Errorf("got %v, want %v: … %s", err, test.kind, test.text)
			}
			if diff := cmp.Diff(before, store.Get()); diff != "" {
				t.Errorf("before -, after +\n%s", diff)
			}
		})
	}
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := NewStore(start, base(), Hooks{}).Patch(start, "", []byte(`{"rps": -1, "read_ratio": 2, "scenarios": {"a": 1, "b": 1}}`))
	if got := strings.Count(fmt.Sprint(err), "got"); got != 4 {
		t.Errorf("got %d mistakes, want 4: %v", got, err)
	}
}

func TestOnlyTheNamedVersionIsChanged(t *testing.T) {
	store := NewStore(start, base(), Hooks{})
	version := store.Get().Version
	for ifMatch, want := range map[string]error{
		"":                                nil,
		"*":                               nil,
		`"` + version + `"`:               nil,
		`"other" , "` + version + `"`:     nil,
		`"other"`:                         ErrStale,
		`W/"` + version + `"`:             nil, // by a proxy that compresses
		version:                           ErrStale,
		`"` + version + "0" + `"`:         ErrStale,
		"\"" + strings.ToUpper("x") + `"`: ErrStale,
	} {
		if _, err := store.Patch(start, ifMatch, []byte(`{}`)); !errors.Is(err, want) {
			t.Errorf("If-Match %s: got %v, want %v", ifMatch, err, want)
		}
	}
	play(t, store, step{0, `{"rps": 1}`})
	if _, err := store.Patch(start, `"`+version+`"`, []byte(`{"rps": 2}`)); !errors.Is(err, ErrStale) {
		t.Errorf("got %v after a change, want %v", err, ErrStale)
	}
}

func TestAnOverrideIsMergedFieldByField(t *testing.T) {
	store := NewStore(start, base(), Hooks{})
	play(t, store,
		step{0, `{"rps": 500, "scenarios": {"crud": 2}, "reason": "launch rehearsal"}`},
		step{1, `{"read_ratio": 0.95}`},
		step{2, `{"rps": null, "scenarios": {"mixed": 3}}`})
	ratio := 0.95
	want := &Override{Scenarios: map[string]float64{"mixed": 3}, ReadRatio: &ratio, Reason: "launch rehearsal", Started: start, Since: second(2), From: 500}
	if diff := cmp.Diff(want, store.Get().Override); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	if diff := cmp.Diff(Mix{map[string]float64{"mixed": 3}, 0.95}, store.Get().Mix(second(2))); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	play(t, store, step{3, `{"scenarios": null, "read_ratio": null}`})
	if got := store.Get().Override; got != nil {
		t.Errorf("got %v, want no override when it wants nothing any more", got)
	}
}

func TestChangesAreToldInOrderWithTheirSource(t *testing.T) {
	var got []Change
	store := NewStore(start, ladder(false), Hooks{OnChange: func(c Change) { got = append(got, c) }})
	store.Advance(second(61))
	play(t, store, step{62, `{"rps": 500, "ttl": "10s", "reason": "rehearsal"}`}, step{63, `{}`}, step{64, `{"paused": true}`})
	play(t, store, step{64.5, `{"paused": null, "reason": "over"}`}, step{64.7, `{"paused": true}`})
	store.Reload(second(65), ladder(false))
	store.Reload(second(66), base())
	store.Advance(second(80))
	play(t, store, step{81, `{"rps": 700, "reason": "again"}`}, step{82, `{"rps": null, "reason": "back"}`})
	want := []Change{
		{second(61), 100, 200, Stages, ""},
		{second(62), 100 + 100.0*2/60, 500, API, "rehearsal"},
		{second(64), 500, 0, API, ""},
		{second(64.5), 0, 500, API, "over"},
		{second(64.7), 500, 0, API, ""},
		{second(66), 0, 0, Reload, ""},
		{second(80), 0, 50, TTL, ""},
		{second(81), 50, 700, API, "again"},
		{second(82), 700, 50, API, "back"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestAReloadChangesOnlyTheBase(t *testing.T) {
	store := NewStore(start, ladder(false), Hooks{})
	play(t, store, step{0, `{"rps": 500}`})
	lower := ladder(false)
	lower.MaxRPS = 400
	store.Reload(second(30), lower)
	if got := store.Get().At(second(30)).From; got != 400 {
		t.Errorf("got %v, want the override under the new cap, 400", got)
	}
	play(t, store, step{31, `{"rps": null}`})
	if got, want := store.Get().At(second(90)).Stage, 1; got != want {
		t.Errorf("got stage %d, want %d: stages that did not change go on", got, want)
	}
	other := ladder(false)
	other.Stages[0].RPS = 101
	store.Reload(second(90), other)
	if got := store.Get().At(second(90)).Stage; got != 0 {
		t.Errorf("got stage %d, want 0: stages that changed begin anew", got)
	}
}

func TestAChangeClosesTheChannel(t *testing.T) {
	store := NewStore(start, base(), Hooks{})
	changed := store.Changed()
	play(t, store, step{0, `{}`})
	select {
	case <-changed:
		t.Error("got a change, want none from an empty document")
	default:
	}
	play(t, store, step{0, `{"rps": 1, "ttl": "5s"}`})
	<-changed
	changed = store.Changed()
	if got, want := store.Get().Next(start), second(5); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	version := store.Get().Version
	store.Advance(second(5))
	<-changed
	if store.Get().Version == version {
		t.Error("got the same version after the end of the override, want another one")
	}
	if got := store.Get().Next(second(5)); !got.IsZero() {
		t.Errorf("got %v, want no next change", got)
	}
}

func TestAStageSearchesFromTheEndOfItsRampToItsOwn(t *testing.T) {
	b := ladder(true)
	b.Began = start
	b.Stages[0].FindCapacity = true
	for at, want := range map[float64]any{
		-1: nil, 0: nil, 9.9: nil, 10: second(60), 59: second(60), 60: nil, 119: nil, 125: nil, 130: second(180),
	} {
		if s, ends, ok := b.Search(second(at)); ok != (want != nil) || ok && (ends != want || s.RPS != 100) {
			t.Errorf("at %v s: got stage %v until %v, %t, want one of 100 requests a second until %v", at, s, ends, ok, want)
		}
	}
	b.Repeat, b.Stages = false, b.Stages[:1]
	if _, ends, ok := b.Search(second(61)); ok {
		t.Errorf("after the last stage: got a search until %v, want none", ends)
	}
}
