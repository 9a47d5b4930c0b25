package sftpdriver

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Do carries out a batch.
func (c *Conn) Do(ctx context.Context, b *transport.Batch) error {
	return transport.InTurn(ctx, b, c.Usable, c.one)
}

// one carries out a single request.
func (c *Conn) one(ctx context.Context, r transport.Request) (err error) {
	switch r := r.(type) {
	case *transport.Stat:
		r.Entry, err = c.Stat(ctx, r.Path)
	case *transport.List:
		err = c.List(ctx, r.Path, r.Yield)
	case *transport.Store:
		r.Stored, err = c.Store(ctx, r.Path, r.Offset, r.Src, &IO{Size: r.Size, Progress: r.Progress})
	case *transport.Retrieve:
		opt := &IO{Size: r.Size, Limit: r.Limit, Progress: r.Progress}
		if r.Written || r.Last {
			opt.Part = &Part{Last: r.Last}
		}
		r.Received, err = c.Retrieve(ctx, r.Path, r.Offset, r.Dst, opt)
		r.Beyond = opt.Part != nil && opt.Part.Beyond
	case *transport.Rename:
		err = c.Rename(ctx, r.From, r.To, r.Replace)
	case *transport.Remove:
		err = c.Remove(ctx, r.Path)
	case *transport.Mkdir:
		err = c.Mkdir(ctx, r.Path)
	case *transport.Rmdir:
		err = c.Rmdir(ctx, r.Path)
	case *transport.SetTime:
		err = c.Chtimes(ctx, r.Path, r.Time)
	case *transport.SetMode:
		err = c.ep.Fail("SSH_FXP_SETSTAT", r.Path, transport.KindUnsupported, errors.ErrUnsupported)
	case *transport.Truncate:
		err = c.Truncate(ctx, r.Path, r.Size)
	case *transport.Hash:
		r.Sum, err = c.Hash(ctx, r.Path, r.Algo, r.Offset, r.Size)
	case *transport.Link:
		err = c.ep.Fail("SSH_FXP_READLINK", r.Path, transport.KindUnsupported, errors.ErrUnsupported)
	case *transport.Raw:
		err = c.ep.Fail("SSH_FXP_EXTENDED", "", transport.KindUnsupported, errors.New("SFTP has no command lines"))
	case *transport.Space:
		err = c.ep.Fail("SSH_FXP_EXTENDED statvfs", r.Path, transport.KindUnsupported, errors.ErrUnsupported)
	case *transport.Ping:
		err = c.Ping(ctx)
	}
	return err
}
