package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/desired"
)

// ward is a fleet whose places the test gives out, with a document in memory.
type ward struct {
	alone
	places chan desired.Place

	mu        sync.Mutex
	document  []byte
	version   int
	conflicts int // how many writes lose a race
	gone      error
}

func (w *ward) Join(ctx context.Context, act func(desired.Place)) {
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-w.places:
			act(p)
		}
	}
}

func (w *ward) Others() desired.Report { return desired.Report{AchievedRPS: 300} }

func (w *ward) Read(context.Context) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.document, fmt.Sprint(w.version), w.gone
}

func (w *ward) Write(_ context.Context, document []byte, version string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conflicts > 0 {
		w.conflicts--
		w.version++
	}
	if version != fmt.Sprint(w.version) {
		return "", desired.ErrConflict
	}
	w.document, w.version = document, w.version+1
	return fmt.Sprint(w.version), nil
}

// share begins a load of 400 a second as one of a fleet.
func share(t *testing.T, change func(*Options)) (*soak, *target, *ward) {
	t.Helper()
	w, to := &ward{places: make(chan desired.Place)}, &target{}
	s := begin(t, to, func(o *Options) {
		o.Fleet, o.Config.RPS = w, 400
		if change != nil {
			change(o)
		}
	})
	return s, to, w
}

func TestAReplicaSendsItsShareAndNothingAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, to, w := share(t, nil)
		defer s.stop()
		time.Sleep(5 * time.Second)
		setup := to.calls.Load() // the store
		if got, status := s.value(t, metric.Arrivals), s.Status(); got != 0 || *status.LimitedBy != desired.ByFleet {
			t.Errorf("before it has a place: got %v arrivals, limited by %v, want none, by the fleet", got, *status.LimitedBy)
		}
		w.places <- desired.Place{Share: 0.25, Index: 1, Count: 4, Until: time.Now().Add(10 * time.Second)}
		time.Sleep(9 * time.Second)
		want := desired.Replica{ShareRPS: 100, Index: 1, Count: 4}
		if got := s.Status(); got.Replica != want || got.LimitedBy != nil || got.RPS != 400 || got.AchievedRPS < 395 || got.AchievedRPS > 405 {
			t.Errorf("got %+v, want place %+v of 400 a second, and the others' rate in the achieved one", got, want)
		}
		if got := s.value(t, metric.TargetRPS); got != 100 {
			t.Errorf("target_rps: got %v, want 100", got)
		}
		if got := s.value(t, metric.FleetTargetRPS); got != 400 {
			t.Errorf("fleet_target_rps: got %v, want 400", got)
		}
		time.Sleep(20 * time.Second)
		if got := to.calls.Load() - setup; got < 999 || got > 1001 {
			t.Errorf("got %d requests, want the 1000 of its ten seconds", got)
		}
		if got := s.value(t, metric.Arrivals) - s.value(t, metric.Requests) - s.value(t, metric.ArrivalsDropped); got != 0 {
			t.Errorf("got %v arrivals without an end, want none", got)
		}
		w.places <- desired.Place{Share: 0.5, Count: 2, Until: time.Now().Add(10 * time.Second)}
		before := to.calls.Load()
		time.Sleep(time.Second)
		if got := to.calls.Load() - before; got < 199 || got > 201 {
			t.Errorf("with another place: got %d requests a second, want 200", got)
		}
	})
}

func TestAFleetCatchesUpWithNoMoreThanATenthOfASecond(t *testing.T) {
	h := newHeld(1000, 1<<40)
	h.plan.late = tooLateInFleet
	h.follow(time.Second)
	before := len(h.sent)
	h.clock = 3 * time.Second
	h.follow(3 * time.Second)
	h.follow(4 * time.Second)
	if got := len(h.sent) - before; got < 1050 || got > 1110 {
		t.Errorf("got %d sent in the second after a stall, want those of that second and 100 ms", got)
	}
}

func TestNothingIsReleasedAfterTheTimeEvenIfItWasDueBefore(t *testing.T) {
	h := newHeld(1000, 1<<40)
	h.plan.until = time.Second
	h.follow(900 * time.Millisecond)
	before := len(h.sent)
	h.clock = 1001 * time.Millisecond // the process was stopped
	h.follow(1050 * time.Millisecond)
	if got := len(h.sent) - before; got != 0 || h.dropped[metric.Stall] < 100 {
		t.Errorf("got %d sent and %d dropped, want none sent", got, h.dropped[metric.Stall])
	}
}

func TestAPatchIsKeptForTheFleetAndARaceIsRunOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, w := share(t, nil)
		defer s.stop()
		patch := func(ifMatch, change string) error {
			_, err := s.Patch(t.Context(), ifMatch, []byte(change))
			return err
		}
		got, err := s.Patch(t.Context(), "", []byte(`{"rps": 100}`))
		if err != nil || got.RPS != 100 || got.Version != "1" {
			t.Errorf("got %v requests a second in version %s, %v, want 100 in that of the document", got.RPS, got.Version, err)
		}
		w.conflicts = 1
		if err := patch("", `{"rps": 200}`); err != nil || s.Status().RPS != 200 {
			t.Errorf("after one lost race: got %v, want it run once more", err)
		}
		w.conflicts = 2
		if err := patch("", `{"rps": 300}`); !errors.Is(err, desired.ErrStale) || s.Status().RPS != 200 {
			t.Errorf("after two: got %v and %v requests a second, want ErrStale and 200", err, s.Status().RPS)
		}
		if err := patch(`"1"`, `{"rps": 300}`); !errors.Is(err, desired.ErrStale) {
			t.Errorf("for an old version: got %v, want ErrStale", err)
		}
		if err := s.Adopt(t.Context(), []byte("broken"), "9"); !errors.Is(err, desired.ErrDocument) || s.value(t, metric.FleetLoadValid) != 0 {
			t.Errorf("for a broken document: got %v and fleet_load_valid %v, want ErrDocument and 0", err, s.value(t, metric.FleetLoadValid))
		}
		w.gone = desired.ErrUnavailable
		if err := patch("", `{"rps": 300}`); !errors.Is(err, desired.ErrUnavailable) || s.Status().RPS != 200 {
			t.Errorf("without API server: got %v and %v requests a second, want ErrUnavailable and 200", err, s.Status().RPS)
		}
	})
}

func TestTheFleetsStagesBeginWithTheFirstReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ladder := func(o *Options) { o.Config.Stages = stages(t, `[{rps: 100, duration: 1m}, {rps: 200, duration: 1m}]`) }
		s, _, w := share(t, ladder)
		defer s.stop()
		if err := s.Adopt(t.Context(), nil, "0"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(70 * time.Second)
		late, _, _ := share(t, ladder)
		defer late.stop()
		if err := late.Adopt(t.Context(), w.document, "1"); err != nil {
			t.Fatal(err)
		}
		if got := late.Status(); got.Stage == nil || *got.Stage != 1 {
			t.Errorf("got stage %v, want the second, as the first replica has it", got.Stage)
		}
	})
}
