package live

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that time can be a test's own.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error { close(p); return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9842} }

// serve serves a feed within a bubble, with a server's usual bounds of time, and
// returns what dials it. A moment comes each second.
func serve(t *testing.T, f *Feed) (dial func() net.Conn) {
	listener, stopped := make(pipes), make(chan struct{})
	server := &http.Server{Handler: f, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	go func() {
		for second := 0; ; second++ {
			select {
			case <-time.After(time.Second):
			case <-stopped:
				return
			}
			m := moment(second)
			m.Operations = slices.Repeat(m.Operations, 40) // as many as there are
			if err := f.Add(m); err != nil {
				t.Error(err)
			}
		}
	}()
	t.Cleanup(func() {
		close(stopped)
		f.End()
		if err := server.Shutdown(t.Context()); err != nil {
			server.Close()
		}
	})
	return func() net.Conn {
		client, far := net.Pipe()
		listener <- far
		if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
			t.Error(err)
		}
		return client
	}
}

func TestAReaderThatReadsIsServedForEverAndOneThatDoesNotIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := serve(t, NewFeed())
		healthy, stalled := dial(), dial()
		text := make(chan string)
		go func() {
			all, _ := io.ReadAll(healthy) // until the end of the stream
			text <- string(all)
		}()
		begin := time.Now()
		time.Sleep(patience + time.Second)
		if n, err := stalled.Write([]byte("?")); err == nil {
			t.Errorf("got %d bytes written after %s, want a connection that is closed", n, time.Since(begin))
		}
		time.Sleep(10 * time.Minute)
		healthy.Close()
		if events := strings.Count(<-text, "event: moment"); events < 605 {
			t.Errorf("got %d moments in 606 seconds, want one a second", events)
		}
	})
}

// A kernel takes megabytes for a reader that reads nothing, unless it is told not to.
func TestAReaderThatReadsNothingOverTLSIsDroppedTheSame(t *testing.T) {
	t.Parallel()
	f, dropped := feed(t, kept), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(dropped)
		f.ServeHTTP(w, r)
	}))
	server.Config.ConnContext = ConnContext
	server.StartTLS()
	defer server.Close()
	defer f.End()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	stalled, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "example.com"}}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	if _, err := io.WriteString(stalled, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-dropped:
	case <-time.After(3 * patience):
		t.Errorf("got a reader that is still served, want it dropped after %s", patience)
	}
}

func TestAReaderThatFallsBehindIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := serve(t, NewFeed())
		slow := dial()
		begin, text := time.Now(), make([]byte, 2000)
		for { // slower than moments come, and fast enough for the patience with each
			if _, err := slow.Read(text); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if took := time.Since(begin); took < behind*time.Second || took > 5*time.Minute {
			t.Errorf("got dropped after %s, want soon after %d s", took, behind)
		}
	})
}

func TestTheEndOfTheFeedEndsAllStreamsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		dial := serve(t, f)
		var readers sync.WaitGroup
		read := func(from net.Conn) {
			if _, err := io.Copy(io.Discard, from); err != nil {
				t.Error(err)
			}
		}
		for range 3 {
			reader := dial()
			readers.Go(func() { read(reader) })
		}
		time.Sleep(time.Minute)
		begin := time.Now()
		f.End()
		readers.Wait()
		read(dial()) // one that comes later
		if took := time.Since(begin); took > 0 {
			t.Errorf("got ended after %s, want at once", took)
		}
	})
}
