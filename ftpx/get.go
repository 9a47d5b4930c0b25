package ftpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (c *client) Get(ctx context.Context, remotePath string, w io.Writer, opts *GetOptions) (Result, error) {
	if opts == nil {
		opts = &GetOptions{}
	}
	begin := time.Now()
	g := &get{c: c, w: w, progress: opts.Progress, size: -1}
	g.t = task{op: "get", remote: remotePath, offset: func() int64 { return g.at }, limit: newLimiter(opts.MaxRate)}
	var err error
	if g.remote, err = c.resolveFile(remotePath); err == nil {
		err = c.run(ctx, g.t, g.once)
	} else {
		err = &Error{Op: "get", Remote: remotePath, Err: err}
	}
	g.res.Size, g.res.Duration = g.size, time.Since(begin)
	var e *Error
	if errors.As(err, &e) {
		e.Size, e.Outcome = g.size, NotDone
	}
	return c.finish(g.t, g.res, err)
}

// get is one Get across attempts.
type get struct {
	c        *client
	t        task
	remote   string
	w        io.Writer
	progress func(ProgressInfo)

	at    int64 // bytes that w has taken
	size  int64
	first *Entry // the file as the first attempt saw it
	skip  bool   // the server does not go on from an offset: begin at 0 and skip
	looks int    // how often what was to be skipped differed from what w has
	taken digests
	res   Result
}

func (g *get) once(ctx context.Context, l *lease) error {
	g.res.Attempts++
	g.res.Protocol, g.res.Addr = l.proto, l.Info().Addr
	st, err := statFile(ctx, l, g.remote)
	if err != nil {
		return err
	}
	if g.at == 0 {
		g.first, g.size = &st, st.Size // nothing has been written of what it was before
	} else if !sameRemote(*g.first, st) {
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
		l.attempt.Progress() // taken is taken: nothing can undo it
	}
	if err == nil {
		err = checkLength(l, g.remote, g.at, g.size)
	}
	if err == nil {
		g.res.Verified.Size = g.size >= 0
		g.size = g.at
	}
	return err
}

// fetch brings what w has not taken yet.
func (g *get) fetch(ctx context.Context, l *lease, proof string) error {
	from := g.at
	if g.skip {
		from = 0
	} else if g.at > 0 {
		g.res.Resumes++
		g.c.onResume(ResumeInfo{Op: g.t.op, Remote: g.t.remote, Offset: g.at, Size: g.size, Proof: proof})
	}
	w := &skipper{left: g.at - from, want: &g.taken, w: writerFunc(func(p []byte) (int, error) {
		n, err := g.w.Write(p)
		g.taken.write(p[:max(min(n, len(p)), 0)])
		g.at += int64(n)
		return n, err
	})}
	_, err := l.Retrieve(ctx, g.remote, from, w, &transport.IO{Size: max(g.size-from, 0), Progress: func(n int64) {
		g.res.Moved += n
		l.moved = true
		g.c.stats.received.Add(n)
		report(g.c.hooks, g.progress, ProgressInfo{Op: g.t.op, Remote: g.t.remote, Offset: g.at, Size: g.size})
	}})
	if w.differs {
		if g.looks++; g.looks < maxLooks { // it may have been garbled on its way here
			return &transport.Error{Op: "RETR", Path: g.remote, Protocol: l.proto, Addr: l.Info().Addr, Kind: transport.KindTruncated, Err: errOtherBeginning}
		}
		return g.changed()
	}
	if err == nil && w.left > 0 {
		// It ended within what w has: the length is checked against less.
		err = &transport.Error{Op: "RETR", Path: g.remote, Protocol: l.proto, Addr: l.Info().Addr, Kind: transport.KindTruncated,
			Err: fmt.Errorf("the server said it was all, %d bytes before where it is to go on", w.left)}
	}
	return err
}

// checkLength compares what came with what the server said there is. All FTP
// servers end a file that was cut off as if it were whole.
func checkLength(l *lease, name string, got, want int64) error {
	if want < 0 || got == want {
		return nil
	}
	err := &transport.Error{Op: "RETR", Path: name, Protocol: l.proto, Addr: l.Info().Addr, Kind: transport.KindTruncated,
		Err: fmt.Errorf("the server said it was all, but %d of %d bytes came", got, want)}
	if got > want {
		return retry.Stop(fmt.Errorf("%w: it grew (%w)", ErrSourceChanged, err))
	}
	return err
}

// statFile is Stat for what is about to be fetched.
func statFile(ctx context.Context, l *lease, name string) (Entry, error) {
	st, err := l.Stat(ctx, name)
	if err == nil {
		err = noFolder(name, st)
	}
	return st, err
}

func noFolder(name string, st Entry) error {
	if !st.IsDir() {
		return nil
	}
	return retry.Stop(&transport.Error{Op: "get", Path: name, Kind: transport.KindInvalid,
		Err: errors.New("it is a folder: name a file, or use the downloader for folders")})
}

// sameRemote reports whether a remote file looks as it did before.
func sameRemote(a, b Entry) bool {
	return a.Size == b.Size && (a.ModTime.Equal(b.ModTime) || a.ModTime.IsZero() || b.ModTime.IsZero())
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func report(h *Hooks, own func(ProgressInfo), info ProgressInfo) {
	if own != nil {
		own(info)
	}
	if h != nil && h.Progress != nil {
		h.Progress(info)
	}
}
