package opensaves

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"opensaves-soak/exporter/metric"
)

// restPort is where the public AWS port answers REST.
const restPort = "8080"

// pings are how often Probe tries before it takes a failure for granted.
const pings = 3

// Probe pings the target, and where that fails looks at what listens there.
// Its error is one sentence: the address, what was found, what to do. cfg must be
// that of client, with an address.
func Probe(ctx context.Context, cfg Config, client Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Duration(cfg.Timeout))
	defer cancel()
	var err error
	for range pings {
		if err = client.Do(ctx, &Call{Op: metric.Ping}, new(Answer)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("checking the target %s: %w", cfg.Address, cfg.explain(ctx, err))
}

func (c *Config) explain(ctx context.Context, failed error) error {
	host, port := c.hostPort()
	if c.Wire() == metric.GRPC && CodeOf(failed) == metric.Unimplemented {
		return fmt.Errorf("found a gRPC port that has no Open Saves method, as on Open Saves for AWS: "+
			"set target.address to its REST address, http://%s (%w)", net.JoinHostPort(host, restPort), failed)
	}
	address := net.JoinHostPort(host, port)
	found, err := sniff(ctx, address, host)
	if err != nil {
		return fmt.Errorf("found nobody there, want Open Saves: see that the address is right, the service runs and the network lets us through (%w)", err)
	}
	if advice := c.advice(found, address); advice != "" {
		return fmt.Errorf("found %s, %s (%w)", found, advice, failed)
	}
	return fmt.Errorf("found %s, but its health check failed: see that it is Open Saves, and ready for us (%w)", found, failed)
}

// listener is what a port turned out to speak.
type listener struct {
	secure bool
	http1  bool
	http2  bool
}

func (l listener) String() string {
	language := "a port that speaks neither HTTP/1.1 nor gRPC"
	switch {
	case l.http2:
		language = "a gRPC port (HTTP/2)"
	case l.http1:
		language = "a REST port (HTTP/1.1)"
	case l.secure:
		return "a TLS port"
	}
	if l.secure {
		return language + " with TLS"
	}
	return language + " without TLS"
}

// advice says what to change in the configuration; nothing, where it fits what was found.
func (c *Config) advice(found listener, address string) string {
	scheme := "http://"
	if found.secure {
		scheme = "https://"
	}
	switch wire := c.Wire(); {
	case !found.http1 && !found.http2 && !found.secure:
		return "want Open Saves: set target.address to where it listens"
	case wire == metric.HTTP && found.http2 && !found.http1:
		return "want REST: set target.address to " + address + " and target.protocol to grpc" + map[bool]string{true: ", with target.tls"}[found.secure]
	case wire == metric.GRPC && found.http1 && !found.http2:
		return "want gRPC: set target.address to " + scheme + address + " and target.protocol to http"
	case c.secure() == found.secure && found.secure:
		return "with which no TLS connection could be made or used: set target.tls.ca_file or server_name to what its certificate needs, if that is the cause"
	case c.secure() == found.secure:
		return ""
	case wire == metric.HTTP:
		return "want " + strings.ToLower(strings.SplitN(c.Address, ":", 2)[0]) + ": set target.address to " + scheme + address
	case found.secure:
		return "want none with TLS unless target.tls is there: add target.tls, {} at least"
	}
	return "want TLS because target.tls is there: remove target.tls"
}

func (c *Config) secure() bool {
	if c.Wire() == metric.GRPC {
		return c.TLS != nil
	}
	return strings.HasPrefix(strings.ToLower(c.Address), "https:")
}

func (c *Config) hostPort() (host, port string) {
	address := strings.TrimPrefix(c.Address, dnsScheme)
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address, port = strings.TrimRight(rest, "/"), "80"
		if c.secure() {
			port = "443"
		}
	}
	if h, p, err := net.SplitHostPort(address); err == nil && p != "" {
		return h, p
	}
	return strings.Trim(strings.TrimSuffix(address, ":"), "[]"), port
}

// sniff asks in the clear first: an HTTP/1.1 server answers, an HTTP/2 server
// begins with its settings whatever it is asked, a TLS server complains or hangs up.
func sniff(ctx context.Context, address, host string) (listener, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return listener{}, err
	}
	head := ask(ctx, conn, host)
	switch {
	case strings.HasPrefix(head, "HTTP/1.") && !strings.Contains(head, "HTTPS server"):
		return listener{http1: true}, nil
	case len(head) > 4 && head[:2] == "\x00\x00" && head[3] == settingsFrame:
		return listener{http2: true}, nil
	}
	return sniffTLS(ctx, address, host), nil
}

// settingsFrame is the type of the frame that an HTTP/2 server sends first (RFC 9113, section 3.4).
const settingsFrame = 4

// sniffTLS looks behind TLS, where it trusts anyone because it tells nothing.
func sniffTLS(ctx context.Context, address, host string) listener {
	found := listener{}
	for _, protocol := range []string{"h2", "http/1.1"} {
		dialer := tls.Dialer{Config: &tls.Config{
			InsecureSkipVerify: true, //nolint:gosec // nothing is sent but a question for the language
			ServerName:         host, NextProtos: []string{protocol},
		}}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if _, refused := errors.AsType[tls.AlertError](err); refused {
			found.secure = true // it speaks TLS, but not this protocol or not to us
		}
		if err != nil {
			continue
		}
		found.secure = true
		found.http2 = found.http2 || protocol == "h2" && conn.(*tls.Conn).ConnectionState().NegotiatedProtocol == protocol
		found.http1 = found.http1 || protocol != "h2" && strings.HasPrefix(ask(ctx, conn, host), "HTTP/1.")
		conn.Close()
	}
	return found
}

// ask sends one HTTP/1.1 request, closes the connection and returns how the answer begins.
func ask(ctx context.Context, conn net.Conn, host string) string {
	defer conn.Close()
	limit := time.Now().Add(2 * time.Second)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(limit) {
		limit = deadline
	}
	_ = conn.SetDeadline(limit) // fails only where the question below fails too
	if _, err := fmt.Fprintf(conn, "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host); err != nil {
		return ""
	}
	head, _ := io.ReadAll(io.LimitReader(conn, 1<<10))
	return string(head)
}
