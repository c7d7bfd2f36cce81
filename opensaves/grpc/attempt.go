package grpc

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/stats"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves"
)

// attempt is a call under way, and the context that carries it to the watcher.
type attempt struct {
	context.Context
	call   *opensaves.Call
	answer *opensaves.Answer
	began  time.Time
}

type attemptKey struct{}

// Value returns the attempt itself under its own key.
func (a *attempt) Value(key any) any {
	if key == (attemptKey{}) {
		return a
	}
	return a.Context.Value(key)
}

// watcher sees what really goes over the wire. gRPC calls it on the caller's goroutine.
type watcher struct {
	tell  func(metric.Operation)
	names sync.Map // of connections, by local address: the pointer is the connection's own
}

var _ stats.Handler = (*watcher)(nil)

// TagRPC has nothing to add.
func (w *watcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC counts attempts where their headers are sent, and payload.
func (w *watcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	switch e := event.(type) {
	case *stats.OutHeader:
		if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
			w.sent(a, e)
		}
	case *stats.OutPayload:
		if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
			a.answer.Sent += int64(e.WireLength)
		}
	case *stats.InPayload:
		if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
			a.answer.Received += int64(e.WireLength)
		}
	}
}

func (w *watcher) sent(a *attempt, e *stats.OutHeader) {
	if a.answer.Attempts++; a.answer.Attempts > 1 {
		a.answer.Resent = append(a.answer.Resent, time.Now())
	}
	a.answer.Wire.Method = e.FullMethod
	a.answer.ConnectionWait = time.Since(a.began)
	if name, ok := w.names.Load(e.LocalAddr); ok {
		a.answer.Connection = name.(string)
	}
	if w.tell != nil {
		w.tell(a.call.Op)
	}
}

type connKey struct{}

// TagConn names the connection, once.
func (w *watcher) TagConn(ctx context.Context, info *stats.ConnTagInfo) context.Context {
	w.names.Store(info.LocalAddr, info.LocalAddr.String()+"→"+info.RemoteAddr.String())
	return context.WithValue(ctx, connKey{}, info.LocalAddr)
}

// HandleConn forgets the name of a connection that ended.
func (w *watcher) HandleConn(ctx context.Context, event stats.ConnStats) {
	if _, ended := event.(*stats.ConnEnd); ended {
		if local, ok := ctx.Value(connKey{}).(net.Addr); ok {
			w.names.Delete(local)
		}
	}
}
