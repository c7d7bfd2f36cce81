// Package rest speaks Open Saves' REST API, HTTP/1.1 with JSON, behind
// opensaves.Client. It sends each call once: no redirect, no retry.
package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/config"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// pools is how many independent pools of connections there are, so that an
// answer can be confirmed over a connection that did not bring it.
const pools = 2

const (
	// idleTimeout is below the 60 s after which AWS's classic load balancers close
	// an idle connection: a request on a closed one would fail.
	idleTimeout = 50 * time.Second
	// unlimited: the load engine bounds the calls in flight and so the connections; none is given up while it may be needed.
	unlimited      = 1 << 20
	maxHeaderBytes = 64 << 10
)

// Client calls a target over HTTP/1.1. It is safe for concurrent use.
type Client struct {
	config     opensaves.Config
	options    opensaves.Options
	base       url.URL
	dialer     net.Dialer
	transports [pools]*http.Transport
	turn       atomic.Uint32
	headers    atomic.Pointer[headers]
	unwatch    func()
	exchanges  sync.Pool
}

var _ opensaves.Client = (*Client)(nil)

// New returns a client of cfg's target, which must be valid and have an
// http(s) address. It connects when it is first called. Close ends it.
func New(cfg opensaves.Config, options opensaves.Options) (*Client, error) {
	base, err := url.Parse(cfg.Address)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("target.address: got no http(s) address with protocol http, want http(s)://host[:port]")
	}
	trust, err := trustOf(&cfg)
	if err != nil {
		return nil, fmt.Errorf("target.tls: %w", err)
	}
	c := &Client{
		config: cfg, options: options,
		base:   url.URL{Scheme: strings.ToLower(base.Scheme), Host: base.Host},
		dialer: net.Dialer{Timeout: time.Duration(cfg.Timeout)},
	}
	c.exchanges.New = func() any { return newExchange(c) }
	if c.unwatch, err = c.config.WatchHeaders(c.setHeaders); err != nil {
		return nil, err
	}
	for i := range c.transports {
		c.transports[i] = c.newTransport(trust)
	}
	return c, nil
}

func trustOf(cfg *opensaves.Config) (*tls.Config, error) {
	if cfg.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}, nil
	}
	return config.NewTLSConfig(cfg.TLS)
}

func (c *Client) newTransport(trust *tls.Config) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            c.dial,
		TLSClientConfig:        trust.Clone(),
		TLSHandshakeTimeout:    time.Duration(c.config.Timeout),
		Proxy:                  observe,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConns:           0, // no bound
		MaxIdleConnsPerHost:    unlimited,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// Do sends the call and reads its answer, within the target's timeouts.
func (c *Client) Do(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
	answer.Reset()
	if cap(answer.Buffer) > keptBuffer {
		answer.Buffer = nil
	}
	row := &operations[call.Op]
	if row.method == "" {
		answer.Answered = time.Now()
		return &opensaves.Error{Op: call.Op, Code: metric.Unimplemented, Text: "the REST API has no such operation"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Deadline(call.Op))
	defer cancel()
	x := c.exchanges.Get().(*exchange)
	err := x.do(ctx, row, call, answer)
	if x.reusable {
		x.forget()
		c.exchanges.Put(x)
	}
	if err != nil {
		return err // not x's: a nil *opensaves.Error is no nil error
	}
	return nil
}

// Close ends the watch of the header files and closes idle connections; calls
// in flight end by themselves.
func (c *Client) Close() error {
	c.unwatch()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
	return nil
}

// headers are the target's headers as net/http wants them, by the type of the
// request's body. The maps are shared by all requests and never changed.
type headers struct {
	target *opensaves.Headers
	byType [bodyTypes]http.Header
}

func (c *Client) setHeaders(target *opensaves.Headers) {
	h := &headers{target: target}
	for i, contentType := range contentTypes {
		h.byType[i] = http.Header{"User-Agent": {"opensaves-soak"}}
		if contentType != "" {
			h.byType[i].Set("Content-Type", contentType)
		}
		for name, value := range target.Values {
			h.byType[i].Set(name, value)
		}
	}
	c.headers.Store(h)
}
