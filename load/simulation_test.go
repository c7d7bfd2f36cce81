package load

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"opensaves-soak/exporter/cost"
	"opensaves-soak/exporter/metric"
	"opensaves-soak/load/ledger"
	"opensaves-soak/load/ledger/store"
	"opensaves-soak/load/scenario"
	"opensaves-soak/opensaves"
	"opensaves-soak/opensaves/grpc"
	"opensaves-soak/opensaves/rest"
	"opensaves-soak/opensaves/sandbox"
)

// network is a listener and what dials it. Its connections are pipes, so that a
// bubble of synctest knows when all wait, and lets time go on.
type network struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	ports atomic.Int32
}

func newNetwork() *network { return &network{conns: make(chan net.Conn), done: make(chan struct{})} }

func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.conns:
		return conn, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 6000} }

func (n *network) dial(ctx context.Context, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	client := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: int(n.ports.Add(1))}
	select {
	case n.conns <- wire{far, n.Addr(), client}:
		return wire{near, client, n.Addr()}, nil
	case <-n.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wire is an end of a pipe with addresses, by which the oracle tells connections
// apart.
type wire struct {
	net.Conn
	local, remote net.Addr
}

func (w wire) LocalAddr() net.Addr  { return w.local }
func (w wire) RemoteAddr() net.Addr { return w.remote }

// travel is a client whose requests take a while to leave and whose answers take
// a while to be looked at, now and then seconds: so they overtake each other in
// every way. A dead one sends nothing any more.
type travel struct {
	opensaves.Client
	dead atomic.Bool
}

var errDead = errors.New("the process is dead")

func (c *travel) Do(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
	time.Sleep(delay())
	if c.dead.Load() {
		return errDead
	}
	err := c.Client.Do(ctx, call, answer)
	time.Sleep(delay())
	return err
}

func delay() time.Duration {
	if rand.IntN(200) == 0 {
		return rand.N(3 * time.Second)
	}
	return time.Duration(rand.ExpFloat64() * float64(2*time.Millisecond))
}

// simulation is a sandbox that is served inside a bubble of synctest.
type simulation struct {
	*network
	box      *sandbox.Sandbox
	protocol metric.Protocol
	timeout  time.Duration // of requests
	verify   ledger.Config
	told     func(scenario.Violation) // is told too of a wrong answer; nil: nobody is
	end      func()
}

// simulate serves a sandbox until end is called. A timeout of a minute is never
// reached.
func simulate(t *testing.T, protocol metric.Protocol, box *sandbox.Sandbox) *simulation {
	s := &simulation{network: newNetwork(), box: box, protocol: protocol, timeout: time.Minute, verify: ledger.DefaultConfig()}
	s.verify.CacheLimit, s.verify.IndexLimit, s.verify.BlobQuiet = seconds(15), seconds(10), seconds(5)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- box.Serve(ctx, s) }()
	s.end = func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
	return s
}

// life is one process under test, from its start to its end.
type life struct {
	*soak
	client *travel
	dir    string // of its ledger
}

// live starts a load, with its ledger in a directory if there is one.
func (s *simulation) live(t *testing.T, dir string, change func(*Options)) *life {
	t.Helper()
	l := &life{soak: &soak{registry: prometheus.NewRegistry(), ended: make(chan struct{})}, dir: dir}
	target := opensaves.DefaultConfig()
	target.Address, target.Timeout, target.BlobTimeout = s.Addr().String(), model.Duration(s.timeout), model.Duration(s.timeout)
	dial := func(o opensaves.Options) (opensaves.Client, error) { return grpc.New(target, o) }
	if s.protocol == metric.HTTP {
		target.Address = "http://" + target.Address
		dial = func(o opensaves.Options) (opensaves.Client, error) { return rest.New(target, o) }
	}
	data, config := scenario.DefaultConfig(), DefaultConfig()
	data.Records, data.Stores, config.RPS = 500, 3, 300
	data.BlobSizes = scenario.Spread{units.KiB: 60, 100 * units.KiB: 30, units.MiB: 1}
	o := Options{
		Config: config, Data: data, Embedded: true, Slowest: s.timeout, Protocol: s.protocol,
		Connect: func(o opensaves.Options) (opensaves.Client, error) {
			o.Dial = s.dial
			client, err := dial(o)
			l.client = &travel{Client: client}
			return l.client, err
		},
		Price: cost.NewPrices("us-east-1", nil).Operation, Metrics: metric.Factory{Registerer: l.registry}, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Identity: ledger.NewIdentity(),
	}
	if dir != "" {
		var err error
		if o.Store, err = store.Open(dir, store.Identity{Run: o.Identity.Run, Target: target.Address}); err != nil {
			t.Fatal(err)
		}
		o.Identity.Run, o.Identity.Epoch, o.Register = o.Store.Identity().Run, o.Store.Identity().Epoch, true
	}
	if change != nil {
		change(&o)
	}
	o.World = func(mix *scenario.Mix, tell func(scenario.Violation)) (*scenario.World, error) {
		return scenario.NewWorld(scenario.Config{
			Data: o.Data, Verify: s.verify, Protocol: s.protocol, Identity: o.Identity, Store: o.Store,
			OnViolation: func(v scenario.Violation) {
				if s.told != nil {
					s.told(v)
				}
				tell(v)
			},
		}, mix)
	}
	var err error
	if l.Runner, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.soak.end = cancel
	go func() {
		defer close(l.ended)
		if err := l.Run(ctx); err != nil && !l.client.dead.Load() {
			t.Error(err)
		}
	}()
	return l
}

// until waits as long as it takes, for three hours at the most.
func (l *life) until(enough func() bool) {
	for begun := time.Now(); time.Since(begun) < 3*time.Hour && !enough(); {
		time.Sleep(time.Second)
	}
}

// crash ends the process as a kill does, and returns a directory that holds what
// was on disk then.
func (l *life) crash(t *testing.T) (dir string) {
	t.Helper()
	l.client.dead.Store(true)
	dir = t.TempDir()
	left, err := os.ReadDir(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range left {
		if err := os.WriteFile(filepath.Join(dir, file.Name()), still(t, filepath.Join(l.dir, file.Name())), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.stop()
	return dir
}

// still reads a file between two writes to it.
func still(t *testing.T, path string) []byte {
	t.Helper()
	for before := []byte(nil); ; {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(content, before) {
			return content
		}
		before = content
	}
}

func seconds(n int) model.Duration { return model.Duration(time.Duration(n) * time.Second) }
