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

// end judges a batch that has been carried out, or as far as it came.
func (p *put) end(ctx context.Context, lost error) (done bool, err error) {
	u, l := p.u, p.l
	p.note()
	if p.mine != nil {
		_, _ = p.sum() // the source must be free before anything else
	}
	for _, b := range p.backs {
		b.note(l)
	}
	if p.time != nil && p.time.Err == nil {
		st := p.stat
		u.res.TimeKept = st.Err != nil || !st.Entry.TimeExact || st.Entry.ModTime.Unix() == p.time.Time.Unix()
	}
	if p.mode != nil {
		u.res.ModeSet = p.mode.Err == nil
	}
	if err := p.stored(lost); err != nil {
		return p.refused(ctx, err)
	}
	if size := u.src.Size(); p.store != nil && size >= 0 && u.part.acked != size {
		return false, u.short(u.part.acked, size)
	}
	u.part.acknowledged = u.part.acknowledged || p.store != nil
	if p.rename == nil {
		return p.finish(ctx, lost)
	}
	switch err := p.rename.Err; {
	case err == nil:
		if err := u.seen(ctx, l, p.stat.Entry, p.seen); err != nil {
			return false, u.renameRefused(ctx, l, err)
		}
		return true, u.cleanUp(ctx, l)
	case err == transport.ErrUnsent:
		u.commit.begun = false
		return false, lost
	case err == transport.ErrSkipped && lost != nil:
		return false, lost
	case err == transport.ErrSkipped:
		if err := u.check(ctx, l); err != nil {
			return u.placedBy(ctx, l, err)
		}
		return false, nil
	default:
		u.commit.refused(err)
		if !l.Usable() {
			u.commit.refusedLast(err)
			return false, err
		}
		return true, u.placeAfter(ctx, l, err)
	}
}

// finish is the end where there is no partial.
func (p *put) finish(ctx context.Context, lost error) (done bool, err error) {
	u := p.u
	switch {
	case u.spec.Delivery == Drop:
		u.accept(p.l, p.want(), transfer.Verified{Acknowledged: true}, u.lastByte)
		u.commit.done = true
		return true, nil
	case p.proven():
	case lost != nil:
		return false, lost
	default:
		if err := u.check(ctx, p.l); err != nil {
			return false, err
		}
	}
	return true, u.cleanUp(ctx, p.l)
}

// stored is why the source was not stored.
func (p *put) stored(lost error) error {
	switch {
	case p.store == nil, p.store.Err == nil:
		return nil
	case p.store.Err == transport.ErrUnsent:
		return lost
	}
	return p.store.Err
}

// refused is for a source that was not stored: what stood in the way is mended, if it can
// be, and remembered.
func (p *put) refused(ctx context.Context, err error) (done bool, _ error) {
	u, l := p.u, p.l
	if u.spec.Delivery == Drop && u.sentWhole {
		// To send it again could deliver it twice.
		return false, retry.Stop(fmt.Errorf("all of it was sent, and the server has not said that it has it: %w", err))
	}
	if whole, werr := p.wholeAfterAll(ctx, err); whole || werr != nil {
		return false, werr
	}
	if p.closeRefused(err) {
		return false, u.notKept(ctx, l, err)
	}
	u.part.closed = p.moved > 0 && l.Usable() // else the session may still have it
	if u.part.closed && p.stat != nil && p.stat.Err == nil {
		u.part.ended = &p.stat.Entry // the next attempt need not ask again
	}
	if l.Usable() && p.at == 0 && folderTrouble(err) && !p.again {
		again, ferr := u.mendFolder(ctx, l, err)
		if ferr != nil && !again {
			return false, ferr
		}
		if again {
			next, nerr := u.newPut(l, 0)
			if nerr != nil {
				return false, nerr
			}
			next.again, next.noFolder = true, ferr
			return next.run(ctx, nil)
		}
	}
	if l.Usable() && p.noFolder != nil && transport.KindOf(err) == transport.KindNotExist {
		return false, notMade(p.noFolder)
	}
	if l.Usable() && p.at == 0 && (folderTrouble(err) || transport.KindOf(err) == transport.KindPermission) {
		err = u.nameRefused(notOurs(err))
	}
	late := u.mayArriveLate(l, p.at, p.moved)
	if cerr := u.checkSource(); cerr != nil {
		return false, cerr
	}
	switch {
	case late && p.leftWhole():
		u.where.late = true // the next attempt looks whether it is there
	case late:
		u.nextGeneration()
	}
	err = p.noRoom(err)
	switch transport.KindOf(err) {
	case transport.KindRestart:
		// Remembered for the host: the next attempt, and every later file, begins at 0.
		// SFTP has no word of its own for it, so that a server which has continued a file
		// before means something else.
		if o := l.Host.Offsets(l.Proto); l.Proto.IsFTP() || !o.Taken.Load() {
			o.Refused.Store(true)
			u.nextGeneration()
		}
	case transport.KindLocked:
		u.locked(p.at)
	case transport.KindNoSpace, transport.KindQuota:
		if u.spec.Delivery == Drop {
			break
		}
		// People will make room: tell them how far it came.
		if st, serr := l.Stat(ctx, u.part.name); serr == nil && !st.IsDir() {
			u.part.held = min(st.Size, max(u.src.Size(), 0))
		}
	}
	return false, err
}

// wholeAfterAll proves a small file that is there as a whole although the server has said
// that it broke off: some say so of every file. One that is worth resuming is proven by
// the next attempt. Over SFTP a CLOSE that fails is believed: the bytes were acknowledged
// before it, and it is what stores them.
func (p *put) wholeAfterAll(ctx context.Context, cause error) (bool, error) {
	u, size := p.u, p.u.src.Size()
	switch transport.KindOf(cause) {
	case transport.KindLost, transport.KindTruncated, transport.KindTemporary:
	default:
		return false, nil
	}
	if !p.l.Proto.IsFTP() || !p.l.Usable() || size < 0 || size >= resumeWorth || p.moved < size || p.stat == nil || p.stat.Err != nil ||
		p.stat.Entry.Size != size || p.stat.Entry.IsDir() {
		return false, nil
	}
	at, _, err := u.prove(ctx, p.l, u.part.name, size)
	if err != nil || at != size {
		return false, err
	}
	u.confirm(p.l, size)
	err = u.check(ctx, p.l)
	return err == nil, err
}

// noRoom tells a server that can write no more from one that does not continue files: SFTP
// has the same status for both. What could not be written where the attempt before, which
// had lost nothing, could not go on either is no refusal to continue.
func (p *put) noRoom(err error) error {
	part := &p.u.part
	var te *transport.Error
	if p.store == nil || p.l.Proto.IsFTP() || !p.l.Usable() || !errors.As(err, &te) {
		return err
	}
	switch {
	case te.Kind == transport.KindTemporary && p.store.Stored > 0:
		part.full = p.at + p.store.Stored
	case te.Kind == transport.KindRestart && part.full > 0 && part.full == p.at:
		e := *te
		e.Kind = transport.KindTemporary
		return &e
	}
	return err
}

// short judges a source that ended before its size.
func (u *upload) short(got, want int64) error {
	if err := u.checkSource(); err != nil {
		return err
	}
	return retry.Stop(&transport.LocalError{Err: fmt.Errorf("%w: it ended after %d of %d bytes", transfer.ErrSourceChanged, got, want)})
}

// folderTrouble reports whether a refusal to create a file may be about its folder.
// Servers say it in every way: 553 and 550 without a reason, SSH_FX "no such file" and
// "failure".
func folderTrouble(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNotExist, transport.KindRefused, transport.KindName, transport.KindTemporary:
		return true
	}
	return false
}

// notOurs gives a refusal its reason where the folder has been looked for and is not
// missing: vsftpd says "553 Could not create file." to whoever may not write to it, and
// the name is one that every server takes. Other errors stay as they are.
func notOurs(err error) error {
	var te *transport.Error
	if !errors.As(err, &te) || te.Code != 553 || te.Kind != transport.KindRefused {
		return err
	}
	e := *te
	e.Kind, e.Err = transport.KindPermission, fmt.Errorf("the folder is not missing, so it most likely may not be written to (%w)", te.Err)
	return &e
}

// notMade says which folder was refused.
func notMade(err error) error {
	var te *transport.Error
	if !errors.As(err, &te) {
		return err
	}
	e := *te
	e.Err = fmt.Errorf("the folder %q cannot be made (%w)", transport.Printable(te.Path), te.Err)
	return &e
}

// mendFolder looks whether the folder is missing, and creates it if that was asked for. With
// again, an error is why it could not be made, which counts if it turns out to be missing.
func (u *upload) mendFolder(ctx context.Context, l *session.Lease, cause error) (again bool, err error) {
	dir := path.Dir(u.part.name)
	if dir == "." || dir == "/" {
		return false, nil
	}
	if u.spec.Delivery == Drop {
		err := makeFolders(ctx, l, dir, u.spec.CreateDirs)
		return u.spec.CreateDirs && l.Usable(), err
	}
	st, err := l.Stat(ctx, dir)
	switch {
	case err == nil && !st.IsDir():
		return false, retry.Stop(&transport.Error{Op: "upload", Path: dir, Kind: transport.KindExist,
			Err: fmt.Errorf("it is a file, so nothing can be put beneath it (%w)", cause)})
	case err == nil:
		// The folder is there. It may have been made by another upload since, so that one
		// more try tells whether the refusal stands.
		return u.spec.CreateDirs, nil
	case !l.Usable():
		return false, err
	case final(err): // it shows nothing: what is there after that, the upload will tell
		err := makeFolders(ctx, l, dir, u.spec.CreateDirs)
		return u.spec.CreateDirs && l.Usable(), err
	case !errors.Is(err, fs.ErrNotExist):
		return false, nil
	case !u.spec.CreateDirs:
		return false, retry.Stop(&transport.Error{Op: "upload", Path: dir, Kind: transport.KindNotExist,
			Err: fmt.Errorf("the remote folder does not exist: create it, or set CreateDirs (%w)", cause)})
	}
	if err := MkdirAll(ctx, l, dir); err != nil {
		return false, err
	}
	return true, nil
}

// makeFolders makes a folder and those above it without a look at any: whether they are
// there then, what follows will tell. It returns why the last could not be made.
func makeFolders(ctx context.Context, l *session.Lease, name string, may bool) error {
	if name == "." || name == "/" || !may {
		return nil
	}
	above := makeFolders(ctx, l, path.Dir(name), may)
	if above != nil && !l.Usable() {
		return above
	}
	err := l.Mkdir(ctx, name)
	if above != nil && l.Usable() && errors.Is(err, fs.ErrNotExist) {
		return above
	}
	return err
}

// MkdirAll tries the folder itself first, so that the usual case, a missing leaf or
// nothing missing, costs one or two round trips. Servers say "exists" in so many ways
// that a look decides.
func MkdirAll(ctx context.Context, l *session.Lease, name string) error {
	if name == "." || name == "/" {
		return nil
	}
	err := l.Mkdir(ctx, name)
	if err == nil || !l.Usable() {
		return err
	}
	if st, serr := l.Stat(ctx, name); serr == nil {
		if st.IsDir() {
			return nil
		}
		return retry.Stop(&transport.Error{Op: "mkdir", Path: name, Kind: transport.KindExist, Err: errors.New("it is a file")})
	} else if !l.Usable() {
		return serr
	}
	parent := path.Dir(name)
	if parent == "." || parent == "/" {
		return err
	}
	if perr := MkdirAll(ctx, l, parent); perr != nil {
		return perr
	}
	err = l.Mkdir(ctx, name)
	if err != nil && l.Usable() {
		// Somebody else may have been quicker.
		if st, serr := l.Stat(ctx, name); serr == nil && st.IsDir() {
			return nil
		}
	}
	return err
}
