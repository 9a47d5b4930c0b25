package remotefs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// file is a file open for reading. Nothing is open on the server for it:
// each section is fetched by an operation of its own, so that a connection that is
// lost between two reads is no loss, and an idle file holds no connection. That
// the sections are of one file is looked at after each of them, before it is handed
// out: size and time must be those that it had when it was opened.
type file struct {
	fsys   *folder
	name   string // of package io/fs
	remote string
	seen   transport.Entry // as it was opened
	size   int64           // that of seen; -1 where the server did not say

	ctx       context.Context
	cancel    context.CancelFunc
	closed    atomic.Bool
	fromStart atomic.Bool // it is not sent from an offset on
	told      told

	// turn is held by whoever uses what follows; a channel, because it is held
	// during a fetch, and waiting for it must end with the context.
	turn   chan struct{}
	pos    int64
	nextAt int64 // where the last ReadAt ended
	buffer readAhead
}

var _ interface {
	fs.File
	io.ReaderAt
	io.Seeker
	io.WriterTo
} = (*file)(nil)

// NewFile returns an open file that is not part of a file system: name is its remote path,
// and what it was looked at as. ctx bounds it.
func NewFile(ctx context.Context, s Server, memory *Memory, name string, e transport.Entry) interface {
	fs.File
	io.ReaderAt
	io.Seeker
	io.WriterTo
} {
	e.Name = path.Base(name)
	return newRemoteFile(&folder{s: s, memory: memory, ctx: ctx, dir: "."}, name, name, e)
}

func newRemoteFile(r *folder, name, remote string, e transport.Entry) *file {
	f := &file{fsys: r, name: name, remote: remote, seen: e, size: e.Size, turn: make(chan struct{}, 1), nextAt: -1}
	ctx, end := r.s.Begin(r.ctx, File{Remote: remote, Size: e.Size})
	f.ctx, f.cancel = context.WithCancel(ctx)
	if f.told.end = end; end != nil {
		context.AfterFunc(f.ctx, f.told.finish)
	}
	f.buffer = readAhead{chunks: r.memory, next: firstWindow}
	return f
}

// Stat describes the file as it was opened.
func (f *file) Stat() (fs.FileInfo, error) {
	if f.closed.Load() {
		return nil, f.fail("stat", fs.ErrClosed)
	}
	return infoOf(f.seen), nil
}

// Close ends a call under way.
func (f *file) Close() error {
	if f.closed.Swap(true) {
		return f.fail("close", fs.ErrClosed)
	}
	f.cancel()
	f.told.finish()
	f.tidy()
	return nil
}

// tidy gives back the memory of a closed file, unless it is in use: then its user does.
func (f *file) tidy() {
	if !f.closed.Load() {
		return
	}
	select {
	case f.turn <- struct{}{}:
		f.buffer.drop()
		<-f.turn
	default:
	}
}

// begin waits for the turn.
func (f *file) begin(op string) error {
	if err := f.usable(op); err != nil {
		return err
	}
	select {
	case f.turn <- struct{}{}:
	case <-f.ctx.Done():
		return f.fail(op, context.Cause(f.ctx))
	}
	if err := f.usable(op); err != nil {
		f.end()
		return err
	}
	return nil
}

func (f *file) end() {
	<-f.turn
	f.tidy() // it may have been closed meanwhile
}

func (f *file) usable(op string) error {
	switch {
	case f.closed.Load():
		return f.fail(op, fs.ErrClosed)
	case f.ctx.Err() != nil:
		return f.fail(op, context.Cause(f.ctx))
	}
	return nil
}

func (f *file) fail(op string, err error) error {
	if f.closed.Load() && !errors.Is(err, fs.ErrInvalid) {
		err = fs.ErrClosed
	}
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// Read hands out what was read ahead, or fetches the next section first.
func (f *file) Read(p []byte) (int, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.end()
	if len(p) == 0 {
		return 0, nil
	}
	have, err := f.more(f.pos, len(p))
	if err != nil {
		return 0, err
	}
	if have == nil { // it is as large as a window: no detour
		begin := time.Now()
		n, err := f.fetchSlice(p, f.pos)
		if err == nil {
			f.pos += int64(n)
			f.buffer.grow(f.pos, time.Since(begin))
		}
		return n, err
	}
	n := copy(p, have)
	f.pos += int64(n)
	return n, nil
}

// more returns bytes of the file from pos on, fetched if need be, nil where size
// bytes may as well be fetched past the read-ahead, or io.EOF.
func (f *file) more(pos int64, size int) ([]byte, error) {
	if have := f.buffer.at(pos); have != nil {
		return have, nil
	}
	if f.size >= 0 && pos >= f.size {
		return nil, io.EOF
	}
	f.buffer.seek(pos)
	if int64(size) >= f.buffer.next {
		return nil, nil
	}
	begin := time.Now()
	f.buffer.window(f.size - pos)
	n, err := f.fetch(pos, f.buffer.room, &f.buffer)
	if err != nil {
		f.buffer.drop()
		return nil, err
	}
	f.buffer.off = pos
	f.buffer.grow(pos+n, time.Since(begin))
	if n == 0 {
		return nil, io.EOF
	}
	return f.buffer.at(pos), nil
}

// ReadAt leaves the position alone. Calls may overlap. It fetches what it is asked
// for, and reads ahead where calls follow one another through the file, as those
// of an io.SectionReader do.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.usable("read"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.fail("read", fs.ErrInvalid)
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.readAhead(p, off)
	if n == len(p) || err != nil {
		return n, err
	}
	m, err := f.fetchSlice(p[n:], off+int64(n))
	if n += m; err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// readAhead is ReadAt out of the read-ahead, as far as that goes; not at all while
// another call uses it.
func (f *file) readAhead(p []byte, off int64) (done int, err error) {
	select {
	case f.turn <- struct{}{}:
	default:
		return 0, nil
	}
	defer f.end()
	inOrder := off == f.nextAt
	f.nextAt = off + int64(len(p))
	for done < len(p) {
		n := f.buffer.copyAt(p[done:], off+int64(done))
		if done += n; n > 0 {
			inOrder = true
			continue
		}
		if !inOrder {
			return done, nil
		}
		have, err := f.more(off+int64(done), len(p)-done)
		if err != nil || have == nil {
			return done, err
		}
	}
	return done, nil
}

// fetchSlice fills p from off on, as far as the file goes. The end of the file is
// an error only where nothing was to be had.
func (f *file) fetchSlice(p []byte, off int64) (int, error) {
	want := int64(len(p))
	if f.size >= 0 {
		want = min(want, f.size-off)
	}
	if want <= 0 {
		return 0, io.EOF
	}
	n, err := f.fetch(off, want, &sliceWriter{p: p})
	if err == nil && n == 0 {
		err = io.EOF
	}
	return int(n), err
}

// Seek asks nothing of the server. Read-ahead begins anew elsewhere.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	if err := f.begin("seek"); err != nil {
		return 0, err
	}
	defer f.end()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.pos
	case io.SeekEnd:
		if f.size < 0 {
			return 0, f.fail("seek", errNoSize)
		}
		offset += f.size
	default:
		return 0, f.fail("seek", fs.ErrInvalid)
	}
	if offset < 0 {
		return 0, f.fail("seek", fs.ErrInvalid)
	}
	f.pos = offset
	return offset, nil
}

var errNoSize = errors.New("the server does not tell the size of this file, so its end is not known")

// WriteTo implements io.WriterTo. No connection is held while w takes its time.
func (f *file) WriteTo(w io.Writer) (int64, error) {
	if err := f.begin("read"); err != nil {
		return 0, err
	}
	defer f.end()
	var done int64
	for {
		have, err := f.more(f.pos, 0)
		if err == io.EOF {
			return done, nil
		}
		if err != nil {
			return done, err
		}
		n, err := w.Write(have)
		n = max(min(n, len(have)), 0)
		done += int64(n)
		f.pos += int64(n)
		if err == nil && n < len(have) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return done, err
		}
	}
}

// fetch brings want bytes of the file from off on to dst.
func (f *file) fetch(off, want int64, dst io.Writer) (int64, error) {
	var n int64
	var err error
	f.told.begin()
	defer func() { f.told.read(n, err) }()
	n, err = f.fsys.s.Read(f.ctx, Section{Remote: f.remote, Seen: f.seen, Offset: off, Size: want, FromStart: &f.fromStart}, dst)
	if err != nil {
		return 0, f.fail("read", err)
	}
	return n, nil
}
