package ftpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// check verifies the finished partial. All FTP servers answer 226 to a file that
// lost its end, so that the size is asked for whatever they said.
func (u *upload) check(ctx context.Context, l *lease) error {
	want := u.src.size()
	if want < 0 {
		want = u.acked
	}
	got := int64(-1)
	if u.ended != nil {
		got = u.ended.Size
	}
	u.ended = nil
	if got != want { // a word that came with the file's end may be one from before it
		st, err := l.Stat(ctx, u.partial)
		if errors.Is(err, fs.ErrNotExist) && u.acknowledged {
			st, err = u.awaitName(ctx, l)
		}
		if err != nil {
			return err
		}
		got = st.Size
	}
	if got < 0 {
		var err error
		if got, err = sizeByList(ctx, l, u.partial); err != nil {
			return err
		}
	}
	if got != want {
		u.acknowledged = false // it was no true word
		if got > want {
			u.scratch = true
		}
		return &transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTruncated, Protocol: l.proto, Addr: l.Info().Addr,
			Err: fmt.Errorf("the server said it was all, but holds %d of %d bytes", got, want)}
	}
	u.confirmed = want
	if len(u.seen.ranges) == 0 {
		u.seen.most = 0 // the whole is there: what is read back from here on is to check it
	}
	v := Verified{Size: true}
	if err := u.checkContent(ctx, l, want, &v); err != nil {
		return err
	}
	u.res.Verified = v
	return u.checkSource()
}

func (u *upload) checkContent(ctx context.Context, l *lease, size int64, v *Verified) error {
	if u.verify == VerifySize || size == 0 {
		return nil
	}
	caps := l.Info().Caps
	if algo := hashFor(caps, len(caps.Hashes) > 0); algo != "" {
		same, err := u.sameDigest(size)
		if u.digest == nil || algo != u.digestBy {
			same, err = u.sameHash(ctx, l, u.partial, algo, 0, size)
		}
		switch {
		case err == nil && same:
			v.Hash = algo
			return nil
		case err == nil:
			return u.mismatch(fmt.Errorf("%w: their %s differ", ErrMismatch, algo))
		case !l.Usable() || errors.Is(err, ErrOneAttempt):
			return err
		}
	}
	if u.verify == VerifyFull {
		return u.readBack(ctx, l, 0, size, &transport.Part{Last: true}, v)
	}
	if len(u.seams) == 0 {
		return nil
	}
	ranges := u.seamRanges(size)
	if caps.Overlap > 1 {
		u.readTogether(ctx, l, ranges)
	} else if l.proto.IsFTP() {
		u.readBeside(ctx, l, ranges)
	}
	for i, r := range ranges {
		part := &transport.Part{More: i+1 < len(ranges), Last: r.to == size}
		if err := u.readBack(ctx, l, r.from, r.to-r.from, part, v); err != nil {
			return err
		}
	}
	return nil
}

// sameDigest compares the source with the digest that came with the file's end.
func (u *upload) sameDigest(size int64) (bool, error) {
	if u.digest == nil {
		return false, nil
	}
	h := newHash(u.digestBy)
	if _, err := io.Copy(h, io.NewSectionReader(u.src, 0, size)); err != nil {
		return false, &transport.LocalError{Err: err}
	}
	return bytes.Equal(h.Sum(nil), u.digest), nil
}

func (u *upload) readBack(ctx context.Context, l *lease, offset, n int64, part *transport.Part, v *Verified) error {
	same, err := u.compare(ctx, l, u.partial, offset, n, part)
	if err != nil {
		return err
	}
	v.ReadBack += same
	if same != n {
		return u.mismatch(fmt.Errorf("%w: at byte %d", ErrMismatch, offset+same))
	}
	return nil
}

// mismatch lets the transfer begin again, but not for ever: what is wrong three
// times has a cause that more attempts do not cure.
func (u *upload) mismatch(err error) error {
	u.restarts++
	u.acknowledged = false
	u.scratch, u.confirmed, u.furthest, u.acked, u.window, u.seams = true, 0, 0, 0, 0, nil
	u.seen.forget()
	if u.restarts >= maxRestarts {
		return retry.Stop(&transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTruncated, Err: err})
	}
	return &transport.Error{Op: u.t.op, Path: u.partial, Kind: transport.KindTruncated, Err: err}
}

// sizeByList finds a size in the folder's listing, for servers without SIZE.
func sizeByList(ctx context.Context, l *lease, name string) (int64, error) {
	dir, base := splitPath(name)
	size := int64(-1)
	err := l.List(ctx, dir, func(e Entry) bool {
		if e.Name == base {
			size = e.Size
		}
		return size < 0
	})
	if err != nil {
		return -1, err
	}
	if size < 0 {
		return -1, retry.Stop(&transport.Error{Op: "stat", Path: name, Kind: transport.KindUnsupported,
			Err: errors.New("the server tells the file's size in no way, so that the transfer cannot be checked")})
	}
	return size, nil
}
