package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// resumeWorth is the size below which sending a file again costs less than finding
	// out how far it came.
	resumeWorth = 64 << 10
	// sameWorth is the size from which on it is worth a look whether the file is there
	// already.
	sameWorth = 1 << 20
)

// resumable reports whether it is worth asking for a partial. Under a name that says nothing
// about the content, what another call has left is any file, unless the server's digest
// says more.
func (u *upload) resumable(l *session.Lease) bool {
	size := u.src.Size()
	if !u.part.known && u.anonymous() && transfer.HashOfRange(l.Info().Caps) == "" {
		return false // whatever is there, it is not gone on with
	}
	return u.spec.Delivery != Drop && !u.part.restart && (size >= resumeWorth || size < 0 && u.part.known) && !u.noRestart(l)
}

// noRestart reports whether the host is known not to continue a file.
func (u *upload) noRestart(l *session.Lease) bool { return l.Host.Offsets(l.Proto).Refused.Load() }

// looksAtDest reports whether a look at the destination can make the transfer needless
// or useless. Small files are not worth its round trip.
func (u *upload) looksAtDest() bool {
	return u.spec.Delivery != Drop && !u.part.known && (u.spec.NoReplace || u.spec.SkipSame && !u.sameSeen && u.src.Size() >= sameWorth)
}

// maySpare reports whether a file that is sent under its own name is worth a look at what
// is there: over SFTP that need not be emptied before the server has taken something. It is
// not done unseen, since a file that is new and has to be opened again, where the server does
// not cut one, would be closed twice, and taken for two.
func (u *upload) maySpare(l *session.Lease) bool {
	return u.spec.Delivery == Direct && !u.part.known && !l.Proto.IsFTP()
}

// look is what is found at both names, and what follows from it.
type look struct {
	dest, part *transport.Stat // nil where not asked
	other      *transport.Stat // the partial of the other window
	same       bool            // what is at the destination may be the source
	err        error           // it ends the attempt
}

// send brings the partial to the whole source, checked, and gives it its name if all goes
// well. Both names are asked for in the batch that sends the file. done tells that the
// upload is over: it has its name, or the very file was there.
func (u *upload) send(ctx context.Context, l *session.Lease) (done bool, err error) {
	if ended := u.part.ended; ended != nil && u.resumable(l) && !u.where.arrived && u.part.known {
		u.part.ended = nil
		if !ended.IsDir() && ended.Size >= 0 {
			return u.resume(ctx, l, ended.Size)
		}
	}
	if u.where.late {
		return u.sendLate(ctx, l)
	}
	if u.part.stale {
		if err := u.removeStale(ctx, l); err != nil {
			return false, err
		}
	}
	if err := u.choose(ctx, l); err != nil {
		return false, err
	}
	k := &look{}
	var first []transport.Request
	if u.looksAtDest() || u.maySpare(l) {
		k.dest = &transport.Stat{Path: u.spec.Dest}
		first = append(first, k.dest)
	}
	if u.resumable(l) {
		if k.part = k.dest; k.part == nil || u.part.name != u.spec.Dest {
			k.part = &transport.Stat{Path: u.part.name}
			first = append(first, k.part)
		}
		if u.looksForOther(l) {
			k.other = &transport.Stat{Path: u.otherName()}
			first = append(first, k.other)
		}
	}
	if len(first) == 0 {
		u.part.known, u.part.restart = true, false
		return u.put(ctx, l, 0)
	}
	u.part.opened = u.part.opened || !l.Proto.IsFTP() // there the partial may be made ahead
	// A file that is made ahead of the look, and then not known to be new, could not be
	// opened again where nothing may be overwritten.
	if u.orphaned(l) || u.spec.Delivery == Direct {
		lost := l.Do(ctx, &transport.Batch{Requests: first})
		if lost == nil && u.isNew(l, k) {
			return u.put(ctx, l, 0)
		}
		return u.notNew(ctx, l, k, lost)
	}
	return u.putAfter(ctx, l, 0, &lead{requests: first, met: func() bool { return u.isNew(l, k) }, otherwise: func(lost error) (bool, error) {
		return u.notNew(ctx, l, k, lost)
	}})
}

// isNew judges what was found, before a byte is sent: nothing is there to be resumed, and
// nothing speaks against sending the file.
func (u *upload) isNew(l *session.Lease, k *look) bool {
	if k.dest != nil && k.dest.Err == nil {
		if k.err = u.occupied(k.dest.Entry); k.err != nil {
			return false
		}
		st := k.dest.Entry
		u.replaces = u.maySpare(l) && st.Size != 0
		k.same = u.spec.SkipSame && st.Size >= sameWorth && st.Size == u.src.Size() && st.TimeExact && st.ModTime.Unix() == u.src.ModTime().Unix()
	}
	if k.dest != nil && u.spec.NoReplace && u.spec.Delivery != Atomic && k.dest.Err != nil && !errors.Is(k.dest.Err, fs.ErrNotExist) && l.Usable() {
		k.err = retry.Stop(fmt.Errorf("NoReplace is set, and the server does not tell whether there is a file of that name (%w)", k.dest.Err))
		return false
	}
	if k.same || k.trouble() != nil || k.resumes() {
		return false
	}
	u.part.known, u.part.restart = true, false
	return true
}

// trouble is why it is not known whether there is a partial. A server that may not tell is
// none: what it can not show is not gone on with. Stores without the right to list say
// "permission denied" of every name that is not there.
func (k *look) trouble() error {
	for _, st := range []*transport.Stat{k.part, k.other} {
		if st != nil && st.Err != nil && !errors.Is(st.Err, fs.ErrNotExist) && !final(st.Err) {
			return st.Err
		}
	}
	return nil
}

// resumes reports whether there is a partial.
func (k *look) resumes() bool { return partialIn(k.part) || partialIn(k.other) }

func partialIn(st *transport.Stat) bool {
	return st != nil && st.Err == nil && !st.Entry.IsDir() && st.Entry.Size >= 0
}

// found decides between the partials that are there, and returns the size of that which is
// resumed.
func (u *upload) found(k *look) int64 {
	if !partialIn(k.other) {
		return k.part.Entry.Size
	}
	u.other = k.other.Path
	if partialIn(k.part) {
		if k.part.Entry.Size >= k.other.Entry.Size {
			return k.part.Entry.Size
		}
		u.other = k.part.Path
	} else {
		u.other = ""
	}
	u.setFar(!u.part.reach.far)
	return k.other.Entry.Size
}

// notNew goes on where the file was not sent at once.
func (u *upload) notNew(ctx context.Context, l *session.Lease, k *look, lost error) (done bool, err error) {
	switch {
	case k.err != nil:
		return false, k.err
	case lost != nil:
		return false, lost
	}
	if k.same {
		if same, err := u.isSame(ctx, l, k.dest.Entry); same || err != nil {
			return same, err
		}
	}
	if err := k.trouble(); err != nil {
		return false, err
	}
	if k.resumes() {
		return u.resume(ctx, l, u.found(k))
	}
	u.part.known, u.part.restart = true, false
	return u.put(ctx, l, 0)
}

// occupied is the error for something at the destination that must not be replaced.
func (u *upload) occupied(st transport.Entry) error {
	switch {
	case st.IsDir():
		return retry.Stop(noPlace(u.spec.Dest, st))
	case u.spec.NoReplace:
		return retry.Stop(&transport.Error{Op: "upload", Path: u.spec.Dest, Kind: transport.KindExist,
			Err: errors.New("there is a file of that name and NoReplace is set")})
	}
	return nil
}

// isSame reports whether the file at the destination, of the source's size and time, is
// the source.
func (u *upload) isSame(ctx context.Context, l *session.Lease, st transport.Entry) (bool, error) {
	at, _, err := u.prove(ctx, l, u.spec.Dest, st.Size)
	if err == nil && at == st.Size {
		u.part.confirmed, u.res.Kept, u.res.Unchanged, u.res.TimeKept = st.Size, st.Size, true, true
		u.res.Verified = transfer.Verified{Size: true}
		if u.spec.Mode != 0 {
			u.res.ModeSet = l.SetMode(ctx, u.spec.Dest, u.spec.Mode) == nil
		}
		return true, nil
	}
	if err == nil {
		u.sameSeen = true
		if !l.Usable() { // stopping the read-back in the middle has cost it
			err = u.fault(transport.KindLost, u.spec.Dest, transfer.ErrMismatch)
		}
	}
	return false, err
}
