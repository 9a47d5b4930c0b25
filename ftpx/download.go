package ftpx

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

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (c *client) Download(ctx context.Context, remotePath, localPath string, opts *DownloadOptions) (Result, error) {
	if opts == nil {
		opts = &DownloadOptions{}
	}
	begin := time.Now()
	d := &download{c: c, opts: opts, local: localPath, call: randomIdentity(), verify: orDefault(opts.Verify, c.cfg.Verify), size: -1}
	d.t = task{op: "download", local: localPath, remote: remotePath, offset: func() int64 { return d.parts.have() }, limit: newLimiter(opts.MaxRate), rides: true}
	err := d.prepare(remotePath)
	if err == nil {
		var release func()
		if release, err = downloads.claim(ctx, localKey(localPath), OtherWriterWait); err == nil {
			if err = d.prepare(remotePath); err == nil { // again: who was before us may have finished
				if err = c.run(ctx, d.t, d.attempt); err == nil {
					err = d.publish() // others have the connection meanwhile
				}
			}
			if d.file != nil {
				d.suspend()
			}
			release()
		}
	}
	d.res.Size, d.res.Duration = d.size, time.Since(begin)
	return c.finish(d.t, d.res, d.failure(err))
}

// download is one Download across attempts.
type download struct {
	c      *client
	t      task
	opts   *DownloadOptions
	remote string
	local  string
	verify Verify

	file     *os.File // the part, while it is open, and locked
	part     string   // its name
	call     string   // this call's name in the sidecar
	proof    string   // how what was there was proven, "" for not yet
	state    sidecar
	begun    bool   // the part is open and was looked at
	seen     *Entry // the file as this call knows it
	size     int64
	parts    stretches // what of the part counts
	furthest int64     // the most that was ever there: more than that is progress
	again    int64     // how much was fetched a second time and is the same
	resumed  bool      // this call went on from an offset, or at several places at once
	restarts int
	noLook   bool // the server does not tell enough in one round trip
	alone    bool // one connection only: what several brought did not match
	synced   syncer
	lanes    sync.Mutex // of the connections that fetch, of whichever attempt
	res      Result
}

func (d *download) prepare(remotePath string) (err error) {
	if d.remote, err = d.c.resolveFile(remotePath); err != nil {
		return err
	}
	if d.local == "" {
		return asInvalid(errors.New("local path is empty: name the file to write"))
	}
	info, err := os.Stat(d.local)
	switch {
	case err == nil && info.IsDir():
		return asInvalid(fmt.Errorf("local path %q is a folder: add the file's name", d.local))
	case err == nil && d.opts.NoReplace:
		return &transport.Error{Op: "download", Path: d.remote, Kind: transport.KindExist,
			Err: fmt.Errorf("there is a local file %q and NoReplace is set", d.local)}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return &transport.LocalError{Writing: true, Err: err} // a name too long, a folder that is a file
	}
	dir := filepath.Dir(d.local)
	if d.opts.CreateDirs {
		err = os.MkdirAll(dir, 0o777)
	} else {
		_, err = os.Stat(dir)
	}
	if err != nil {
		return &transport.LocalError{Writing: true, Err: err}
	}
	return nil
}

// failure completes the error of the download. Nothing that happens on a server
// can make its outcome unknown: the local file is there or it is not.
func (d *download) failure(err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Op: "download", Local: d.t.local, Remote: d.t.remote, Err: err}
	}
	e.Outcome, e.Size, e.Offset = NotDone, d.size, d.parts.have()
	if e.Offset > 0 {
		e.Partial = d.part
	}
	return e
}

// attempt is once, and what its end means for what has come.
func (d *download) attempt(ctx context.Context, l *lease) error {
	err := d.once(ctx, l)
	if errors.Is(err, transport.ErrHandleReused) {
		d.nothing() // another file's bytes may be among it
	}
	return err
}

func (d *download) once(ctx context.Context, l *lease) error {
	d.res.Attempts++
	d.res.Protocol, d.res.Addr = l.proto, l.Info().Addr
	fetched, err := d.fetchAtOnce(ctx, l)
	if err != nil {
		return err
	}
	if !fetched {
		if err := d.lookAndFetch(ctx, l); err != nil {
			return err
		}
	}
	if err := checkLength(l, d.remote, d.at(), d.size); err != nil {
		return err
	}
	d.res.Verified.Size = d.size >= 0
	return d.checkContent(ctx, l)
}

func (d *download) lookAndFetch(ctx context.Context, l *lease) error {
	st, err := statFile(ctx, l, d.remote)
	if err != nil {
		return err
	}
	if !l.carries(st.Size) {
		d.res.Attempts--
		return errTooLarge
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
func (d *download) open(st Entry) error {
	fail := func(err error) error { return retry.Stop(&transport.LocalError{Writing: true, Err: err}) }
	if d.begun && !sameRemote(*d.seen, st) {
		if d.restarts++; d.restarts > maxRestarts {
			return retry.Stop(&transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated, Err: ErrSourceChanged})
		}
		d.nothing()
	}
	d.seen, d.size = &st, st.Size
	if d.file == nil {
		f, part, err := takePart(d.local)
		if err != nil {
			return err
		}
		d.file, d.part = f, part
	}
	if !d.begun {
		ranges, err := d.previous(st)
		if err != nil {
			return fail(err)
		}
		d.parts = stretchesOf(ranges, d.end())
		d.res.Kept = d.parts.have()
		d.begun = true
	}
	if d.parts == nil {
		d.parts = stretchesOf(nil, d.end())
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
	if err := d.file.Truncate(d.parts.last()); err != nil {
		return fail(err)
	}
	ranges := d.parts.ranges()
	d.state = sidecar{Remote: d.remote, Size: max(d.size, -1), ModTime: d.seen.ModTime, Boot: bootID(), Call: d.call}.
		there(ranges, len(ranges) > 1).synced(common(d.state.durable(), ranges))
	if err := d.state.write(d.part); err != nil {
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
func (d *download) previous(st Entry) ([]byteRange, error) {
	s, err := readSidecar(d.part)
	if err != nil || s == nil {
		return nil, err
	}
	if s.Size < 0 {
		return nil, nil
	}
	was := Entry{Size: s.Size, ModTime: s.ModTime}
	if s.Remote != d.remote || st.Size != s.Size || st.ModTime.IsZero() != s.ModTime.IsZero() || !sameRemote(was, st) {
		return nil, nil
	}
	info, err := d.file.Stat()
	if err != nil {
		return nil, err
	}
	d.state = *s
	all := []byteRange{{0, min(info.Size(), s.Size)}}
	if boot := s.boot(); boot == "" || boot != bootID() {
		// The system has been restarted: what had not been synced may be zeros.
		return common(s.durable(), all), nil
	}
	if s.Pieces != nil {
		return common(s.Pieces, all), nil
	}
	return all, nil
}

// publish gives the part its final name, and only then closes it, which gives up
// the lock: another process that was let in before would write into the file that
// is about to be shown.
func (d *download) publish() error {
	testHookPublish()
	fail := func(err error) error { return &transport.LocalError{Writing: true, Err: err} }
	d.synced.stop()
	if err := d.file.Sync(); err != nil {
		return fail(err)
	}
	if mtime := d.seen.ModTime; !d.opts.DropTime && !mtime.IsZero() {
		d.res.TimeKept = os.Chtimes(d.part, time.Time{}, mtime) == nil
	}
	if d.opts.NoReplace {
		if _, err := os.Lstat(d.local); err == nil {
			return fail(fs.ErrExist)
		}
	}
	if err := os.Rename(d.part, d.local); err != nil {
		return fail(err)
	}
	removeSidecar(d.part, d.call)
	// What Close could still say, Sync has said: the file is there.
	_ = d.file.Close()
	d.file = nil
	syncDir(filepath.Dir(d.local))
	return nil
}

// testHookPublish is for tests alone.
var testHookPublish = func() {}

// suspend closes the part of a transfer that did not finish, so that a later
// call can go on. One that holds nothing is removed. The lock goes last.
func (d *download) suspend() {
	defer d.file.Close()
	d.synced.stop()
	if d.parts.have() == 0 || d.size < 0 {
		os.Remove(d.part)
		removeSidecar(d.part, d.call)
		d.parts = nil
		return
	}
	if d.file.Sync() == nil {
		ranges := d.parts.ranges()
		d.state = d.state.there(ranges, d.state.Pieces != nil).synced(ranges)
		_ = d.state.write(d.part)
	}
}
