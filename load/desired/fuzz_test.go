package desired

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"
)

// FuzzPatch holds that whatever is sent is refused as one of ours, or leaves
// a state that can be shown and paced.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"rps": 1000, "ramp": "30s", "ttl": "2h", "scenarios": {"crud": 1}, "read_ratio": 0.95, "paused": true, "reason": "launch rehearsal"}`,
		`{"rps": null, "ramp": null, "ttl": null}`, `{"rps": NaN}`, `{"rps": 1e999}`, `{"rps": -0}`, `{"ramp": "290y"}`, `{"scenarios": {"crud": 1e308, "mixed": 1e308}}`,
		`{"reason": "a\r\nX-Evil: 1"}`, "{\"reason\": \"a\x00\u0085\"}", `{"scenarios": {"crud": 1, "crud": 2}}`, `{"scenarios": {}}`, `{"ttl": "1e3s"}`, `{"rps": "5"}`,
		`{"RPS": 1}`, `{"paused": null, "reason": null, "scenarios": null, "read_ratio": null}`, `{"rps": [[[[[[1]]]]]]}`,
		`{} {}`, `[`, "{\"rps\": 1\xff}", `{"rps":1,"rps":2}`, `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		store := NewStore(start, ladder(true), Hooks{})
		play(t, store, step{0, `{"rps": 500, "ramp": "10s"}`})
		state, err := store.Patch(second(5), "", document)
		if err != nil {
			if !errors.Is(err, ErrDocument) && !errors.Is(err, ErrRefused) {
				t.Fatalf("got %v, want ErrDocument or ErrRefused", err)
			}
			return
		}
		if _, err := json.Marshal(state.Status(second(5), Live{})); err != nil {
			t.Fatal(err)
		}
		for _, s := range state.Segments(second(5), time.Hour) {
			if s.For < 0 || !(s.From >= 0 && s.From <= 5000 && s.To >= 0 && s.To <= 5000) || math.IsNaN(s.From) {
				t.Fatalf("got segment %v after %s", s, document)
			}
		}
	})
}
