package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// handshake runs f, which talks to a hop over conn, and closes conn when ctx
// ends, which frees f, or when f fails.
func handshake(ctx context.Context, conn io.Closer, f func() error) error {
	unhook := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := f()
	if !unhook() && err == nil {
		err = wire.Canceled(ctx)
	}
	if err != nil {
		_ = conn.Close()
	}
	return err
}

// asked is an error that came after the hop had been asked for the server.
type asked struct{ error }

func (a asked) Unwrap() error { return a.error }

// talkFailure names what ended a handshake with a proxy.
func (h *Hop) talkFailure(ctx context.Context, address string, err error) error {
	var no *refusal
	var a asked
	switch {
	case errors.As(err, &no):
		return h.serverFailure(ctx, no.kind, address, no)
	case errors.As(err, &a) && ctx.Err() != nil:
		// Most likely the server is silent, and the proxy waits for it.
		return h.serverFailure(ctx, transport.KindTimeout, address, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the proxy closed the connection in the middle of its answer: see its log")
		return h.failure(ctx, transport.KindLost, err)
	}
	return h.hopFailure(ctx, err)
}

// A refusal is an answer of the hop that is not yes.
type refusal struct {
	kind transport.Kind
	text string
}

func (r *refusal) Error() string { return r.text }

// settle returns the connection as the drivers are to see it. The bare
// *net.TCPConn is best, see the package comment, but its peer is the proxy. The
// FTP driver knows that by the port alone, and without EPSV goes by the family
// of the peer; where either would mislead it, the type is hidden.
func settle(conn net.Conn, address string) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return &hidden{Conn: conn, remote: addr(address)}
	}
	_, port, _ := net.SplitHostPort(address)
	peer, ok := tcp.RemoteAddr().(*net.TCPAddr)
	if ok && strconv.Itoa(peer.Port) != port && peer.IP.To4() != nil {
		return tcp
	}
	// What wire.Wire does where it sees a *net.TCPConn.
	_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3})
	return &hidden{Conn: tcp, remote: addr(address)}
}

// hidden is a connection whose peer is named as the server.
type hidden struct {
	net.Conn
	remote addr
}

// RemoteAddr is the address that was dialled.
func (c *hidden) RemoteAddr() net.Addr { return c.remote }

// CloseWrite ends this side, where the connection below can.
func (c *hidden) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// addr is host:port as it was given, which may be a name that only the far end
// of the tunnel knows.
type addr string

// Network is "tcp".
func (addr) Network() string { return "tcp" }

// String is host:port.
func (a addr) String() string { return string(a) }
