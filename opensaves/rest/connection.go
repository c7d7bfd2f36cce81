package rest

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ageSpread is how far a connection's age may be off the configured one.
const ageSpread = 0.2

// connection knows its name and when it has served long enough.
type connection struct {
	net.Conn
	name    string
	expires time.Time // zero: never
}

func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	reach := c.options.Dial
	if reach == nil {
		reach = func(ctx context.Context, address string) (net.Conn, error) {
			return c.dialer.DialContext(ctx, network, address)
		}
	}
	conn, err := reach(ctx, address)
	if err != nil {
		return nil, err
	}
	dialed := &connection{Conn: conn, name: conn.LocalAddr().String() + "→" + conn.RemoteAddr().String()}
	if age := float64(c.config.ConnectionMaxAge); age > 0 {
		dialed.expires = time.Now().Add(time.Duration(age * (1 + ageSpread*(2*rand.Float64()-1))))
	}
	return dialed, nil
}

func (c *connection) expired(now time.Time) bool { return !c.expires.IsZero() && now.After(c.expires) }

// underlying returns the connection that dial made.
func underlying(conn net.Conn) *connection {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	dialed, _ := conn.(*connection)
	return dialed
}

type exchangeKey struct{}

// observe stands where a transport asks for its proxy, and chooses none. It is
// asked with the request that will really be written, net/http's own copy where
// there is a body: only by that one's Close can an old connection be ended.
func observe(sent *http.Request) (*url.URL, error) {
	if x, ok := sent.Context().Value(exchangeKey{}).(*exchange); ok {
		x.sent = sent
	}
	return nil, nil
}
