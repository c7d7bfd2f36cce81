package exporter

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"opensaves-soak/exporter/live"
)

// inBubble serves all paths over pipes, within a bubble, while a moment comes each
// second. dial sends a request; stop ends it all and says how long that took.
func inBubble(t *testing.T, change func(*Options)) (dial func(request string) net.Conn, stop func() time.Duration) {
	t.Helper()
	o, feed := options(t), live.NewFeed()
	o.Live = feed
	if change != nil {
		change(&o)
	}
	handler, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() {
		served <- Serve(ctx, []net.Listener{listener}, loopback(handler), "", slog.New(slog.DiscardHandler))
	}()
	go func() {
		defer feed.End()
		for second := 0; ; second++ {
			if err := feed.Add(live.Moment{Glance: live.Glance{Time: start.Add(time.Duration(second) * time.Second)}}); err != nil {
				t.Error(err)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	}()
	dial = func(request string) net.Conn {
		near, far := net.Pipe()
		listener.connections <- far
		go func() { _, _ = io.WriteString(near, request) }() // ends when the server cuts it off
		return near
	}
	return dial, func() time.Duration {
		begin := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		took := time.Since(begin)
		time.Sleep(time.Second) // a connection that was cut lingers
		return took
	}
}

const stream = "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

func TestAStreamOutlivesTheBoundsOfOtherAnswersAndTheEndOfTheServerIsItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := inBubble(t, nil)
		reader, text := dial(stream), make(chan string)
		go func() {
			all, err := io.ReadAll(reader)
			if err != nil {
				t.Error(err)
			}
			text <- string(all)
		}()
		time.Sleep(10*writeTimeout + time.Second/2)
		ended := make(chan time.Duration)
		go func() { ended <- stop() }()
		if moments := strings.Count(<-text, "event: moment"); moments < 599 {
			t.Errorf("got %d moments in 600 seconds, want one a second", moments)
		}
		if took := <-ended; took > time.Second {
			t.Errorf("got %s until the server had ended, want no delay by a stream", took)
		}
	})
}

func TestASlowReaderOfTheStreamIsCutOffAndDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := inBubble(t, nil)
		stalled := dial(stream)
		time.Sleep(10 * time.Second)
		if _, err := io.ReadAll(stalled); err != nil {
			t.Error(err)
		}
		late := dial(stream) // that never reads
		time.Sleep(time.Second)
		if took := stop(); took > shutdownTimeout+time.Second {
			t.Errorf("got %s until the server had ended, want at most %s", took, shutdownTimeout)
		}
		late.Close()
	})
}

// The kernel's buffer would take the whole history of a reader that reads nothing.
func TestAReaderThatReadsNothingIsCutOffOverTCPToo(t *testing.T) {
	t.Parallel()
	o, feed, cut := options(t), live.NewFeed(), make(chan struct{})
	for second := range 900 {
		if err := feed.Add(live.Moment{Glance: live.Glance{Time: start.Add(time.Duration(second) * time.Second)}}); err != nil {
			t.Fatal(err)
		}
	}
	o.Live = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(cut)
		feed.ServeHTTP(w, r)
	})
	address := face(t, o)
	t.Cleanup(feed.End)
	stalled, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	if _, err := io.WriteString(stalled, stream); err != nil {
		t.Fatal(err)
	}
	select {
	case <-cut:
	case <-time.After(15 * time.Second):
		t.Error("got a reader that is still served after 15 s, want it cut off after 5 s")
	}
}

func TestThereAreOnlySoManyReadersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := inBubble(t, nil)
		status := func(c net.Conn) string {
			line, err := bufio.NewReader(c).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, c) }() // until the end of the stream
			return strings.TrimSpace(line)
		}
		var readers []net.Conn
		for range maxReaders {
			readers = append(readers, dial(stream))
			if got := status(readers[len(readers)-1]); got != "HTTP/1.1 200 OK" {
				t.Fatalf("reader %d: got %s", len(readers), got)
			}
		}
		if got := status(dial(stream)); got != "HTTP/1.1 503 Service Unavailable" {
			t.Errorf("one more: got %s, want 503", got)
		}
		if got := status(dial(strings.ReplaceAll(stream, "live", "load"))); got != "HTTP/1.1 200 OK" {
			t.Errorf("another path meanwhile: got %s, want 200", got)
		}
		readers[0].Close()
		time.Sleep(2 * time.Second)
		if got := status(dial(stream)); got != "HTTP/1.1 200 OK" {
			t.Errorf("when one has gone: got %s, want 200", got)
		}
		stop()
	})
}

func TestNoHeaderCanBeInjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := inBubble(t, nil)
		patch := func(header, body string) string {
			return fmt.Sprintf("PATCH /api/v1/load HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%sContent-Length: %d\r\n\r\n%s", header, len(body), body)
		}
		for name, test := range map[string]struct{ request, status string }{
			"by the reason":            {patch("", `{"reason": "a\r\nX-Evil: 1"}`), "422"},
			"by a reason of raw lines": {patch("", "{\"reason\": \"a\r\nX-Evil: 1\"}"), "400"},
			"by a field's name":        {patch("", `{"a\r\nX-Evil: 1": 1}`), "400"},
			"by If-Match":              {patch("If-Match: \"a\\r\\nX-Evil: 1\"\r\n", "{}"), "412"},
			"by a bare CR":             {patch("If-Match: \"a\rX-Evil: 1\"\r\n", "{}"), "400"},
			"by a zero byte":           {patch("If-Match: \"a\x00X-Evil: 1\"\r\n", "{}"), "400"},
			"by two If-Match":          {patch("If-Match: \"a\"\r\nIf-Match: \"b\"\r\n", "{}"), "412"},
			"by two lengths":           {patch("Content-Length: 0\r\n", "{}"), "400"},
			"by Last-Event-ID":         {strings.ReplaceAll(stream, "Connection", "Last-Event-ID: 1\\r\\nX-Evil: 1\r\nAccept: a\rX-Evil: 1\r\nConnection"), "400"},
		} {
			answer, err := io.ReadAll(dial(test.request))
			header, _, _ := strings.Cut(string(answer), "\r\n\r\n")
			if err != nil || !strings.HasPrefix(header, "HTTP/1.1 "+test.status) || strings.Contains(header, "X-Evil") {
				t.Errorf("%s: got %v and\n%s\nwant %s", name, err, answer, test.status)
			}
		}
		stop()
	})
}

// A body that is too large is not read to its end.
func TestAnOversizedBodyIsRefusedBeforeItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := inBubble(t, nil)
		for _, request := range []string{
			"PATCH /api/v1/load HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n" + strings.Repeat(" ", documentLimit+1),
			"PATCH /api/v1/load HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n" + strings.Repeat(" ", documentLimit+1),
		} {
			begin := time.Now()
			answer, err := http.ReadResponse(bufio.NewReader(dial(request)), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if took := time.Since(begin); answer.StatusCode != http.StatusRequestEntityTooLarge || took > 0 {
				t.Errorf("got %s after %s, want 413 at once", answer.Status, took)
			}
		}
		stop()
	})
}
