package leftover

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/sandbox"
)

func TestARunThatEndsDeletesItsOwn(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		for name, keys := range map[string]func(*player) (stores, metadata []string){
			"by its numbers": func(*player) ([]string, []string) { return nil, nil },
			"by its keys": func(p *player) (stores, metadata []string) {
				for number := uint64(200); number > 0; number-- {
					stores = append(stores, p.Identity.Key('s', number))
					metadata = append(metadata, p.Identity.Key('m', number))
				}
				return stores, metadata
			},
		} {
			run := tg.play(t, liveRun, 300)
			stores, metadata := keys(&run)
			if err := run.Clean(t.Context(), tg.do, stores, metadata); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+liveRun)); diff != "" {
				t.Errorf("%s: what is left (-want +got):\n%s", name, diff)
			}
			if err := run.Beat(t.Context()); err == nil || !run.Suspended(tg.now()) {
				t.Errorf("%s: got a run that goes on after its end", name)
			}
		}
	})
}

func TestWhatARunHadNoTimeForIsLeftToASweeper(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 300)
		ctx, cancel := context.WithCancel(t.Context())
		var sent atomic.Int64
		run.Allow = func(context.Context) error {
			if sent.Add(1) > 100 {
				cancel()
			}
			return ctx.Err()
		}
		run.Result = func(kind Kind, result Result) {
			if result != Deleted || kind == RunKind {
				t.Errorf("got %s %s, want nothing but objects deleted", kind, result)
			}
		}
		if err := run.Clean(ctx, tg.do, nil, nil); err == nil {
			t.Error("got no error, want what is left")
		}
		if left := tg.things(t); len(left) < 2 || run.Lost() {
			t.Errorf("got %v, want its note at least", left)
		}
		tg.sweep(t, swept, nil, NewSweeper(tg.options(someone(sweeper1), tg.do)))
		if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+deadRun)); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	})
}

// A backend of REST that fails answers reads with 404.
func TestAFailingBackendIsNotTakenForAnEmptyOne(t *testing.T) {
	for _, blind := range []metric.Operation{metric.GetStore, metric.GetMetadata, metric.DeleteBlob} {
		t.Run(blind.String(), func(t *testing.T) {
			tg := newTarget(t, metric.HTTP, sandbox.DynamoDB)
			tg.play(t, deadRun, 300)
			fails := true
			var counts counts
			o := tg.options(someone(sweeper1), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
				if fails && call.Op == blind {
					return &opensaves.Error{Op: call.Op, Code: metric.NotFound}
				}
				return tg.do(ctx, call, answer)
			})
			o.Result = counts.add
			s := NewSweeper(o)
			failed := 0
			for end := tg.now() + swept; tg.now() < end; tg.turn(after / Beats) {
				if err := s.Round(t.Context()); err != nil {
					failed++
				}
			}
			if runs := s.Runs(); failed == 0 || len(runs) != 1 || runs[0].State != Partly || counts.all[RunKind] != nil {
				t.Errorf("got %d failures and %v, want some and the run not cleaned", failed, runs)
			}
			fails = false
			tg.sweep(t, 3*after/Beats, nil, s)
			if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+deadRun)); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAListThatLagsIsAskedAgain(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 300)
		old := map[string][]opensaves.Record{}
		asked := map[string]int{}
		slow := run.Registration
		slow.Do = func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
			err := tg.do(ctx, call, answer)
			if call.Op != metric.ListRecords && call.Op != metric.QueryByOwner || call.Store == registryStore {
				return err
			}
			if asked[call.Store]++; asked[call.Store]%3 == 1 {
				old[call.Store] = answer.Records
			} else {
				answer.Records = old[call.Store] // twice as it was
			}
			return err
		}
		slow.Allow = func(context.Context) error { return nil }
		c := newCleaner(slow.Options, slow.note, nil)
		c.slots = make(chan struct{}, 1) // one call at a time: the fake has no lock
		start := time.Now()
		if err := c.own(t.Context(), nil, nil); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(1, len(without(tg.things(t), registryStore+"/"))); diff != "" || time.Since(start) < firstPause {
			t.Errorf("things after %s, without the note (-want +got):\n%s", time.Since(start), diff)
		}
	})
}

// A page of answers holds 1 MB on REST over DynamoDB, and over DocumentDB we
// take none of more than 8 MiB.
func TestAStoreIsClearedWhoseRecordsFillManyPages(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		run := tg.play(t, deadRun, 0)
		store := someone(deadRun).Key('s', 1)
		for number := range uint64(30) {
			key := someone(deadRun).Key('r', number)
			text := header(key) + strings.Repeat("x", 290<<10)
			must(t, tg.do, opensaves.Call{Op: metric.CreateRecord, Record: &opensaves.Record{Store: store, Key: key, Opaque: text}})
		}
		const strangers = pageSize + 20 // before ours, whichever way a backend sorts
		for i := range strangers {
			key := fmt.Sprintf("%c%d", "az"[i%2], i)
			must(t, tg.do, opensaves.Call{Op: metric.CreateRecord, Record: &opensaves.Record{Store: store, Key: key, Opaque: "theirs"}})
		}
		if err := run.Clean(t.Context(), tg.do, nil, nil); err != nil {
			t.Error(err)
		}
		got := tg.left(t)
		if diff := cmp.Diff(strangers+1, len(got)); diff != "" || len(without(got, "/soak-")) != len(got) {
			t.Errorf("got %v left, want the store with %d strangers", got, strangers)
		}
	})
}
