package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/upload"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Spec is what is to be fetched, and how.
type Spec struct {
	// Task names the download. Its Offset and Small are set here.
	Task session.Task
	// Remote is the remote path, Local the local one.
	Remote, Local string
	// Verify is how much is checked.
	Verify transfer.Verify
	// NoReplace fails if there is a file at Local, CreateDirs creates missing folders.
	NoReplace, CreateDirs bool
	// ASCII fetches text, see text.go.
	ASCII bool
	// DropTime leaves the time of the local file at now.
	DropTime bool
	// Offset and Length are the part of the file that Span brings.
	Offset, Length int64
	// Progress is told how far it is.
	Progress func(*session.Lease, transfer.Position)
}

// Failure is how a download failed. Nothing that happens on a server can make its outcome
// unknown: the local file is there or it is not.
type Failure struct {
	// Offset is how many bytes have arrived, Part under what local name.
	Offset int64
	Part   string
	Err    error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// active are the local files that this process is fetching. Other processes are kept out
// by the lock on the part; this is for two calls here, which then wait for each other
// exactly as long as need be.
var active upload.Writers

// Run carries a download out. The error is a [*Failure].
func Run(ctx context.Context, env *transfer.Env, spec *Spec) (transfer.Result, error) {
	d := &download{env: env, spec: spec, task: spec.Task, local: localFile{call: upload.RandomIdentity()}, size: -1}
	d.task.Offset, d.task.Small = func() int64 { return d.parts.have() }, true
	err := d.run(ctx)
	if d.res.Size = d.size; err == nil {
		if d.size < 0 { // nobody has told it
			d.res.Size = d.at()
		}
		return d.res, nil
	}
	f := &Failure{Offset: d.parts.have(), Err: err}
	if f.Offset > 0 {
		f.Part = d.local.part
	}
	return d.res, f
}

func (d *download) run(ctx context.Context) error {
	if err := d.prepare(); err != nil {
		return err
	}
	release, err := active.Claim(ctx, localKey(d.spec.Local), false)
	if err != nil {
		return err
	}
	defer release()
	if err = d.prepare(); err == nil { // again: who was before us may have finished
		if err = d.env.Session.Run(ctx, d.task, d.attempt); err == nil {
			err = d.publish() // others have the connection meanwhile
		}
	}
	if d.local.file != nil {
		d.suspend()
	}
	return err
}

// localKey is one name for all ways to name a local file, as far as they can be known:
// two names that it does not bring together still meet at the lock.
func localKey(local string) string {
	abs, err := filepath.Abs(local)
	if err != nil {
		return local
	}
	dir, base := filepath.Split(abs)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return filepath.Join(dir, base)
}

// download is one download across attempts.
type download struct {
	env  *transfer.Env
	spec *Spec
	task session.Task

	local localFile
	mu    sync.Mutex       // guards parts, and what is written: streams of whichever attempt
	parts segments         // what of the part counts
	seen  *transport.Entry // the file as this call knows it
	size  int64
	proof string // how what was there was proven, "" for not yet
	// furthest is the most that was ever there: more than that is progress.
	furthest int64
	again    int64 // how much was fetched a second time and is the same
	begun    bool  // the part is open and was looked at
	resumed  bool  // this call resumed at an offset, or at several places at once
	single   bool  // one connection only: what several brought did not match
	restarts int
	live     *streams // of the attempt under way, nil for none
	res      transfer.Result
}

// localFile is the part of a download and what is noted of it.
type localFile struct {
	file   *os.File // the part, while it is open, and locked
	part   string   // its name
	call   string   // this call's name in the state file
	state  resumeState
	synced checkpoint
}

func (d *download) prepare() (err error) {
	local := d.spec.Local
	if local == "" {
		return invalid(errors.New("local path is empty: name the file to write"))
	}
	info, err := os.Stat(local)
	switch {
	case err == nil && info.IsDir():
		return invalid(fmt.Errorf("local path %q is a folder: add the file's name", local))
	case err == nil && d.spec.NoReplace:
		return &transport.Error{Op: "download", Path: d.spec.Remote, Kind: transport.KindExist,
			Err: fmt.Errorf("there is a local file %q and NoReplace is set", local)}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return &transport.LocalError{Writing: true, Err: err} // a name too long, a folder that is a file
	}
	dir := filepath.Dir(d.spec.Local)
	if d.spec.CreateDirs {
		err = os.MkdirAll(dir, 0o777)
	} else {
		_, err = os.Stat(dir)
	}
	if err != nil {
		return &transport.LocalError{Writing: true, Err: err}
	}
	return nil
}

// attempt is once, and what its end means for what has come.
func (d *download) attempt(ctx context.Context, l *session.Lease) error {
	defer func() {
		if x := d.live; x != nil { // code of the caller's has panicked
			d.live = nil
			x.abandon()
		}
	}()
	err := d.once(ctx, l)
	if errors.Is(err, transport.ErrHandleReused) {
		d.nothing() // another file's bytes may be among it
	}
	return err
}

func (d *download) once(ctx context.Context, l *session.Lease) error {
	d.res.Attempts++
	d.res.Protocol, d.res.Addr = l.Proto, l.Info().Addr
	if d.spec.ASCII {
		return d.fetchText(ctx, l)
	}
	fetched, err := d.fetchAtOnce(ctx, l)
	if err != nil {
		return err
	}
	if !fetched {
		if err := d.lookAndFetch(ctx, l); err != nil {
			return err
		}
	}
	if err := checkLength(l, d.spec.Remote, d.at(), d.size); err != nil {
		return err
	}
	d.res.Verified.Size = d.size >= 0
	begin := time.Now()
	if err = d.checkContent(ctx, l); err == nil && d.size < 0 {
		d.res.Verified = withoutSize(d.res.Verified)
	}
	d.env.Verified(l, d.task, transfer.Check{Took: time.Since(begin), Verified: d.res.Verified, Err: err})
	return err
}

func (d *download) lookAndFetch(ctx context.Context, l *session.Lease) error {
	st, err := statFile(ctx, l, d.spec.Remote)
	if unseen(l, err) {
		st, err = d.unknown(), nil
	}
	if err != nil {
		return err
	}
	if !l.Carries(st.Size) {
		d.res.Attempts--
		return session.ErrTooLarge
	}
	if err := d.open(st); err != nil {
		return err
	}
	if err := d.provePrefix(ctx, l); err != nil {
		return err
	}
	return d.fetch(ctx, l)
}

// open prepares the part for an attempt and finds where to go on. The remote
// file must be the one that the part was begun from; if not, it begins anew.
func (d *download) open(st transport.Entry) error {
	fail := func(err error) error { return retry.Stop(&transport.LocalError{Writing: true, Err: err}) }
	if d.begun && !sameRemote(*d.seen, st) {
		if d.restarts++; d.restarts > transfer.MaxRestarts {
			return retry.Stop(&transport.Error{Op: "download", Path: d.spec.Remote, Kind: transport.KindTruncated, Err: transfer.ErrSourceChanged})
		}
		d.nothing()
	}
	d.seen, d.size = &st, st.Size
	if d.local.file == nil {
		f, part, err := takePart(d.spec.Local, d.env.PartOpened)
		if err != nil {
			return err
		}
		d.local.file, d.local.part = f, part
	}
	if !d.begun {
		ranges, err := d.previous(st)
		if err != nil {
			return fail(err)
		}
		d.parts = segmentsOf(ranges, d.end())
		d.res.Kept = d.parts.have()
		d.begun = true
	}
	if d.parts == nil {
		d.parts = segmentsOf(nil, d.end())
	}
	if d.size < 0 {
		d.parts[len(d.parts)-1].end = d.end() // where it ended the last time it need not end now
	}
	return d.cut()
}

// cut cuts the part to what counts of it, and notes whose it is before anything
// is written to it.
func (d *download) cut() error {
	fail := func(err error) error { return retry.Stop(&transport.LocalError{Writing: true, Err: err}) }
	// In this order: a note about the new file must not lie beside bytes of the old.
	if err := d.local.file.Truncate(d.parts.last()); err != nil {
		return fail(err)
	}
	ranges := d.parts.ranges()
	d.local.state = resumeState{Remote: d.spec.Remote, Size: max(d.size, -1), ModTime: d.seen.ModTime, Boot: bootID(), Call: d.local.call}.
		there(ranges, len(ranges) > 1).synced(transfer.Common(d.local.state.durable(), ranges))
	if err := d.local.state.write(d.local.part); err != nil {
		return fail(err)
	}
	return nil
}

// at is how much is there from the beginning on.
func (d *download) at() int64 { return d.parts.prefix() }

// nothing is for a part of which nothing counts.
func (d *download) nothing() {
	d.parts, d.furthest, d.again, d.res.Kept = nil, 0, 0, 0
}

// end is where the file ends, as far as is known.
func (d *download) end() int64 {
	if d.size < 0 {
		return math.MaxInt64
	}
	return d.size
}

// previous finds what of a part from an earlier call counts.
func (d *download) previous(st transport.Entry) ([]transfer.Range, error) {
	s, err := readState(d.local.part)
	if err != nil || s == nil {
		return nil, err
	}
	if s.Size < 0 {
		return nil, nil
	}
	was := transport.Entry{Size: s.Size, ModTime: s.ModTime}
	if s.Remote != d.spec.Remote || st.Size != s.Size || st.ModTime.IsZero() != s.ModTime.IsZero() || !sameRemote(was, st) {
		return nil, nil
	}
	info, err := d.local.file.Stat()
	if err != nil {
		return nil, err
	}
	d.local.state = *s
	all := []transfer.Range{{To: min(info.Size(), s.Size)}}
	if boot := s.boot(); boot == "" || boot != bootID() {
		// The system has been restarted: what had not been synced may be zeros.
		return transfer.Common(s.durable(), all), nil
	}
	if s.Segments != nil {
		return transfer.Common(s.Segments, all), nil
	}
	return all, nil
}

// publish gives the part its final name, and only then closes it, which gives up
// the lock: another process that was let in before would write into the file that
// is about to be shown.
func (d *download) publish() error {
	fail := func(err error) error { return &transport.LocalError{Writing: true, Err: err} }
	d.local.synced.stop()
	if err := d.local.file.Sync(); err != nil {
		return fail(err)
	}
	if mtime := d.seen.ModTime; !d.spec.DropTime && !mtime.IsZero() {
		d.res.TimeKept = os.Chtimes(d.local.part, time.Time{}, mtime) == nil
	}
	if d.spec.NoReplace {
		if _, err := os.Lstat(d.spec.Local); err == nil {
			return fail(fs.ErrExist)
		}
	}
	if err := os.Rename(d.local.part, d.spec.Local); err != nil {
		return fail(err)
	}
	removeState(d.local.part, d.local.call)
	// What Close could still say, Sync has said: the file is there.
	_ = d.local.file.Close()
	d.local.file = nil
	syncDir(filepath.Dir(d.spec.Local))
	return nil
}

// suspend closes the part of a transfer that did not finish, so that a later
// call can go on. One that holds nothing is removed. The lock goes last.
func (d *download) suspend() {
	defer d.local.file.Close()
	d.local.synced.stop()
	if d.parts.have() == 0 || d.size < 0 {
		os.Remove(d.local.part)
		removeState(d.local.part, d.local.call)
		d.parts = nil
		return
	}
	if d.local.file.Sync() == nil {
		ranges := d.parts.ranges()
		d.local.state = d.local.state.there(ranges, d.local.state.Segments != nil).synced(ranges)
		_ = d.local.state.write(d.local.part)
	}
}

// invalid gives an error of the caller's arguments its kind.
func invalid(err error) error { return &transport.Error{Kind: transport.KindInvalid, Err: err} }
