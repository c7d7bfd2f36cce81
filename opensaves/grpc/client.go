// Package grpc speaks Open Saves' gRPC API behind opensaves.Client. It sends
// each call once: retries are off, and one that gRPC makes by itself is an error.
package grpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/config"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

const (
	maxReply       = 16 << 20
	maxHeaderBytes = 64 << 10
	roundRobin     = `{"loadBalancingConfig": [{"round_robin": {}}]}`
	// pingAfter is above the 5 minutes below which a server may refuse pings.
	pingAfter = 5*time.Minute + 10*time.Second
	// ackWithin is how long a connection may leave data unacknowledged.
	ackWithin = 20 * time.Second
)

// Client calls a target over gRPC. It is safe for concurrent use.
type Client struct {
	config  opensaves.Config
	options opensaves.Options
	watcher *watcher
	calls   *pool
	blobs   *pool
	headers atomic.Pointer[headers]
	unwatch func()
	stop    func()
}

var _ opensaves.Client = (*Client)(nil)

// New returns a client of cfg's target, which must be valid and have an
// address for gRPC. It begins to connect at once; blobs have channels of their
// own, which connect when they are first used. Close ends it.
func New(cfg opensaves.Config, options opensaves.Options) (*Client, error) {
	c := &Client{config: cfg, options: options, watcher: &watcher{tell: options.OnAttempt}}
	open, err := c.opener()
	if err != nil {
		return nil, err
	}
	age := time.Duration(cfg.ConnectionMaxAge)
	if c.calls, err = newPool(open, age, options.MaxInFlight); err != nil {
		return nil, err
	}
	c.calls.connect()
	if c.blobs, err = newPool(open, age, options.MaxInFlight); err != nil {
		return nil, errors.Join(err, c.calls.close())
	}
	if c.unwatch, err = c.config.WatchHeaders(c.setHeaders); err != nil {
		return nil, errors.Join(err, c.calls.close(), c.blobs.close())
	}
	c.stop = keep(c.calls, c.blobs)
	return c, nil
}

func (c *Client) opener() (func() (*grpc.ClientConn, error), error) {
	trust := insecure.NewCredentials()
	if c.config.TLS != nil {
		t, err := config.NewTLSConfig(c.config.TLS)
		if err != nil {
			return nil, fmt.Errorf("target.tls: %w", err)
		}
		trust = credentials.NewTLS(t)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(trust),
		grpc.WithStatsHandler(c.watcher),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(roundRobin),
		grpc.WithDisableRetry(),
		grpc.WithNoProxy(),
		grpc.WithIdleTimeout(0), // both channels are there from the start, and stay
		grpc.WithUserAgent("opensaves-soak"),
		grpc.WithMaxHeaderListSize(maxHeaderBytes),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReply)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter, Timeout: ackWithin}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 4 * time.Second}, // 4.8 s with jitter
			MinConnectTimeout: 5 * time.Second,
		}),
	}
	if c.options.Dial != nil {
		options = append(options, grpc.WithContextDialer(c.options.Dial))
	}
	return func() (*grpc.ClientConn, error) {
		conn, err := grpc.NewClient(c.config.Address, options...)
		if err != nil {
			return nil, fmt.Errorf("target.address: %w", err)
		}
		return conn, nil
	}, nil
}

// Do sends the call and reads its answer, within the target's timeouts.
func (c *Client) Do(ctx context.Context, call *opensaves.Call, answer *opensaves.Answer) error {
	answer.Reset()
	run := operations[call.Op]
	if run == nil {
		answer.Answered = time.Now()
		return &opensaves.Error{Op: call.Op, Code: metric.Unimplemented, Text: "the gRPC API has no such operation"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Deadline(call.Op))
	defer cancel()
	headers := c.headers.Load()
	if len(headers.metadata) > 0 {
		ctx = metadata.NewOutgoingContext(ctx, headers.metadata)
	}
	if own := call.Header; own.Name != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, own.Name, own.Value)
	}
	pool := c.calls
	if call.Op.OfBlob() {
		pool = c.blobs
	}
	channel := pool.take()
	watched := &attempt{Context: ctx, call: call, answer: answer, began: time.Now()}
	err := run(watched, channel.conn)
	channel.release()
	answer.Answered = time.Now()
	answer.Responded = responded(err)
	if answer.Attempts == 0 {
		answer.ConnectionWait = answer.Answered.Sub(watched.began)
	}
	return failure(headers.target, call.Op, answer.Attempts, err)
}

// Close ends all channels; calls in flight end with code Canceled.
func (c *Client) Close() error {
	c.unwatch()
	c.stop()
	return errors.Join(c.calls.close(), c.blobs.close())
}

func failure(headers *opensaves.Headers, op metric.Operation, attempts int, err error) error {
	if err == nil && attempts <= 1 {
		return nil
	}
	failed := &opensaves.Error{Op: op, Code: metric.Unavailable, Text: opensaves.ErrResent.Error(), Err: opensaves.ErrResent}
	if err != nil {
		s := status.Convert(err)
		failed.Code, failed.Text, failed.Err = codeOf(uint32(s.Code())), headers.Text(s.Message()), err
	}
	return failed
}

// responded says whether an error came from the target: those that gRPC makes
// of a deadline, a cancellation and a broken connection have codes of their own.
func responded(err error) bool {
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable:
		return false
	}
	return true
}

// codeOf translates a code from the wire.
func codeOf(code uint32) metric.Code {
	if code >= uint32(metric.Codes) {
		return metric.Unknown
	}
	return metric.Code(code)
}

// headers are the target's headers as gRPC wants them, shared by all calls.
type headers struct {
	target   *opensaves.Headers
	metadata metadata.MD
}

func (c *Client) setHeaders(target *opensaves.Headers) {
	h := &headers{target: target, metadata: metadata.MD{}}
	for name, value := range target.Values {
		h.metadata.Set(strings.ToLower(name), value)
	}
	c.headers.Store(h)
}
