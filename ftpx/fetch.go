package ftpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// overlap is how much of what is there is fetched again and compared when a
// download goes on.
const overlap = 16 << 10

// fetch brings the rest of the file. It begins a little before the end of what
// is there, and compares: a part that does not match is not continued.
func (d *download) fetch(ctx context.Context, l *lease) error {
	if have := d.parts.have(); have > 0 {
		d.res.Resumes++
		d.resumed = true
		if d.proof == "" {
			d.proof = "tail" // which is compared before a byte is written
		}
		d.c.onResume(ResumeInfo{Op: d.t.op, Local: d.t.local, Remote: d.t.remote, Offset: have, Size: d.size, Proof: d.proof})
	}
	d.furthest = max(d.furthest, d.parts.have())
	x := d.newLanes(ctx, l)
	// Also where nothing is missing, for the comparison.
	return d.judge(l, x, x.all(ctx, x.fetch(ctx, l, x.first(), &stretchWriter{})))
}

// judge is the end of an attempt's lanes, with the error of the main one.
func (d *download) judge(l *lease, x *lanes, err error) error {
	if x.differs {
		if d.restarts++; d.restarts > maxRestarts {
			return retry.Stop(&transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated, Err: ErrSourceChanged})
		}
		if x.apart {
			d.alone = true
			l.site.wide.learn(0)
		}
		d.nothing()
		return &transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: what was fetched before does not match, beginning again", ErrMismatch)}
	}
	if have := d.parts.have(); have > d.furthest {
		l.attempt.Progress()
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
func (d *download) checkContent(ctx context.Context, l *lease) error {
	caps := l.Info().Caps
	if d.verify == VerifySize || d.at() == 0 {
		return nil
	}
	if algo := hashFor(caps, len(caps.Hashes) > 0); algo != "" {
		same, err := d.sameHash(ctx, l, algo, -1)
		switch {
		case err == nil && same:
			d.res.Verified.Hash = algo
			return nil
		case err == nil:
			return d.mismatch(fmt.Errorf("%w: their %s differ", ErrMismatch, algo))
		case !l.Usable():
			return err
		}
	}
	if d.verify == VerifyFull {
		return d.readAgain(ctx, l)
	}
	if d.resumed {
		// The seams were compared as they were made; that the file was not
		// exchanged after the last of them, its time tells.
		st, err := l.Stat(ctx, d.remote)
		if err != nil {
			return err
		}
		if !sameRemote(*d.seen, st) {
			return d.mismatch(ErrSourceChanged)
		}
		d.res.Verified.ReadBack = min(overlap, d.at())
	}
	return nil
}

func (d *download) mismatch(err error) error {
	d.restarts++
	d.nothing()
	e := &transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated, Err: err}
	if d.restarts >= maxRestarts {
		return retry.Stop(e)
	}
	return e
}

// provePrefix compares what an earlier call left with the server's file, where the
// server gives a hash of ranges: what fetch compares is the end of it alone.
func (d *download) provePrefix(ctx context.Context, l *lease) error {
	caps := l.Info().Caps
	algo := hashFor(caps, caps.HashRanges)
	if d.at() == 0 || d.proof != "" || algo == "" {
		return nil
	}
	same, err := d.sameHash(ctx, l, algo, d.at())
	switch {
	case err == nil && same:
		d.proof = algo
	case err == nil:
		d.nothing()
		d.parts = stretchesOf(nil, d.end())
		return d.cut()
	case transport.KindOf(err) == transport.KindLocal || !l.Usable():
		return err
	}
	return nil
}

// sameHash compares n bytes from the beginning, all there is for -1, with the
// server's digest. Both sides work at the same time.
func (d *download) sameHash(ctx context.Context, l *lease, algo string, n int64) (bool, error) {
	sum := make(chan []byte, 1)
	var lerr error
	file, size := d.file, d.at()
	go func() {
		h := newHash(algo)
		_, lerr = io.Copy(h, io.NewSectionReader(file, 0, size))
		sum <- h.Sum(nil)
	}()
	remote, err := l.Hash(ctx, d.remote, algo, 0, n)
	mine := <-sum
	if err != nil {
		return false, err
	}
	if lerr != nil {
		return false, &transport.LocalError{Err: lerr}
	}
	return bytes.Equal(mine, remote), nil
}

// readAgain fetches the whole file a second time and compares.
func (d *download) readAgain(ctx context.Context, l *lease) error {
	if d.again == d.at() { // the last attempt lost no more than the final reply
		d.res.Verified.ReadBack = d.again
		return nil
	}
	w := &comparer{src: fileAt{d.file}, at: d.again}
	got, err := l.Retrieve(ctx, d.remote, d.again, w, &transport.IO{Size: d.at() - d.again})
	d.c.stats.received.Add(got)
	if w.differs || err == nil && d.again+got != d.at() {
		return d.mismatch(fmt.Errorf("%w: at byte %d", ErrMismatch, w.at))
	}
	if transport.KindOf(err) == transport.KindRestart {
		d.again = 0
		return err
	}
	if w.at > d.again { // the next attempt goes on from there
		d.again = w.at
		l.attempt.Progress()
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
