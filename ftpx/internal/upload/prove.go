package upload

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// tailLength is how much of the end of a partial is read back before a byte is
	// appended.
	tailLength = 64 << 10
	// foreignWindow is how much is read back of a partial that this call did not write, and
	// whose name does not say how it was written: more than any
	// [transport.Caps].WriteWindow of this module.
	foreignWindow = 20 << 20
)

// claim is what a file of some size has to be shown to hold, so that all of it counts as
// the beginning of the source. A size by itself proves nothing: it may belong to another
// file's remains, or have a hole where writes in flight were lost.
type claim struct {
	size  int64
	sure  int64          // what is not in doubt
	algo  string         // compare [sure, size) by this digest of the server's, if not ""
	read  transfer.Range // else read this back
	by    string         // how that proves it, in the words of ResumeInfo.Proof
	acked bool           // sure counts also where the rest differs
}

// claimOf is what is asked of the first size bytes of a remote file.
func (u *upload) claimOf(l *session.Lease, name string, size int64) claim {
	caps := l.Info().Caps
	p := &u.part
	ours := name == p.name
	if ours && caps.WriteWindow > 0 && p.window > 0 && p.acked > 0 && p.acked <= size && p.acked >= p.confirmed {
		// This very call has written it over SFTP, one request after the other
		// acknowledged: what lies before that point is not in doubt. Of what lies beyond,
		// the server may hold whatever was on its way, with holes; reading that back
		// saves sending it again.
		c := claim{size: size, sure: p.acked, read: transfer.Range{From: p.acked, To: size}, by: "tail", acked: true}
		if size == p.acked {
			c.by = "acknowledged"
		}
		return c
	}
	c := claim{size: size, read: transfer.Range{From: max(size-tailLength, 0), To: size}, by: "tail"}
	if ours {
		c.sure = min(p.confirmed, size) // proven before by this call
	}
	if c.algo = transfer.HashOfRange(caps); c.algo == "" && c.sure == 0 && size == u.src.Size() {
		c.algo = transfer.HashOf(caps)
	}
	if c.sure == size {
		c.algo = ""
	}
	switch {
	case !ours:
	case !p.known:
		// Whoever wrote it may have had writes in flight, with holes between.
		c.read.From = max(size-u.foreign(), 0)
	case p.window > 0:
		c.read.From = min(c.read.From, p.acked)
	}
	return c
}

// upTo is how much counts where the source's bytes end at same in what was read back.
func (c *claim) upTo(same int64, caps transport.Caps) int64 {
	switch {
	case same == c.size, c.acked:
		return same
	case same == c.read.From || !caps.Truncate:
		return 0
	}
	return same
}

// prove finds how many of the first size bytes of a remote file are the source's.
func (u *upload) prove(ctx context.Context, l *session.Lease, name string, size int64) (at int64, by string, err error) {
	if size == 0 || u.src.Size() >= 0 && size > u.src.Size() {
		return 0, "", nil
	}
	c := u.claimOf(l, name, size)
	if at, by, ok, err := u.byHash(ctx, l, name, &c); ok || err != nil {
		return at, by, err
	}
	known := transfer.Set{}
	if name == u.part.name {
		known = u.part.verified
	}
	b := u.newReadBack(name, c.read, known, true)
	lost := l.Do(ctx, &transport.Batch{Requests: b.requests()})
	b.note(l)
	if err := b.err(lost); err != nil {
		return 0, "", err
	}
	return c.upTo(b.same(), l.Info().Caps), c.by, nil
}

// byHash compares by the server's digest. ok is false where it has to be read back: there
// is none, or the server offers one and does not deliver it.
func (u *upload) byHash(ctx context.Context, l *session.Lease, name string, c *claim) (at int64, by string, ok bool, err error) {
	if c.algo == "" {
		return 0, "", false, nil
	}
	same, err := u.sameHash(ctx, l, name, c.algo, transfer.Range{From: c.sure, To: c.size})
	switch {
	case err == nil && same:
		return c.size, c.algo, true, nil
	case err == nil:
		return c.sure, c.algo, true, nil
	case !l.Usable():
		return 0, "", false, err
	}
	return 0, "", false, nil
}

// sameHash compares a range of a remote file with the source by the server's digest;
// without [transport.Caps].HashRanges it must be the whole. Both sides work at the same
// time.
func (u *upload) sameHash(ctx context.Context, l *session.Lease, name, algo string, r transfer.Range) (bool, error) {
	theirs := &transport.Hash{Path: name, Algo: algo, Offset: r.From, Size: r.Len()}
	if !l.Info().Caps.HashRanges {
		theirs.Size = -1
	}
	return sameDigest(ctx, l, io.NewSectionReader(u.src, r.From, r.Len()), theirs)
}

// sameDigest compares the server's digest with that of the source, while both work at the
// same time.
func sameDigest(ctx context.Context, l *session.Lease, src *io.SectionReader, theirs *transport.Hash) (bool, error) {
	mine := transfer.Begin(theirs.Algo, src)
	remote, err := l.Hash(ctx, theirs.Path, theirs.Algo, theirs.Offset, theirs.Size)
	sum, lerr := mine.Sum() // also on failure: the source must be free before we return
	if err != nil {
		return false, err
	}
	return bytes.Equal(sum, remote), lerr
}

// oneAttempt reports whether a source could not be read again.
func oneAttempt(err error) bool { return errors.Is(err, transfer.ErrNotRewindable) }
