package folder

import (
	"container/heap"
	"context"
	"sync"
)

// task is something for a worker.
type task struct {
	size int64
	n    int64 // of two of the same size, the first goes first
	do   func(context.Context)
}

// queue holds a window of tasks and hands out the largest first, so that no large
// one is left to the end, when the other workers have nothing to do.
type queue struct {
	mu    sync.Mutex
	moved *sync.Cond
	tasks tasks
	limit int
	n     int64
	ended bool // no more will come
	quit  bool // nothing more is handed out
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.moved = sync.NewCond(&q.mu)
	return q
}

// push waits for room. It returns false if the task will not be done.
func (q *queue) push(t *task) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.tasks) >= q.limit && !q.quit {
		q.moved.Wait()
	}
	if q.quit {
		return false
	}
	q.n++
	t.n = q.n
	heap.Push(&q.tasks, t)
	q.moved.Broadcast()
	return true
}

// pop waits for a task; nil means that there will be none.
func (q *queue) pop() *task {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.tasks) == 0 && !q.ended && !q.quit {
		q.moved.Wait()
	}
	if len(q.tasks) == 0 || q.quit {
		return nil
	}
	t := heap.Pop(&q.tasks).(*task)
	q.moved.Broadcast()
	return t
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
	q.quit, q.tasks = true, nil
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
