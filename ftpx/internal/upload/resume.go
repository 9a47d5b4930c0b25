package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// settleFirst is how long the server's size must stay the same before it counts, see
	// settle.
	settleFirst = 25 * time.Millisecond
	// settleMax bounds the wait for it.
	settleMax = 10 * time.Second
)

var errGrowing = errors.New("the partial grows, of which the server had said that it was closed")

// resume continues a partial that had size bytes a moment ago: the server's own size, once
// it has stopped changing, as far as it is proven to be the beginning of the source.
func (u *upload) resume(ctx context.Context, l *session.Lease, size int64) (done bool, err error) {
	settled := !u.provesEnd(l, size)
	if settled {
		size, err = u.settle(ctx, l, size)
	} else {
		err = session.Sleep(ctx, settleFirst-proofTakes(l))
	}
	if err != nil {
		return false, err
	}
	return u.resumeSettled(ctx, l, size, settled)
}

func (u *upload) resumeSettled(ctx context.Context, l *session.Lease, size int64, settled bool) (done bool, err error) {
	if size == 0 || u.src.Size() >= 0 && size > u.src.Size() {
		return u.resumeAt(ctx, l, 0, size, "")
	}
	c := u.claimOf(l, u.part.name, size)
	at, by, ok, err := u.byHash(ctx, l, u.part.name, &c)
	switch {
	case err != nil:
		return false, err
	case ok && at < size && !u.part.known && l.Info().Caps.Truncate:
		return u.resumeBefore(ctx, l, &c)
	case ok:
		return u.resumeAt(ctx, l, at, size, by)
	}
	// What proves it and what follows leave in one batch.
	b := u.newReadBack(u.part.name, c.read, u.part.verified, true)
	bctx, end := u.boundFirstByte(ctx, l, b)
	return u.putAfter(bctx, l, size, &lead{
		requests: b.requests(),
		met: func() bool {
			b.note(l)
			if b.whole() {
				u.resumed(l, size, c.by)
			}
			return b.whole()
		},
		otherwise: func(lost error) (bool, error) {
			b.note(l)
			err := end(b.err(lost))
			switch {
			case c.acked && oneAttempt(err):
				// A source that cannot be read again can still go on from there.
				return u.resumeAt(ctx, l, c.sure, size, "acknowledged")
			case b.beyond() && !settled:
				return u.stillGrowing(ctx, l, size)
			case transport.KindOf(err) == transport.KindLocked:
				u.locked(size)
			}
			if err != nil {
				return false, err
			}
			return u.resumeAt(ctx, l, c.upTo(b.same(), l.Info().Caps), size, c.by)
		},
	})
}

// resumeBefore is for a partial of another call whose digest is not that of the source: it
// may have holes among what was under way. What lies before the first is proven again.
func (u *upload) resumeBefore(ctx context.Context, l *session.Lease, c *claim) (done bool, err error) {
	b := u.newReadBack(u.part.name, c.read, transfer.Set{}, false)
	lost := l.Do(ctx, &transport.Batch{Requests: b.requests()})
	b.note(l)
	if err := b.err(lost); err != nil {
		return false, err
	}
	at := b.same()
	if at == c.size || at == c.read.From || !l.Usable() { // what differs lies before that
		return u.resumeAt(ctx, l, 0, c.size, "")
	}
	same, err := u.sameHash(ctx, l, u.part.name, c.algo, transfer.Range{To: at})
	if err != nil && !l.Usable() {
		return false, err
	}
	if err != nil || !same {
		at = 0
	}
	return u.resumeAt(ctx, l, at, c.size, c.algo)
}

// stillGrowing is for a partial of which the server had said that nobody writes it.
func (u *upload) stillGrowing(ctx context.Context, l *session.Lease, size int64) (done bool, err error) {
	u.part.closed = false // it was no true word
	if !l.Usable() {
		return false, u.fault(transport.KindTemporary, u.part.name, errGrowing)
	}
	if size, err = u.settle(ctx, l, size); err != nil {
		return false, err
	}
	return u.resumeSettled(ctx, l, size, true)
}

// resumeAt sends the rest of the source from at on, of a partial of size bytes.
func (u *upload) resumeAt(ctx context.Context, l *session.Lease, at, size int64, by string) (done bool, err error) {
	anew := at == 0 && size > 0 && !u.part.known && u.spec.Delivery == Atomic
	u.part.stale = anew
	if at < size && !l.Usable() {
		// Stopping the read-back in the middle has cost the connection.
		u.part.restart = true
		return false, u.fault(transport.KindTruncated, u.part.name,
			fmt.Errorf("%w: what was sent before does not match, beginning again", transfer.ErrMismatch))
	}
	if at < size && at > 0 {
		if err := l.Truncate(ctx, u.part.name, at); err != nil {
			if !l.Usable() {
				return false, err
			}
			at = 0
		}
	}
	if anew {
		if err := u.removeStale(ctx, l); err != nil {
			return false, err
		}
	}
	u.resumed(l, at, by)
	return u.put(ctx, l, at)
}

// removeStale removes a partial of another call that is not resumed, rather than empty it:
// a lost session may have it open still, and would write behind what is sent now, which
// leaves a hole that no window bounds. Where it cannot be removed, another takes its place.
func (u *upload) removeStale(ctx context.Context, l *session.Lease) error {
	err := l.Remove(ctx, u.part.name)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		u.part.stale = false
	case !l.Usable():
		return err
	default:
		u.nextGeneration()
	}
	return nil
}

// resumed takes note of where the upload resumes.
func (u *upload) resumed(l *session.Lease, at int64, by string) {
	if !u.part.known {
		u.part.known = true
		u.res.Kept = at
	}
	u.confirm(l, at)
	if at == 0 {
		return
	}
	u.res.Resumes++
	if at != u.src.Size() {
		u.part.joins = append(u.part.joins, at)
	}
	u.env.Resumed(l, u.task, transfer.Position{Offset: at, Size: u.src.Size()}, by)
}

// provesEnd reports whether the proof of a partial also shows that it has stopped
// growing, so that there is nothing to wait for: the server has said that what wrote it
// has ended, and the proof reads it to its end, no sooner than settleFirst after its size
// was asked for.
func (u *upload) provesEnd(l *session.Lease, size int64) bool {
	caps := l.Info().Caps
	hashed := transfer.HashOfRange(caps) != "" || size == u.src.Size() && transfer.HashOf(caps) != ""
	return u.part.closed && u.part.known && l.Proto.IsFTP() && !hashed
}

// proofTakes is the least time from the look at a partial to the end of its proof: a data
// connection, with TLS or without, is had in no fewer round trips.
func proofTakes(l *session.Lease) time.Duration {
	trips := 2
	if l.Proto.Secure() {
		trips = 3
	}
	return time.Duration(trips) * l.Info().RoundTrip
}

// settle waits until the partial has stopped growing: after a reset the server's old
// session may still be writing what it had received. A partial that grows for longer has
// another writer.
func (u *upload) settle(ctx context.Context, l *session.Lease, size int64) (int64, error) {
	deadline := time.Now().Add(settleMax)
	for wait := settleFirst; ; wait = min(2*wait, time.Second) {
		if err := session.Sleep(ctx, wait); err != nil {
			return 0, err
		}
		st, err := l.Stat(ctx, u.part.name)
		if err != nil {
			return 0, u.vanished(err)
		}
		if st.Size == size {
			return size, nil
		}
		size = st.Size
		if time.Now().After(deadline) {
			return 0, otherWriter(u.task.Op, u.part.name, u.spec.FailOnOther)
		}
	}
}
