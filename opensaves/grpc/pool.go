package grpc

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
)

const (
	// perChannel calls are in flight on a channel at the most that we plan for:
	// many servers allow 100 streams a connection.
	perChannel = 80
	// crowd is when another channel is opened, early enough that it is connected
	// when calls need it: those that wait for a stream do not move to it.
	crowd = perChannel * 3 / 4
	// minChannels exist from the start, so that an answer can be confirmed over
	// a connection that did not bring it.
	minChannels = 2
	// ageSpread is how far a channel's age may be off the configured one.
	ageSpread = 0.2
	// warmUp bounds the wait for a new channel before calls use it.
	warmUp = 5 * time.Second
	// keepEvery is how often ages and retired channels are looked at.
	keepEvery = time.Second
)

// channel is a connection to the target, or one to each of its addresses.
type channel struct {
	conn     *grpc.ClientConn
	inFlight atomic.Int64
	retired  atomic.Bool
	expires  time.Time // zero: never
}

func (c *channel) release() { c.inFlight.Add(-1) }

// pool is a list of channels that grows with load. Calls only read it; its one
// keeper changes it.
type pool struct {
	open     func() (*grpc.ClientConn, error)
	age      time.Duration
	bound    func() int // of calls in flight; nil: none
	channels atomic.Pointer[[]*channel]
	retired  []*channel
	crowded  atomic.Bool
	wake     chan struct{} // the keeper's
}

func newPool(open func() (*grpc.ClientConn, error), age time.Duration, bound func() int) (*pool, error) {
	p := &pool{open: open, age: age, bound: bound, wake: make(chan struct{}, 1)}
	var list []*channel
	for range minChannels {
		c, err := p.newChannel()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	p.channels.Store(&list)
	return p, nil
}

func (p *pool) newChannel() (*channel, error) {
	conn, err := p.open()
	if err != nil {
		return nil, err
	}
	c := &channel{conn: conn}
	p.renew(c, time.Now())
	return c, nil
}

func (p *pool) renew(c *channel, now time.Time) {
	if p.age > 0 {
		c.expires = now.Add(time.Duration(float64(p.age) * (1 + ageSpread*(2*rand.Float64()-1))))
	}
}

func (p *pool) connect() {
	for _, c := range *p.channels.Load() {
		c.conn.Connect()
	}
}

// take returns the less busy of two channels drawn at random, which is nearly as
// even as the least busy of all and shares no lock. The caller must release it.
func (p *pool) take() *channel {
	for {
		list := *p.channels.Load()
		c, other := list[rand.IntN(len(list))], list[rand.IntN(len(list))]
		if other.inFlight.Load() < c.inFlight.Load() {
			c = other
		}
		if c.inFlight.Add(1) > crowd && p.crowded.CompareAndSwap(false, true) {
			p.wake <- struct{}{} // has room: crowded was false
		}
		if !c.retired.Load() {
			return c
		}
		c.release()
	}
}

// close ends every channel; the keeper must have stopped.
func (p *pool) close() error {
	var errs []error
	for _, c := range slices.Concat(*p.channels.Load(), p.retired) {
		errs = append(errs, c.conn.Close())
	}
	return errors.Join(errs...)
}

// grow opens as many channels as the calls in flight need, one at least.
func (p *pool) grow(ctx context.Context) {
	defer p.crowded.Store(false)
	have := len(*p.channels.Load())
	want := max(have+1, p.load()/crowd+1)
	if p.bound != nil {
		want = min(want, max(minChannels, (p.bound()+perChannel-1)/perChannel))
	}
	for range want - have {
		if c := p.warm(ctx); c != nil {
			p.change(func(list []*channel) []*channel { return append(list, c) })
		}
	}
}

// change gives calls a new list; the old one is never written, it may be being read.
func (p *pool) change(edit func([]*channel) []*channel) {
	list := edit(slices.Clone(*p.channels.Load()))
	p.channels.Store(&list)
}

func (p *pool) load() (calls int) {
	for _, c := range *p.channels.Load() {
		calls += int(c.inFlight.Load())
	}
	return calls
}

// warm returns a channel that is connected, so that no call waits for it; nil if
// there is none within warmUp.
func (p *pool) warm(ctx context.Context) *channel {
	c, err := p.newChannel()
	if err != nil {
		return nil // cannot be: the same options opened the first ones
	}
	ctx, cancel := context.WithTimeout(ctx, warmUp)
	defer cancel()
	c.conn.Connect()
	for state := c.conn.GetState(); state != connectivity.Ready; state = c.conn.GetState() {
		if !c.conn.WaitForStateChange(ctx, state) {
			c.conn.Close()
			return nil
		}
	}
	return c
}

// refresh replaces channels past their age and closes replaced ones whose calls have ended.
func (p *pool) refresh(ctx context.Context, now time.Time) {
	for i, c := range *p.channels.Load() {
		if c.expires.IsZero() || now.Before(c.expires) {
			continue
		}
		if c.conn.GetState() == connectivity.Idle { // not in use yet
			p.renew(c, now)
		} else if fresh := p.warm(ctx); fresh != nil {
			p.change(func(list []*channel) []*channel { list[i] = fresh; return list })
			c.retired.Store(true)
			p.retired = append(p.retired, c)
		}
	}
	p.retired = slices.DeleteFunc(p.retired, func(c *channel) bool {
		// Who takes it from now on sees that it is retired, and lets go.
		return c.inFlight.Load() == 0 && c.conn.Close() == nil
	})
}

// keep grows and refreshes the pools until stop is called, which waits for the end.
func keep(calls, blobs *pool) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-calls.wake:
				calls.grow(ctx)
			case <-blobs.wake:
				blobs.grow(ctx)
			case now := <-tick.C:
				calls.refresh(ctx, now)
				blobs.refresh(ctx, now)
			}
		}
	}()
	return func() { cancel(); <-done }
}
