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
func (s *Session) connect(ctx context.Context, h *Host, timeout time.Duration) (link *Link, err error) {
	inUse, ok, due := h.current()
	defer func() { h.outlook.learn(err) }()
	if s.opts.Prepare != nil {
		if err := s.opts.Prepare(ctx, Target{h.index, inUse}); err != nil {
			return nil, err
		}
	}
	var heard func()
	if timeout > 0 {
		var done func(error) bool
		ctx, heard, done = Unheard(ctx, timeout, errSilent)
		defer func() {
			if done(err) {
				err = &transport.Error{Op: "connect", Addr: h.Name, Kind: transport.KindTimeout, Err: errSilent}
			}
		}()
	}
	if ok && !due {
		link, err := s.dial(ctx, Target{h.index, inUse}, heard)
		if err == nil || !notHere(err) || context.Cause(ctx) == errSilent {
			return link, err
		}
		if len(s.opts.Protocols) == 1 {
			// It has logged in here before, so that this is an outage, or a line
			// that garbles, and not the last word: see selectError.
			if transport.KindOf(err) == transport.KindNotOffered {
				err = &transport.Error{Op: "connect", Addr: h.Name, Protocol: inUse, Kind: transport.KindUnreachable, Err: err}
			}
			return nil, err
		}
		// It was offered and is not any more: look at all of them.
	}
	link, skipped, err := s.choose(ctx, h, heard)
	if err != nil && due && ctx.Err() == nil {
		// Looking for a better one must not break what works.
		h.choice.set(inUse)
		return s.dial(ctx, Target{h.index, inUse}, heard)
	}
	if err != nil {
		return nil, err
	}
	told := false
	defer func() {
		if !told {
			s.discard(h, link)
		}
	}()
	for _, cand := range skipped {
		s.opts.Events.Protocol(ctx, h.Name, cand.proto, cand.err)
	}
	if h.choice.set(link.Proto) {
		s.opts.Events.Protocol(ctx, h.Name, link.Proto, nil)
	}
	told = true
	return link, nil
}
