package tunnel

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// encrypt speaks TLS to an https:// proxy, whose certificate must be its own
// before it sees a password.
func (c *connectHop) encrypt(ctx context.Context, conn net.Conn) (net.Conn, error) {
	config := &tls.Config{}
	if c.hop.TLS != nil {
		config = c.hop.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = c.hop.Host
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"} // what follows is not HTTP/2
	t := tls.Client(conn, config)
	if err := handshake(ctx, conn, func() error { return t.HandshakeContext(ctx) }); err != nil {
		return nil, err
	}
	return &tlsConn{Conn: t, below: conn, tunnel: c.tunnel}, nil
}

// tlsConn closes without waiting: the goodbye of TLS is a write, and hangs for
// seconds on a dead line, while the drivers close to free whatever hangs. It is
// sent all the same, since a proxy may drop what it has not passed on when the
// connection ends without it.
type tlsConn struct {
	*tls.Conn
	below  net.Conn
	tunnel *Tunnel
	closed atomic.Bool
}

// Read reads; what a Close freed is net.ErrClosed.
func (c *tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return n, err
}

// Close frees a Read and a Write under way and says goodbye in the background,
// for five seconds at most.
func (c *tlsConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	_ = c.below.SetReadDeadline(time.Unix(1, 0))
	c.tunnel.background(func() { _ = c.Conn.Close() })
	return nil
}
