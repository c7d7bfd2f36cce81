package ledger

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sighting is one look at a suspect, between two at its sentinel.
type sighting struct {
	via      string // the connection
	present  bool   // an old version was shown, not nothing
	sentinel bool   // it was read well, both times
}

func TestASuspicionIsConfirmedByEnoughEvidence(t *testing.T) {
	const key, a, b = "soak-00c0ffee-0-0-", "a", "b"
	well := func(via string) sighting { return sighting{via: via, sentinel: true} }
	old := func(via string) sighting { return sighting{via: via, sentinel: true, present: true} }
	for name, test := range map[string]struct {
		letter string
		seen   []sighting
		want   State
		step   Step
	}{
		"two sightings of an old version are too few":   {"r", []sighting{old(a), old(b)}, Open, Before},
		"three on two connections are enough":           {"r", []sighting{old(a), old(b), old(a)}, Confirmed, Before},
		"three on one connection are not":               {"r", []sighting{old(a), old(a), old(a), old(a)}, Open, Before},
		"a sentinel that failed starts the count anew":  {"r", []sighting{old(a), old(b), {via: a}, old(a), old(b)}, Open, Before},
		"an absent record must lack in a list too":      {"r", []sighting{well(a), well(b), well(a)}, Open, Enclose},
		"three of an absent blob are too few":           {"b", []sighting{well(a), well(b), well(a)}, Open, Before},
		"six of an absent blob are enough":              {"b", []sighting{well(a), well(b), well(a), well(b), well(a), well(b)}, Confirmed, Before},
		"six of an absent blob on one connection: none": {"b", []sighting{well(a), well(a), well(a), well(a), well(a), well(a)}, Open, Before},
	} {
		t.Run(name, func(t *testing.T) {
			s := Suspicion{Object: NewObject(1, key+test.letter+"1", nil)}
			rules := Rules{StaleLimit: 5 * time.Second}
			for _, seen := range test.seen {
				now := s.Due
				s.Sentinel(seen.sentinel, rules, now)
				if s.Step() != Target {
					continue
				}
				s.Sight(false, !seen.present, now, seen.via)
				s.Sentinel(seen.sentinel, rules, now)
			}
			if diff := cmp.Diff([]any{test.want, test.step}, []any{s.State(), s.Step()}); diff != "" {
				t.Errorf("state and next step (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASuspicionEndsWithTheFirstAnswerThatShowsWhatItMust(t *testing.T) {
	s := Suspicion{Object: NewObject(1, "soak-00c0ffee-0-0-r1", nil)}
	s.Sentinel(true, Rules{}, 0)
	s.Sight(true, false, time.Second, "a")
	if s.State() != Cleared {
		t.Errorf("state: got %v, want cleared", s.State())
	}
}

func TestAListThatShowsAnAbsentRecordStartsTheCountAnew(t *testing.T) {
	for shown, want := range map[bool]State{true: Open, false: Confirmed} {
		s := Suspicion{Object: NewObject(1, "soak-00c0ffee-0-0-r1", nil)}
		for _, via := range []string{"a", "b", "a"} {
			s.Sentinel(true, Rules{}, s.Due)
			s.Sight(false, true, s.Due, via)
			s.Sentinel(true, Rules{}, s.Due)
		}
		if s.Enclosed(shown, time.Minute); s.State() != want || shown && s.Step() != Before {
			t.Errorf("shown %v: got %v at step %v, want %v", shown, s.State(), s.Step(), want)
		}
	}
}
