package desired

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shared is a document as a fleet keeps it, and the replicas that adopt it.
type shared struct {
	t        *testing.T
	document []byte
	version  int
	stores   []*Store
}

func replicas(t *testing.T, bases ...Base) *shared {
	s := &shared{t: t}
	for _, b := range bases {
		s.stores = append(s.stores, NewStore(start, b, Hooks{}))
	}
	return s
}

func (s *shared) tag() string { return strconv.Itoa(s.version + 1) }

// patch has the i-th replica merge a change, and all adopt what comes of it.
func (s *shared) patch(at float64, i int, change string) {
	s.t.Helper()
	next, err := s.stores[i].Merge(second(at), s.document, s.tag(), "", []byte(change))
	if err != nil {
		s.t.Fatal(err)
	}
	s.keep(at, next)
}

func (s *shared) keep(at float64, next []byte) {
	s.t.Helper()
	if next != nil {
		s.document, s.version = next, s.version+1
	}
	for _, store := range s.stores {
		if _, err := store.Adopt(second(at), s.document, s.tag(), Fleet); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestAllReplicasWantWhatOneWasAskedFor(t *testing.T) {
	s := replicas(t, base(), base())
	s.patch(1, 0, `{"rps": 500, "ramp": "10s", "scenarios": {"crud": 1}, "read_ratio": 0.5, "ttl": "1m", "reason": "rehearsal"}`)
	s.patch(6, 1, `{"paused": true}`)
	s.patch(7, 0, `{"paused": null}`)
	a, b := s.stores[0].Get(), s.stores[1].Get()
	if diff := cmp.Diff(a.Status(second(8), Live{}), b.Status(second(8), Live{})); diff != "" {
		t.Errorf("the first -, the second +\n%s", diff)
	}
	half := Segment{For: 5 * time.Second, From: 275, To: 500} // the pause has not begun the ramp anew
	if diff := cmp.Diff(half, a.At(second(6)).Segment); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
	late := replicas(t, base()).stores[0]
	if _, err := late.Adopt(second(9), s.document, s.tag(), Fleet); err != nil || late.Get().At(second(10)).From != a.At(second(10)).From {
		t.Errorf("got %v, %v, want what the others want", late.Get().At(second(10)), err)
	}
	if got := b.At(second(62)).From; got != 50 {
		t.Errorf("after the ttl: got %v, want 50", got)
	}
}

func TestAFleetIsToldOfAChangeWithItsOwnReason(t *testing.T) {
	s := replicas(t, base())
	var got []Change
	s.stores = append(s.stores, NewStore(start, base(), Hooks{OnChange: func(c Change) { got = append(got, c) }}))
	s.patch(1, 0, `{"rps": 500, "reason": "rehearsal"}`)
	s.patch(2, 0, `{"paused": true}`)
	s.patch(3, 0, `{"paused": null, "reason": "rehearsal"}`)
	s.keep(4, []byte(`{"schema": 1, "override": {"rps": 700, "reason": "by hand"}}`))
	s.patch(5, 0, `{"rps": null, "reason": "over"}`)
	s.patch(6, 0, `{"rps": 600, "reason": "again"}`)
	s.keep(7, bytes.Replace(s.document, []byte(`"rps":600`), []byte(`"rps":800`), 1))
	s.patch(8, 0, `{"rps": 900}`)
	want := []Change{
		{second(1), 50, 500, Fleet, "rehearsal"},
		{second(2), 500, 0, Fleet, ""},
		{second(3), 0, 500, Fleet, "rehearsal"},
		{second(4), 500, 700, Fleet, "by hand"},
		{second(5), 700, 50, Fleet, "over"},
		{second(6), 50, 600, Fleet, "again"},
		{second(7), 600, 800, Fleet, ""},
		{second(8), 800, 900, Fleet, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestABrokenDocumentLeavesTheLastGoodOneInForce(t *testing.T) {
	s := replicas(t, base())
	s.patch(0, 0, `{"rps": 500}`)
	for document, want := range map[string]error{
		`{"schema": 1, "override": {"rps": -1}}`:                       ErrRefused,
		`{"schema": 1, "override": {"rps": 1, "from": -5}}`:            ErrRefused,
		`{"schema": 1, "override": {"scenarios": {"nonsense": 1}}}`:    ErrRefused,
		`{"schema": 1, "reason": "a\nb"}`:                              ErrRefused,
		`{"schema": 2}`:                                                ErrRefused,
		`{"schema": 1, "rps": 3}`:                                      ErrDocument,
		`{"schema": 1} {}`:                                             ErrDocument,
		`rps: 500`:                                                     ErrDocument,
		`{"schema": 1, "x": "` + strings.Repeat("x", keptLimit) + `"}`: ErrDocument,
	} {
		if _, err := s.stores[0].Adopt(second(1), []byte(document), "3", Fleet); !errors.Is(err, want) {
			t.Errorf("%.60s: got %v, want %v", document, err, want)
		}
		if got := s.stores[0].Get(); got.At(second(1)).Target != 500 || got.Version != "3" {
			t.Errorf("%.60s: got rate %v and version %s, want the last good rate, 500, and the version that can be changed, 3", document, got.At(second(1)).Target, got.Version)
		}
	}
	for change, document := range map[string]string{`{}`: "broken", `{"rps": 500}`: `{"schema": 2}`} {
		if next, err := s.stores[0].Merge(second(2), []byte(document), "3", "", []byte(change)); next != nil {
			t.Errorf("%s into %s: got %s, %v, want nothing written", change, document, next, err)
		}
	}
	// A change is merged into the last good one, and mends the document.
	next, err := s.stores[0].Merge(second(2), []byte("broken"), "3", `"3"`, []byte(`{"read_ratio": 0.5}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"schema":1,"override":{"rps":500,"from":50,"since":"2026-11-01T12:00:00Z","read_ratio":0.5,"started":"2026-11-01T12:00:00Z"}}`; string(next) != want {
		t.Errorf("got %s\nwant %s", next, want)
	}
}

func TestAChangeForAnotherVersionOfTheDocumentIsStale(t *testing.T) {
	s := replicas(t, base())
	s.patch(0, 0, `{"rps": 500}`)
	if _, err := s.stores[0].Merge(second(1), s.document, s.tag(), `"other"`, []byte(`{}`)); !errors.Is(err, ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
	if got := s.stores[0].Get().Version; got != s.tag() {
		t.Errorf("got version %q, want that of the document, %q", got, s.tag())
	}
}

func TestAnEditByHandNeedsOnlyTheRate(t *testing.T) {
	s := replicas(t, base())
	s.keep(5, []byte(`{"schema": 1, "override": {"rps": 700}}`))
	if diff := cmp.Diff(Segment{From: 700, To: 700}, s.stores[0].Get().At(second(5)).Segment); diff != "" {
		t.Errorf("wanted -, got +\n%s", diff)
	}
}

func TestStagesBeginOnceForTheFleet(t *testing.T) {
	s := replicas(t, ladder(false), ladder(false))
	first, err := s.stores[0].Adopt(start, nil, "0", Fleet)
	if err != nil || first == nil {
		t.Fatalf("got %s, %v, want a document with the beginning of the stages", first, err)
	}
	if again, err := s.stores[0].Adopt(start, nil, "0", Fleet); err != nil || string(again) != string(first) {
		t.Errorf("where it was not kept: got %s, %v, want it once more", again, err)
	}
	s.keep(0, first)
	late := NewStore(second(30), ladder(false), Hooks{})
	if next, err := late.Adopt(second(30), s.document, s.tag(), Fleet); err != nil || next != nil {
		t.Fatalf("got %s, %v, want nothing to keep", next, err)
	}
	if a, b := s.stores[0].Get().At(second(40)), late.Get().At(second(40)); a != b {
		t.Errorf("got %v, want %v", b, a)
	}
	s.patch(50, 1, `{"rps": 5}`)
	s.patch(51, 1, `{"rps": null}`)
	if a, b := s.stores[0].Get().At(second(52)), NewStore(start, ladder(false), Hooks{}).Get().At(second(52)); a != b {
		t.Errorf("after an override: got %v, want %v", a, b)
	}
}

func TestADocumentThatComesLateChangesNothing(t *testing.T) {
	s := replicas(t, base())
	s.patch(0, 0, `{"rps": 500}`)
	old := s.document
	s.patch(1, 0, `{"paused": true}`)
	if next, err := s.stores[0].Adopt(second(2), old, "2", Fleet); next != nil || err != nil || !s.stores[0].Get().At(second(2)).Paused {
		t.Errorf("got %s, %v and %v, want the pause", next, err, s.stores[0].Get().At(second(2)))
	}
}

func TestACapThatFallsKeepsTheOverrideInForceAndChangeable(t *testing.T) {
	s := replicas(t, base())
	s.patch(0, 0, `{"rps": 3000}`)
	s.patch(1, 0, `{"rps": 2500}`) // from 3000
	low := base()
	low.MaxRPS = 2000
	s.stores[0].Reload(second(2), low)
	s.stores = append(s.stores, NewStore(second(3), low, Hooks{}))
	s.patch(4, 0, `{"paused": true}`)
	s.patch(5, 1, `{"paused": null}`)
	for i, store := range s.stores {
		if diff := cmp.Diff(Segment{From: 2000, To: 2000}, store.Get().At(second(6)).Segment); diff != "" {
			t.Errorf("replica %d: wanted -, got +\n%s", i, diff)
		}
	}
}

func TestOnlyTheLastLaddersAreRemembered(t *testing.T) {
	var k kept
	for i := range ladders + 3 {
		b := ladder(false)
		b.RPS, b.Began = float64(i), second(float64(i))
		b.Stages = append([]Stage{}, b.Stages...)
		b.Stages[0].RPS = float64(100 + i)
		k = k.with(b, nil)
		if got := k.begin(b).Began; !got.Equal(second(float64(i))) {
			t.Errorf("got %s, want when it began", got)
		}
	}
	if len(k.Began) != ladders {
		t.Errorf("got %d ladders, want %d", len(k.Began), ladders)
	}
}

// FuzzAdopt holds that whatever is written into the document is refused as one of
// ours, or leaves a state that can be shown, paced and changed.
func FuzzAdopt(f *testing.F) {
	for _, seed := range []string{
		`{"schema":1,"override":{"rps":500,"ramp":"10s","from":50,"since":"2026-11-01T12:00:00Z","expires":"2026-11-01T13:00:00Z"}}`,
		`{"schema":1,"override":{"rps":5,"ramp":"10s","since":"9999-12-31T23:59:59Z"}}`, `{"schema":1,"override":{"rps":5,"ramp":"10s","since":"2026-11-01T12:00:00Z","expires":"7026-11-01T13:00:00Z"}}`, `{"schema":1,"override":{"paused":true},"stages_began":{"x":"0001-01-01T00:00:00Z"}}`,
		``, `[]`, `{"schema":1,"override":{"scenarios":{}}}`, `{"Schema":1,"override":{"ramp":"-1s"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		store := NewStore(start, ladder(true), Hooks{})
		if _, err := store.Adopt(second(5), document, "1", Fleet); err != nil {
			if !errors.Is(err, ErrDocument) && !errors.Is(err, ErrRefused) {
				t.Fatalf("got %v, want ErrDocument or ErrRefused", err)
			}
			return
		}
		for _, s := range store.Get().Segments(second(5), time.Hour) {
			if s.For < 0 || !(s.From >= 0 && s.From <= 5000 && s.To >= 0 && s.To <= 5000) {
				t.Fatalf("got segment %v after %s", s, document)
			}
		}
		if _, err := store.Merge(second(6), document, "1", "", []byte(`{"rps": 7}`)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClocksThatDifferCostNoMoreThanTheSlopeOfARamp(t *testing.T) {
	const skew = 2.0 // seconds
	s := replicas(t, base(), base())
	s.patch(0, 0, `{"rps": 1050, "ramp": "100s"}`)
	slope := 1000. / 100
	for at := -skew; at < 110; at += 0.5 {
		early, late := s.stores[0].Get().At(second(at+skew)).From, s.stores[1].Get().At(second(at)).From
		highest := min(1050, 50+slope*max(0, at+skew))
		if sum := early/2 + late/2; sum > highest+1e-9 || sum < highest-slope*skew-1e-9 {
			t.Fatalf("at %v s: got %v a second of both, want %v to %v", at, sum, highest-slope*skew, highest)
		}
	}
}
