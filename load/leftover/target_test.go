package leftover

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/rest"
	"opensaves-soak/opensaves/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// after is how long tests wait; a clock that tests turn goes by it.
const after = 30 * time.Minute

var protocols = []metric.Protocol{metric.HTTP, metric.GRPC}

func someone(run string) ledger.Identity { return ledger.Identity{Run: run} }

// clock is turned by hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Duration    { return time.Duration(c.at.Load()) }
func (c *clock) turn(by time.Duration) { c.at.Add(int64(by)) }

// target is a sandbox over loopback.
type target struct {
	clock
	protocol metric.Protocol
	do       Do // in the protocol
	rest     Do // to look at what there is
}

// onTargets runs a test on an empty sandbox in each protocol.
func onTargets(t *testing.T, test func(*testing.T, *target)) {
	t.Helper()
	for _, protocol := range protocols {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			test(t, newTarget(t, protocol, sandbox.DynamoDB))
		})
	}
	t.Run("http on documentdb", func(t *testing.T) {
		t.Parallel()
		test(t, newTarget(t, metric.HTTP, sandbox.DocumentDB))
	})
}

func newTarget(t *testing.T, protocol metric.Protocol, backend sandbox.Backend) *target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	box := sandbox.New(sandbox.Config{Backend: backend})
	go func() { served <- box.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	cfg := opensaves.DefaultConfig()
	cfg.Timeout, cfg.BlobTimeout = model.Duration(time.Minute), model.Duration(time.Minute)
	options := opensaves.Options{MaxInFlight: func() int { return 100 }}
	cfg.Address = "http://" + listener.Addr().String()
	viaREST, err := rest.New(cfg, options)
	tg := &target{protocol: protocol, rest: closing(t, viaREST, err)}
	if tg.do = tg.rest; protocol == metric.GRPC {
		cfg.Address = listener.Addr().String()
		viaGRPC, err := grpc.New(cfg, options)
		tg.do = closing(t, viaGRPC, err)
	}
	return tg
}

func closing(t *testing.T, client opensaves.Client, err error) Do {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client.Do
}

// options are those of an identity on the target, over do.
func (tg *target) options(id ledger.Identity, do Do) Options {
	return Options{Do: do, Protocol: tg.protocol, Identity: id, After: after, Now: tg.now}
}

// must sends a call that has to succeed.
func must(t *testing.T, do Do, call opensaves.Call) *opensaves.Answer {
	t.Helper()
	answer := new(opensaves.Answer)
	if err := do(t.Context(), &call, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// things are the names of all that is on the target, and of metadata under these types.
func (tg *target) things(t *testing.T, types ...string) []string {
	t.Helper()
	var found []string
	for _, s := range must(t, tg.rest, opensaves.Call{Op: metric.ListStores}).Stores {
		found = append(found, s.Key)
		for _, r := range must(t, tg.rest, opensaves.Call{Op: metric.ListRecords, Store: s.Key}).Records {
			found = append(found, fmt.Sprintf("%s/%s %v %.40s", s.Key, r.Key, r.Blobs, r.Opaque))
		}
	}
	for _, kind := range types {
		for i := range 200 {
			key := ledger.Identity{Run: kind[len("soak-"):]}.Key('m', uint64(i))
			if tg.rest(t.Context(), &opensaves.Call{Op: metric.GetMetadata, Store: kind, Key: key}, new(opensaves.Answer)) == nil {
				found = append(found, kind+"/"+key)
			}
		}
	}
	slices.Sort(found)
	return found
}

// player makes what a run makes, and is its registration.
type player struct {
	*Registration
	world *scenario.World
}

// play registers a run and sends what players do, so many arrivals.
func (tg *target) play(t *testing.T, run string, arrivals int) player {
	t.Helper()
	data := scenario.DefaultConfig()
	data.Records, data.Stores = 150, 3
	data.BlobSizes = scenario.Spread{units.KiB: 9, 70 * units.KiB: 1}
	verify := ledger.DefaultConfig()
	verify.BlobQuiet = 0
	weights := map[string]float64{}
	for _, name := range scenario.Names() {
		weights[name] = 1
	}
	mix := scenario.NewMix(scenario.Want{Scenarios: weights, ReadRatio: 0.3}, tg.protocol, data.BlobSizes)
	w, err := scenario.NewWorld(scenario.Config{Data: data, Verify: verify, Protocol: tg.protocol, Identity: someone(run)}, mix)
	if err != nil {
		t.Fatal(err)
	}
	r := NewRegistration(tg.options(someone(run), tg.do), false, nil)
	for kind, upTo := range map[byte]uint64{'s': 200, 'm': 200} {
		if err := r.Reserve(t.Context(), kind, upTo); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Setup(t.Context(), tg.now, scenario.Do(tg.do)); err != nil {
		t.Fatal(err)
	}
	random, task := rand.New(rand.NewPCG(1, 2)), scenario.NewTask(1, 2)
	for range arrivals {
		w.Prepare(task, mix.Draw(random), tg.now())
		w.Settle(task, tg.do(t.Context(), &task.Call, &task.Answer), tg.now())
		task.Release()
		tg.turn(time.Millisecond)
	}
	return player{r, w}
}

// sweep lets rounds pass at the pace of a sweeper until a time has gone by.
func (tg *target) sweep(t *testing.T, length time.Duration, each func(), sweepers ...*Sweeper) {
	t.Helper()
	for end := tg.now() + length; tg.now() < end; tg.turn(after / Beats) {
		for _, s := range sweepers {
			if err := s.Round(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if each != nil {
			each()
		}
	}
}
