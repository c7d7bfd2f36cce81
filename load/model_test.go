package load

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/opensaves/sandbox"
	"opensaves-soak/opensaves/sandbox/fault"
)

// What the model test is asked for by the environment: how long it draws rounds,
// on the clock at the wall, and the seed of the only round that it is to play.
const (
	modelTime = "MODEL_TIME" // default: 1m
	modelSeed = "MODEL_SEED"
)

func TestACorrectServerIsNeverAccusedWhateverHappens(t *testing.T) {
	long := time.Minute
	if text := os.Getenv(modelTime); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, protocol := range []metric.Protocol{metric.HTTP, metric.GRPC} {
		t.Run(protocol.String(), func(t *testing.T) {
			t.Parallel()
			if seed, err := strconv.ParseUint(os.Getenv(modelSeed), 10, 64); err == nil {
				play(t, protocol, seed)
				return
			}
			rounds, answers := 0, 0.0
			for begun := time.Now(); time.Since(begun) < long && !t.Failed(); rounds++ {
				answers += play(t, protocol, rand.Uint64())
			}
			t.Logf("%d rounds, %.0f answers judged", rounds, answers)
		})
	}
}

// play draws a correct server with freedoms, and a load on it whose process is
// killed now and then, and returns how many answers were judged right.
func play(t *testing.T, protocol metric.Protocol, seed uint64) (right float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	synctest.Test(t, func(t *testing.T) {
		box := sandbox.New(sandbox.Config{Seed: seed | 1})
		s := simulate(t, protocol, box)
		defer s.end()
		free := freedoms(random)
		s.timeout = 2 * time.Second
		if protocol == metric.GRPC && random.IntN(4) == 0 {
			s.verify.Consistency = ledger.Strong
		}
		box.SetFaults(free)
		change := circumstances(random)
		for dir, lives := t.TempDir(), 1+random.IntN(4); lives > 0; lives-- {
			l := s.live(t, dir, change)
			time.Sleep(time.Duration(10+random.IntN(200)) * time.Second)
			verdicts := l.verdicts(t)
			right += verdicts["ok"]
			wrong := l.value(t, metric.CheckViolations)
			if protocol == metric.HTTP {
				wrong -= l.value(t, metric.CheckViolations, "kind", "lost_update") // are by that API's design
			}
			if wrong > 0 {
				t.Errorf("%s=%d: got %v violations by a server with %+v, want none", modelSeed, seed, wrong, free)
			}
			if lives == 1 || wrong > 0 {
				l.stop()
				break
			}
			dir = l.crash(t)
		}
	})
	return right
}

// freedoms are what a server may do and still be correct, a few at a time.
func freedoms(random *rand.Rand) (f fault.Faults) {
	some := func() bool { return random.IntN(2) == 0 }
	second := fault.Duration(time.Second)
	if some() {
		f.Error = fault.Error{
			Ratio: 0.05, Code: []string{"Unavailable", "Internal", "Aborted"}[random.IntN(3)],
			Apply: []string{"before", "after"}[random.IntN(2)],
		}
	}
	if some() {
		f.Cut = 0.01
	}
	if some() {
		f.ApplyLate = fault.ApplyLate{Ratio: 0.01, By: 120 * second}
	}
	if some() {
		f.Retry = fault.Share{Ratio: 0.02}
	}
	if some() {
		f.BackendDown = fault.Stall{Every: 45 * second, For: 2 * second}
	}
	if some() {
		f.Restart = fault.Restart{Every: 37 * second}
	}
	if some() {
		f.IndexLag = second
	}
	if some() {
		f.ReadLag = fault.ReadLag{Ratio: 0.1, By: second}
	}
	if some() {
		f.Stall = fault.Stall{Every: 20 * second, For: 3 * second}
	}
	if some() {
		f.DynamoDBThrottle = 0.02
	}
	f.CacheTTL = 5 * second
	if some() {
		f.CacheRefill = fault.Share{Ratio: 0.02}
	}
	return f
}

// circumstances are a load that any user may make.
func circumstances(random *rand.Rand) func(*Options) {
	rate, records := float64(20+random.IntN(100)), 30+random.IntN(150)
	reads, all := 0.2+0.7*random.Float64(), random.IntN(2) == 0
	return func(o *Options) {
		o.Config.RPS, o.Config.ReadRatio, o.Data.Records = rate, reads, records
		if all {
			everyScenario(o)
		}
	}
}
