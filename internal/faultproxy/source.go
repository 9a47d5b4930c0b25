package faultproxy

import (
	"net"
	"sync"
	"time"
)

// source gives a pump its chunks. The slice is the pump's until it asks again.
type source interface {
	next() ([]byte, error)
}

// source returns where direction dir is read from.
func (c *conn) source(dir Dir, src *net.TCPConn) source {
	delay := c.shape.delay(dir)
	if delay <= 0 {
		return &direct{src: src, buf: make([]byte, chunkSize)}
	}
	limit := c.shape.Queue
	if limit <= 0 {
		limit = defaultQueue
	}
	q := &delayQueue{
		conn: c, delay: delay, limit: limit,
		ready: make(chan struct{}, 1), space: make(chan struct{}, 1),
	}
	c.pumps.Go(func() { q.fill(src) })
	return q
}

// direct reads when it is asked.
type direct struct {
	src *net.TCPConn
	buf []byte
}

func (d *direct) next() ([]byte, error) {
	n, err := d.src.Read(d.buf)
	return d.buf[:n], err
}

// delayQueue holds chunks until they are due. Reading goes on meanwhile, so a
// delay costs time and no throughput. One goroutine fills it, one drains it; an
// end or an error of the stream is delayed like its bytes.
type delayQueue struct {
	conn  *conn
	delay time.Duration
	limit int

	ready, space chan struct{} // one token each: something came, something left

	mu    sync.Mutex
	items []delayed
	bytes int
}

type delayed struct {
	data []byte
	err  error
	due  time.Time
}

// fill reads src until it ends.
func (q *delayQueue) fill(src *net.TCPConn) {
	buf := make([]byte, chunkSize)
	for {
		n, err := src.Read(buf)
		item := delayed{err: err, due: time.Now().Add(q.delay)}
		if n > 0 {
			item.data = append([]byte(nil), buf[:n]...)
		}
		if !q.push(item) || err != nil {
			return
		}
	}
}

// push waits for room and reports false when the connection is over.
func (q *delayQueue) push(item delayed) bool {
	for {
		q.mu.Lock()
		if q.bytes == 0 || q.bytes+len(item.data) <= q.limit {
			q.items = append(q.items, item)
			q.bytes += len(item.data)
			q.mu.Unlock()
			q.conn.queued.Add(int64(len(item.data)))
			wake(q.ready)
			return true
		}
		q.mu.Unlock()
		select {
		case <-q.space:
		case <-q.conn.over:
			return false
		}
	}
}

// next waits until the oldest chunk is due.
func (q *delayQueue) next() ([]byte, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			item := q.items[0]
			q.items[0] = delayed{} // let the bytes go
			q.items = q.items[1:]
			q.bytes -= len(item.data)
			q.mu.Unlock()
			wake(q.space)
			if !q.conn.wait(time.Until(item.due)) {
				return nil, net.ErrClosed
			}
			q.conn.queued.Add(-int64(len(item.data)))
			return item.data, item.err
		}
		q.mu.Unlock()
		select {
		case <-q.ready:
		case <-q.conn.over:
			return nil, net.ErrClosed
		}
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
