package load

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
)

func TestTheLastChangesAreRememberedAndTripsOfGuardsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, &target{}, func(o *Options) {
			o.Config.RPS, o.Config.MaxRPS = 50, 5000
			o.Safety.MaxUSDPerHour = 3.6
			o.Price = func(metric.Operation, int64, int64) float64 { return 1e-6 } // so 1,000 a second
		})
		synctest.Wait()
		if got := s.Changes(); len(got) != 0 {
			t.Errorf("at the start: got %v, want nothing", got)
		}
		s.patch(t, `{"rps": 4000, "ttl": "1m", "reason": "launch rehearsal"}`)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		want := []desired.Change{
			{From: 4000, To: 50, Source: desired.TTL},
			{From: 4000, To: 1000, Source: desired.Guard, Reason: "cost"},
			{From: 50, To: 4000, Source: desired.API, Reason: "launch rehearsal"},
		}
		// The price of an arrival is taken after a thousand, of which some may be in flight still.
		if diff := cmp.Diff(want, s.Changes(), cmpopts.IgnoreFields(desired.Change{}, "Time"), cmpopts.EquateApprox(1e-2, 0)); diff != "" {
			t.Errorf("wanted -, got +\n%s", diff)
		}
		if counted := s.value(t, metric.LoadChanges); counted != float64(len(want)) {
			t.Errorf("load_changes_total: got %v, want %d", counted, len(want))
		}
		for i, change := range s.Changes() {
			if change.Time.IsZero() || i > 0 && change.Time.After(s.Changes()[i-1].Time) {
				t.Errorf("change %d: got time %s, want the newest first", i, change.Time)
			}
		}
		s.stop()
	})
}

func TestOnlyTheLast200ChangesAreRemembered(t *testing.T) {
	var r Runner
	for i := range 450 {
		r.recent.add(desired.Change{Reason: strconv.Itoa(i)})
	}
	got := r.Changes()
	if len(got) != 200 || got[0].Reason != "449" || got[199].Reason != "250" {
		t.Errorf("got %d changes, from %v to %v, want 200, from 449 to 250", len(got), got[0], got[len(got)-1])
	}
}
