package watch

import (
	"container/heap"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// file is what is remembered of a file of the folder.
type file struct {
	path  string
	size  int64
	mtime time.Time
	exact bool

	since   time.Time // when it was first seen as it is
	due     time.Time // when it is to be looked at again, if at >= 0
	at      int       // its place in the queue, -1 for none
	scan    uint64    // the look at the folder in which it was last seen
	taken   bool      // this version has been yielded
	tries   int       // how often it failed for a reason of its own
	yielded int       // how often this version has been
	pause   time.Duration
}

// table is the files of the folder, and which of them are to be looked at when. It is
// used by one goroutine.
type table struct {
	files map[string]*file
	queue queue
	scan  uint64 // the number of the look under way

	changes int // how often a version came or a file went
}

func newTable() *table { return &table{files: map[string]*file{}} }

// observe notes what a file is like now. A version that has not been seen before is
// looked at again after the settling time.
func (t *table) observe(path string, e ftpx.Entry, now time.Time, settle time.Duration) {
	f := t.files[path]
	if f == nil {
		f = &file{path: path, at: -1}
		t.files[path] = f
	} else if f.same(e) {
		f.scan = t.scan
		if !f.taken && f.at < 0 {
			t.schedule(f, later(now, f.since.Add(settle))) // what it waited for may have come
		}
		return
	}
	t.changes++
	*f = file{path: path, size: e.Size, mtime: e.ModTime, exact: e.TimeExact, since: now, at: f.at, scan: t.scan}
	t.schedule(f, now.Add(settle))
}

// same reports whether a file is the version that was seen.
func (f *file) same(e ftpx.Entry) bool {
	return f.size == e.Size && f.mtime.Equal(e.ModTime)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// schedule has a file looked at again.
func (t *table) schedule(f *file, due time.Time) {
	f.due = due
	if f.at < 0 {
		heap.Push(&t.queue, f)
	} else {
		heap.Fix(&t.queue, f.at)
	}
}

// forget drops a file that is gone.
func (t *table) forget(path string) {
	if f := t.files[path]; f != nil {
		if f.at >= 0 {
			heap.Remove(&t.queue, f.at)
		}
		delete(t.files, path)
		t.changes++
	}
}

// sweep forgets what the look that has just ended did not see, beneath the folders that
// it could read.
func (t *table) sweep(unread func(path string) bool) {
	for path, f := range t.files {
		if f.scan != t.scan && !unread(path) {
			t.forget(path)
		}
	}
}

// next tells when the next file is to be looked at; false if none is.
func (t *table) next() (time.Time, bool) {
	if len(t.queue) == 0 {
		return time.Time{}, false
	}
	return t.queue[0].due, true
}

// pop takes the next file out of the queue, if it is due; nil if none is.
func (t *table) pop(now time.Time) *file {
	if due, ok := t.next(); !ok || due.After(now) {
		return nil
	}
	return heap.Pop(&t.queue).(*file)
}

// queue implements heap.Interface: what is due first, and of that the oldest.
type queue []*file

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, k int) bool {
	a, b := q[i], q[k]
	switch {
	case !a.due.Equal(b.due):
		return a.due.Before(b.due)
	case !a.mtime.Equal(b.mtime):
		return a.mtime.Before(b.mtime)
	}
	return a.path < b.path
}
func (q queue) Swap(i, k int) {
	q[i], q[k] = q[k], q[i]
	q[i].at, q[k].at = i, k
}
func (q *queue) Push(x any) {
	f := x.(*file)
	f.at = len(*q)
	*q = append(*q, f)
}
func (q *queue) Pop() any {
	last := len(*q) - 1
	f := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	f.at = -1
	return f
}
