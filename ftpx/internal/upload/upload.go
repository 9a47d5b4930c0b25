package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Spec is what is to be sent, and how.
type Spec struct {
	// Task names the upload. Its Offset and Small are set here.
	Task session.Task
	// Dest is the final remote path.
	Dest string
	// Open opens the source, again where it has changed.
	Open func() (Source, error)
	// Writers are the uploads of this client.
	Writers *Writers
	// Verify is how much is checked.
	Verify transfer.Verify
	// Delivery is how it gets to its name, PartialName a template for a partial's, see
	// [CheckPartialName].
	Delivery    Delivery
	PartialName string
	// Mode are the permission bits to set, as of chmod(2); 0 for none.
	Mode uint32
	// CreateDirs creates missing folders, NoReplace fails if there is a file at Dest.
	CreateDirs, NoReplace bool
	// Append adds to the file at Dest, see append.go. ASCII sends text.
	Append, ASCII bool
	// KeepTime gives the file the source's time. SkipSame leaves a file at Dest as it is
	// that has the source's size and time and proves to be the same.
	KeepTime, SkipSame bool
	// RestartOnChange begins again with a source that has changed. FailOnOther fails if
	// somebody else is sending the same file, instead of waiting.
	RestartOnChange, FailOnOther bool
	// RemoveStale, if positive, removes partials of other versions of the file that are
	// older.
	RemoveStale time.Duration
	// Progress is told how far it is.
	Progress func(*session.Lease, transfer.Position)
	// Abandon is given the partials of an upload that has failed and whose source cannot be
	// read again, to remove them; nil to leave them.
	Abandon func(names []string)
}

// Failure is how an upload failed.
type Failure struct {
	// Unknown: the file may be there under its name, and no look at the server could tell.
	Unknown bool
	// Acknowledged, with Unknown: the server has said that it has all of it, and the name
	// that it was given is gone.
	Acknowledged bool
	// Offset is how many bytes are known to have arrived, Partial under what name.
	Offset  int64
	Partial string
	Err     error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Run carries an upload out. The doubt is nil unless the server may yet replace the file.
// The error is a [*Failure].
func Run(ctx context.Context, env *transfer.Env, spec *Spec) (transfer.Result, *Doubt, error) {
	if spec.Append {
		res, err := runAppend(ctx, env, spec)
		return res, nil, err
	}
	u := &upload{env: env, spec: spec, task: spec.Task}
	u.task.Offset = func() int64 { return u.part.confirmed }
	err := u.prepare()
	if err == nil {
		err = u.run(ctx)
	}
	var doubt *Doubt
	if u.src != nil {
		u.res.Size = u.src.Size()
		if err == nil && u.commit.done {
			doubt = u.doubt()
		}
		u.src.Close()
	}
	err = u.failure(err)
	if names := u.abandoned(); err != nil && spec.Abandon != nil && len(names) > 0 {
		spec.Abandon(names)
	}
	return u.res, doubt, err
}

// abandoned are the partials that were left and that no call can resume: their names are made
// of what is of this call alone. Where the rename may have been done, they are for whoever
// is told so to look at.
func (u *upload) abandoned() []string {
	if _, stream := u.src.(*spool); !stream || u.anonymous() || u.commit.begun || u.commit.taken {
		return nil
	}
	names := u.partialsLeft()
	if u.part.opened || u.part.written {
		names = append(names, u.part.name)
	}
	return names
}

// upload is one upload: what is known, across attempts, of how far it has come.
type upload struct {
	env  *transfer.Env
	spec *Spec
	task session.Task

	src      Source
	identity string
	part     partial
	most     most
	where    where
	checked  bool // the partial is complete and checked
	commit   commit
	replaces bool // without a partial: a file is there that is not empty
	sameSeen bool // the destination was compared, and is not the source
	bereft   bool // a session that was lost may have had a partial of this call open
	replaced bool // the destination was, after it had been put there
	restarts int
	// sentWhole: all of the source has left for the destination, under its own name, and no
	// look has said that it is not there. Only without a partial.
	sentWhole bool
	missed    int    // how often the partial was gone that had been there, see vanished
	other     string // the partial of the other window, if there was one, and it was not resumed
	lastByte  time.Time
	res       transfer.Result
}

// most is the most that there has ever been: only more than that is progress.
type most struct{ confirmed, verified int64 }

func (u *upload) prepare() (err error) {
	if u.src, err = u.spec.Open(); err != nil {
		return err
	}
	if u.identity, err = u.src.Identity(); err != nil {
		return &transport.LocalError{Err: err}
	}
	u.part = u.newPartial(0)
	return nil
}

func (u *upload) run(ctx context.Context) error {
	u.task.Small = u.src.Size() >= 0 && u.src.Size() <= session.ShareMost
	release, err := u.spec.Writers.Claim(ctx, u.part.name, u.spec.FailOnOther)
	if err != nil {
		return err
	}
	defer release()
	if err = u.env.Session.Run(ctx, u.task, u.attempt); u.commit.done {
		return nil // what is left is to clean up
	}
	return err
}

// failure completes the error of an upload.
func (u *upload) failure(err error) error {
	if err == nil {
		return nil
	}
	// Before the rename, a lost request can have changed nothing but the partial.
	gone := errors.Is(err, errGone)
	f := &Failure{Unknown: u.commit.begun || u.replaced || u.sentWhole, Acknowledged: gone && u.checked, Offset: max(u.part.confirmed, u.part.held, u.part.acked), Err: err}
	switch {
	case u.commit.taken:
		f.Unknown, f.Acknowledged, f.Offset = true, true, u.part.confirmed
	case (f.Offset > 0 || u.part.written) && !gone && !(u.sentWhole && u.spec.Delivery == Drop):
		f.Partial = u.part.name
	}
	if u.commit.backedUp {
		f.Err = fmt.Errorf("%w; the file that was at the destination may be kept as %q: rename it back", f.Err, backupName(u.spec.Dest, u.identity))
	}
	if u.replaced && !errors.Is(err, ErrReplaced) {
		f.Err = fmt.Errorf("%w, after %w", f.Err, ErrReplaced)
	}
	return f
}

// attempt is once, and what its end means for the partial.
func (u *upload) attempt(ctx context.Context, l *session.Lease) error {
	u.part.opened = false
	err := u.once(ctx, l)
	if u.part.opened && !l.Usable() {
		u.part.orphan, u.bereft = true, true
	}
	if errors.Is(err, transport.ErrHandleReused) && !u.checked {
		// Another file's bytes may be in it, and the server may write more of them.
		u.nextGeneration()
	}
	if err == nil && u.commit.done && u.doubtful() {
		err = u.statAgain(ctx, l)
	}
	return err
}

// once is one attempt. What an earlier one achieved is looked up on the server, not
// remembered: only the server knows what survived.
func (u *upload) once(ctx context.Context, l *session.Lease) error {
	if u.commit.done {
		return u.cleanUp(ctx, l)
	}
	u.part.held = 0
	u.res.Attempts++
	u.res.Protocol, u.res.Addr = l.Proto, l.Info().Addr
	if err := u.checkSource(); err != nil {
		return err
	}
	if err := u.arrive(ctx, l); err != nil {
		return err
	}
	if u.commit.done {
		return u.cleanUp(ctx, l)
	}
	if u.commit.begun {
		if done, err := u.reconcile(ctx, l); done {
			return u.cleanUp(ctx, l)
		} else if err != nil {
			return err
		}
	}
	if err := u.stillThere(ctx, l); err != nil {
		_, err = u.placedBy(ctx, l, err)
		return err
	}
	if !u.checked {
		if done, err := u.send(ctx, l); done || err != nil {
			return err
		}
	}
	if u.spec.Delivery != Atomic {
		return u.cleanUp(ctx, l)
	}
	return u.place(ctx, l)
}

// checkSource notices a source that has changed between or during attempts. If the
// upload may begin again with the new content, the error is one that is worth another
// attempt, for which everything has been set back.
func (u *upload) checkSource() error {
	err := u.src.Check()
	changed := errors.Is(err, transfer.ErrSourceChanged)
	if err == nil || u.checked && changed {
		return nil // what was sent and checked is the content as it was
	}
	if !changed || !u.spec.RestartOnChange || u.restarts >= transfer.MaxRestarts {
		return retry.Stop(err)
	}
	u.restarts++
	u.src.Close()
	u.most = most{}
	if err := u.prepare(); err != nil {
		return retry.Stop(err)
	}
	return u.fault(transport.KindTemporary, u.spec.Dest, err)
}

// vanished is for a partial that was there a moment ago: another writer of the same file
// may have given it its name, or the server is not of one mind. It is worth a new look, but
// not for ever.
func (u *upload) vanished(err error) error {
	if !errors.Is(err, fs.ErrNotExist) || u.missed >= transfer.MaxRestarts {
		return err
	}
	u.missed++
	return u.fault(transport.KindTemporary, u.part.name, err)
}

// fault is an error of this upload's own.
func (u *upload) fault(kind transport.Kind, path string, err error) *transport.Error {
	return &transport.Error{Op: u.task.Op, Path: path, Kind: kind, Err: err}
}

func (u *upload) report(l *session.Lease, pos int64) {
	u.env.Report(l, u.task, u.spec.Progress, transfer.Position{Offset: pos, Size: u.src.Size()})
}
