package tunnel

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// hopFailure is what went wrong before a hop was asked for the server: with the
// hop or the way to it.
//
// Such a failure says nothing about the server, so it must not be of a kind that
// ftpx takes for "this protocol is not offered there" (unreachable, timed out,
// not offered): whoever can disturb the hop for a moment could else choose a
// weaker protocol.
func (h *Hop) hopFailure(ctx context.Context, err error) error {
	kind := transport.KindOf(err)
	switch kind {
	case transport.KindUnreachable, transport.KindTimeout, transport.KindStalled, transport.KindUnknown:
		kind = transport.KindTemporary
	case transport.KindNotOffered:
		kind = transport.KindRefused
	case transport.KindCanceled:
		// A timeout of ours, unless the caller gave up.
		kind = transport.KindTemporary
	}
	var te *transport.Error
	var key *transport.HostKeyError
	switch {
	case errors.As(err, &key):
		of := *key
		of.Jump = true
		err = &of
	case errors.As(err, &te) && te.Protocol.Valid() && te.Err != nil:
		// Of a jump host; "sftp" and the address would say it wrong and twice.
		err = fmt.Errorf("%s: %w", te.Op, te.Err)
	}
	return h.failure(ctx, kind, err)
}

// serverFailure is what a hop said of the server, or that it said nothing.
func (h *Hop) serverFailure(ctx context.Context, kind transport.Kind, address string, err error) error {
	return h.failure(ctx, kind, fmt.Errorf("to %s: %w", address, err))
}

func (h *Hop) failure(ctx context.Context, kind transport.Kind, err error) error {
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			kind = transport.KindCanceled
		}
		err = &opaque{text: wire.Canceled(ctx).Error() + " (" + err.Error() + ")", cause: wire.Canceled(ctx)}
	}
	return &transport.Error{Op: "tunnel through " + string(h.Scheme), Addr: h.addr(), Kind: kind, Err: hide(err)}
}

// opaque shows the text of an error and, of its chain, the end of a context and the host key
// alone. What a driver makes of an error goes by the types in its chain, and
// those of a hop, such as an [*ssh.OpenChannelError], are not about the server.
//
// [*ssh.OpenChannelError]: https://pkg.go.dev/golang.org/x/crypto/ssh#OpenChannelError
type opaque struct {
	text  string
	cause error
	key   *transport.HostKeyError // of a jump host, nil for none
}

func (e *opaque) Error() string { return e.text }
func (e *opaque) Unwrap() error { return e.cause }

// As finds the host key.
func (e *opaque) As(target any) bool {
	key, ok := target.(**transport.HostKeyError)
	if ok = ok && e.key != nil; ok {
		*key = e.key
	}
	return ok
}

func hide(err error) error {
	hidden := &opaque{text: err.Error()}
	var done *opaque
	if errors.As(err, &done) {
		hidden.cause = done.cause
	}
	errors.As(err, &hidden.key)
	return hidden
}
