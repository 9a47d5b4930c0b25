package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ErrDiffers ends a transfer into a [Comparer] at the first byte that differs.
var ErrDiffers = errors.New("the bytes differ from the source's")

// Comparer is a writer that compares what it is given with a source.
type Comparer struct {
	// Src is the source.
	Src io.ReaderAt
	// At is where the next byte belongs; what lies before it was the same.
	At int64
	// Begun, if not nil, is called with each write.
	Begun func()
	// Differs: the byte at At is another.
	Differs bool
	// Err is why the source could not be read.
	Err error

	buf []byte
}

// Write compares.
func (w *Comparer) Write(p []byte) (int, error) {
	if w.Begun != nil {
		w.Begun()
	}
	if len(w.buf) < len(p) {
		w.buf = make([]byte, len(p))
	}
	b := w.buf[:len(p)]
	if n, err := w.Src.ReadAt(b, w.At); n < len(p) {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: it ends at %d", ErrSourceChanged, w.At+int64(n))
		}
		w.Err = &transport.LocalError{Err: err}
		return 0, w.Err
	}
	if bytes.Equal(b, p) {
		w.At += int64(len(p))
		return len(p), nil
	}
	i := 0
	for b[i] == p[i] {
		i++
	}
	w.At += int64(i)
	w.Differs = true
	return i, ErrDiffers
}
