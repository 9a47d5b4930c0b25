package transport

import (
	"context"
	"net"
)

// DialWire opens a socket for an endpoint, through [Endpoint.Dial] if there is
// one. The caller bounds it by ctx. Names with several addresses are tried as
// RFC 6555 says, which net.Dialer does. Errors are not yet classified.
func DialWire(ctx context.Context, ep *Endpoint, address string) (*Wire, error) {
	dial := ep.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return NewWire(conn, ep.Watch().Stall), nil
}

// ConnectFailure classifies an error met while connecting: ctx is the caller's,
// without the connect timeout, so that running out of that is a [KindTimeout]
// and not a cancellation.
func (ep *Endpoint) ConnectFailure(ctx context.Context, step string, err error) *Error {
	kind := KindOf(err)
	switch {
	case ctx.Err() != nil:
		kind = KindCanceled
	case kind == KindCanceled || kind == KindStalled:
		kind = KindTimeout
	}
	return ep.Fail(step, "", kind, err)
}
