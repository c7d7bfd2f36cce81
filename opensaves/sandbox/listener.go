package sandbox

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// sniffTimeout is how long a connection may be silent at first: a client may
	// keep one in store before it uses it.
	sniffTimeout = 2 * time.Minute
	acceptPause  = 10 * time.Millisecond // when the system has no more files
)

// splitter hands the connections of one listener to two servers, by their first
// bytes: HTTP/2 begins with "PRI ", which no HTTP/1.1 request does.
type splitter struct {
	listener   net.Listener
	calls, web *branch
	open       *connections // all that were accepted

	mu     sync.Mutex
	fresh  map[net.Conn]struct{} // connections that have not said anything yet
	closed bool
}

func newSplitter(listener net.Listener, open *connections) *splitter {
	return &splitter{
		listener: listener,
		calls:    newBranch(listener.Addr()),
		web:      newBranch(listener.Addr()),
		fresh:    map[net.Conn]struct{}{},
		open:     open,
	}
}

// run accepts until the splitter is closed, which is no error, or the listener is.
func (s *splitter) run() error {
	var sniffing sync.WaitGroup
	defer sniffing.Wait()
	for {
		conn, err := s.listener.Accept()
		switch {
		case err == nil:
			added := s.open.add(conn) // here: connections are numbered as they come
			sniffing.Go(func() { s.sniff(added) })
		case s.isClosed():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			time.Sleep(acceptPause)
		}
	}
}

// sniff reads the first bytes and hands the connection on with them.
func (s *splitter) sniff(conn net.Conn) {
	if !s.enter(conn) {
		_ = conn.Close() // came too late
		return
	}
	first := make([]byte, len("PRI "))
	_ = conn.SetReadDeadline(time.Now().Add(sniffTimeout)) // an error shows in the read
	_, err := io.ReadFull(conn, first)
	_ = conn.SetReadDeadline(time.Time{})
	if !s.leave(conn) || err != nil {
		_ = conn.Close() // nothing was asked on it
		return
	}
	to := s.web
	if string(first) == "PRI " {
		to = s.calls
	}
	to.hand(&sniffed{Conn: conn, first: first})
}

// close stops accepting, and closes the connections that have been silent.
func (s *splitter) close() {
	s.mu.Lock()
	s.closed = true
	for conn := range s.fresh {
		_ = conn.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close() // run says nothing of it
	_ = s.calls.Close()
	_ = s.web.Close()
}

func (s *splitter) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *splitter) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.fresh[conn] = struct{}{}
	}
	return !s.closed
}

// leave says whether the connection was not closed meanwhile.
func (s *splitter) leave(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fresh, conn)
	return !s.closed
}

// sniffed is a connection whose first bytes were read already.
type sniffed struct {
	net.Conn
	first []byte
}

func (c *sniffed) Read(b []byte) (int, error) {
	if len(c.first) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.first)
	c.first = c.first[n:]
	return n, nil
}

// branch is a listener for one kind of connection.
type branch struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newBranch(addr net.Addr) *branch {
	return &branch{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// hand waits until the server takes the connection, or has stopped.
func (b *branch) hand(conn net.Conn) {
	select {
	case b.conns <- conn:
	case <-b.done:
		_ = conn.Close() // nobody will answer
	}
}

// Accept returns the next connection.
func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (b *branch) Close() error {
	b.once.Do(func() { close(b.done) })
	return nil
}

// Addr is the common listener's.
func (b *branch) Addr() net.Addr { return b.addr }
