package download

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// overlap is how much of what is there is fetched again and compared when a
// download goes on.
const overlap = 16 << 10

// fetch brings the rest of the file. It begins a little before the end of what
// is there, and compares: a part that does not match is not continued.
func (d *download) fetch(ctx context.Context, l *session.Lease) error {
	if have := d.parts.have(); have > 0 {
		d.res.Resumes++
		d.resumed = true
		if d.proof == "" {
			d.proof = "tail" // which is compared before a byte is written
		}
		d.env.Resumed(l, d.task, transfer.Position{Offset: have, Size: d.size}, d.proof)
	}
	d.furthest = max(d.furthest, d.parts.have())
	x := d.newStreams(ctx, l)
	// Also where nothing is missing, for the comparison.
	return d.judge(l, x, x.all(ctx, x.fetch(ctx, l, x.first(), &segmentWriter{})))
}

// judge is the end of an attempt's streams, with the error of the main one.
func (d *download) judge(l *session.Lease, x *streams, err error) error {
	if x.differs {
		if d.restarts++; d.restarts > transfer.MaxRestarts {
			return retry.Stop(&transport.Error{Op: "download", Path: d.spec.Remote, Kind: transport.KindTruncated, Err: transfer.ErrSourceChanged})
		}
		if x.apart {
			d.single = true
			l.Host.Streams.Learn(0)
		}
		d.nothing()
		return &transport.Error{Op: "download", Path: d.spec.Remote, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: what was fetched before does not match, beginning again", transfer.ErrMismatch)}
	}
	if have := d.parts.have(); have > d.furthest {
		l.Attempt.Progress()
		d.furthest = have
	}
	if transport.KindOf(err) == transport.KindRestart {
		// It does not go on from an offset, or not from that one. To get as far again
		// is no progress.
		furthest := d.furthest
		d.nothing()
		d.furthest = furthest
	}
	return err
}

// checkContent compares the part with the server's file.
func (d *download) checkContent(ctx context.Context, l *session.Lease) error {
	caps := l.Info().Caps
	if d.spec.Verify == transfer.VerifySize || d.at() == 0 {
		return nil
	}
	if algo := transfer.HashOf(caps); algo != "" {
		same, err := d.sameHash(ctx, l, algo, -1)
		switch {
		case err == nil && same:
			d.res.Verified.Hash = algo
			return nil
		case err == nil:
			return d.mismatch(fmt.Errorf("%w: their %s differ", transfer.ErrMismatch, algo))
		case !l.Usable():
			return err
		}
	}
	if d.spec.Verify == transfer.VerifyFull {
		return d.readAgain(ctx, l)
	}
	if d.resumed {
		// The seams were compared as they were made; that the file was not
		// exchanged after the last of them, its time tells.
		st, err := l.Stat(ctx, d.spec.Remote)
		if err != nil {
			return err
		}
		if !sameRemote(*d.seen, st) {
			return d.mismatch(transfer.ErrSourceChanged)
		}
		d.res.Verified.ReadBack = min(overlap, d.at())
	}
	return nil
}

func (d *download) mismatch(err error) error {
	d.restarts++
	d.nothing()
	e := &transport.Error{Op: "download", Path: d.spec.Remote, Kind: transport.KindTruncated, Err: err}
	if d.restarts >= transfer.MaxRestarts {
		return retry.Stop(e)
	}
	return e
}

// provePrefix compares what an earlier call left with the server's file, where the
// server gives a hash of ranges: what fetch compares is the end of it alone.
func (d *download) provePrefix(ctx context.Context, l *session.Lease) error {
	caps := l.Info().Caps
	algo := transfer.HashOfRange(caps)
	if d.at() == 0 || d.proof != "" || algo == "" {
		return nil
	}
	same, err := d.sameHash(ctx, l, algo, d.at())
	switch {
	case err == nil && same:
		d.proof = algo
	case err == nil:
		d.nothing()
		d.parts = segmentsOf(nil, d.end())
		return d.cut()
	case transport.KindOf(err) == transport.KindLocal || !l.Usable():
		return err
	}
	return nil
}

// sameHash compares n bytes from the beginning, all there is for -1, with the server's
// digest. Both sides work at the same time.
func (d *download) sameHash(ctx context.Context, l *session.Lease, algo string, n int64) (bool, error) {
	mine := transfer.Begin(algo, io.NewSectionReader(d.local.file, 0, d.at()))
	remote, err := l.Hash(ctx, d.spec.Remote, algo, 0, n)
	sum, lerr := mine.Sum()
	if err != nil {
		return false, err
	}
	return bytes.Equal(sum, remote), lerr
}

// readAgain fetches the whole file a second time and compares.
func (d *download) readAgain(ctx context.Context, l *session.Lease) error {
	if d.again == d.at() { // the last attempt lost no more than the final reply
		d.res.Verified.ReadBack = d.again
		return nil
	}
	w := &transfer.Comparer{Src: fileAt{d.local.file}, At: d.again}
	got, err := l.Retrieve(ctx, d.spec.Remote, d.again, w, &transport.IO{Size: d.at() - d.again})
	d.env.Received(got)
	if w.Differs || err == nil && d.again+got != d.at() {
		return d.mismatch(fmt.Errorf("%w: at byte %d", transfer.ErrMismatch, w.At))
	}
	if transport.KindOf(err) == transport.KindRestart {
		d.again = 0
		return err
	}
	if w.At > d.again { // the next attempt goes on from there
		d.again = w.At
		l.Attempt.Progress()
	}
	if err == nil {
		d.res.Verified.ReadBack = d.again
	}
	return err
}

// sameAt compares what is in a file at an offset.
func sameAt(f *os.File, offset int64, want []byte) (bool, error) {
	have := make([]byte, len(want))
	if _, err := f.ReadAt(have, offset); err != nil {
		return false, err
	}
	return bytes.Equal(have, want), nil
}

// fileAt reads a file at any offset; the end of the part is the end of the file.
type fileAt struct{ *os.File }

func (f fileAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	if errors.Is(err, io.EOF) && n == len(p) {
		err = nil
	}
	return n, err
}
