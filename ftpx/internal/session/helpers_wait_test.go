package session

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The waits of this package by themselves, without the events that a session tells of them.

func (l *limiter) acquire(ctx, closed context.Context) error { return l.await(ctx, closed, l.queue()) }

func (p *pool) acquire(ctx context.Context, small bool, proto transport.Protocol) (place, *pooled, error) {
	w := newWaiter(small, proto)
	if granted, err := p.queueUp(w); err != nil || granted {
		return w.place, w.conn, err
	}
	if err := p.await(ctx, w); err != nil {
		return noPlace, nil, err
	}
	return w.place, w.conn, nil
}

func (d *dialLimit) begin(ctx, closed context.Context) (company bool, err error) {
	if err := d.acquire(ctx, closed); err != nil {
		return false, err
	}
	return d.company(), nil
}
