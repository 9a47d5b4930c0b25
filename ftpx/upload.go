package ftpx

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (c *client) Upload(ctx context.Context, localPath, remotePath string, opts *UploadOptions) (Result, error) {
	if opts == nil {
		opts = &UploadOptions{}
	}
	u := c.newUpload("upload", localPath, remotePath, opts.Verify, opts.Progress)
	u.createDirs, u.noReplace, u.onChange = opts.CreateDirs, opts.NoReplace, opts.OnSourceChange
	u.onWriter, u.removeStale = opts.OnOtherWriter, opts.RemoveStale
	u.keepTime, u.mayBeThere = !opts.DropTime, !opts.Always && !opts.DropTime
	u.t.limit = newLimiter(opts.MaxRate)
	return u.do(ctx, func() (source, error) { return openFile(localPath) })
}

// maxRestarts bounds how often a transfer begins again because its source
// changed or what arrived was wrong.
const maxRestarts = 3

// upload is one Upload or Put: what is to be done, and what is known, across
// attempts, of how far it has come.
type upload struct {
	c          *client
	t          task
	given      string // the remote path as the caller gave it
	verify     Verify
	createDirs bool
	noReplace  bool
	keepTime   bool
	mayBeThere bool
	onChange   SourceChange
	onWriter   OtherWriter
	progress   func(ProgressInfo)

	removeStale time.Duration

	src      source
	site     *site // the host of the last attempt
	moved    bool  // it is another than that of the attempt before
	arrived  bool  // the partial has not been looked at on this host
	reopen   func() (source, error)
	identity string
	dest     string // the final remote path
	partial  string

	generation int
	confirmed  int64   // bytes of the partial that the server has shown to hold
	furthest   int64   // the most that confirmed has been: more than that is progress
	acked      int64   // of those, what it acknowledged to this call
	window     int64   // Caps.WriteWindow of the connection that wrote last
	held       int64   // size of the partial where this attempt ended for want of room
	blocked    int     // how often the partial was held by an older session
	looked     bool    // the partial has been looked for
	closed     bool    // the server has said that the last Store to the partial has ended
	beyond     bool    // more came of the partial, when it was read to its end, than it was to have
	scratch    bool    // the next attempt begins at 0
	opened     bool    // this attempt's session may have the partial open
	orphan     bool    // one that was lost may
	bereft     bool    // one that was lost may have had a partial of this call open
	replaced   bool    // the destination was
	seams      []int64 // where attempts went on
	peeked     peeked
	seen       seen   // what was read back of the partial
	digest     []byte // the server's, of the partial as this attempt's Store left it
	digestBy   string // by which algorithm
	ended      *Entry // the partial as this attempt's Store left it, if the server said
	stored     bool   // the partial is complete and checked
	placing    bool   // what is at dest is not known: a rename may have taken effect
	backedUp   bool   // the old dest may lie under its backup name
	stands     bool   // dest is the file, checked; what is left is tidying
	later      bool   // the rename was once left to the next upload's commands
	tidies     int
	looks      int // how often dest was compared and differed
	restarts   int
	res        Result
}

func (c *client) newUpload(op, local, remote string, verify Verify, progress func(ProgressInfo)) *upload {
	u := &upload{c: c, given: remote, verify: orDefault(verify, c.cfg.Verify), progress: progress}
	u.t = task{op: op, local: local, remote: remote, offset: func() int64 { return u.confirmed }}
	return u
}

// do carries the upload out.
func (u *upload) do(ctx context.Context, open func() (source, error)) (Result, error) {
	begin := time.Now()
	u.reopen = open
	err := u.prepare()
	if err == nil {
		var release func()
		u.t.rides = u.src.size() >= 0 && u.src.size() <= rideMost
		if release, err = u.c.active.claim(ctx, u.partial, u.onWriter); err == nil {
			if err = u.c.run(ctx, u.t, u.attempt); u.stands {
				err = nil
				u.c.doubts.note(u)
			}
			release()
		}
	}
	if u.src != nil {
		u.res.Size = u.src.size()
		u.src.close()
	}
	u.res.Duration = time.Since(begin)
	return u.c.finish(u.t, u.res, u.failure(err))
}

// finish settles the counters and tells the hook.
func (c *client) finish(t task, res Result, err error) (Result, error) {
	if err == nil {
		res.Outcome = Done
		if !res.Unchanged {
			c.stats.needed.Add(max(res.Size-res.Kept, 0))
		}
	} else {
		res.Outcome = outcomeIn(err)
	}
	c.onDone(DoneInfo{Op: t.op, Local: t.local, Remote: t.remote, Result: res, Err: err})
	return res, err
}

func outcomeIn(err error) Outcome {
	var e *Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return NotDone
}

// failure completes the error of the upload.
func (u *upload) failure(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Op: u.t.op, Local: u.t.local, Remote: u.t.remote, Err: err}
	}
	// Before the rename, a lost request can have changed nothing but the partial.
	e.Outcome = NotDone
	if u.placing {
		e.Outcome = Unknown
	}
	e.Size = u.res.Size
	if e.Offset = max(u.confirmed, u.held); e.Offset > 0 {
		e.Partial = u.partial
	}
	return e
}

func (u *upload) prepare() (err error) {
	if u.dest, err = u.c.resolveFile(u.given); err != nil {
		return err
	}
	if u.src, err = u.reopen(); err != nil {
		return err
	}
	if u.identity, err = u.src.identity(); err != nil {
		return &transport.LocalError{Err: err}
	}
	u.partial = partialName(u.dest, u.identity, u.generation)
	return nil
}

// once is one attempt. What an earlier one achieved is looked up on the server,
// not remembered: only the server knows what survived.
func (u *upload) once(ctx context.Context, l *lease) error {
	if u.stands {
		return u.tidy(ctx, l)
	}
	u.held = 0
	u.res.Attempts++
	u.res.Protocol, u.res.Addr = l.proto, l.Info().Addr
	if err := u.checkSource(); err != nil {
		return err
	}
	if err := u.arrive(ctx, l); err != nil {
		return err
	}
	if u.placing {
		if done, err := u.reconcile(ctx, l); done {
			return u.tidy(ctx, l)
		} else if err != nil {
			return err
		}
	}
	if !u.stored {
		defer u.peek(ctx, l)()
		if done, err := u.preflight(ctx, l); done || err != nil {
			return err
		}
		offset, err := u.resumeAt(ctx, l)
		if err != nil {
			return err
		}
		if err := u.store(ctx, l, offset); err != nil {
			return err
		}
		if err := u.check(ctx, l); err != nil {
			return err
		}
		if err := u.setTime(ctx, l); err != nil {
			return err
		}
		u.stored = true
		l.attempt.Progress()
	}
	return u.place(ctx, l)
}

// checkSource notices a source that has changed between or during attempts. If
// the upload may begin again with the new content, the error is one that is
// worth another attempt, for which everything has been set back.
func (u *upload) checkSource() error {
	err := u.src.check()
	if err == nil || u.stored && errors.Is(err, ErrSourceChanged) {
		return nil // what was stored and checked is the content as it was
	}
	if !errors.Is(err, ErrSourceChanged) || u.onChange != SourceChangeRestart || u.restarts >= maxRestarts {
		return retry.Stop(err)
	}
	u.restarts++
	u.src.close()
	u.generation, u.looked, u.confirmed, u.furthest, u.acked, u.window, u.seams = 0, false, 0, 0, 0, 0, nil
	u.seen = seen{}
	if err := u.prepare(); err != nil {
		return retry.Stop(err)
	}
	return &transport.Error{Op: u.t.op, Path: u.dest, Kind: transport.KindTemporary, Err: err}
}

// preflight looks at the destination.
func (u *upload) preflight(ctx context.Context, l *lease) (done bool, err error) {
	if u.looked || !u.looksAtDest() {
		return false, nil
	}
	st, err := u.stat(ctx, l, u.dest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		if l.Usable() {
			return false, nil // a server that does not say
		}
		return false, err
	}
	if st.IsDir() {
		return false, retry.Stop(&transport.Error{Op: "upload", Path: u.dest, Kind: transport.KindExist,
			Err: errors.New("there is a folder of that name: add the file's name to the remote path")})
	}
	if u.noReplace {
		return false, retry.Stop(&transport.Error{Op: "upload", Path: u.dest, Kind: transport.KindExist,
			Err: errors.New("there is a file of that name and NoReplace is set")})
	}
	if st.Size != u.src.size() || !st.TimeExact || st.ModTime.Unix() != u.src.mtime().Unix() {
		return false, nil
	}
	at, _, err := u.prove(ctx, l, u.dest, st.Size)
	if err == nil && at != st.Size {
		u.mayBeThere = false
		if !l.Usable() { // stopping the read-back in the middle has cost it
			err = &transport.Error{Op: u.t.op, Path: u.dest, Kind: transport.KindLost, Err: ErrMismatch}
		}
	}
	if err != nil || at != st.Size {
		return false, err
	}
	u.confirmed, u.res.Kept, u.res.Unchanged, u.res.TimeKept = st.Size, st.Size, true, true
	u.res.Verified.Size = true
	return true, nil
}

// setTime gives the partial the source's time before it appears under its name.
func (u *upload) setTime(ctx context.Context, l *lease) error {
	mtime := u.timeToSet(l)
	if mtime.IsZero() || u.res.TimeKept {
		return nil
	}
	err := l.Chtimes(ctx, u.partial, mtime)
	if err == nil {
		u.res.TimeKept = true
		return nil
	}
	if !l.Usable() {
		return err
	}
	return nil // the result says that the time was not kept
}

// timeToSet is the time for the remote file, zero to leave it to the server.
func (u *upload) timeToSet(l *lease) time.Time {
	if !u.keepTime || !l.Info().Caps.SetTime {
		return time.Time{}
	}
	return u.src.mtime()
}

// dir is the folder of the destination, "" for the login folder.
func (u *upload) dir() string {
	if d := path.Dir(u.dest); d != "." {
		return d
	}
	return ""
}
