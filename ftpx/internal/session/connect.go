package session

import (
	"context"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// connect opens a connection in the protocol in use, or else in the best that
// is offered.
//
// Where timeout is positive it bounds how long the host may be silent.
func (s *Session) connect(ctx context.Context, h *Host, timeout time.Duration) (conn transport.Conn, proto transport.Protocol, err error) {
	inUse, ok, due := h.current()
	if s.opts.Prepare != nil {
		if err := s.opts.Prepare(ctx, Target{h.index, inUse}); err != nil {
			return nil, 0, err
		}
	}
	ctx, heard, done := silenceLimit(ctx, timeout, h.Name)
	defer func() {
		if err = done(err); err != nil {
			conn = nil
		}
	}()
	if ok && !due {
		conn, err := s.opts.Dial(ctx, Target{h.index, inUse}, heard)
		if err == nil || !notHere(err) || context.Cause(ctx) == errSilent {
			return conn, inUse, err
		}
		if len(s.opts.Protocols) == 1 {
			// It has logged in here before, so that this is an outage, or a line
			// that garbles, and not the last word: see selectError.
			if transport.KindOf(err) == transport.KindNotOffered {
				err = &transport.Error{Op: "connect", Addr: h.Name, Protocol: inUse, Kind: transport.KindUnreachable, Err: err}
			}
			return conn, inUse, err
		}
		// It was offered and is not any more: look at all of them.
	}
	conn, proto, err = s.choose(ctx, h, heard)
	if err != nil && due && ctx.Err() == nil {
		// Looking for a better one must not break what works.
		h.choice.set(inUse)
		conn, err = s.opts.Dial(ctx, Target{h.index, inUse}, heard)
		return conn, inUse, err
	}
	if err != nil {
		return nil, 0, err
	}
	if h.choice.set(proto) {
		s.opts.Events.Protocol(proto, nil)
	}
	return conn, proto, nil
}
