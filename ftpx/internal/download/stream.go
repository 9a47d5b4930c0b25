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

// Stream writes a remote file to w, each byte once and in order, whatever happens on the
// way. The error is that of the session.
func Stream(ctx context.Context, env *transfer.Env, spec *Spec, w io.Writer) (transfer.Result, error) {
	g := &get{env: env, task: spec.Task, remote: spec.Remote, w: w, progress: spec.Progress, size: -1}
	g.task.Offset = func() int64 { return g.at }
	once := g.once
	if spec.ASCII {
		once = g.text
	}
	err := env.Session.Run(ctx, g.task, once)
	g.res.Size = g.size
	return g.res, err
}

// mostLooks is how often the beginning must differ to be believed to.
const mostLooks = 2

// get is one Stream across attempts.
type get struct {
	env      *transfer.Env
	task     session.Task
	remote   string
	w        io.Writer
	progress func(*session.Lease, transfer.Position)

	at    int64 // bytes that w has taken
	size  int64
	first *transport.Entry // the file as the first attempt saw it
	blind bool             // the server refused to describe it
	skip  bool             // the server does not resume at an offset: begin at 0 and skip
	looks int              // how often what was to be skipped differed from what w has
	taken digests
	res   transfer.Result
}

func (g *get) once(ctx context.Context, l *session.Lease) error {
	g.res.Attempts++
	g.res.Protocol, g.res.Addr = l.Proto, l.Info().Addr
	st, err := statFile(ctx, l, g.remote)
	if err != nil && !unseen(l, err) {
		return err
	}
	if err != nil {
		st = transport.Entry{Size: -1}
	}
	switch {
	case g.at == 0:
		g.first, g.size, g.blind = &st, st.Size, err != nil // nothing has been written of what it was before
	case err != nil || g.blind:
		g.skip = true // what w has taken shows whether it is the same file
	case !sameRemote(*g.first, st):
		return g.changed()
	}
	g.taken.begin(g.at, l.Info().Caps)
	proof, err := g.prove(ctx, l)
	if err != nil {
		return err
	}
	if g.size >= 0 && g.at == g.size && g.at > 0 {
		g.res.Verified.Size = true
		return nil
	}
	before := g.at
	if err = g.fetch(ctx, l, proof); transport.KindOf(err) == transport.KindRestart && g.at > 0 && !g.skip {
		g.skip = true
		if l.Usable() {
			err = g.fetch(ctx, l, proof)
		}
	}
	if g.at > before {
		l.Attempt.Progress() // taken is taken: nothing can undo it
	}
	if err == nil {
		err = checkLength(l, g.remote, g.at, g.size)
	}
	if err == nil {
		if g.res.Verified.Size = g.size >= 0; g.size < 0 {
			g.res.Verified = withoutSize(g.res.Verified)
		}
		g.size = g.at
		g.env.Verified(l, g.task, transfer.Check{Verified: g.res.Verified})
	}
	return err
}

// fetch brings what w has not taken yet.
func (g *get) fetch(ctx context.Context, l *session.Lease, proof string) error {
	from := g.at
	if g.skip {
		from = 0
	} else if g.at > 0 {
		g.res.Resumes++
		g.env.Resumed(l, g.task, transfer.Position{Offset: g.at, Size: g.size}, proof)
	}
	w := &skipper{left: g.at - from, want: &g.taken, w: writerFunc(func(p []byte) (int, error) {
		n, err := g.w.Write(p)
		g.taken.write(p[:max(min(n, len(p)), 0)])
		g.at += int64(n)
		return n, err
	})}
	_, err := l.Retrieve(ctx, g.remote, from, w, &transport.IO{Size: max(g.size-from, 0), Progress: func(n int64) {
		g.res.Moved += n
		l.Moved(n)
		g.env.Received(n)
		g.env.Report(l, g.task, g.progress, transfer.Position{Offset: g.at, Size: g.size})
	}})
	if w.differs {
		if g.looks++; g.looks < mostLooks { // it may have been garbled on its way here
			return &transport.Error{Op: "RETR", Path: g.remote, Protocol: l.Proto, Addr: l.Info().Addr, Kind: transport.KindTruncated, Err: errOtherBeginning}
		}
		return g.changed()
	}
	if err == nil && w.left > 0 {
		// It ended within what w has: the length is checked against less.
		err = &transport.Error{Op: "RETR", Path: g.remote, Protocol: l.Proto, Addr: l.Info().Addr, Kind: transport.KindTruncated,
			Err: fmt.Errorf("the server said it was all, %d bytes before where it is to go on", w.left)}
	}
	return err
}

// checkLength compares what came with what the server said there is. All FTP
// servers end a file that was cut off as if it were whole.
func checkLength(l *session.Lease, name string, got, want int64) error {
	if want < 0 || got == want {
		return nil
	}
	err := &transport.Error{Op: "RETR", Path: name, Protocol: l.Proto, Addr: l.Info().Addr, Kind: transport.KindTruncated,
		Err: fmt.Errorf("the server said it was all, but %d of %d bytes came", got, want)}
	if got > want {
		return retry.Stop(fmt.Errorf("%w: it grew (%w)", transfer.ErrSourceChanged, err))
	}
	return err
}

// statFile is Stat for what is about to be fetched.
func statFile(ctx context.Context, l *session.Lease, name string) (transport.Entry, error) {
	st, err := l.Stat(ctx, name)
	if err == nil {
		err = noFolder(name, st)
	}
	return st, err
}

func noFolder(name string, st transport.Entry) error {
	if !st.IsDir() {
		return nil
	}
	return retry.Stop(&transport.Error{Op: "get", Path: name, Kind: transport.KindInvalid,
		Err: errors.New("it is a folder: name a file, or use folder.Download")})
}

// sameRemote reports whether a remote file looks as it did before.
func sameRemote(a, b transport.Entry) bool {
	return a.Size == b.Size && (a.ModTime.Equal(b.ModTime) || a.ModTime.IsZero() || b.ModTime.IsZero())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
