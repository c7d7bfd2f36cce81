package sandbox

import (
	"context"
	"net"

	"google.golang.org/grpc/peer"
)

// Behind a balancer a connection ends at one of several servers. A bad one is
// played by lying over some connections only, so a request must tell its own.

type connectionKey struct{}

// withConnection notes in the context of REST's requests which connection they
// come on.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, accepted(conn))
}

// connectionOf returns the number of the connection that a request came on, 0
// where Serve did not accept it.
func connectionOf(ctx context.Context) uint64 {
	if conn, ok := ctx.Value(connectionKey{}).(*connection); ok && conn != nil {
		return conn.number
	}
	if from, ok := peer.FromContext(ctx); ok {
		if l, ok := from.AuthInfo.(link); ok {
			if conn := accepted(l.conn); conn != nil {
				return conn.number
			}
		}
	}
	return 0
}

// accepted returns the connection as Serve accepted it, nil where it did not.
func accepted(conn net.Conn) *connection {
	if s, ok := conn.(*sniffed); ok {
		if c, ok := s.Conn.(*connection); ok {
			return c
		}
	}
	return nil
}

// notToPods stops the metering of a connection over which AWS or the control API
// is called.
func notToPods(ctx context.Context) {
	if conn, ok := ctx.Value(connectionKey{}).(*connection); ok && conn != nil {
		conn.aside.Store(true)
	}
}
