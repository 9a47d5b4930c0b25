package ftpx

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/remotefs"
)

// File is a remote file that is open for reading, see [Client].Open. Its methods are safe
// for concurrent use; calls of Read, Seek and WriteTo take turns. Errors are *fs.PathError
// around an [*Error]; after Close they are fs.ErrClosed.
type File struct{ f reader }

// reader is what a file that can be read does.
type reader interface {
	fs.File
	io.ReaderAt
	io.Seeker
	io.WriterTo
}

var _ reader = (*File)(nil)

// NewFile returns a File that does what f does, for fakes of a [Client].
func NewFile(f interface {
	fs.File
	io.ReaderAt
	io.Seeker
	io.WriterTo
}) *File {
	return &File{f: f}
}

// Stat describes the file as it was opened. It asks nothing of the server.
func (f *File) Stat() (fs.FileInfo, error) { return f.f.Stat() }

// Read implements io.Reader. It reads ahead.
func (f *File) Read(p []byte) (int, error) { return f.f.Read(p) }

// ReadAt implements io.ReaderAt. It leaves the position of Read alone.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }

// Seek implements io.Seeker. It asks nothing of the server.
func (f *File) Seek(offset int64, whence int) (int64, error) { return f.f.Seek(offset, whence) }

// WriteTo implements io.WriterTo: io.Copy uses it.
func (f *File) WriteTo(w io.Writer) (int64, error) { return f.f.WriteTo(w) }

// Close ends a call that is under way. The second call is an error.
func (f *File) Close() error { return f.f.Close() }

// Open implements [Client].
func (c *client) Open(ctx context.Context, remotePath string) (*File, error) {
	if _, err := c.resolveFile(remotePath); err != nil {
		return nil, &Error{Op: "open", Remote: remotePath, Outcome: NotDone, Err: err}
	}
	e, err := c.Stat(ctx, remotePath)
	if err == nil && e.IsDir() {
		err = asInvalid(errors.New("it is a folder: use List, or FS"))
	}
	if err != nil {
		var own *Error
		if errors.As(err, &own) {
			err = own.Err // of which the operation is this one
		}
		return nil, &Error{Op: "open", Remote: remotePath, Outcome: NotDone, Err: err}
	}
	return NewFile(remotefs.NewFile(ctx, fsServer{c}, &c.fsMemory, remotePath, e)), nil
}

// Writer is a remote file that is being written, see [Client].Create. It is for one
// goroutine, but for Abort, which may be called from any.
type Writer struct {
	pipe   *io.PipeWriter
	cancel context.CancelCauseFunc
	done   chan struct{}

	// set before done is closed
	res      Result
	err      error
	panicked any // what code of the caller's panicked with: Close does too

	once sync.Once // ends it
}

// errAborted is why an aborted Writer's upload ends.
var errAborted = errors.New("the writer was aborted")

// NewWriter returns a Writer whose bytes put reads, to the end and no further: as
// [Client].Create does with Put, and for fakes of a Client. ctx bounds the Writer.
func NewWriter(ctx context.Context, put func(context.Context, io.Reader) (Result, error)) *Writer {
	ctx, cancel := context.WithCancelCause(ctx)
	r, pipe := io.Pipe()
	w := &Writer{pipe: pipe, cancel: cancel, done: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { pipe.CloseWithError(context.Cause(ctx)) }) // put may be reading
	go func() {
		defer close(w.done)
		defer stop()
		w.err = ErrNoReturn
		defer func() {
			w.panicked = recover()
			why := w.err
			if why == nil {
				why = fs.ErrClosed
			}
			r.CloseWithError(why)
		}()
		w.res, w.err = put(ctx, r)
	}()
	return w
}

// Write implements io.Writer. It waits until the upload has taken p, which is before the
// server has it. After the upload has failed it returns the upload's error.
func (w *Writer) Write(p []byte) (int, error) { return w.pipe.Write(p) }

// Close commits the file: it ends the upload, waits until the file is there under its name
// and checked, and returns nil then. Else the error is an [*Error], whose Outcome says
// whether the file may be there all the same. After Abort it is the error of the upload
// that was aborted. A second call returns the same.
func (w *Writer) Close() error {
	w.once.Do(func() { w.pipe.Close() })
	<-w.done
	w.cancel(nil)
	if w.panicked != nil {
		panic(w.panicked)
	}
	return w.err
}

// Abort ends the upload without a file; why, which may be nil, is in its error. It does not
// wait: Close does. After Close it does nothing, so that it can be deferred.
func (w *Writer) Abort(why error) {
	if why == nil {
		why = errAborted
	}
	w.once.Do(func() { w.cancel(why) })
}

// Result says what the upload did. It is the zero value until Close has returned.
func (w *Writer) Result() Result {
	select {
	case <-w.done:
		return w.res
	default:
		return Result{}
	}
}

// Create implements [Client].
func (c *client) Create(ctx context.Context, remotePath string, opts *PutOptions) (*Writer, error) {
	if _, err := c.resolveFile(remotePath); err != nil {
		return nil, &Error{Op: "put", Remote: remotePath, Outcome: NotDone, Err: err}
	}
	return NewWriter(ctx, func(ctx context.Context, r io.Reader) (Result, error) { return c.Put(ctx, remotePath, r, opts) }), nil
}
