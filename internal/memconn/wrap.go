package memconn

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Wrap returns a connection of which every request goes through f, one after the other. f
// may change the request, answer it itself, or have it carried out by next, whose error it
// may replace.
func Wrap(c transport.Conn, f func(ctx context.Context, r transport.Request, next func() error) error) transport.Conn {
	return &wrapped{c, f}
}

type wrapped struct {
	transport.Conn
	f func(ctx context.Context, r transport.Request, next func() error) error
}

// Do implements [transport.Conn].
func (w *wrapped) Do(ctx context.Context, b *transport.Batch) error {
	return transport.InTurn(ctx, b, w.Conn.Usable, func(ctx context.Context, r transport.Request) error {
		h := r.Common()
		met := h.If
		h.If = nil // InTurn has asked it
		defer func() { h.If = met }()
		return w.f(ctx, r, func() error {
			if err := w.Conn.Do(ctx, transport.NewBatch(r)); err != nil && h.Err == transport.ErrUnsent {
				return err
			}
			return h.Err
		})
	})
}
