package upload

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// spoolMemory is how much of a stream is kept in memory.
	spoolMemory = 1 << 20
	// defaultSpool is how much is kept in all.
	defaultSpool = 256 << 20
)

// spool is a stream that can be read once: what has gone by is kept, so that it
// can be sent again, until it is more than the bound.
type spool struct {
	r     io.Reader
	when  time.Time
	id    string
	bound int64

	mem   []byte
	file  *os.File
	read  int64 // taken from r
	kept  bool  // all of read is kept
	ended bool  // r is at its end
}

func newSpool(r io.Reader, mtime time.Time, bound int64) *spool {
	s := &spool{r: r, when: mtime, id: RandomIdentity(), bound: bound, kept: true}
	if s.bound == 0 {
		s.bound = defaultSpool
	}
	return s
}

func (s *spool) Size() int64 {
	if s.ended {
		return s.read
	}
	return -1
}

func (s *spool) ModTime() time.Time        { return s.when }
func (s *spool) Identity() (string, error) { return s.id, nil }
func (s *spool) Check() error              { return nil }

func (s *spool) Close() {
	if s.file != nil {
		name := s.file.Name()
		s.file.Close()
		os.Remove(name)
	}
}

func (s *spool) Open(offset int64) (io.Reader, error) {
	if offset > s.read || offset < s.read && !s.kept {
		return nil, &transport.LocalError{Err: fmt.Errorf("%w: %d bytes have gone by and PutOptions.Spool kept none of them", transfer.ErrNotRewindable, s.read)}
	}
	return &spoolReader{s: s, at: offset}, nil
}

// spoolReader reads what is kept, then goes on with the stream and keeps it.
type spoolReader struct {
	s  *spool
	at int64
}

func (r *spoolReader) Read(p []byte) (int, error) {
	s := r.s
	if r.at < s.read {
		n, err := s.ReadAt(p[:min(int64(len(p)), s.read-r.at)], r.at)
		r.at += int64(n)
		if n > 0 {
			err = nil
		}
		return n, err
	}
	n, err := s.r.Read(p)
	if kerr := s.keep(p[:n]); kerr != nil {
		return 0, kerr
	}
	r.at += int64(n)
	if err == io.EOF {
		s.ended = true
	}
	return n, err
}

func (s *spool) keep(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	s.read += int64(len(p))
	switch {
	case !s.kept:
	case s.read > s.bound:
		s.kept, s.mem = false, nil
		s.Close()
		s.file = nil
	case s.file == nil && s.read <= spoolMemory:
		s.mem = append(s.mem, p...)
	default:
		if s.file == nil {
			f, err := os.CreateTemp("", "ftpx-spool-*")
			if err != nil {
				return fmt.Errorf("keep what is sent for another attempt: %w", err)
			}
			s.file = f
		}
		if _, err := s.file.WriteAt(p, s.read-int64(len(p))-int64(len(s.mem))); err != nil {
			return fmt.Errorf("keep what is sent for another attempt: %w", err)
		}
	}
	return nil
}

// ReadAt reads what is kept.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if !s.kept {
		return 0, transfer.ErrNotRewindable
	}
	n := 0
	if off < int64(len(s.mem)) {
		n = copy(p, s.mem[off:])
	}
	if n < len(p) && s.file != nil {
		m, err := s.file.ReadAt(p[n:], off+int64(n)-int64(len(s.mem)))
		return n + m, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
