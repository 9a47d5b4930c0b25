package upload

import (
	"context"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// An upload that was killed leaves a partial, of which the next one has to know how far
// from its end it may have holes. FTP leaves none. SFTP leaves them among the writes that
// were under way, which its server may carry out in any order. So writers under one name
// keep to one bound, the window, and the name says which: of a partial that is found, that
// much is read back.
//
// The bound follows from the size of the file, so that it costs the same share of each. A
// near server needs little under way to be kept busy, a far one more: a partial for far
// writers has a name of its own. Files of less than splitSize have one name, and one
// window, which is enough for both.
//
// Whoever changes what windowOf returns has to change nearSalt and farSalt with it: a
// partial that an older version has left must not be found under the name of a smaller
// window.
const (
	splitSize   = 8 << 20
	smallWindow = 4 << 20 // of a smaller file

	nearShare = 160 // the window of a near one is a part in so many of the file, within bounds
	nearLeast = 384 << 10
	nearMost  = 4 << 20

	farShare = 8
	farLeast = 8 << 20
	farMost  = 16 << 20

	// nearRate is what a server has to be able to take within the near window, in bytes a
	// second, to count as near, and nearTrip the longest round trip of one: beyond it, a
	// driver may use several sessions for a file.
	nearRate = 96 << 20
	nearTrip = 16 * time.Millisecond

	nearSalt, farSalt = "window 1/160", "window 1/8"
)

// windowOf is how many bytes of a file of a size, which is known, may be under way.
func windowOf(size int64, far bool) int64 {
	switch {
	case size < splitSize:
		return smallWindow
	case far:
		return min(max(size/farShare, farLeast), farMost)
	}
	return min(max(size/nearShare, nearLeast), nearMost)
}

// isFar reports whether a connection needs the larger window to be kept busy.
func isFar(info transport.Info, size int64) bool {
	if size < splitSize || info.Caps.WriteWindow == 0 {
		return false
	}
	trip := info.RoundTrip
	return trip >= nearTrip || int64(trip.Seconds()*nearRate) > windowOf(size, false)
}

// split reports whether the source may have partials of two names.
func (u *upload) split() bool { return u.src.Size() >= splitSize && !u.anonymous() }

// reach is for which servers a partial is written.
type reach struct {
	far    bool // the larger window
	chosen bool // that was decided
}

// tripAsks is how often a server is asked something to know its round trip: what was seen
// while connecting includes the start of its processes. One that took nearTrip for each
// answer is far enough to be taken for far, and asking it would cost that again.
const tripAsks = 3

// choose decides under which name the upload begins, once: a lost session may have a file
// of that name open.
func (u *upload) choose(ctx context.Context, l *session.Lease) error {
	if u.part.reach.chosen || u.part.known || !u.split() {
		return nil
	}
	far := u.isFar(l)
	if far && l.Info().RoundTrip < nearTrip && l.Host.Trip.Ask() {
		for range tripAsks {
			if _, err := l.Stat(ctx, u.part.name); err != nil && !l.Usable() {
				return err
			}
			if far = u.isFar(l); !far {
				break
			}
		}
	}
	u.part.reach.chosen = true
	u.setFar(far)
	return nil
}

// isFar judges by the shortest round trip that was seen to the host.
func (u *upload) isFar(l *session.Lease) bool {
	info := l.Info()
	info.RoundTrip = l.Host.Trip.Shortest(info.RoundTrip)
	return isFar(info, u.src.Size())
}

// looksForOther reports whether there may be a partial of the other name that is worth
// resuming.
func (u *upload) looksForOther(l *session.Lease) bool {
	return !u.part.known && u.split() && (!l.Proto.IsFTP() || u.part.reach.far || l.Host.MayUse(transport.SFTP))
}

// otherName is the partial's name for writers of the other window.
func (u *upload) otherName() string { return u.partialName(u.part.generation, !u.part.reach.far) }

// setFar gives the partial the name for a window.
func (u *upload) setFar(far bool) {
	u.part.reach.far, u.part.name = far, u.partialName(u.part.generation, far)
}

// window is how much of the partial may be under way, 0 for as much as the driver likes:
// where the name says nothing about the content, no other call resumes it.
func (u *upload) window() int64 {
	if size := u.src.Size(); size >= 0 && !u.anonymous() {
		return windowOf(size, u.part.reach.far)
	}
	return 0
}

// foreign is how much is read back of a partial that this call did not write.
func (u *upload) foreign() int64 {
	if w := u.window(); w > 0 {
		return w + tailLength
	}
	return foreignWindow
}
