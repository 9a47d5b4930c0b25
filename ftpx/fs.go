package ftpx

import (
	"context"
	"io"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
)

// FS implements [Files].
func (c *client) FS(ctx context.Context) fs.FS { return remotefs.New(ctx, fsServer{c}, &c.fsMemory) }

// fsServer is a client as [remotefs.Server].
type fsServer struct{ c *client }

func (s fsServer) Stat(ctx context.Context, name string) (Entry, error) { return s.c.Stat(ctx, name) }

func (s fsServer) List(ctx context.Context, name string) ([]Entry, error) { return s.c.list(ctx, name) }

func (s fsServer) Begin(ctx context.Context, f remotefs.File) (context.Context, func(int64, error)) {
	ctx, o := s.c.begin(ctx, OperationInfo{Op: "read", Remote: f.Remote})
	if o == nil || o.finish == nil {
		return ctx, nil
	}
	return ctx, func(moved int64, err error) {
		r := o.result(err)
		r.Size, r.Moved = f.Size, moved
		o.endWith(r, err)
	}
}

func (s fsServer) Read(ctx context.Context, p remotefs.Section, dst io.Writer) (int64, error) {
	t := task{Op: "read", Remote: p.Remote, Direction: "down"}
	name, err := s.c.resolve(p.Remote)
	if err != nil {
		return 0, &Error{Op: t.Op, Remote: p.Remote, Outcome: NotDone, Err: err}
	}
	p.Remote = name
	n, err := download.ReadSection(ctx, &s.c.env, t, p, dst)
	if err != nil {
		err = s.c.failure(t, err)
	}
	return n, err
}
