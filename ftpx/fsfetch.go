package ftpx

import (
	"context"
	"fmt"
	"io"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fetch brings want bytes of the file from off on to dst, whatever happens on the
// way, and looks whether the file is still the one that was opened. It brings less
// only where the file ends and its size was not known. On an error what is in dst
// is of no use: it may be of another file.
func (f *remoteFile) fetch(off, want int64, dst io.Writer) (int64, error) {
	p := &piece{f: f, off: off, want: want, dst: dst}
	name, err := f.fsys.c.resolve(f.remote)
	if err != nil {
		return 0, f.fail("read", &Error{Op: "read", Remote: f.remote, Err: err})
	}
	p.remote = name
	t := task{Op: "read", Remote: f.remote, Offset: func() int64 { return p.at }}
	err = f.fsys.c.run(f.ctx, t, p.once)
	if err == nil && !p.checked {
		err = f.fsys.c.run(f.ctx, t, p.finish)
	}
	if err != nil {
		return 0, f.fail("read", err)
	}
	return p.at, nil
}

// piece is one fetch across attempts.
type piece struct {
	f         *remoteFile
	remote    string
	off, want int64
	dst       io.Writer
	at        int64 // bytes in dst
	again     bool
	checked   bool
}

func (p *piece) once(ctx context.Context, l *lease) error {
	if p.again {
		// A file that has changed in the meantime is not worth another attempt.
		if err := p.check(ctx, l); err != nil {
			return err
		}
	}
	p.again = true
	if p.at < p.want {
		before := p.at
		err := p.retrieve(ctx, l)
		if p.at > before {
			l.Attempt.Progress()
		}
		if err != nil {
			if l.Usable() && ctx.Err() == nil {
				if cerr := p.check(ctx, l); cerr != nil {
					return cerr // it is shorter now, or gone: that is why
				}
			}
			return err
		}
	}
	if p.at == p.want && !l.Usable() {
		// To end the transfer there has cost the session, as on Pure-FTPd. That is
		// no failure: the look at the file has another connection, at once.
		return nil
	}
	return p.finish(ctx, l)
}

// finish looks at the file after all of the piece has come.
func (p *piece) finish(ctx context.Context, l *lease) error {
	if err := p.check(ctx, l); err != nil {
		return err
	}
	if p.f.size >= 0 {
		if err := download.CheckLength(l, p.remote, p.at, p.want); err != nil {
			return err
		}
	}
	p.checked = true
	return nil
}

// retrieve brings what is not in dst yet. A server that does not go on from an
// offset sends from the beginning.
func (p *piece) retrieve(ctx context.Context, l *lease) error {
	from := p.off + p.at
	if p.f.noRestart.Load() {
		return p.retrieveFrom(ctx, l, 0)
	}
	err := p.retrieveFrom(ctx, l, from)
	if transport.KindOf(err) == transport.KindRestart && from > 0 && l.Usable() {
		if err := p.check(ctx, l); err != nil {
			return err
		}
		p.f.noRestart.Store(true)
		err = p.retrieveFrom(ctx, l, 0)
	}
	return err
}

func (p *piece) retrieveFrom(ctx context.Context, l *lease, from int64) error {
	skip := p.off + p.at - from
	w := writerFunc(func(b []byte) (int, error) {
		skipped := int(min(skip, int64(len(b))))
		skip -= int64(skipped)
		if b = b[skipped:]; len(b) == 0 {
			return skipped, nil
		}
		n, err := p.dst.Write(b)
		p.at += int64(n)
		return skipped + n, err
	})
	left := p.off + p.want - from
	_, err := l.Retrieve(ctx, p.remote, from, w, &transport.IO{Size: left, Limit: left, Progress: func(n int64) {
		l.Moved()
		p.f.fsys.c.env.Received(n)
		p.f.fsys.c.env.Progress(task{Op: "read", Remote: p.f.remote}, p.off+p.at, p.f.size)
	}})
	return err
}

// check looks whether the file is the one that was opened.
func (p *piece) check(ctx context.Context, l *lease) error {
	st, err := l.Stat(ctx, p.remote)
	if err != nil {
		return err
	}
	if st.IsDir() || !download.SameRemote(p.f.seen, st) {
		return retry.Stop(&transport.Error{Op: "read", Path: p.remote, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: since it was opened", ErrSourceChanged)})
	}
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
