package leftover

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

// memory is as much of a target as a registry needs, without a network.
type memory struct {
	mu      sync.Mutex
	opened  bool
	records map[string]opensaves.Record
	fail    func(*opensaves.Call) error // nil: nothing does
}

func (m *memory) do(_ context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(call); err != nil {
			return err
		}
	}
	switch call.Op {
	case metric.CreateStore:
		if m.opened {
			return &opensaves.Error{Op: call.Op, Code: metric.AlreadyExists}
		}
		m.opened = true
		m.records = map[string]opensaves.Record{}
	case metric.GetStore:
		answer.Stores = append(answer.Stores, opensaves.Store{Key: registryStore, Name: registryName})
		return m.absent(call, m.opened)
	case metric.CreateRecord:
		m.records[call.Record.Key] = *call.Record
	case metric.UpdateRecord:
		if _, there := m.records[call.Record.Key]; !there {
			return m.absent(call, false)
		}
		m.records[call.Record.Key] = *call.Record
	case metric.DeleteRecord:
		delete(m.records, call.Key)
	case metric.ListRecords:
		for _, r := range m.records {
			answer.Records = append(answer.Records, r)
		}
	}
	return nil
}

func (m *memory) absent(call *opensaves.Call, there bool) error {
	if there {
		return nil
	}
	return &opensaves.Error{Op: call.Op, Code: metric.NotFound}
}

func (m *memory) texts() (texts []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		texts = append(texts, r.Opaque)
	}
	slices.Sort(texts)
	return texts
}

// options are those of a run in a bubble, whose time they go by.
func (m *memory) options(run string) Options {
	start := time.Now()
	return Options{Do: m.do, Identity: someone(run), After: after, Now: func() time.Duration { return time.Since(start) }}
}

func TestARunOfADayIsNeverSuspendedAndADeadOneIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		ctx, stop := context.WithCancel(t.Context())
		noError := func(err error) {
			if err != nil {
				t.Error(err)
			}
		}
		dead := NewRegistration(m.options(deadRun), false, nil)
		noError(dead.Reserve(ctx, 's', 3))
		o := m.options(liveRun)
		live := NewRegistration(o, false, noError)
		if !live.Suspended(0) {
			t.Error("got a run that is not registered going on, want it suspended")
		}
		noError(live.Reserve(ctx, 's', 3))
		var actors sync.WaitGroup
		actors.Go(func() { live.Run(ctx) })
		actors.Go(func() { NewSweeper(o).Run(ctx, noError) })
		for range 24 * 60 {
			time.Sleep(time.Minute)
			if live.Suspended(o.Now()) {
				t.Fatal("got the live run suspended")
			}
		}
		stop()
		actors.Wait()
		if got := m.texts(); len(got) != 1 || len(m.records) != 1 || m.records[runKey(liveRun, 0)].Key == "" {
			t.Errorf("got %q, want the note of the live run alone", got)
		}
	})
}

func TestARunIsSuspendedWhereItCannotShowThatItLives(t *testing.T) {
	down := errors.New("down")
	for name, fails := range map[string]func(*opensaves.Call) error{
		"nothing is answered":           func(*opensaves.Call) error { return down },
		"heartbeats are not":            func(c *opensaves.Call) error { return map[bool]error{true: down}[c.Op == metric.UpdateRecord] },
		"claims cannot be read":         func(c *opensaves.Call) error { return map[bool]error{true: down}[c.Op == metric.ListRecords] },
		"the registry seems to be gone": func(c *opensaves.Call) error { return &opensaves.Error{Op: c.Op, Code: metric.NotFound} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &memory{}
				o := m.options(liveRun)
				r := NewRegistration(o, false, func(error) {})
				if err := r.Reserve(t.Context(), 's', 3); err != nil {
					t.Fatal(err)
				}
				m.fail = fails
				ctx, stop := context.WithCancel(t.Context())
				var actor sync.WaitGroup
				actor.Go(func() { r.Run(ctx) })
				time.Sleep(after/2 - 1)
				if r.Suspended(o.Now()) {
					t.Error("got it suspended before half of the time")
				}
				time.Sleep(time.Nanosecond)
				if !r.Suspended(o.Now()) || r.Lost() {
					t.Errorf("got suspended %v and lost %v, want it suspended only", r.Suspended(o.Now()), r.Lost())
				}
				m.mu.Lock()
				m.fail = nil
				m.mu.Unlock()
				time.Sleep(after/Beats + 1)
				if r.Suspended(o.Now()) {
					t.Error("got it suspended after a heartbeat that was acknowledged and read unclaimed")
				}
				stop()
				actor.Wait()
			})
		})
	}
}

func TestNumbersAreReservedBeforeTheyAreUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		o := m.options(liveRun)
		r := NewRegistration(o, false, func(error) {})
		if r.Allows('s', 1) || !r.Allows('r', 1) {
			t.Error("got a store before any was reserved, or no record")
		}
		if err := r.Reserve(t.Context(), 'm', 1); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var actor sync.WaitGroup
		actor.Go(func() { r.Run(ctx) })
		for number := uint64(1); number <= 5000; number++ {
			if !r.Allows('m', number) {
				t.Fatalf("%d: got it refused, want it reserved in time", number)
			}
			synctest.Wait()
			n, err := parseNote(m.texts()[0])
			if err != nil || n.Epochs[0].Metadata < number || n.Epochs[0].Metadata > number+2*ahead {
				t.Fatalf("%d: got %v and %v in the registry, want a few more", number, n.Epochs, err)
			}
		}
		m.mu.Lock()
		beaten := 0
		m.fail = func(c *opensaves.Call) error {
			if c.Op == metric.UpdateRecord {
				beaten++
				return errors.New("down")
			}
			return nil
		}
		m.mu.Unlock()
		refused := 0
		for number := uint64(5001); number <= 6000; number++ {
			if !r.Allows('m', number) {
				refused++
			}
			synctest.Wait()
		}
		if refused < 500 || beaten > 2 {
			t.Errorf("got %d of 1000 refused after %d attempts, want most and no storm of attempts", refused, beaten)
		}
		stop()
		actor.Wait()
	})
}

func TestARestartedRunKeepsWhatEarlierEpochsUsed(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		first := NewRegistration(tg.options(someone(liveRun), tg.do), false, nil)
		if err := first.Reserve(t.Context(), 's', 7); err != nil {
			t.Fatal(err)
		}
		again := NewRegistration(tg.options(ledger.Identity{Run: liveRun, Epoch: 2}, tg.do), true, nil)
		if err := again.Reserve(t.Context(), 'm', 5); err != nil {
			t.Fatal(err)
		}
		notes, err := again.registry.read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := notes[runKey(liveRun, 0)]
		if diff := cmp.Diff([]numbers{{Stores: 7}, {}, {Metadata: 5}}, n.Epochs); diff != "" || n.Beat != 2 || len(notes) != 1 {
			t.Errorf("got beat %d of %d notes, want 2 of one; numbers (-want +got):\n%s", n.Beat, len(notes), diff)
		}
	})
}

func TestARestartedRunThatWasSweptIsLost(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		if err := NewRegistration(tg.options(ledger.Identity{Run: deadRun}, tg.do), false, nil).Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := tg.things(t)
		r := NewRegistration(tg.options(ledger.Identity{Run: liveRun, Epoch: 1}, tg.do), true, nil)
		for range 2 {
			if err := r.Beat(t.Context()); err == nil {
				t.Error("got a run without its note going on")
			}
		}
		if diff := cmp.Diff(before, tg.things(t)); diff != "" || !r.Lost() {
			t.Errorf("got lost %v, want true; on the target (-before +after):\n%s", r.Lost(), diff)
		}
	})
}

func TestARunWhoseTargetWasWipedGoesOnAndLooksForWhatItHad(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		restarted := NewRegistration(tg.options(ledger.Identity{Run: liveRun, Epoch: 1}, tg.do), true, nil)
		if err := restarted.Beat(t.Context()); err != nil || restarted.Suspended(0) {
			t.Errorf("a restarted run: got %v, suspended %v, want it to go on", err, restarted.Suspended(0))
		}
	})
}

func TestARunThatWasRestartedForEverBeginsAnew(t *testing.T) {
	m := &memory{}
	o := m.options(liveRun)
	o.Identity.Epoch = maxEpochs
	r := NewRegistration(o, false, nil)
	if err := r.Beat(t.Context()); !errors.Is(err, ErrLost) || !r.Lost() || len(m.texts()) > 0 {
		t.Errorf("got %v and %q, want it lost and no note that nobody can read", err, m.texts())
	}
}

func TestANoteWhoseCreationNobodyAnsweredIsFoundAgain(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		mute := true
		r := NewRegistration(tg.options(someone(liveRun), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
			err := tg.do(ctx, call, answer)
			if call.Op == metric.CreateRecord && mute {
				return &opensaves.Error{Op: call.Op, Code: metric.DeadlineExceeded}
			}
			return err
		}), false, nil)
		if err := r.Reserve(t.Context(), 's', 1); err == nil || r.Allows('s', 1) {
			t.Error("got a number reserved without an answer")
		}
		mute = false
		if err := r.Reserve(t.Context(), 's', 1); err != nil || !r.Allows('s', 1) || r.Suspended(tg.now()) {
			t.Errorf("got %v, want it reserved", err)
		}
	})
}

func TestAStoreOfSomebodyElseIsNoRegistry(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		must(t, tg.do, opensaves.Call{Op: metric.CreateStore, Store: registryStore, StoreName: "somebody's"})
		r := NewRegistration(tg.options(someone(liveRun), tg.do), false, nil)
		if err := r.Reserve(t.Context(), 's', 1); err == nil {
			t.Error("got a note in it, want an error")
		}
		if diff := cmp.Diff([]string{registryStore}, tg.things(t)); diff != "" {
			t.Errorf("things (-want +got):\n%s", diff)
		}
	})
}
