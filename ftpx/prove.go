package ftpx

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// tailLength is how much of the end of a partial is read back before a byte
	// is appended.
	tailLength = 64 << 10
	// foreignWindow is how much is read back of a partial that this call did not
	// write: more than any [transport.Caps].WriteWindow of this module.
	foreignWindow = 20 << 20
	// seamLength is how much is read back on each side of a seam afterwards.
	seamLength = 16 << 10
	// seamGap is how much between two of those is read with them, which costs less
	// than to ask twice.
	seamGap = 128 << 10
)

// prove finds how many of the first size bytes of a remote file are the
// source's. A size alone proves nothing: it may belong to another file's
// remains, or have a hole where writes in flight were lost.
func (u *upload) prove(ctx context.Context, l *lease, name string, size int64) (at int64, proof string, err error) {
	caps := l.Info().Caps
	if src := u.src.size(); src >= 0 && size > src {
		return 0, "", nil // more than the source has
	}
	if size == 0 {
		return 0, "", nil
	}
	if name == u.partial && caps.WriteWindow > 0 && u.window > 0 && u.acked > 0 && u.acked <= size && u.acked >= u.confirmed {
		return u.beyondAcked(ctx, l, size)
	}
	known := int64(0) // proven before by this call
	if name == u.partial {
		known = min(u.confirmed, size)
	}
	whole := known == 0 && size == u.src.size()
	if algo := hashFor(caps, caps.HashRanges || whole && len(caps.Hashes) > 0); algo != "" && known < size {
		same, err := u.sameHash(ctx, l, name, algo, known, size-known)
		switch {
		case err == nil && same:
			return size, algo, nil
		case err == nil:
			return known, algo, nil
		case !l.Usable():
			return 0, "", err
		}
		// It offers a hash and does not deliver it: read back instead.
	}
	part := &transport.Part{More: name == u.partial && (size < u.src.size() || len(u.seams) > 0), Last: true}
	from := max(size-tailLength, 0)
	if name == u.partial {
		switch {
		case !u.looked:
			// Whoever wrote it may have had writes in flight, with holes between.
			from = max(size-foreignWindow, 0)
		case u.window > 0:
			from = min(from, u.acked)
		}
	}
	same, err := u.compare(ctx, l, name, from, size-from, part)
	u.beyond = part.Beyond
	if err != nil {
		return 0, "", err
	}
	if from+same == size {
		return size, "tail", nil
	}
	if same == 0 || !caps.Truncate {
		return 0, "", nil
	}
	return from + same, "tail", nil
}

// beyondAcked judges a partial that this very call has written over SFTP, one
// request after the other acknowledged: what lies before that point is not in
// doubt. Of what lies beyond, the server may hold whatever was on its way, with
// holes; reading that back saves sending it again.
func (u *upload) beyondAcked(ctx context.Context, l *lease, size int64) (at int64, proof string, err error) {
	if size == u.acked {
		return size, "acknowledged", nil
	}
	same, err := u.compare(ctx, l, u.partial, u.acked, size-u.acked, nil)
	if errors.Is(err, ErrOneAttempt) {
		err = nil // a source that cannot be read again can still go on from there
	}
	if err != nil {
		return 0, "", err
	}
	if same == 0 {
		return u.acked, "acknowledged", nil
	}
	return u.acked + same, "tail", nil
}

// compare reads n bytes of a remote file back and returns how many of them, from
// the first on, are the source's.
func (u *upload) compare(ctx context.Context, l *lease, name string, offset, n int64, part *transport.Part) (same int64, err error) {
	if name == u.partial {
		begin, start := offset, u.seen.skip(offset, n)
		defer func() {
			if u.seen.add(start, start+same) {
				l.attempt.Progress()
			}
			same += start - begin
		}()
		if offset, n = start, offset+n-start; n == 0 {
			return 0, nil
		}
	}
	return u.readAndCompare(ctx, l, name, offset, n, part)
}

// readAndCompare is compare, of all n bytes.
func (u *upload) readAndCompare(ctx context.Context, l *lease, name string, offset, n int64, part *transport.Part) (int64, error) {
	if part == nil {
		part = &transport.Part{}
	}
	w := &comparer{src: u.src, at: offset}
	rctx, begun, end := u.unheld(ctx, l)
	w.begun = begun
	got, err := l.Retrieve(rctx, name, offset, w, &transport.IO{Size: n, Limit: n, Part: part})
	err = end(err)
	if w.differs {
		err = nil // it stopped us, we stopped it
	}
	var local *transport.LocalError
	if errors.As(w.err, &local) {
		return w.at - offset, w.err
	}
	if err == nil && !w.differs && got != n {
		err = &transport.Error{Op: "read back", Path: name, Kind: transport.KindTruncated, Err: fmt.Errorf("%d of %d bytes came", got, n)}
	}
	u.c.stats.received.Add(got)
	return w.at - offset, err
}

// comparer is a writer that compares what it is given with a source.
type comparer struct {
	src     io.ReaderAt
	at      int64
	buf     []byte
	begun   func()
	differs bool
	err     error
}

var errDiffers = errors.New("the bytes differ from the source's")

func (w *comparer) Write(p []byte) (int, error) {
	if w.begun != nil {
		w.begun()
	}
	if len(w.buf) < len(p) {
		w.buf = make([]byte, len(p))
	}
	b := w.buf[:len(p)]
	if n, err := w.src.ReadAt(b, w.at); n < len(p) {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: it ends at %d", ErrSourceChanged, w.at+int64(n))
		}
		w.err = &transport.LocalError{Err: err}
		return 0, w.err
	}
	if bytes.Equal(b, p) {
		w.at += int64(len(p))
		return len(p), nil
	}
	i := 0
	for b[i] == p[i] {
		i++
	}
	w.at += int64(i)
	w.differs = true
	return i, errDiffers
}

// hashes are the algorithms that both sides may know. sha256 comes first
// because processors have instructions for it.
var hashes = []struct {
	name string
	make func() hash.Hash
}{
	{"sha256", sha256.New}, {"sha512", sha512.New}, {"sha1", sha1.New}, {"md5", md5.New},
	{"crc32", func() hash.Hash { return crc32.NewIEEE() }},
}

// hashFor picks an algorithm that the server offers, "" if there is none. An
// error in transmission is what it must find, not a forger.
func hashFor(caps transport.Caps, need bool) string {
	if !need {
		return ""
	}
	for _, h := range hashes {
		if caps.HasHash(h.name) {
			return h.name
		}
	}
	return ""
}

func newHash(name string) hash.Hash {
	for _, h := range hashes {
		if h.name == name {
			return h.make()
		}
	}
	return nil
}

// sameHash compares a range of a remote file with the source by the server's
// digest; without [transport.Caps].HashRanges it must be the whole. Both sides
// work at the same time.
func (u *upload) sameHash(ctx context.Context, l *lease, name, algo string, offset, n int64) (bool, error) {
	type result struct {
		sum []byte
		err error
	}
	local := make(chan result, 1)
	part := io.NewSectionReader(u.src, offset, n)
	go func() {
		h := newHash(algo)
		_, err := io.Copy(h, part)
		local <- result{h.Sum(nil), err}
	}()
	if !l.Info().Caps.HashRanges {
		n = -1
	}
	remote, err := l.Hash(ctx, name, algo, offset, n)
	mine := <-local // also on failure: the source must be free before we return
	if err != nil {
		return false, err
	}
	if mine.err != nil {
		return false, &transport.LocalError{Err: mine.err}
	}
	return bytes.Equal(mine.sum, remote), nil
}
