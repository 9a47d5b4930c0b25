package download

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Span writes a part of a remote file to w, each byte once and in order: from spec.Offset on,
// spec.Length bytes, or all that follow where that is 0. The Size of the result is that of
// the part. The error is that of the session.
func Span(ctx context.Context, env *transfer.Env, spec *Spec, w io.Writer) (transfer.Result, error) {
	res := transfer.Result{Size: -1}
	var st transport.Entry
	used := func(l *session.Lease) {
		res.Protocol, res.Addr = l.Proto, l.Info().Addr
	}
	look := spec.Task
	look.Transfer = false // the transfer is what follows
	err := env.Session.Run(ctx, look, func(ctx context.Context, l *session.Lease) (err error) {
		used(l)
		st, err = statFile(ctx, l, spec.Remote)
		return err
	})
	if err != nil {
		return res, err
	}
	n, err := spec.part(st)
	if err != nil || n == 0 {
		res.Size, res.Verified.Size = n, err == nil
		return res, err
	}
	var fromStart atomic.Bool
	p := &section{env: env, task: spec.Task, dst: w,
		of: remotefs.Section{Remote: spec.Remote, Seen: st, Offset: spec.Offset, Size: n, FromStart: &fromStart}}
	p.task.Offset = func() int64 { return p.at }
	p.progress = func(l *session.Lease) {
		env.Report(l, p.task, spec.Progress, transfer.Position{Offset: spec.Offset + p.at, Size: st.Size})
	}
	if err = env.Session.Run(ctx, p.task, func(ctx context.Context, l *session.Lease) error {
		used(l)
		if res.Attempts++; p.at > 0 {
			res.Resumes++
			env.Resumed(l, p.task, transfer.Position{Offset: spec.Offset + p.at, Size: st.Size}, "size and time")
		}
		return p.once(ctx, l)
	}); err == nil && !p.checked {
		err = env.Session.Run(ctx, p.task, p.finish)
	}
	res.Moved = p.moved
	if err == nil {
		res.Size, res.Verified.Size = p.at, st.Size >= 0
	}
	return res, err
}

// part is how many bytes are asked for of a file.
func (s *Spec) part(st transport.Entry) (int64, error) {
	if st.Size < 0 {
		if s.Length > 0 {
			return s.Length, nil
		}
		return 1 << 62, nil // as far as it goes
	}
	left := st.Size - s.Offset
	if left < 0 {
		return -1, retry.Stop(&transport.Error{Op: s.Task.Op, Path: s.Remote, Kind: transport.KindInvalid,
			Err: fmt.Errorf("the file has %d bytes, so nothing begins at %d: use a smaller GetOptions.Offset", st.Size, s.Offset)})
	}
	if s.Length > 0 {
		left = min(left, s.Length)
	}
	return left, nil
}
