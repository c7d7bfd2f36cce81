package desired

import (
	"encoding/json"
	"testing"
	"time"
)

func TestTheStatusIsTheDocumentOfTheAPI(t *testing.T) {
	own := base()
	own.Scenarios = nil
	live := Live{AchievedRPS: 499.8, SkippedOperations: []string{"get_records"}, Replica: Replica{ShareRPS: 250, Count: 2}}
	limited := live
	limited.LimitedBy = ByMaxInFlight
	const rest = `"scenarios":{"mixed":1},"read_ratio":0.8,"skipped_operations":["get_records"],`
	for name, test := range map[string]struct {
		base  Base
		patch string
		live  Live
		want  string
	}{
		"an override": {
			base(), `{"rps": 500}`, live,
			`{"rps":500,"max_rps":5000,"achieved_rps":499.8,"paused":false,"source":"api","expires":null,"stage":null,` + rest + `"limited_by":null,"replica":{"share_rps":250,"index":0,"count":2}}`,
		},
		"an override that ends": {
			base(), `{"rps": 500, "ttl": "1h"}`, live,
			`{"rps":500,"max_rps":5000,"achieved_rps":499.8,"paused":false,"source":"api","expires":"2026-11-01T13:00:00Z","stage":null,` + rest + `"limited_by":null,"replica":{"share_rps":250,"index":0,"count":2}}`,
		},
		"a stage on its ramp": {
			ladder(false), `{}`, live,
			`{"rps":100,"max_rps":5000,"achieved_rps":499.8,"paused":false,"source":"stage","expires":null,"stage":0,` + rest + `"limited_by":"ramp","replica":{"share_rps":250,"index":0,"count":2}}`,
		},
		"a limit that is stronger than a ramp": {
			ladder(false), `{}`, limited,
			`{"rps":100,"max_rps":5000,"achieved_rps":499.8,"paused":false,"source":"stage","expires":null,"stage":0,` + rest + `"limited_by":"max_in_flight","replica":{"share_rps":250,"index":0,"count":2}}`,
		},
		"a pause is stronger than all limits": {
			base(), `{"paused": true}`, limited,
			`{"rps":50,"max_rps":5000,"achieved_rps":499.8,"paused":true,"source":"config","expires":null,"stage":null,` + rest + `"limited_by":"paused","replica":{"share_rps":250,"index":0,"count":2}}`,
		},
		"own operations and nothing live": {
			own, `{}`,
			Live{},
			`{"rps":50,"max_rps":5000,"achieved_rps":0,"paused":false,"source":"config","expires":null,"stage":null,"scenarios":{},"read_ratio":0.8,"skipped_operations":[],"limited_by":null,"replica":{"share_rps":0,"index":0,"count":0}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := NewStore(start.In(time.FixedZone("CET", 3600)), test.base, Hooks{})
			play(t, store, step{0, test.patch})
			status := store.Get().Status(start, test.live)
			got, err := json.Marshal(status)
			if err != nil || string(got) != test.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
			}
			if status.Version != store.Get().Version {
				t.Errorf("got version %q, want %q", status.Version, store.Get().Version)
			}
		})
	}
}
