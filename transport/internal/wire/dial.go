package wire

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Dial opens a socket for an endpoint, through [transport.Endpoint.Dial] if there is
// one. The caller bounds it by ctx. Of a name with addresses of both families the
// second is tried after 300 ms, or at once where the first fails (RFC 8305), which
// net.Dialer does and a dial function of the caller's should. FTP's data
// connections are dialled to the address that has answered, not to the name.
// Errors are not yet classified.
func Dial(ctx context.Context, ep *transport.Endpoint, address string) (*Wire, error) {
	dial := ep.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	w := New(conn, WatchOf(ep).Stall)
	w.answered, w.traffic = ep.Answered, ep.Traffic
	return w, nil
}

// ConnectFailure classifies an error met while connecting: ctx is the caller's,
// without the connect timeout, so that running out of that is a [transport.KindTimeout]
// and not a cancellation.
func ConnectFailure(ctx context.Context, ep *transport.Endpoint, step string, err error) *transport.Error {
	kind := transport.KindOf(err)
	switch {
	case ctx.Err() != nil:
		kind = transport.KindCanceled
		if !errors.Is(err, ctx.Err()) || !errors.Is(err, context.Cause(ctx)) {
			err = fmt.Errorf("%w (%w)", why(ctx), err)
		}
	case kind == transport.KindCanceled || kind == transport.KindStalled:
		kind = transport.KindTimeout
	}
	return ep.Fail(step, "", kind, err)
}

// Canceled returns why a context has ended: its error and, where the caller gave
// a cause of its own, that too.
func Canceled(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// PeerOf returns what a socket is connected to, an IP address and port, "" where it is no
// such thing.
func PeerOf(c net.Conn) string {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok && a != nil {
		return a.String()
	}
	return ""
}
