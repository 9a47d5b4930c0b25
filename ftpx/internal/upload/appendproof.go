package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// After a loss, what has been added is the file's size less what it was before. It counts as
// far as it is the source's. The rest is sent only if nobody else can add to the file any
// more on our behalf:
//   - Over FTP, if the server had said that the transfer had ended. The session that was
//     lost may still have bytes in its socket, and APPE adds them whenever it reads them.
//   - Over SFTP, always: what an old session still writes has its offset, and is the same
//     bytes in the same place.
//
// Else the outcome is unknown, and Offset says how far it came.

// shifted is the source where it lies in the file.
type shifted struct {
	src io.ReaderAt
	by  int64
}

func (s shifted) ReadAt(p []byte, off int64) (int, error) { return s.src.ReadAt(p, off-s.by) }

// again goes on after an attempt that has, or may have, added something.
func (a *appending) again(ctx context.Context, l *session.Lease) error {
	size, err := a.settle(ctx, l)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return retry.Stop(fmt.Errorf("the file is gone to which bytes were being added: %w", err))
	case err != nil:
		return err
	}
	n := size - a.before
	if n < 0 || n > a.most {
		return retry.Stop(a.strange(size))
	}
	sure := n
	if !l.Proto.IsFTP() {
		sure = min(a.acked, n) // what lies beyond may have holes
	}
	whole := sure == a.src.Size()
	if err := a.compare(ctx, l, sure, whole); err != nil {
		return err
	}
	switch {
	case whole:
		return a.check(ctx, l, n, size)
	case l.Proto.IsFTP() && !a.over:
		return retry.Stop(fmt.Errorf("the connection was lost while bytes were being added: %d of them are there, and whether the server still adds more cannot be known", n))
	}
	a.res.Resumes++
	a.env.Resumed(l, a.task, transfer.Position{Offset: sure, Size: a.src.Size()}, "tail")
	return a.add(ctx, l, sure)
}

// strange is the error of a size that cannot come from what was sent.
func (a *appending) strange(size int64) error {
	return fmt.Errorf("%w: the file had %d bytes, at most %d were added, and it has %d: somebody else writes to it, or the server has not added but replaced",
		transfer.ErrMismatch, a.before, a.most, size)
}

// settle asks for the file's size until it stays.
func (a *appending) settle(ctx context.Context, l *session.Lease) (int64, error) {
	deadline := time.Now().Add(settleMax)
	last := int64(-1)
	for wait := settleFirst; ; wait = min(2*wait, time.Second) {
		st, err := l.Stat(ctx, a.spec.Dest)
		if err == nil && st.Size < 0 {
			st.Size, err = sizeByList(ctx, l, a.spec.Dest)
		}
		switch {
		case err != nil:
			return 0, err
		case st.Size == last || a.over && last < 0:
			return st.Size, nil
		case time.Now().After(deadline):
			return 0, retry.Stop(errors.New("the file does not stop growing to which bytes were being added"))
		}
		last = st.Size
		if err := session.Sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
}

// check judges what the server has acknowledged: want bytes of the source, by the file's size,
// -1 where it was not told, and by its content.
func (a *appending) check(ctx context.Context, l *session.Lease, want, size int64) error {
	if size < 0 {
		var err error
		if size, err = a.settle(ctx, l); err != nil {
			return err
		}
	}
	switch got := size - a.before; {
	case got < 0 || got > want:
		a.begun = true
		return retry.Stop(a.strange(size))
	case got < want:
		a.begun = true
		return &transport.Error{Op: a.task.Op, Path: a.spec.Dest, Kind: transport.KindTruncated, Protocol: l.Proto, Addr: l.Info().Addr,
			Err: fmt.Errorf("the server said it was all, but has added %d of %d bytes", got, want)}
	}
	a.res.Verified.Size = true
	if err := a.compare(ctx, l, want, true); err != nil {
		return err
	}
	a.finish(ctx, l)
	return nil
}

// compare compares the first n bytes of the source with what was added: by the server's
// digest, or what surrounds the seam and the end, or all of it with VerifyFull. last says
// that the file ends there.
func (a *appending) compare(ctx context.Context, l *session.Lease, n int64, last bool) error {
	if n == 0 || a.spec.Verify == transfer.VerifySize && last && a.res.Attempts == 1 {
		a.arrived = n
		return nil
	}
	if done, err := a.byHash(ctx, l, n); done || err != nil {
		return err
	}
	ranges := []transfer.Range{{From: 0, To: n}}
	if a.spec.Verify != transfer.VerifyFull && n > 2*joinLength {
		ranges = []transfer.Range{{From: 0, To: joinLength}, {From: n - joinLength, To: n}}
	}
	read := int64(0)
	for i, r := range ranges {
		cmp := &transfer.Comparer{Src: shifted{a.src, a.before}, At: a.before + r.From}
		get := &transport.Retrieve{Path: a.spec.Dest, Offset: cmp.At, Limit: r.Len(), Size: r.Len(), Dst: cmp, Written: true, Last: last && i == len(ranges)-1}
		lost := l.Do(ctx, transport.NewBatch(get))
		a.env.Received(get.Received)
		switch {
		case cmp.Differs:
			return retry.Stop(fmt.Errorf("%w: at byte %d of what was added", transfer.ErrMismatch, cmp.At-a.before))
		case cmp.Err != nil && !a.unproven(l):
			return retry.Stop(cmp.Err)
		case lost != nil && cmp.Err == nil:
			return lost
		case get.Err != nil && !a.unproven(l):
			return get.Err
		case cmp.Err != nil || get.Err != nil:
			a.arrived = n
			return nil
		case get.Beyond:
			return retry.Stop(a.strange(a.before + n + 1))
		case get.Received != r.Len():
			return &transport.Error{Op: "read back", Path: a.spec.Dest, Kind: transport.KindTruncated, Err: fmt.Errorf("%d of %d bytes came", get.Received, r.Len())}
		}
		read += r.Len()
	}
	a.arrived, a.res.Verified.ReadBack = n, read
	return nil
}

// unproven reports whether the size is enough: all was sent once, in one piece, and the
// server does not let it be read, or the source cannot be read again.
func (a *appending) unproven(l *session.Lease) bool {
	return l.Usable() && a.over && a.res.Resumes == 0 && a.res.Verified.Size && a.spec.Verify != transfer.VerifyFull
}

// byHash compares by the server's digest, where it gives one of a range.
func (a *appending) byHash(ctx context.Context, l *session.Lease, n int64) (done bool, err error) {
	algo := transfer.HashOfRange(l.Info().Caps)
	if algo == "" {
		return false, nil
	}
	same, err := sameDigest(ctx, l, io.NewSectionReader(a.src, 0, n), &transport.Hash{Path: a.spec.Dest, Algo: algo, Offset: a.before, Size: n})
	switch {
	case err != nil && !l.Usable():
		return false, err
	case err != nil:
		return false, nil // it is read back
	case !same:
		return false, retry.Stop(fmt.Errorf("%w: the %s of what was added differ", transfer.ErrMismatch, algo))
	}
	a.arrived, a.res.Verified.Hash = n, algo
	return true, nil
}
