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
	t := task{Op: "upload", Local: localPath, Remote: remotePath, Transfer: true, Rate: session.NewRate(opts.MaxRate)}
	return c.upload(ctx, &upload.Spec{
		Task: t, Open: func() (upload.Source, error) { return upload.OpenFile(localPath) },
		Verify: c.verify(opts.Verify), CreateDirs: opts.CreateDirs, NoReplace: opts.NoReplace,
		KeepTime: !opts.DropTime, SkipSame: !opts.Always && !opts.DropTime,
		RestartOnChange: opts.OnSourceChange == SourceChangeRestart, FailOnOther: opts.OnOtherWriter == OtherWriterFail,
		RemoveStale: opts.RemoveStale, Progress: progress(t, opts.Progress),
		Delivery: upload.Delivery(opts.Delivery), PartialName: opts.PartialName,
		Mode: unixMode(opts.Mode),
	})
}

func (c *client) Put(ctx context.Context, remotePath string, r io.Reader, opts *PutOptions) (Result, error) {
	if opts == nil {
		opts = &PutOptions{}
	}
	t := task{Op: "put", Remote: remotePath, Transfer: true, Rate: session.NewRate(opts.MaxRate)}
	begin := time.Now()
	ctx, end, err := c.streams.begin(ctx)
	if err != nil {
		return c.ended(t, transfer.Result{Size: -1}, begin, err)
	}
	defer end()
	return c.upload(ctx, &upload.Spec{
		Task: t, Open: func() (upload.Source, error) { return upload.NewSource(r, opts.ModTime, opts.Spool) },
		Verify: c.verify(opts.Verify), CreateDirs: opts.CreateDirs, NoReplace: opts.NoReplace, KeepTime: true, SkipSame: opts.SkipSame && !opts.ModTime.IsZero(),
		Progress: progress(t, opts.Progress), Delivery: upload.Delivery(opts.Delivery), PartialName: opts.PartialName,
		Mode: unixMode(opts.Mode), Append: opts.Append, Abandon: c.abandon,
	})
}

func (c *client) upload(ctx context.Context, spec *upload.Spec) (Result, error) {
	begin := time.Now()
	spec.Writers, spec.ASCII = &c.active, c.cfg.FTPType == FTPTypeASCII
	var res transfer.Result
	var err error
	if spec.Dest, err = c.resolveFile(spec.Task.Remote); err == nil {
		err = spec.Invalid()
	}
	if err == nil {
		var doubt *upload.Doubt
		if res, doubt, err = upload.Run(ctx, &c.env, spec); err == nil && !res.Unchanged {
			c.doubts.note(spec.Dest, doubt)
		}
	}
	return c.ended(spec.Task, res, begin, err)
}

func (c *client) Download(ctx context.Context, remotePath, localPath string, opts *DownloadOptions) (Result, error) {
	if opts == nil {
		opts = &DownloadOptions{}
	}
	begin := time.Now()
	t := task{Op: "download", Local: localPath, Remote: remotePath, Transfer: true, Rate: session.NewRate(opts.MaxRate)}
	spec := &download.Spec{Task: t, Local: localPath, Verify: c.verify(opts.Verify), NoReplace: opts.NoReplace,
		CreateDirs: opts.CreateDirs, DropTime: opts.DropTime, Progress: progress(t, opts.Progress),
		ASCII: c.cfg.FTPType == FTPTypeASCII}
	res := transfer.Result{Size: -1}
	var err error
	if spec.Remote, err = c.resolveFile(remotePath); err == nil {
		res, err = download.Run(ctx, &c.env, spec)
	}
	return c.ended(t, res, begin, err)
}

func (c *client) Get(ctx context.Context, remotePath string, w io.Writer, opts *GetOptions) (Result, error) {
	if opts == nil {
		opts = &GetOptions{}
	}
	begin := time.Now()
	t := task{Op: "get", Remote: remotePath, Transfer: true, Rate: session.NewRate(opts.MaxRate)}
	spec := &download.Spec{Task: t, Progress: progress(t, opts.Progress), ASCII: c.cfg.FTPType == FTPTypeASCII}
	res := transfer.Result{Size: -1}
	var err error
	if spec.Remote, err = c.resolveFile(remotePath); err == nil {
		err = opts.check(spec.ASCII)
	}
	switch {
	case err != nil:
	case opts.Offset > 0 || opts.Length > 0:
		spec.Offset, spec.Length = opts.Offset, opts.Length
		res, err = download.Span(ctx, &c.env, spec, w)
	default:
		res, err = download.Stream(ctx, &c.env, spec, w)
	}
	return c.ended(t, res, begin, err)
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

// progress makes a caller's function one of a transfer, nil for nil.
func progress(t task, f func(ProgressInfo)) func(offset, size int64) {
	if f == nil {
		return nil
	}
	return func(offset, size int64) { f(progressInfo(t, offset, size)) }
}

func progressInfo(t task, offset, size int64) ProgressInfo {
	return ProgressInfo{Op: t.Op, Local: t.Local, Remote: t.Remote, Offset: offset, Size: size}
}

// newEnv is what transfers need of the client.
func (c *client) newEnv() transfer.Env {
	return transfer.Env{
		Session: c.sess,
		Sent:    func(n int64) { c.stats.sent.Add(n) }, Received: func(n int64) { c.stats.received.Add(n) },
		Resumed: func(t task, offset, size int64, proof string) {
			c.onResume(ResumeInfo{Op: t.Op, Local: t.Local, Remote: t.Remote, Offset: offset, Size: size, Proof: proof})
		},
		Progress: func(t task, offset, size int64) {
			if c.hooks != nil && c.hooks.Progress != nil {
				c.hooks.Progress(progressInfo(t, offset, size))
			}
		},
	}
}

// ended is the end of a transfer: its result and error as callers see them.
func (c *client) ended(t task, r transfer.Result, begin time.Time, err error) (Result, error) {
	res := Result{Size: r.Size, Kept: r.Kept, Moved: r.Moved, Attempts: r.Attempts, Resumes: r.Resumes, Unchanged: r.Unchanged,
		Protocol: r.Protocol, Addr: r.Addr, Verified: Verified(r.Verified), TimeKept: r.TimeKept, ModeSet: r.ModeSet, Duration: time.Since(begin)}
	if err == nil {
		res.Outcome = Done
		if !res.Unchanged {
			c.stats.needed.Add(max(res.Size-res.Kept, 0))
		}
	} else {
		err = failed(t, r.Size, err)
		res.Outcome = err.(*Error).Outcome
	}
	c.onDone(DoneInfo{Op: t.Op, Local: t.Local, Remote: t.Remote, Result: res, Err: err})
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
