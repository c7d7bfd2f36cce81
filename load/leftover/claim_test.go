package leftover

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/sandbox"
)

// When a sweeper that looks every beat, at first at 0, takes its steps.
const (
	claims  = after
	marks   = claims + after/3
	deletes = marks + after/Beats
	beat    = after / Beats
)

// left says what is on the target beside the registry's store.
func (tg *target) left(t *testing.T) []string {
	t.Helper()
	return tg.things(t, "soak-"+deadRun)[1:]
}

func TestAClaimedRunStopsAtOnceAndGoesOnOnceItIsLetGo(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, liveRun, 0)
		claim := note{Schema: schema, Run: liveRun, By: nameOf(sweeper1, 0), After: period(after), Protocol: tg.protocol.String()}
		r := registry{do: tg.do, protocol: tg.protocol}
		if err := r.write(t.Context(), claim, false); err != nil {
			t.Fatal(err)
		}
		if err := run.Beat(t.Context()); err == nil || !run.Suspended(tg.now()) || run.Lost() {
			t.Errorf("got %v, suspended %v, lost %v, want it suspended only", err, run.Suspended(tg.now()), run.Lost())
		}
		if err := r.remove(t.Context(), claim.key()); err != nil {
			t.Fatal(err)
		}
		if err := run.Beat(t.Context()); err != nil || run.Suspended(tg.now()) {
			t.Errorf("got %v and suspended %v, want it going on", err, run.Suspended(tg.now()))
		}
	})
}

func TestARunThatComesBackInTimeIsLetGo(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 0)
		before := len(tg.left(t))
		s := NewSweeper(tg.options(someone(sweeper1), tg.do))
		tg.sweep(t, marks, nil, s)
		if got := s.Runs(); len(got) != 1 || got[0].State != Dead {
			t.Fatalf("got %v, want one dead run", got)
		}
		if err := run.Beat(t.Context()); err == nil || run.Lost() || !run.Suspended(tg.now()) {
			t.Errorf("got %v, lost %v, suspended %v of a claimed run, want it suspended only", err, run.Lost(), run.Suspended(tg.now()))
		}
		tg.sweep(t, beat, nil, s)
		if err := run.Beat(t.Context()); err != nil || run.Suspended(tg.now()) {
			t.Errorf("got %v and suspended %v, want the run back", err, run.Suspended(tg.now()))
		}
		tg.sweep(t, after-beat, nil, s)
		if got := len(tg.left(t)); got != before {
			t.Errorf("got %d things, want %d", got, before)
		}
	})
}

func TestARunThatIsToldThatThereIsNoWayBackIsLost(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 0)
		before := len(tg.left(t))
		s := NewSweeper(tg.options(someone(sweeper1), tg.do))
		tg.sweep(t, marks+beat, nil, s)
		if got := len(tg.left(t)); got != before+1 {
			t.Errorf("got %d things, want %d and the claim", got, before)
		}
		if err := run.Beat(t.Context()); !errors.Is(err, ErrLost) || !run.Lost() || !run.Suspended(tg.now()) {
			t.Errorf("got %v and lost %v, want it lost", err, run.Lost())
		}
		tg.sweep(t, swept, nil, s)
		if left := tg.left(t); len(left) > 0 {
			t.Errorf("got %v left, want nothing", left)
		}
	})
}

func TestARunThatFindsNoNoteOfItsOwnIsLost(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 0)
		tg.sweep(t, swept, nil, NewSweeper(tg.options(someone(sweeper1), tg.do)))
		if err := run.Beat(t.Context()); err == nil || errors.Is(err, ErrLost) || !run.Suspended(tg.now()) {
			t.Errorf("got %v, want an error: one list may be old", err)
		}
		if err := run.Beat(t.Context()); !errors.Is(err, ErrLost) || !run.Lost() {
			t.Errorf("got %v, want it lost", err)
		}
		if left := tg.left(t); len(left) > 0 {
			t.Errorf("got %v left, want nothing", left)
		}
	})
}

func TestASweeperWhoseClaimIsGoneBeginsAnew(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 0)
		before := len(tg.left(t))
		s := NewSweeper(tg.options(someone(sweeper1), tg.do))
		tg.sweep(t, marks, nil, s)
		claim := note{Run: deadRun, By: nameOf(sweeper1, 0)}
		if err := s.registry.remove(t.Context(), claim.key()); err != nil {
			t.Fatal(err)
		}
		tg.sweep(t, after/3, nil, s)
		if got := len(tg.left(t)); got != before+1 {
			t.Errorf("got %d things, want %d and a claim", got, before)
		}
		tg.sweep(t, 5*beat, nil, s)
		if left := tg.left(t); len(left) > 0 {
			t.Errorf("got %v left, want nothing", left)
		}
	})
}

// stoppable is a sweeper that is stopped after so many operations, for as long
// as no more are allowed.
func (tg *target) stoppable(run string, do Do) (s *Sweeper, allow *atomic.Int64) {
	o := tg.options(someone(run), do)
	allow = new(atomic.Int64)
	o.Allow = func(context.Context) error {
		if allow.Add(-1) < 0 {
			return errors.New("not now")
		}
		return nil
	}
	return NewSweeper(o), allow
}

func TestASweepGoesOnWhereItWasStopped(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 300)
		s, allow := tg.stoppable(sweeper1, tg.do)
		rounds := 0
		for len(tg.things(t)) > 1 && rounds < 500 {
			allow.Store(20)
			tg.sweep(t, beat, nil, s)
			rounds++
		}
		if left := tg.left(t); len(left) > 0 || rounds < 50 {
			t.Errorf("got %v left after %d rounds, want nothing after more than 50", left, rounds)
		}
	})
}

func TestASweeperThatCannotReadTheRegistryDeletesNothing(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 300)
		var blind, deleted atomic.Bool
		s, allow := tg.stoppable(sweeper1, func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
			if call.Store == registryStore && blind.Load() {
				return errors.New("down")
			}
			deleted.Store(deleted.Load() || call.Op == metric.DeleteRecord)
			return tg.do(ctx, call, answer)
		})
		allow.Store(150)
		tg.sweep(t, deletes+beat, nil, s)
		if !deleted.Swap(false) {
			t.Error("got nothing deleted, want it begun")
		}
		blind.Store(true)
		allow.Store(1000)
		if err := s.Round(t.Context()); err == nil || deleted.Load() {
			t.Errorf("got %v and deleted %v, want an error and nothing", err, deleted.Load())
		}
	})
}

func TestASweepIsEndedWhoseRunSomebodyForgot(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 300)
		s, allow := tg.stoppable(sweeper1, tg.do)
		allow.Store(150)
		tg.sweep(t, deletes+beat, nil, s)
		if err := s.registry.remove(t.Context(), runKey(deadRun, 0)); err != nil {
			t.Fatal(err)
		}
		allow.Store(10_000)
		tg.sweep(t, 3*beat, nil, s)
		if left := tg.left(t); len(left) > 0 {
			t.Errorf("got %v left, want nothing", left)
		}
	})
}

func TestTheClaimOfADeadSweeperHoldsUpNoLivingRun(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 0)
		tg.sweep(t, claims+2*beat, nil, NewSweeper(tg.options(someone(sweeper1), tg.do)))
		went := 0
		tg.sweep(t, claims+3*beat, func() {
			if run.Beat(t.Context()) == nil {
				went++
			}
		}, NewSweeper(tg.options(someone(sweeper2), tg.do)))
		if went == 0 || run.Suspended(tg.now()) || run.Lost() {
			t.Errorf("got %d good beats, suspended %v, lost %v, want it going on", went, run.Suspended(tg.now()), run.Lost())
		}
	})
}

func TestARunIsGivenTheTimeThatItAsksFor(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, liveRun, 0)
		hasty := tg.options(someone(sweeper1), tg.do)
		hasty.After = after / 10
		s, n := NewSweeper(hasty), 0
		tg.sweep(t, 3*after, func() {
			if n++; n%(Beats/2) == 0 {
				if err := run.Beat(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}, s)
		if run.Lost() {
			t.Error("got it lost")
		}
	})
}

func TestEveryStepTakesItsTimeHoweverOftenASweeperLooks(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 0)
		start := tg.now()
		for s := NewSweeper(tg.options(someone(sweeper1), tg.do)); len(tg.things(t)) > 1 && tg.now() < start+2*deletes; tg.turn(beat / 3) {
			if err := s.Round(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if took := tg.now() - start - beat/3; took < deletes || took > deletes+beat {
			t.Errorf("got all deleted after %s, want it after %s", took, deletes)
		}
	})
}

func TestAnIndexThatLagsMakesNoRunDead(t *testing.T) {
	tg := newTarget(t, metric.GRPC, sandbox.DynamoDB)
	run := tg.play(t, liveRun, 0)
	var old []opensaves.Record
	s := NewSweeper(tg.options(someone(sweeper1), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
		err := tg.do(ctx, call, answer)
		if call.Op == metric.QueryByOwner {
			if old == nil {
				old = answer.Records
			}
			answer.Records = old
		}
		return err
	}))
	tg.sweep(t, 3*after, func() {
		if err := run.Beat(t.Context()); err != nil {
			t.Error(err)
		}
	}, s)
	want := []Status{{Run: liveRun, State: Alive}}
	if diff := cmp.Diff(want, s.Runs()); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestARunOverAnotherProtocolIsLeftAlone(t *testing.T) {
	tg := newTarget(t, metric.HTTP, sandbox.DynamoDB)
	tg.play(t, deadRun, 0)
	before := len(tg.left(t))
	o := tg.options(someone(sweeper1), tg.rest)
	o.Protocol, o.After = metric.GRPC, time.Nanosecond
	o.Do = func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
		rest := *call
		switch call.Op {
		case metric.QueryByOwner:
			rest.Op = metric.ListRecords
		case metric.GetRecords: // one after the other
			for _, key := range call.Keys {
				one := must(t, tg.rest, opensaves.Call{Op: metric.GetRecord, Store: key.Store, Key: key.Key})
				answer.Records, answer.Statuses = append(answer.Records, one.Record), append(answer.Statuses, metric.OK)
			}
			return nil
		}
		return tg.rest(ctx, &rest, answer)
	}
	s := NewSweeper(o)
	tg.sweep(t, swept, nil, s)
	if got := s.Runs(); len(got) != 1 || got[0].State != Other || len(tg.left(t)) != before {
		t.Errorf("got %v and %d things, want it left alone with its %d", got, len(tg.left(t)), before)
	}
}
