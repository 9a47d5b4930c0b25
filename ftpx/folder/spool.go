package folder

import (
	"bufio"
	"encoding/binary"
	"io"
	"iter"
	"os"
)

// surplusEntry is something that is to be deleted.
type surplusEntry struct {
	rel     string
	size    int64
	dir     bool
	partial bool // an old unfinished transfer
}

// inMemory is how many entries a spool holds before it takes a file.
const inMemory = 4096

// spool is a list that may grow long: what does not fit goes into a temporary file.
type spool struct {
	n    int
	head []surplusEntry
	file *os.File
	w    *bufio.Writer
}

func (s *spool) add(e surplusEntry) error {
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
	b := binary.AppendVarint(nil, e.size)
	b = binary.AppendUvarint(b, uint64(len(e.rel)))
	flags := byte(0)
	if e.dir {
		flags |= 1
	}
	if e.partial {
		flags |= 2
	}
	_, err := s.w.Write(append(append(b, flags), e.rel...))
	return err
}

// all goes through the list in the order in which it was made. An error comes last.
func (s *spool) all() iter.Seq2[surplusEntry, error] {
	return func(yield func(surplusEntry, error) bool) {
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
			var e surplusEntry
			if err == nil {
				e, err = readSurplus(r)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func readSurplus(r *bufio.Reader) (e surplusEntry, err error) {
	if e.size, err = binary.ReadVarint(r); err != nil {
		return e, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return e, err
	}
	flags, err := r.ReadByte()
	if err != nil {
		return e, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	e.rel, e.dir, e.partial = string(b), flags&1 != 0, flags&2 != 0
	return e, err
}

func (s *spool) close() {
	if s.file != nil {
		s.file.Close()
		os.Remove(s.file.Name())
	}
}
