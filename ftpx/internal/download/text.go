package download

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Of text the server's size says nothing: its line ends are others, and so may be its
// characters. It comes whole, or again from its beginning, and the server's final reply is
// all there is to say that it was all.

// fetchText is one attempt to fetch text.
func (d *download) fetchText(ctx context.Context, l *session.Lease) error {
	st, err := lookAtText(ctx, l, d.spec.Remote)
	if err != nil {
		return err
	}
	d.begun = false // what has come before does not count
	d.nothing()
	if err := d.open(st); err != nil {
		return err
	}
	r := &transport.Retrieve{Path: d.spec.Remote, Dst: io.NewOffsetWriter(d.local.file, 0), ASCII: true, Progress: d.progressOfText(l)}
	if err := doText(ctx, l, r); err != nil {
		return err
	}
	d.size, d.res.Verified = r.Received, transfer.Verified{Acknowledged: true}
	return nil
}

func (d *download) progressOfText(l *session.Lease) func(int64) {
	at := int64(0)
	return func(n int64) {
		at += n
		d.res.Moved += n
		l.Moved(n)
		d.env.Received(n)
		d.env.Report(l, d.task, d.spec.Progress, transfer.Position{Offset: at, Size: -1})
	}
}

// text is one attempt to stream text.
func (g *get) text(ctx context.Context, l *session.Lease) error {
	g.res.Attempts++
	g.res.Protocol, g.res.Addr = l.Proto, l.Info().Addr
	if g.at > 0 {
		return retry.Stop(fmt.Errorf("%d bytes of text have been written already, and a transfer of type A cannot be resumed: use Download", g.at))
	}
	if _, err := lookAtText(ctx, l, g.remote); err != nil {
		return err
	}
	r := &transport.Retrieve{Path: g.remote, ASCII: true, Dst: writerFunc(func(p []byte) (int, error) {
		n, err := g.w.Write(p)
		g.at += int64(n)
		return n, err
	}), Progress: func(n int64) {
		g.res.Moved += n
		l.Moved(n)
		g.env.Received(n)
		g.env.Report(l, g.task, g.progress, transfer.Position{Offset: g.at, Size: -1})
	}}
	if err := doText(ctx, l, r); err != nil {
		return err
	}
	g.size, g.res.Verified = g.at, transfer.Verified{Acknowledged: true}
	return nil
}

// lookAtText is a look for the time, and for folders. Mainframes do not show all that they give.
func lookAtText(ctx context.Context, l *session.Lease, name string) (transport.Entry, error) {
	st, err := statFile(ctx, l, name)
	switch transport.KindOf(err) {
	case transport.KindUnsupported, transport.KindRefused, transport.KindPermission:
		if l.Usable() {
			st, err = transport.Entry{}, nil
		}
	}
	st.Size = -1
	return st, err
}

func doText(ctx context.Context, l *session.Lease, r *transport.Retrieve) error {
	lost := l.Do(ctx, transport.NewBatch(r))
	if errors.Is(r.Err, transport.ErrUnsent) {
		return lost
	}
	return r.Err
}
