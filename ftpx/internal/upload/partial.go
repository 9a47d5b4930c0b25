package upload

import (
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// partial is what is known of the partial on the server. To begin again is one
// assignment of a new value.
type partial struct {
	name       string
	generation int
	reach      reach // which window its name tells
	known      bool  // it has been looked for
	confirmed  int64 // bytes that the server has shown to hold
	acked      int64 // of those, what it acknowledged to this call
	window     int64 // Caps.WriteWindow of the connection that wrote last
	held       int64 // its size where this attempt ended for want of room
	full       int64 // where a session that was well could write no more, 0 if none was
	blocked    int   // how often an older session held it
	joins      []int64
	verified   transfer.Set     // what was read back since it was written to last
	ended      *transport.Entry // as it was when a Store had failed, if the server said
	closed     bool             // the server has said that what wrote it last has ended
	restart    bool             // the next attempt begins at 0
	stale      bool             // what is there is of another call, and is not resumed
	written    bool             // payload has left for it
	opened     bool             // this attempt's session may have it open, see orphan.go
	orphan     bool             // one that was lost may
	// acknowledged: the server has said that it has all of it, see taken.go.
	acknowledged bool
}

func (u *upload) newPartial(generation int) partial {
	far := u.part.reach.far
	return partial{name: u.partialName(generation, far), generation: generation, reach: reach{far: far}}
}

// nextGeneration continues under another name: the next attempt begins at 0. What was
// found out about the first one holds: nothing of this upload is there.
func (u *upload) nextGeneration() {
	u.bereft = u.bereft || u.part.opened
	// Without a partial the name is the same, and a lost session may still empty it.
	orphan := u.spec.Delivery != Atomic && (u.part.orphan || u.part.opened)
	u.part = u.newPartial(u.part.generation + 1)
	// What an older call has left under that name is not looked at: nobody resumes it.
	u.part.known, u.part.restart, u.part.orphan = true, true, orphan
}

const (
	// lockedWorth is how much may be sent again rather than wait for a server to give up
	// an old session's lock, which takes it 60 to 300 s.
	lockedWorth = 64 << 20
	// lockedTries is how often more than that is asked for before it is sent again
	// after all.
	lockedTries = 5
)

// locked is for a partial that an older session holds. What is worth waiting for is
// waited for a while; then another takes its place.
func (u *upload) locked(worth int64) {
	if u.part.blocked++; worth > lockedWorth && u.part.blocked < lockedTries {
		return
	}
	u.nextGeneration()
	if u.part.generation <= transfer.MaxRestarts {
		u.most.confirmed = 0 // to get as far again is progress, but not for ever
	}
}

// mayArriveLate reports whether the opening of the partial may still be on its way on a
// connection that was lost: the next attempt starts at once, on one that is there, and
// the server's old session would empty the file under its hands. Nothing is lost by
// another name, since nothing of the partial is worth resuming.
func (u *upload) mayArriveLate(l *session.Lease, offset, moved int64) bool {
	size := u.src.Size()
	return !l.Usable() && offset == 0 && (moved == 0 || size >= 0 && size < resumeWorth)
}

// confirm takes note of how much the server has shown to hold.
func (u *upload) confirm(l *session.Lease, n int64) {
	u.part.confirmed = n
	if n > u.most.confirmed {
		u.most.confirmed = n
		l.Attempt.Progress()
	}
}

// verifiedRange takes note of what of the partial was read back and is the source's.
func (u *upload) verifiedRange(l *session.Lease, r transfer.Range) {
	u.part.verified = u.part.verified.With(r)
	if n := u.part.verified.Len(); n > u.most.verified {
		u.most.verified = n
		l.Attempt.Progress()
	}
}

// mismatch lets the upload begin again, but not for ever: what is wrong three times has a
// cause that more attempts do not cure.
func (u *upload) mismatch(err error) error {
	u.restarts++
	orphan := u.part.orphan || u.part.opened
	u.part = u.newPartial(u.part.generation)
	u.part.known, u.part.restart, u.part.orphan = true, true, orphan
	u.most.confirmed = 0
	fault := u.fault(transport.KindTruncated, u.part.name, err)
	if u.restarts >= transfer.MaxRestarts {
		return retry.Stop(fault)
	}
	return fault
}
