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
	return context.WithValue(ctx, connectionKey{}, numberOf(conn))
}

// connectionOf returns the number of the connection that a request came on, 0
// where Serve did not accept it.
func connectionOf(ctx context.Context) uint64 {
	if number, ok := ctx.Value(connectionKey{}).(uint64); ok {
		return number
	}
	if from, ok := peer.FromContext(ctx); ok {
		if l, ok := from.AuthInfo.(link); ok {
			return numberOf(l.conn)
		}
	}
	return 0
}

func numberOf(conn net.Conn) uint64 {
	if s, ok := conn.(*sniffed); ok {
		if c, ok := s.Conn.(*connection); ok {
			return c.number
		}
	}
	return 0
}
