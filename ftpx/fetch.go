package ftpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// overlap is how much of what is there is fetched again and compared when a
// download goes on.
const overlap = 16 << 10

// fetch brings the rest of the file. It begins a little before the end of what
// is there, and compares: a part that does not match is not continued.
func (d *download) fetch(ctx context.Context, l *lease) error {
	from := max(d.at-overlap, 0)
	if d.at > 0 {
		d.res.Resumes++
		d.resumed = true
		if d.proof == "" {
			d.proof = "tail" // which is compared before a byte is written
		}
		d.c.onResume(ResumeInfo{Op: d.t.op, Local: d.t.local, Remote: d.t.remote, Offset: d.at, Size: d.size, Proof: d.proof})
	}
	d.furthest = max(d.furthest, d.at)
	w := &partWriter{d: d, pos: from}
	d.synced.start(d)
	_, err := l.Retrieve(ctx, d.remote, from, w, &transport.IO{Size: max(d.size-from, 0), Progress: func(n int64) {
		d.res.Moved += n
		l.moved = true
		d.c.stats.received.Add(n)
		report(d.c.hooks, d.opts.Progress, ProgressInfo{Op: d.t.op, Local: d.t.local, Remote: d.t.remote, Offset: w.pos, Size: d.size})
	}})
	d.synced.stop()
	if w.differs {
		if d.restarts++; d.restarts > maxRestarts {
			return retry.Stop(&transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated, Err: ErrSourceChanged})
		}
		d.at, d.furthest, d.again, d.res.Kept = 0, 0, 0, 0
		return &transport.Error{Op: "download", Path: d.remote, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%w: what was fetched before does not match, beginning again", ErrMismatch)}
	}
	if d.at > d.furthest {
		l.attempt.Progress()
	}
	if transport.KindOf(err) == transport.KindRestart {
		d.at, d.again, d.res.Kept = 0, 0, 0 // it does not go on from an offset, or not from that one
	}
	return err
}

// partWriter compares what overlaps and writes the rest at its place.
type partWriter struct {
	d       *download
	pos     int64
	differs bool
}

func (w *partWriter) Write(p []byte) (int, error) {
	done := 0
	if w.pos < w.d.at {
		n := int(min(int64(len(p)), w.d.at-w.pos))
		have := make([]byte, n)
		if _, err := w.d.file.ReadAt(have, w.pos); err != nil {
			return 0, err
		}
		if !bytes.Equal(have, p[:n]) {
			w.differs = true
			return 0, errDiffers
		}
		w.pos += int64(n)
		done = n
		if p = p[n:]; len(p) == 0 {
			return done, nil
		}
	}
	if w.d.size >= 0 && w.pos+int64(len(p)) > w.d.size {
		return done, fmt.Errorf("%w: the server sends more than the %d bytes it named", ErrSourceChanged, w.d.size)
	}
	n, err := w.d.file.WriteAt(p, w.pos)
	w.pos += int64(n)
	w.d.at = w.pos
	w.d.synced.written(w.pos)
	return done + n, err
}

// syncer brings what is written to disk from time to time and notes it in the
// sidecar, beside the transfer, so that it costs the line no waiting.
type syncer struct {
	quit chan struct{}
	done chan struct{}

	mu sync.Mutex // guards at
	at int64
}

const (
	syncEvery = 2 * time.Second
	syncBytes = 32 << 20
)

func (s *syncer) written(at int64) {
	s.mu.Lock()
	s.at = at
	s.mu.Unlock()
}

func (s *syncer) start(d *download) {
	if d.size < syncBytes {
		return // begin again rather than sync small files twice
	}
	s.at = d.at
	s.quit, s.done = make(chan struct{}), make(chan struct{})
	file, state, part := d.file, d.state, d.part
	go func() {
		defer close(s.done)
		tick := time.NewTicker(syncEvery)
		defer tick.Stop()
		for {
			select {
			case <-s.quit:
				return
			case <-tick.C:
			}
			s.mu.Lock()
			at := s.at
			s.mu.Unlock()
			// The order matters: bytes first, then the note that they are there.
			if at <= state.Durable || file.Sync() != nil {
				continue
			}
			state.Durable = at
			_ = state.write(part)
		}
	}()
}

func (s *syncer) stop() {
	if s.quit != nil {
		close(s.quit)
		<-s.done
		s.quit = nil
	}
}

// checkContent compares the part with the server's file.
func (d *download) checkContent(ctx context.Context, l *lease) error {
	caps := l.Info().Caps
	if d.verify == VerifySize || d.at == 0 {
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
		d.res.Verified.ReadBack = min(overlap, d.at)
	}
	return nil
}

func (d *download) mismatch(err error) error {
	d.restarts++
	d.at, d.furthest, d.again, d.state.Durable = 0, 0, 0, 0
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
	if d.at == 0 || d.proof != "" || algo == "" {
		return nil
	}
	same, err := d.sameHash(ctx, l, algo, d.at)
	switch {
	case err == nil && same:
		d.proof = algo
	case err == nil:
		d.at, d.furthest, d.again, d.res.Kept, d.state.Durable = 0, 0, 0, 0, 0
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
	file, size := d.file, d.at
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
	if d.again == d.at { // the last attempt lost no more than the final reply
		d.res.Verified.ReadBack = d.again
		return nil
	}
	w := &comparer{src: fileAt{d.file}, at: d.again}
	got, err := l.Retrieve(ctx, d.remote, d.again, w, &transport.IO{Size: d.at - d.again})
	d.c.stats.received.Add(got)
	if w.differs || err == nil && d.again+got != d.at {
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

// fileAt reads a file at any offset; the end of the part is the end of the file.
type fileAt struct{ *os.File }

func (f fileAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	if errors.Is(err, io.EOF) && n == len(p) {
		err = nil
	}
	return n, err
}
