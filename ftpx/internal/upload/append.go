package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// appending is a Put that adds to the end of a file. There is no partial and no way back,
// so that what has left once is never sent again before the file has been looked at: see
// see appendproof.go.
type appending struct {
	env  *transfer.Env
	spec *Spec
	task session.Task
	src  Source
	res  transfer.Result

	host    *session.Host // of the last attempt
	before  int64         // the size that was found, before a byte was added
	most    int64         // so many bytes of the source have left at most
	acked   int64         // SFTP: so many the server has acknowledged
	arrived int64         // so many were compared
	begun   bool          // bytes of the source may be in the file
	over    bool          // the server has said how the last transfer ended: it adds no more
	plain   bool          // the server has no APPE: REST and STOR
	made    bool          // the folder was made
	missing bool          // the server has said that there is no file
}

// runAppend is [Run] for a spec with Append.
func runAppend(ctx context.Context, env *transfer.Env, spec *Spec) (transfer.Result, error) {
	a := &appending{env: env, spec: spec, task: spec.Task}
	a.task.Offset = func() int64 { return a.arrived }
	err := a.run(ctx)
	if a.src != nil {
		a.res.Size = a.src.Size()
		a.src.Close()
	}
	if err != nil {
		return a.res, &Failure{Unknown: a.begun, Offset: max(a.arrived, a.acked), Err: err}
	}
	return a.res, nil
}

func (a *appending) run(ctx context.Context) (err error) {
	if a.src, err = a.spec.Open(); err != nil {
		return err
	}
	a.task.Small = a.src.Size() >= 0 && a.src.Size() <= session.ShareMost
	release, err := a.spec.Writers.Claim(ctx, a.spec.Dest, false)
	if err != nil {
		return err
	}
	defer release()
	return a.env.Session.Run(ctx, a.task, a.attempt)
}

func (a *appending) attempt(ctx context.Context, l *session.Lease) error {
	a.res.Attempts++
	a.res.Protocol, a.res.Addr = l.Proto, l.Info().Addr
	other := a.host != nil && a.host != l.Host
	a.host = l.Host
	if err := a.src.Check(); err != nil {
		return retry.Stop(err)
	}
	switch {
	case a.begun && other:
		return retry.Stop(errors.New("the host to which bytes had been added is gone, and this is another: look at the file there"))
	case a.begun:
		a.missing = false
		return a.again(ctx, l)
	}
	if err := a.find(ctx, l); err != nil {
		return err
	}
	return a.add(ctx, l, 0)
}

// find asks for the size of the file, 0 if it is missing.
func (a *appending) find(ctx context.Context, l *session.Lease) error {
	a.missing = false
	st, err := l.Stat(ctx, a.spec.Dest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.before, a.missing = 0, true
		return nil
	case final(err):
		return retry.Stop(fmt.Errorf("nothing can be added to a file whose size the server does not tell (%w)", err))
	case err != nil:
		return err
	case st.IsDir():
		return retry.Stop(noPlace(a.spec.Dest, st))
	}
	if a.before = st.Size; st.Size < 0 {
		a.before, err = sizeByList(ctx, l, a.spec.Dest)
	}
	return err
}

// add sends the source from a byte on, which belongs right behind what the file holds, and
// checks the file.
func (a *appending) add(ctx context.Context, l *session.Lease, from int64) error {
	r, err := a.src.Open(from)
	if err != nil {
		return retry.Stop(err)
	}
	moved := int64(0)
	s := &transport.Store{Path: a.spec.Dest, Offset: a.before + from, Append: !a.plain, New: a.missing && from == 0, Size: max(a.src.Size()-from, 0), Src: r,
		Progress: func(n int64) {
			moved += n
			a.begun, a.over = true, false
			a.most = max(a.most, from+moved)
			l.Moved(n)
			a.env.Sent(n)
			a.env.Report(l, a.task, a.spec.Progress, transfer.Position{Offset: from + moved, Size: a.src.Size()})
		}}
	st := &transport.Stat{Path: a.spec.Dest}
	lost := l.Do(ctx, transport.NewBatch(s, st))
	a.res.Moved += moved
	l.Attempt.Moved(moved)
	a.over = l.Usable() || s.Err == nil
	if !l.Proto.IsFTP() && s.Stored > 0 {
		a.acked = from + s.Stored
	}
	switch {
	case s.Err == transport.ErrUnsent:
		return lost
	case s.Err != nil:
		return a.refused(ctx, l, st, s.Err)
	}
	want := from + s.Stored
	if n := a.src.Size(); n >= 0 && want != n {
		return retry.Stop(&transport.LocalError{Err: fmt.Errorf("%w: it ended after %d of %d bytes", transfer.ErrSourceChanged, want, n)})
	}
	if st.Err != nil || st.Entry.Size < 0 {
		st.Entry.Size = -1
	}
	return a.check(ctx, l, want, st.Entry.Size)
}

// refused goes on where the server has not taken it, as long as that has added nothing.
func (a *appending) refused(ctx context.Context, l *session.Lease, st *transport.Stat, err error) error {
	if a.begun && a.over && st.Err == nil {
		switch n := st.Entry.Size - a.before; {
		case n == 0:
			a.begun = false // it was refused, and the file is as it was
		case n < 0 || n > a.most || !l.Proto.IsFTP() && n > a.acked:
		case a.compare(ctx, l, n, n == a.src.Size()) == nil && n == a.src.Size():
			return a.check(ctx, l, n, st.Entry.Size) // it is there, whatever was said
		}
	}
	kind := transport.KindOf(err)
	switch {
	case a.begun || !l.Usable():
		return err
	case kind == transport.KindUnsupported && l.Proto.IsFTP() && !a.plain:
		a.plain = true // RFC 3659, section 5: STOR from the file's end on adds as well
		return a.add(ctx, l, 0)
	case kind == transport.KindRestart:
		return retry.Stop(fmt.Errorf("the server does not add to a file: %w", err))
	case a.spec.CreateDirs && !a.made && a.before == 0 && folderTrouble(err):
		a.made = true
		if merr := MkdirAll(ctx, l, path.Dir(a.spec.Dest)); merr != nil {
			return errors.Join(err, merr)
		}
		return a.add(ctx, l, 0)
	case a.missing && !l.Proto.IsFTP() && kind != transport.KindNotExist && kind != transport.KindPermission:
		return hidden(err)
	}
	return err
}

// hidden is the error of a file that is missing, as the server says, and cannot be made. A
// server that hides files says that of what is there, and bytes at 0 would replace it.
// OpenSSH says the same "failure" of that and of passing trouble: whether it is tried again
// is left to the policy.
func hidden(err error) error {
	return fmt.Errorf("%w: the server says that there is no such file, and does not let one be made: it may be there and hidden; without Append it would be replaced", err)
}

// finish sets what was asked for besides.
func (a *appending) finish(ctx context.Context, l *session.Lease) {
	when, mode := a.spec.attributes(a.spec.Dest, a.src, l)
	requests := with(with(nil, when), mode)
	if len(requests) == 0 {
		return
	}
	_ = l.Do(ctx, transport.NewBatch(requests...)) // what was added is there: TimeKept and ModeSet tell of the rest
	a.res.TimeKept, a.res.ModeSet = when != nil && when.Err == nil, mode != nil && mode.Err == nil
}
