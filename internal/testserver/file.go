package testserver

import (
	"io"
	"os"
	"sync"
)

// file is an open file whose writes take room from the tree's disk. Reading,
// seeking and listing are os.File's own.
type file struct {
	*os.File

	tree    *tree
	name    string // below the root
	writes  bool
	appends bool
	closing sync.Once
	closed  error
}

// Write writes at the file's offset.
func (f *file) Write(p []byte) (int, error) {
	return f.put(p, f.File.Write)
}

// WriteString is Write for strings; without it os.File's own would be promoted
// past the disk.
func (f *file) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes at off, or at the end when the file was opened for appending:
// os.File refuses WriteAt then, sshd ignores the offset. pkg/sftp handles the
// writes of one file in parallel, so pipelined appends may change places.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	if f.appends {
		return f.Write(p)
	}
	return f.put(p, func(p []byte) (int, error) { return f.File.WriteAt(p, off) })
}

// put writes what fits on the disk, so that a full disk leaves a partly written
// file as a real one does.
func (f *file) put(p []byte, write func([]byte) (int, error)) (int, error) {
	fits, full := f.tree.disk.take(len(p))
	n, err := 0, error(nil)
	if fits > 0 || len(p) == 0 {
		n, err = write(p[:fits])
	}
	if err == nil {
		err = full
	}
	return n, err
}

// ReadFrom hides os.File's, which would copy inside the kernel and past the disk.
func (f *file) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{f}, r, make([]byte, 64<<10))
}

// Close closes the file once and reports that result every time.
func (f *file) Close() error {
	f.closing.Do(func() {
		f.closed = f.File.Close()
		if f.writes && f.tree.stored != nil {
			f.tree.stored(f.name)
		}
		f.tree.files.release()
	})
	return f.closed
}
