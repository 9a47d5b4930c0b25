package remotefs

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Read-ahead of files opened through ftpx.Files.FS. A window is what one operation
// fetches: it doubles while a file is read in order, and ends where the line would
// take long to bring it, since a Read waits for all of it.
const (
	chunkSize   = 256 << 10
	firstWindow = chunkSize
	maxWindow   = 8 << 20
	// Windows that took less than windowFast double, those that took more than
	// windowSlow halve.
	windowFast = 500 * time.Millisecond
	windowSlow = 2 * time.Second
	// maxChunks bounds the read-ahead of all files of a client together, to
	// 64 MiB. Each has a chunk of its own besides, so that none waits for another.
	maxChunks = 64 << 20 / chunkSize
)

// Memory is the memory of a client's read-ahead.
type Memory struct {
	used atomic.Int64
	free sync.Pool // of *[chunkSize]byte
}

// Used is how many chunks are in use.
func (p *Memory) Used() int64 { return p.used.Load() }

// reserve takes room for up to n chunks, and for one at least.
func (p *Memory) reserve(n int64) int64 {
	for {
		used := p.used.Load()
		got := max(min(n, maxChunks-used), 1)
		if p.used.CompareAndSwap(used, used+got) {
			return got
		}
	}
}

func (p *Memory) get() *[chunkSize]byte {
	if b, ok := p.free.Get().(*[chunkSize]byte); ok {
		return b
	}
	return new([chunkSize]byte)
}

// release gives back the room of n chunks, and those that were filled.
func (p *Memory) release(n int64, chunks ...*[chunkSize]byte) {
	p.used.Add(-n)
	for _, c := range chunks {
		p.free.Put(c)
	}
}

// readAhead is what was fetched of a file before it was asked for.
type readAhead struct {
	chunks *Memory

	off      int64 // where the first chunk begins in the file
	n        int64 // how many bytes there are from there on
	bufs     []*[chunkSize]byte
	reserved int64 // of the pool, those not yet written included

	next int64 // size of the next window
	room int64 // of the one that is being filled
	end  int64 // where the last one ended: reading there is reading in order
}

// at returns the bytes at pos, as far as they lie in one chunk, and gives back
// what lies in chunks before it.
func (a *readAhead) at(pos int64) []byte {
	if pos < a.off || pos >= a.off+a.n {
		return nil
	}
	if k := (pos - a.off) / chunkSize; k > 0 {
		a.chunks.release(k, a.bufs[:k]...)
		clear(a.bufs[:k])
		a.bufs = a.bufs[k:]
		a.off += k * chunkSize
		a.n -= k * chunkSize
		a.reserved -= k
	}
	return a.bufs[0][pos-a.off : min(a.n, chunkSize)]
}

// copyAt copies what there is at off.
func (a *readAhead) copyAt(p []byte, off int64) (done int) {
	for done < len(p) && off >= a.off && off < a.off+a.n {
		k := (off - a.off) / chunkSize
		begin := off - a.off - k*chunkSize
		n := copy(p[done:], a.bufs[k][begin:min(a.n-k*chunkSize, chunkSize)])
		done += n
		off += int64(n)
	}
	return done
}

// seek forgets what there is, to begin at pos.
func (a *readAhead) seek(pos int64) {
	if pos != a.end {
		a.next = firstWindow
	}
	a.drop()
}

// drop gives all memory back.
func (a *readAhead) drop() {
	a.chunks.release(a.reserved, a.bufs...)
	a.off, a.n, a.bufs, a.reserved = 0, 0, nil, 0
}

// window makes room for the next window, of which left bytes are in the file,
// less than 0 if that is not known. What is a little longer than a window is
// fetched whole: over FTP, ending a transfer before its end has its price.
func (a *readAhead) window(left int64) {
	size := a.next
	if left >= 0 && (left <= size || left <= 2*size && left <= maxWindow) {
		size = left
	}
	a.reserved = a.chunks.reserve((size + chunkSize - 1) / chunkSize)
	a.room = min(size, a.reserved*chunkSize)
}

// Write fills the window.
func (a *readAhead) Write(p []byte) (done int, err error) {
	for done < len(p) {
		if a.n >= a.reserved*chunkSize {
			return done, io.ErrShortWrite
		}
		if a.n == int64(len(a.bufs))*chunkSize {
			a.bufs = append(a.bufs, a.chunks.get())
		}
		n := copy(a.bufs[len(a.bufs)-1][a.n%chunkSize:], p[done:])
		done += n
		a.n += int64(n)
	}
	return done, nil
}

// grow is told that what was fetched up to end took a time.
func (a *readAhead) grow(end int64, took time.Duration) {
	a.end = end
	switch {
	case took > windowSlow:
		a.next = max(a.next/2, firstWindow)
	case took < windowFast:
		a.next = min(a.next*2, maxWindow)
	}
}

// sliceWriter writes into p.
type sliceWriter struct{ p []byte }

func (w *sliceWriter) Write(b []byte) (int, error) {
	n := copy(w.p, b)
	w.p = w.p[n:]
	if n < len(b) {
		return n, io.ErrShortWrite
	}
	return n, nil
}
