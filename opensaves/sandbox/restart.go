package sandbox

import (
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"opensaves-soak/opensaves/sandbox/aws"
	"opensaves-soak/opensaves/sandbox/fault"
)

// restartUnder restarts the server again and again, for as long as the plan is in
// force.
func (s *Sandbox) restartUnder(plan *fault.Plan) {
	every := plan.RestartEvery()
	if every == 0 {
		return
	}
	time.AfterFunc(every, func() {
		if s.plan.Load() == plan {
			s.restart()
			s.restartUnder(plan)
		}
	})
}

// restart cuts what Serve has accepted and empties the cache. Requests under way
// go on without their client, as far as they do not wait for something.
func (s *Sandbox) restart() {
	s.database.records.clear()
	s.database.stores.clear()
	s.meter.Restart()
	s.open.cut()
}

// connections are those that are open.
type connections struct {
	mu       sync.Mutex
	all      map[*connection]struct{}
	accepted uint64
	meter    *aws.Meter // of all their bytes
}

// connection takes itself out when it is closed.
type connection struct {
	net.Conn
	of     *connections
	number uint64      // 1 for the first that was accepted
	aside  atomic.Bool // it does not lead to the pods
}

func (c *connections) add(conn net.Conn) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted++
	added := &connection{Conn: conn, of: c, number: c.accepted}
	if c.all == nil {
		c.all = map[*connection]struct{}{}
	}
	c.all[added] = struct{}{}
	return added
}

// cut closes all of them.
func (c *connections) cut() {
	c.mu.Lock()
	open := slices.Collect(maps.Keys(c.all))
	c.mu.Unlock()
	for _, conn := range open {
		_ = conn.Close() // on purpose
	}
}

// Read meters what the pods receive.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.aside.Load() {
		c.of.meter.Receive(n)
	}
	return n, err
}

// Write meters what the pods send.
func (c *connection) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if !c.aside.Load() {
		c.of.meter.Transmit(n)
	}
	return n, err
}

// Close ends the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	delete(c.of.all, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
