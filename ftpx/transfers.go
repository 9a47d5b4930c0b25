package ftpx

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/download"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
)

func (c *client) Upload(ctx context.Context, localPath, remotePath string, opts *UploadOptions) (Result, error) {
	if opts == nil {
		opts = &UploadOptions{}
	}
	t := task{Op: "upload", Local: localPath, Remote: remotePath, Transfer: true, Direction: "up", Rate: session.NewRate(opts.MaxRate)}
	return c.upload(ctx, &upload.Spec{
		Task: t, Open: func() (upload.Source, error) { return upload.OpenFile(localPath) },
		Verify: c.verify(opts.Verify), CreateDirs: opts.CreateDirs, NoReplace: opts.NoReplace,
		KeepTime: !opts.DropTime, SkipSame: !opts.Always && !opts.DropTime,
		RestartOnChange: opts.OnSourceChange == SourceChangeRestart, FailOnOther: opts.OnOtherWriter == OtherWriterFail,
		RemoveStale: opts.RemoveStale, Progress: c.progress(t, opts.Progress),
		Delivery: upload.Delivery(opts.Delivery), PartialName: opts.PartialName,
		Mode: unixMode(opts.Mode),
	})
}

func (c *client) Put(ctx context.Context, remotePath string, r io.Reader, opts *PutOptions) (Result, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	t := task{Op: "put", Remote: remotePath, Transfer: true, Direction: "up", Rate: session.NewRate(opts.MaxRate)}
	spec := &upload.Spec{
		Task: t, Open: func() (upload.Source, error) { return upload.NewSource(r, opts.ModTime, opts.Spool) },
		Verify: c.verify(opts.Verify), CreateDirs: opts.CreateDirs, NoReplace: opts.NoReplace, KeepTime: true, SkipSame: opts.SkipSame && !opts.ModTime.IsZero(),
		Progress: c.progress(t, opts.Progress), Delivery: upload.Delivery(opts.Delivery), PartialName: opts.PartialName,
		Mode: unixMode(opts.Mode), Append: opts.Append, Abandon: c.abandon,
	}
	return c.transfer(ctx, t, func(ctx context.Context) (transfer.Result, error) {
		ctx, end, err := c.streams.begin(ctx)
		if err != nil {
			return transfer.Result{Size: -1}, err
		}
		defer end()
		return c.send(ctx, spec)
	})
}

func (c *client) upload(ctx context.Context, spec *upload.Spec) (Result, error) {
	return c.transfer(ctx, spec.Task, func(ctx context.Context) (transfer.Result, error) { return c.send(ctx, spec) })
}

func (c *client) send(ctx context.Context, spec *upload.Spec) (res transfer.Result, err error) {
	spec.Writers, spec.ASCII = &c.active, c.cfg.FTP.Type == FTPTypeASCII
	if spec.Dest, err = c.resolveFile(spec.Task.Remote); err == nil {
		err = spec.Invalid()
	}
	if err == nil {
		var doubt *upload.Doubt
		if res, doubt, err = upload.Run(ctx, &c.env, spec); err == nil && !res.Unchanged {
			c.doubts.note(spec.Dest, doubt)
		}
	}
	return res, err
}

// transfer runs a transfer as an operation.
func (c *client) transfer(ctx context.Context, t task, f func(context.Context) (transfer.Result, error)) (res Result, err error) {
	ctx, op := c.begin(ctx, OperationInfo{Op: t.Op, Local: t.Local, Remote: t.Remote})
	err = ErrNoReturn
	defer op.endTransfer(&res, &err)
	begin := time.Now()
	done, ferr := f(ctx)
	return c.ended(t, done, begin, ferr)
}

func (c *client) Download(ctx context.Context, remotePath, localPath string, opts *DownloadOptions) (Result, error) {
	if opts == nil {
		opts = &DownloadOptions{}
	}
	t := task{Op: "download", Local: localPath, Remote: remotePath, Transfer: true, Direction: "down", Rate: session.NewRate(opts.MaxRate)}
	spec := &download.Spec{Task: t, Local: localPath, Verify: c.verify(opts.Verify), NoReplace: opts.NoReplace,
		CreateDirs: opts.CreateDirs, DropTime: opts.DropTime, Progress: c.progress(t, opts.Progress),
		ASCII: c.cfg.FTP.Type == FTPTypeASCII}
	return c.transfer(ctx, t, func(ctx context.Context) (res transfer.Result, err error) {
		if spec.Remote, err = c.resolveFile(remotePath); err != nil {
			return transfer.Result{Size: -1}, err
		}
		return download.Run(ctx, &c.env, spec)
	})
}

func (c *client) Get(ctx context.Context, remotePath string, w io.Writer, opts *GetOptions) (Result, error) {
	if opts == nil {
		opts = &GetOptions{}
	}
	t := task{Op: "get", Remote: remotePath, Transfer: true, Direction: "down", Rate: session.NewRate(opts.MaxRate)}
	spec := &download.Spec{Task: t, Progress: c.progress(t, opts.Progress), ASCII: c.cfg.FTP.Type == FTPTypeASCII}
	return c.transfer(ctx, t, func(ctx context.Context) (res transfer.Result, err error) {
		if spec.Remote, err = c.resolveFile(remotePath); err == nil {
			err = opts.check(spec.ASCII)
		}
		switch {
		case err != nil:
			return transfer.Result{Size: -1}, err
		case opts.Offset > 0 || opts.Length > 0:
			spec.Offset, spec.Length = opts.Offset, opts.Length
			return download.Span(ctx, &c.env, spec, w)
		}
		return download.Stream(ctx, &c.env, spec, w)
	})
}

// verify is how much a transfer is checked.
func (c *client) verify(of Verify) transfer.Verify {
	switch orDefault(of, c.cfg.Verify) {
	case VerifySize:
		return transfer.VerifySize
	case VerifyFull:
		return transfer.VerifyFull
	}
	return transfer.VerifyAuto
}

// ended is the end of a transfer: its result and error as callers see them.
func (c *client) ended(t task, r transfer.Result, begin time.Time, err error) (Result, error) {
	res := Result{Size: r.Size, Kept: r.Kept, Moved: r.Moved, Attempts: r.Attempts, Resumes: r.Resumes, Unchanged: r.Unchanged,
		Protocol: r.Protocol, Addr: r.Addr, Verified: Verified(r.Verified), TimeKept: r.TimeKept, ModeSet: r.ModeSet, Duration: time.Since(begin)}
	if err == nil {
		res.Outcome = Done
		c.stats.done.Add(1)
		if !res.Unchanged {
			c.stats.needed.Add(max(res.Size-res.Kept, 0))
		}
		return res, nil
	}
	err = failed(t, r.Size, err)
	if res.Outcome = err.(*Error).Outcome; res.Outcome == Unknown {
		c.stats.unknown.Add(1)
	} else {
		c.stats.failed.Add(1)
	}
	return res, err
}

// failed makes the error of a transfer.
func failed(t task, size int64, err error) error {
	e := &Error{Op: t.Op, Local: t.Local, Remote: t.Remote, Outcome: NotDone, Size: size, Offset: t.At(), Err: err}
	var up *upload.Failure
	var down *download.Failure
	switch {
	case errors.As(err, &up):
		e.Offset, e.Partial, e.Acknowledged, e.Err = up.Offset, up.Partial, up.Acknowledged, up.Err
		if up.Unknown {
			e.Outcome = Unknown
		}
	case errors.As(err, &down):
		e.Offset, e.Partial, e.Err = down.Offset, down.Part, down.Err
	}
	return e
}
