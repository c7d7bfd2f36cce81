package leftover

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves"
)

const (
	deadRun  = "dead0000"
	liveRun  = "beef0000"
	sweeper1 = "00000001"
	sweeper2 = "00000002"
)

// swept is long enough for a dead run to be found and deleted.
const swept = after + after/3 + 10*after/Beats

func TestADeadRunIsDeletedWhole(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 1000)
		before := tg.things(t, "soak-"+deadRun)
		var counts counts
		o := tg.options(someone(sweeper1), tg.do)
		o.Result = counts.add
		tg.sweep(t, swept, nil, NewSweeper(o))
		if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+deadRun)); diff != "" {
			t.Errorf("what is left of %d things (-want +got):\n%s", len(before), diff)
		}
		for _, kind := range Kinds() {
			if kind == MetadataKind && tg.protocol == metric.GRPC {
				continue
			}
			if got := counts.all[kind]; got[Deleted] == 0 || got[Failed]+got[Kept] > 0 {
				t.Errorf("%s: got %v, want some deleted and nothing else", kind, got)
			}
		}
	})
}

// foreign puts things on the target that look like those of the run and are not,
// one of them into a store of the run.
func (tg *target) foreign(t *testing.T) {
	t.Helper()
	dead := someone(deadRun)
	record := func(store, key, opaque string) {
		must(t, tg.rest, opensaves.Call{Op: metric.CreateRecord, Record: &opensaves.Record{Store: store, Key: key, Opaque: opaque}})
	}
	must(t, tg.rest, opensaves.Call{Op: metric.CreateStore, Store: dead.Key('s', 150), StoreName: "a save of somebody"})
	record(dead.Key('s', 150), dead.Key('r', 1), header(dead.Key('r', 1)))
	must(t, tg.rest, opensaves.Call{Op: metric.CreateStore, Store: "soak-" + deadRun, StoreName: "x soak-" + deadRun})

	ours := dead.Key('s', 1)
	record(ours, dead.Key('r', 9001), "nothing that tells of us")
	record(ours, dead.Key('r', 9002), header(dead.Key('r', 9003)))
	record(ours, "soak-"+deadRun+"-look-alike", header("soak-"+deadRun+"-look-alike"))
	record(ours, someone(liveRun).Key('r', 1), header(someone(liveRun).Key('r', 1)))
	replica := ledger.Identity{Run: deadRun, Replica: 1}.Key('r', 1)
	record(ours, replica, header(replica))
	record(ours, dead.Key('r', 9004), header(dead.Key('r', 9004)))
	must(t, tg.rest, opensaves.Call{Op: metric.CreateBlob, Store: ours, Key: dead.Key('r', 9004), Blob: "mine", Content: content("bytes")})

	for _, text := range []string{"garbage", "{}", `{"soak_registry":1}`, strings.Repeat("x", 100<<10)} {
		record(registryStore, "soak-registry-"+deadRun+"-"+text[:min(9, len(text))], text)
	}
	must(t, tg.rest, opensaves.Call{Op: metric.SetMetadata, Store: "soak-" + deadRun, Key: dead.Key('m', 199), Record: &opensaves.Record{
		Properties: []opensaves.Property{{Name: "opaque", Value: opensaves.Value{Kind: opensaves.String, Str: "not ours"}}},
	}})
}

// header is how the content begins that is ours.
func header(key string) string {
	return string(ledger.Header{Key: key, Version: 1, Length: 99}.Append(nil))
}

type content string

func (c content) Size() int64 { return int64(len(c)) }
func (c content) Piece(offset int64, limit int) []byte {
	return []byte(c[offset:][:min(limit, len(c)-int(offset))])
}

func TestWhatIsNotOursStaysWhateverItsName(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		empty := newTarget(t, tg.protocol, "")
		empty.play(t, deadRun, 0)
		empty.foreign(t)
		tg.play(t, deadRun, 500)
		tg.foreign(t)
		tg.sweep(t, swept, nil, NewSweeper(tg.options(someone(sweeper1), tg.do)))

		var want []string // what there is where the run made its stores only, without its note and those that go
		for _, thing := range empty.things(t, "soak-"+deadRun) {
			note := strings.HasPrefix(thing, registryStore+"/"+runKey(deadRun, 0)+" ")
			if !note && thing != someone(deadRun).Key('s', 2) && thing != someone(deadRun).Key('s', 3) && (tg.protocol != metric.GRPC || !strings.Contains(thing, "[mine]")) {
				want = append(want, thing)
			}
		}
		got := tg.things(t, "soak-"+deadRun)
		if tg.protocol == metric.GRPC { // which knows no blobs by name, and cannot see them
			got = without(got, "[mine]")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
	})
}

func without(things []string, part string) (rest []string) {
	for _, thing := range things {
		if !strings.Contains(thing, part) {
			rest = append(rest, thing)
		}
	}
	return rest
}

func TestALiveRunIsNeverSwept(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		live, starved := tg.play(t, liveRun, 0), tg.play(t, deadRun, 0)
		before := tg.things(t)
		beat, n := tg.now(), 0
		tg.sweep(t, 12*after, func() {
			if err := live.Beat(t.Context()); err != nil {
				t.Error(err)
			}
			if live.Suspended(tg.now()) {
				t.Error("got the live run suspended")
			}
			if tg.now()-beat >= after-after/Beats {
				beat = tg.now()
				if err := starved.Beat(t.Context()); err != nil {
					t.Error(err)
				}
				n++
			}
		}, NewSweeper(tg.options(someone(sweeper1), tg.do)))
		if diff := cmp.Diff(len(before), len(tg.things(t))); diff != "" || n < 10 {
			t.Errorf("got %d late beats, want 10 and no thing less (-want +got):\n%s", n, diff)
		}
	})
}

func TestErrorsAndAbsenceAreNoEvidence(t *testing.T) {
	errDown := errors.New("down")
	for name, spoil := range map[string]func(round int, call *opensaves.Call, answer *opensaves.Answer) error{
		"reads fail but for a few at first and the last": func(round int, _ *opensaves.Call, _ *opensaves.Answer) error {
			if round < 4 || round%Beats == 0 {
				return nil
			}
			return errDown
		},
		"the note is missing from a list now and then": func(round int, call *opensaves.Call, answer *opensaves.Answer) error {
			if round%(Beats/2) == 0 && (call.Op == metric.ListRecords || call.Op == metric.QueryByOwner) {
				answer.Records = nil
			}
			return nil
		},
		"all reads fail": func(round int, _ *opensaves.Call, _ *opensaves.Answer) error { return errDown },
	} {
		t.Run(name, func(t *testing.T) {
			onTargets(t, func(t *testing.T, tg *target) {
				tg.play(t, deadRun, 0)
				before := len(tg.things(t))
				round := 0
				s := NewSweeper(tg.options(someone(sweeper1), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
					if err := tg.do(ctx, call, answer); err != nil {
						return err
					}
					return spoil(round, call, answer)
				}))
				for round = range 4 * Beats {
					_ = s.Round(t.Context()) // fails as it is told to
					tg.turn(after / Beats)
				}
				if got := len(tg.things(t)); got != before {
					t.Errorf("got %d things, want %d: nothing deleted and no claim", got, before)
				}
			})
		})
	}
}

func TestTwoSweepersAtOnceDoTheWorkOnce(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 1000)
		var first, second counts
		var claiming sync.WaitGroup // both, before either has
		claiming.Add(2)
		sweeper := func(run string, counts *counts) *Sweeper {
			once := sync.OnceFunc(func() {
				claiming.Done()
				claiming.Wait()
			})
			o := tg.options(someone(run), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
				if call.Op == metric.CreateRecord {
					once()
				}
				return tg.do(ctx, call, answer)
			})
			o.Result = counts.add
			return NewSweeper(o)
		}
		s1, s2 := sweeper(sweeper1, &first), sweeper(sweeper2, &second)
		for end := tg.now() + swept; tg.now() < end; tg.turn(after / Beats) {
			var both sync.WaitGroup
			for _, s := range []*Sweeper{s1, s2} {
				both.Go(func() {
					if err := s.Round(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		}
		if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+deadRun)); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
		if (first.all == nil) == (second.all == nil) {
			t.Errorf("got %v by one and %v by the other, want all by one", first.all, second.all)
		}
	})
}

func TestAnotherSweeperTakesOverFromADeadOne(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		for name, until := range map[string]time.Duration{
			"that had claimed":  after + 3*after/Beats,
			"that was deleting": after + after/3 + 4*after/Beats,
		} {
			tg.play(t, deadRun, 300)
			ctx, die := context.WithCancel(t.Context())
			o := tg.options(someone(sweeper1), tg.do)
			o.Allow = func(context.Context) error { die(); return ctx.Err() }
			for s, end := NewSweeper(o), tg.now()+until; tg.now() < end && ctx.Err() == nil; tg.turn(after / Beats) {
				if err := s.Round(ctx); err != nil {
					t.Fatal(err)
				}
			}
			die()
			s := NewSweeper(tg.options(someone(sweeper2), tg.do))
			tg.sweep(t, after/2, nil, s)
			if got := s.Runs(); len(got) != 1 || got[0].State != Contended {
				t.Errorf("%s: got %v, want one run claimed by another", name, got)
			}
			tg.sweep(t, 2*swept, nil, s)
			if diff := cmp.Diff([]string{registryStore}, tg.things(t, "soak-"+deadRun)); diff != "" {
				t.Errorf("%s: what is left (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestADryRunThatIsCutShortCountsEachObjectOnce(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 1000)
		dry := func(calls int) (counts Counts, rounds int) {
			o := tg.options(someone(sweeper1), tg.do)
			var left atomic.Int64
			o.After, o.Allow = 0, func(context.Context) error {
				if left.Add(-1) < 0 {
					return context.DeadlineExceeded
				}
				return nil
			}
			s := NewSweeper(o)
			s.DryRun = true
			for rounds = 1; ; rounds++ {
				left.Store(int64(calls * rounds))
				if err := s.Round(t.Context()); err != nil {
					t.Fatal(err)
				}
				if runs := s.Runs(); len(runs) == 1 && runs[0].State == Swept {
					return runs[0].Counts, rounds
				}
			}
		}
		want, _ := dry(1_000_000)
		got, rounds := dry(7)
		if diff := cmp.Diff(want, got); diff != "" || rounds < 3 {
			t.Errorf("in %d rounds: wanted -, got +\n%s", rounds, diff)
		}
	})
}

func TestADryRunSendsOnlyReads(t *testing.T) {
	onTargets(t, func(t *testing.T, tg *target) {
		tg.play(t, deadRun, 1000)
		before := tg.things(t, "soak-"+deadRun)
		s := NewSweeper(tg.options(someone(sweeper1), func(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
			if call.Op.Class(0) != metric.Read {
				t.Errorf("got %s, want no write", call.Op)
			}
			return tg.do(ctx, call, answer)
		}))
		s.DryRun = true
		tg.sweep(t, after+after/Beats, nil, s)
		if diff := cmp.Diff(before, tg.things(t, "soak-"+deadRun)); diff != "" {
			t.Errorf("things (-before +after):\n%s", diff)
		}
		runs := s.Runs()
		if len(runs) != 1 || runs[0].State != Swept || !runs[0].Settled() {
			t.Fatalf("got %v, want one run that would be swept", runs)
		}
		dry := runs[0].Counts
		var wet counts
		o := tg.options(someone(sweeper2), tg.do)
		o.After, o.Result = 0, wet.add
		again := NewSweeper(o)
		for range 3 {
			if err := again.Round(t.Context()); err != nil {
				t.Error(err)
			}
		}
		delete(wet.all, RunKind)
		if diff := cmp.Diff(wet.all, dry); diff != "" {
			t.Errorf("counts (-of a sweep +of a dry run):\n%s", diff)
		}
	})
}
