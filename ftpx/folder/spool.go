package folder

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"
	"os"
)

// extraEntry is something that is to be deleted.
type extraEntry struct {
	rel         string
	size        int64
	dir         bool
	partial     bool // an old unfinished transfer
	counterpart bool // the source has another spelling of it, or of a folder above it
}

func (e extraEntry) append(b []byte) []byte {
	b = appendString(binary.AppendVarint(b, e.size), e.rel)
	flags := byte(0)
	if e.dir {
		flags |= 1
	}
	if e.partial {
		flags |= 2
	}
	if e.counterpart {
		flags |= 4
	}
	return append(b, flags)
}

func (extraEntry) read(r *bufio.Reader) (e extraEntry, err error) {
	if e.size, err = binary.ReadVarint(r); err != nil {
		return e, err
	}
	if e.rel, err = readString(r); err != nil {
		return e, err
	}
	flags, err := r.ReadByte()
	e.dir, e.partial, e.counterpart = flags&1 != 0, flags&2 != 0, flags&4 != 0
	return e, err
}

// spooled is what a spool holds.
type spooled[T any] interface {
	append(b []byte) []byte
	read(r *bufio.Reader) (T, error) // of the zero value
}

// inMemory is how many entries a spool holds before it takes a file.
const inMemory = 4096

// spool is a list that may grow long: what does not fit goes into a temporary file.
type spool[T spooled[T]] struct {
	n    int
	head []T
	file *os.File
	w    *bufio.Writer
}

func (s *spool[T]) add(e T) error {
	s.n++
	if len(s.head) < inMemory {
		s.head = append(s.head, e)
		return nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "ftpx-folder-*")
		if err != nil {
			return err
		}
		s.file, s.w = f, bufio.NewWriter(f)
	}
	_, err := s.w.Write(e.append(nil))
	return err
}

// all goes through the list in the order in which it was made. An error comes last.
func (s *spool[T]) all() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, e := range s.head {
			if !yield(e, nil) {
				return
			}
		}
		if s.file == nil {
			return
		}
		err := s.w.Flush()
		if err == nil {
			_, err = s.file.Seek(0, io.SeekStart)
		}
		r := bufio.NewReader(s.file)
		for range s.n - len(s.head) {
			var e T
			if err == nil {
				e, err = e.read(r)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (s *spool[T]) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
