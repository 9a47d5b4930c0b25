package ftpx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// resumeWorth is the size below which sending a file again costs less than
	// finding out how far it came.
	resumeWorth = 64 << 10
	// settleFirst is how long the server's size must stay the same before it
	// counts, see settle.
	settleFirst = 25 * time.Millisecond
	// settleMax bounds the wait for it.
	settleMax = 10 * time.Second
	// lockedWorth is how much may be sent again rather than wait for a server
	// to give up an old session's lock, which takes it 60 to 300 s.
	lockedWorth = 64 << 20
	// lockedPatience is how often more than that is asked for before it is sent
	// again after all.
	lockedPatience = 5
)

// resumeAt finds the offset to go on from: the server's own size, once it has
// stopped changing, as far as it is proven to be a prefix of the source.
func (u *upload) resumeAt(ctx context.Context, l *lease) (int64, error) {
	size := u.src.size()
	if u.scratch || size >= 0 && size < resumeWorth || size < 0 && !u.looked || l.site.quirks.offsets(l.proto).refused.Load() {
		u.looked, u.scratch = true, false
		return 0, nil
	}
	st, err := u.stat(ctx, l, u.partial)
	if errors.Is(err, fs.ErrNotExist) {
		u.looked = true
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if st.IsDir() || st.Size < 0 {
		u.looked = true
		return 0, nil
	}
	settled := !u.provesEnd(l, st.Size)
	if settled {
		st.Size, err = u.settle(ctx, l, st.Size)
	} else {
		err = sleep(ctx, settleFirst-proofTakes(l))
	}
	if err != nil {
		return 0, err
	}
	at, proof, err := u.prove(ctx, l, u.partial, st.Size)
	if u.beyond && !settled {
		u.closed = false // it was no true word
		if !l.Usable() {
			return 0, &transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTemporary, Err: errGrowing}
		}
		if st.Size, err = u.settle(ctx, l, st.Size); err != nil {
			return 0, err
		}
		at, proof, err = u.prove(ctx, l, u.partial, st.Size)
	}
	if transport.KindOf(err) == transport.KindLocked {
		u.elsewhere(st.Size)
	}
	if err != nil {
		return 0, err
	}
	if at < st.Size && !l.Usable() {
		// Stopping the read-back in the middle has cost the connection.
		u.scratch = true
		return 0, &transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: what was sent before does not match, beginning again", ErrMismatch)}
	}
	if !u.looked {
		u.looked = true
		u.res.Kept = at
	}
	if at < st.Size && at > 0 {
		if err := l.Truncate(ctx, u.partial, at); err != nil {
			if !l.Usable() {
				return 0, err
			}
			at = 0
		}
	}
	if at > u.furthest { // not merely further than before it began again
		u.furthest = at
		l.attempt.Progress()
	}
	u.confirmed = at
	if at > 0 {
		u.res.Resumes++
		if at != size {
			u.seams = append(u.seams, at)
		}
		u.c.onResume(ResumeInfo{Op: u.t.op, Local: u.t.local, Remote: u.t.remote, Offset: at, Size: size, Proof: proof})
	}
	return at, nil
}

var errGrowing = errors.New("the partial grows, of which the server had said that it was closed")

// provesEnd reports whether the proof of a partial also shows that it has stopped
// growing, so that there is nothing to wait for: the server has said that what wrote it
// has ended, and the proof reads it to its end, no sooner than settleFirst after its size
// was asked for.
func (u *upload) provesEnd(l *lease, size int64) bool {
	caps := l.Info().Caps
	hashed := hashFor(caps, caps.HashRanges || size == u.src.size() && len(caps.Hashes) > 0) != ""
	return u.closed && u.looked && l.proto.IsFTP() && !hashed
}

// proofTakes is the least time from the look at a partial to the end of its proof: a
// data connection, with TLS or without, is had in no fewer round trips.
func proofTakes(l *lease) time.Duration {
	trips := 2
	if l.proto.Secure() {
		trips = 3
	}
	return time.Duration(trips) * l.Info().RoundTrip
}

// settle waits until the partial has stopped growing: after a reset the
// server's old session may still be writing what it had received. A partial
// that goes on growing has another writer.
func (u *upload) settle(ctx context.Context, l *lease, size int64) (int64, error) {
	deadline := time.Now().Add(settleMax)
	for wait := settleFirst; ; wait = min(2*wait, time.Second) {
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
		st, err := l.Stat(ctx, u.partial)
		if errors.Is(err, fs.ErrNotExist) {
			// Another writer of the same file has finished: look anew.
			err = &transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTemporary, Err: err}
		}
		if err != nil {
			return 0, err
		}
		if st.Size == size {
			return size, nil
		}
		size = st.Size
		if time.Now().After(deadline) {
			return 0, otherWriter(u.t.op, u.partial, u.onWriter)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// store sends the rest of the source.
func (u *upload) store(ctx context.Context, l *lease, offset int64) error {
	if offset > 0 && offset == u.src.size() {
		return nil
	}
	if offset == 0 && u.orphan && !l.site.quirks.offsets(l.proto).taken.Load() {
		u.leave()
	}
	err := u.storeAt(ctx, l, offset)
	if err != nil && l.Usable() && offset == 0 && folderTrouble(err) {
		again, ferr := u.mendFolder(ctx, l, err)
		if ferr != nil {
			return ferr
		}
		if again {
			err = u.storeAt(ctx, l, offset)
		}
		err = notOurs(err)
	}
	if err == nil {
		return nil
	}
	if cerr := u.checkSource(); cerr != nil {
		return cerr
	}
	switch transport.KindOf(err) {
	case transport.KindRestart:
		// Remembered for the host: the next attempt, and every later file,
		// begins at 0 at once. SFTP has no word of its own for it, so that a
		// server which has gone on with a file before means something else.
		if o := l.site.quirks.offsets(l.proto); l.proto.IsFTP() || !o.taken.Load() {
			o.refused.Store(true)
			u.leave()
		}
	case transport.KindLocked:
		u.elsewhere(offset)
	case transport.KindNoSpace, transport.KindQuota:
		// People will make room: tell them how far it came.
		if st, serr := l.Stat(ctx, u.partial); serr == nil && !st.IsDir() {
			u.held = min(st.Size, max(u.src.size(), 0))
		}
	}
	return err
}

// elsewhere goes on under another name than a partial that an older session
// holds. What is worth waiting for is waited for a while.
func (u *upload) elsewhere(worth int64) {
	if u.blocked++; worth > lockedWorth && u.blocked < lockedPatience {
		return
	}
	u.leave()
	u.blocked = 0
	if u.generation <= maxRestarts {
		u.furthest = 0 // to get as far again is progress, but not for ever
	}
}

// leave goes on under another name than a partial whose opening may still be on its
// way on the connection that was lost: the next attempt starts at once, on one that
// is there, and the server's old session would empty the file under its hands.
// Nothing is lost by it, since nothing of the partial is worth going on from.
func (u *upload) leave() {
	u.generation++
	u.partial = partialName(u.dest, u.identity, u.generation)
	u.confirmed, u.acked, u.window, u.seams, u.closed = 0, 0, 0, nil, false
	u.seen.forget()
	u.bereft = u.bereft || u.opened
	u.opened, u.orphan = false, false
}

func (u *upload) storeAt(ctx context.Context, l *lease, offset int64) error {
	u.ended, u.digest, u.res.TimeKept = nil, nil, false
	u.arrived = false // what holds the partial from here on is of this host
	u.seen.forget()
	r, err := u.src.open(offset)
	if err != nil {
		return retry.Stop(err)
	}
	u.opened = true
	moved, pos := int64(0), offset
	finish := &transport.Finish{ModTime: u.timeToSet(l), More: l.site.pool.crowded() || len(u.seams) > 0}
	if caps := l.Info().Caps; u.verify != VerifySize {
		finish.Hash = hashFor(caps, len(caps.Hashes) > 0)
	}
	n, err := l.Store(ctx, u.partial, offset, r, &transport.IO{
		Size: max(u.src.size()-offset, 0), Finish: finish,
		Progress: func(n int64) {
			moved += n
			l.moved = true
			pos += n
			u.c.stats.sent.Add(n)
			u.report(pos)
		},
	})
	u.res.Moved += moved
	u.acked, u.window = offset+n, l.Info().Caps.WriteWindow
	if offset > 0 && (n > 0 || err == nil) {
		l.site.quirks.offsets(l.proto).taken.Store(true)
	}
	u.closed = err != nil && moved > 0 && l.Usable() // else the session may still have it
	l.attempt.Moved(moved)                           // also if what follows fails: the next attempt starts at once
	if err != nil {
		if size := u.src.size(); !l.Usable() && offset == 0 && (moved == 0 || size >= 0 && size < resumeWorth) {
			u.leave()
		}
		return err
	}
	u.opened = false
	u.ended, u.res.TimeKept = finish.Entry, finish.TimeSet
	u.digest, u.digestBy = finish.Digest, finish.Hash
	if size := u.src.size(); size >= 0 && u.acked != size {
		return u.short(u.acked, size)
	}
	return nil
}

// short judges a source that ended before its size.
func (u *upload) short(got, want int64) error {
	if err := u.checkSource(); err != nil {
		return err
	}
	return retry.Stop(&transport.LocalError{Err: fmt.Errorf("%w: it ended after %d of %d bytes", ErrSourceChanged, got, want)})
}

func (u *upload) report(pos int64) {
	report(u.c.hooks, u.progress, ProgressInfo{Op: u.t.op, Local: u.t.local, Remote: u.t.remote, Offset: pos, Size: u.src.size()})
}

// folderTrouble reports whether a refusal to create a file may be about its
// folder. Servers say it in every way: 553 and 550 without a reason, SSH_FX
// "no such file" and "failure".
func folderTrouble(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNotExist, transport.KindRefused, transport.KindName, transport.KindTemporary:
		return true
	}
	return false
}

// notOurs gives a refusal its reason where the folder has been looked for and is
// not missing: vsftpd says "553 Could not create file." to whoever may not write
// to it, and the name is one that every server takes. Other errors stay as they are.
func notOurs(err error) error {
	var te *transport.Error
	if !errors.As(err, &te) || te.Code != 553 || te.Kind != transport.KindRefused {
		return err
	}
	e := *te
	e.Kind, e.Err = transport.KindPermission, fmt.Errorf("the folder is not missing, so it most likely may not be written to (%w)", te.Err)
	return &e
}

// mendFolder looks whether the folder is missing, and creates it if that was
// asked for.
func (u *upload) mendFolder(ctx context.Context, l *lease, cause error) (again bool, err error) {
	dir := u.dir()
	if dir == "" || dir == "/" {
		return false, nil
	}
	st, err := l.Stat(ctx, dir)
	switch {
	case err == nil && !st.IsDir():
		return false, retry.Stop(&transport.Error{Op: "upload", Path: dir, Kind: transport.KindExist,
			Err: fmt.Errorf("it is a file, so nothing can be put beneath it (%w)", cause)})
	case err == nil:
		// The folder is there. It may have been made by another upload since, so
		// that one more try tells whether the refusal stands.
		return u.createDirs, nil
	case !errors.Is(err, fs.ErrNotExist):
		if !l.Usable() {
			return false, err
		}
		return false, nil
	case !u.createDirs:
		return false, retry.Stop(&transport.Error{Op: "upload", Path: dir, Kind: transport.KindNotExist,
			Err: fmt.Errorf("the remote folder does not exist: create it, or set CreateDirs (%w)", cause)})
	}
	if err := mkdirAll(ctx, l, dir); err != nil {
		return false, err
	}
	return true, nil
}
