package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Source is what an upload reads from.
type Source interface {
	// Size is in bytes, -1 while it is not known.
	Size() int64
	// ModTime is zero if there is none.
	ModTime() time.Time
	// Identity names the content, see identify.
	Identity() (string, error)
	// Open returns the content from an offset on, ending at Size. The reader
	// before is not used any more.
	Open(offset int64) (io.Reader, error)
	// ReadAt serves to prove what the server has. It fails with transfer.ErrNotRewindable
	// for what is not there any more.
	io.ReaderAt
	// Check returns ErrSourceChanged if the content is not what it was.
	Check() error
	Close()
}

// fileSource is a regular file, held open, so that one that is put in its place
// by a rename does not mix with it.
type fileSource struct {
	f    *os.File
	info fs.FileInfo
}

// OpenFile opens a regular file. It looks at the name first, because opening a
// device can do something (rewind a tape) and opening a pipe can wait for ever,
// whatever the context says; then at what it has opened, which nobody can
// exchange any more, and which was opened in a way that does not wait either.
func OpenFile(name string) (Source, error) {
	info, err := os.Stat(name)
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, &transport.LocalError{Err: err}
	}
	f, err := OpenToRead(name)
	if err != nil {
		return nil, &transport.LocalError{Err: err}
	}
	if info, err = f.Stat(); err == nil {
		err = regular(name, info)
	}
	if err != nil {
		f.Close()
		return nil, &transport.LocalError{Err: err}
	}
	return &fileSource{f: f, info: info}, nil
}

// regular returns an error that names the remedy for what Upload cannot send.
func regular(name string, info fs.FileInfo) error {
	what := ""
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a folder: upload its files one by one, or use the uploader"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "not a regular file"
	}
	if !info.IsDir() {
		what += ": use Put to send from a stream"
	}
	return &fs.PathError{Op: "upload", Path: name, Err: errors.New(what)}
}

func (s *fileSource) Size() int64               { return s.info.Size() }
func (s *fileSource) ModTime() time.Time        { return s.info.ModTime() }
func (s *fileSource) Close()                    { s.f.Close() }
func (s *fileSource) Identity() (string, error) { return identify(s.f, s.Size(), s.ModTime()) }

// Open returns an *io.LimitedReader of the *os.File, which the plain FTP driver
// sends without copying.
func (s *fileSource) Open(offset int64) (io.Reader, error) {
	if _, err := s.f.Seek(offset, io.SeekStart); err != nil {
		return nil, &transport.LocalError{Err: err}
	}
	return &io.LimitedReader{R: s.f, N: s.Size() - offset}, nil
}

func (s *fileSource) ReadAt(p []byte, off int64) (int, error) { return s.f.ReadAt(p, off) }

func (s *fileSource) Check() error {
	now, err := s.f.Stat()
	if err != nil {
		return &transport.LocalError{Err: err}
	}
	if now.Size() != s.Size() || !now.ModTime().Equal(s.ModTime()) {
		return &transport.LocalError{Err: fmt.Errorf("%w: it had %d bytes and was last written %s, now %d bytes and %s",
			transfer.ErrSourceChanged, s.Size(), s.ModTime().Format(time.RFC3339Nano), now.Size(), now.ModTime().Format(time.RFC3339Nano))}
	}
	return nil
}

// readerSource is a caller's reader that can be read at any offset.
type readerSource struct {
	r    io.ReaderAt
	n    int64
	when time.Time
}

func (s *readerSource) Size() int64               { return s.n }
func (s *readerSource) ModTime() time.Time        { return s.when }
func (s *readerSource) Close()                    {}
func (s *readerSource) Identity() (string, error) { return identify(s.r, s.n, s.when) }
func (s *readerSource) Check() error              { return nil }
func (s *readerSource) Open(offset int64) (io.Reader, error) {
	return io.NewSectionReader(s.r, offset, s.n-offset), nil
}
func (s *readerSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := io.NewSectionReader(s.r, 0, s.n).ReadAt(p, off)
	return n, err
}

// seekReaderAt makes an io.ReaderAt of an io.ReadSeeker, one read at a time.
type seekReaderAt struct {
	mu sync.Mutex
	r  io.ReadSeeker
}

func (s *seekReaderAt) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.r.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// NewSource finds out how often a caller's reader can be read. mtime is set on the remote
// file, and of what cannot be read twice as much is kept as bound says: 0 for the default,
// less for nothing.
func NewSource(r io.Reader, mtime time.Time, bound int64) (Source, error) {
	if f, ok := r.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return nil, &transport.LocalError{Err: err}
		}
		if info.Mode().IsRegular() {
			// The caller keeps the file, and closes it.
			return &putFile{fileSource{f: f, info: info}, mtime}, nil
		}
		return newSpool(r, mtime, bound), nil
	}
	sk, ok := r.(io.ReadSeeker)
	if !ok {
		return newSpool(r, mtime, bound), nil
	}
	n, err := sk.Seek(0, io.SeekEnd)
	if err != nil {
		return newSpool(r, mtime, bound), nil // a Seeker in name alone, such as a pipe's
	}
	if _, err := sk.Seek(0, io.SeekStart); err != nil {
		return nil, &transport.LocalError{Err: err}
	}
	ra, ok := r.(io.ReaderAt)
	if !ok {
		ra = &seekReaderAt{r: sk}
	}
	return &readerSource{r: ra, n: n, when: mtime}, nil
}

// putFile is an *os.File given to Put.
type putFile struct {
	fileSource
	when time.Time
}

func (s *putFile) ModTime() time.Time { return s.when }
func (s *putFile) Close()             {}
