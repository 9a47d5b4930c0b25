package folder

import (
	"container/heap"
	"context"
	"math"
	"sync"
)

// task is something for a worker.
type task struct {
	size int64
	n    int64 // of two of the same size, the first goes first
	do   func(context.Context)
}

// folderSize is what the making of a folder counts as: folders come before all files.
const folderSize = math.MaxInt64

// large: it moves much, which folders do not.
func (t *task) large() bool { return t.size > smallFile && t.size != folderSize }

// queue holds a window of tasks and hands out the largest first, so that no large
// one is left to the end, when the other workers have nothing to do. Of those that
// are larger than smallFile, no more than most are under way at once.
type queue struct {
	mu      sync.Mutex
	moved   *sync.Cond
	large   tasks
	small   tasks
	limit   int
	most    int
	running int // large ones
	n       int64
	ended   bool // no more will come
	quit    bool // nothing more is handed out
}

func newQueue(limit, most int) *queue {
	q := &queue{limit: limit, most: most}
	q.moved = sync.NewCond(&q.mu)
	return q
}

// push waits for room. It returns false if the task will not be done.
func (q *queue) push(t *task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.large)+len(q.small) >= q.limit && !q.quit {
		q.moved.Wait()
	}
	if q.quit {
		return false
	}
	q.n++
	t.n = q.n
	if t.large() {
		heap.Push(&q.large, t)
	} else {
		heap.Push(&q.small, t)
	}
	q.moved.Broadcast()
	return true
}

// pop waits for a task, which done is to be told of; nil means that there will be none.
func (q *queue) pop() *task {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		var t *task
		switch {
		case q.quit:
			return nil
		case len(q.large) > 0 && q.running < q.most:
			t = heap.Pop(&q.large).(*task)
			q.running++
		case len(q.small) > 0:
			t = heap.Pop(&q.small).(*task)
		case q.ended && len(q.large) == 0:
			return nil
		default:
			q.moved.Wait()
			continue
		}
		q.moved.Broadcast()
		return t
	}
}

// done makes room for what waits behind a large task.
func (q *queue) done(t *task) {
	if !t.large() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.moved.Broadcast()
}

// finish says that no more will be pushed.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.moved.Broadcast()
}

// stop drops what has not begun.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.quit, q.large, q.small = true, nil, nil
	q.moved.Broadcast()
}

// tasks implements heap.Interface.
type tasks []*task

func (t tasks) Len() int      { return len(t) }
func (t tasks) Swap(i, k int) { t[i], t[k] = t[k], t[i] }
func (t tasks) Less(i, k int) bool {
	if t[i].size != t[k].size {
		return t[i].size > t[k].size
	}
	return t[i].n < t[k].n
}
func (t *tasks) Push(x any) { *t = append(*t, x.(*task)) }
func (t *tasks) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	return x
}
