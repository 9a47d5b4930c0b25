package download

import (
	"context"
	"fmt"
	"io"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ReadSection brings a section of a file to dst, whatever happens on the way, and looks
// whether the file is still the one that was opened. It brings less only where the file
// ends and its size was not known. On an error what is in dst is of no use: it may be of
// another file.
func ReadSection(ctx context.Context, env *transfer.Env, t session.Task, of remotefs.Section, dst io.Writer) (int64, error) {
	p := &section{env: env, task: t, of: of, dst: dst}
	p.task.Offset = func() int64 { return p.at }
	err := env.Session.Run(ctx, p.task, p.once)
	if err == nil && !p.checked {
		err = env.Session.Run(ctx, p.task, p.finish)
	}
	if err != nil {
		return 0, err
	}
	return p.at, nil
}

// section is one section across attempts.
type section struct {
	env     *transfer.Env
	task    session.Task
	of      remotefs.Section
	dst     io.Writer
	at      int64 // bytes in dst
	moved   int64 // payload, what was skipped included
	again   bool
	checked bool
	// progress is told that at has grown, nil for the client's hook alone.
	progress func(*session.Lease)
}

func (p *section) once(ctx context.Context, l *session.Lease) error {
	if p.again {
		// A file that has changed in the meantime is not worth another attempt.
		if err := p.check(ctx, l); err != nil {
			return err
		}
	}
	p.again = true
	if p.at < p.of.Size {
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
	if p.at == p.of.Size && !l.Usable() {
		// To end the transfer there has cost the session, as on Pure-FTPd. That is
		// no failure: the look at the file has another connection, at once.
		return nil
	}
	return p.finish(ctx, l)
}

// finish looks at the file after all of the section has come.
func (p *section) finish(ctx context.Context, l *session.Lease) error {
	if err := p.check(ctx, l); err != nil {
		return err
	}
	if p.of.Seen.Size >= 0 {
		if err := checkLength(l, p.of.Remote, p.at, p.of.Size); err != nil {
			return err
		}
	}
	p.checked = true
	return nil
}

// retrieve brings what is not in dst yet. A server that does not go on from an
// offset sends from the beginning.
func (p *section) retrieve(ctx context.Context, l *session.Lease) error {
	from := p.of.Offset + p.at
	if p.of.FromStart.Load() {
		return p.retrieveFrom(ctx, l, 0)
	}
	err := p.retrieveFrom(ctx, l, from)
	if transport.KindOf(err) == transport.KindRestart && from > 0 && l.Usable() {
		if err := p.check(ctx, l); err != nil {
			return err
		}
		p.of.FromStart.Store(true)
		err = p.retrieveFrom(ctx, l, 0)
	}
	return err
}

func (p *section) retrieveFrom(ctx context.Context, l *session.Lease, from int64) error {
	skip := p.of.Offset + p.at - from
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
	left := p.of.Offset + p.of.Size - from
	_, err := l.Retrieve(ctx, p.of.Remote, from, w, &transport.IO{Size: left, Limit: left, Progress: func(n int64) {
		l.Moved(n)
		p.moved += n
		p.env.Received(n)
		if p.progress != nil {
			p.progress(l)
			return
		}
		p.env.Progress(l, p.task, transfer.Position{Offset: p.of.Offset + p.at, Size: p.of.Seen.Size})
	}})
	return err
}

// check looks whether the file is the one that was opened.
func (p *section) check(ctx context.Context, l *session.Lease) error {
	st, err := l.Stat(ctx, p.of.Remote)
	if err != nil {
		return err
	}
	if st.IsDir() || !sameRemote(p.of.Seen, st) {
		return retry.Stop(&transport.Error{Op: "read", Path: p.of.Remote, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: since it was opened", transfer.ErrSourceChanged)})
	}
	return nil
}
