//go:build linux

package line

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is one connection: a client, a server, and what is on its way between them.
type conn struct {
	line     *Line
	client   *net.TCPConn
	begun    time.Time
	up, down *queue
	spoken   atomic.Bool // the client has been sent something since it last sent something

	mu     sync.Mutex
	server *net.TCPConn // nil before it is dialled
	gone   bool
}

func newConn(l *Line, client *net.TCPConn) *conn {
	c := &conn{line: l, client: client, begun: time.Now(), up: newQueue(), down: newQueue()}
	c.spoken.Store(true)
	return c
}

// run carries the connection until both directions have ended.
func (c *conn) run(target string) {
	defer c.line.remove(c)
	rtt := c.line.opt.RTT
	var wg sync.WaitGroup
	var sent, received bool // to the end
	defer func() {
		wg.Wait()
		c.close(sent && received)
	}()
	// What the client says at once is read at once and leaves after a round trip.
	wg.Go(func() { c.read(c.client, c.up, &c.line.up, &c.line.bytesUp, c.begun.Add(rtt)) })
	if !c.dial(target) {
		c.abort()
		return
	}
	wg.Go(func() { sent = c.write(c.server, c.client, c.up) })
	wg.Go(func() { c.read(c.server, c.down, &c.line.down, &c.line.bytesDown, time.Time{}) })
	received = c.write(c.client, c.server, c.down)
}

// dial reaches the server at the moment at which it would learn of the client:
// with the last of the three packets of TCP's handshake.
func (c *conn) dial(target string) bool {
	if rtt := c.line.opt.RTT; rtt > 0 && !pause(c.line.ctx, time.Until(c.begun.Add(rtt+rtt/2))) {
		return false
	}
	var d net.Dialer
	s, err := d.DialContext(c.line.ctx, "tcp", target)
	if err != nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = s.(*net.TCPConn)
	if c.gone {
		c.server.Close()
	}
	return !c.gone
}

// close ends a connection whose directions have both ended. What the kernels still
// hold is delivered, unless one of them has ended with a reset.
func (c *conn) close(peace bool) {
	if !peace {
		c.abort()
		return
	}
	c.client.Close()
	c.server.Close()
}

// abort resets both sides and drops what is on its way.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	cut(c.client)
	if c.server != nil {
		cut(c.server)
	}
	c.up.kill()
	c.down.kill()
}

// cut closes a connection with a reset.
func cut(s *net.TCPConn) {
	_ = s.SetLinger(0)
	s.Close()
}

// read puts what src sends into the queue, nothing to leave before a moment.
func (c *conn) read(src *net.TCPConn, q *queue, k *link, count *atomic.Int64, before time.Time) {
	half := c.line.opt.RTT / 2
	own := link{rate: c.line.opt.each()}
	buf := buffers.Get().(*[chunkSize]byte)
	defer func() { buffers.Put(buf) }()
	for {
		now := time.Now()
		if d := max(k.wait(now), own.wait(now)); d > 0 {
			sleep(d)
			continue
		}
		n, err := src.Read(buf[:min(k.most(), own.most())])
		now = time.Now()
		leaves := now
		if n > 0 {
			count.Add(int64(n))
			if q == c.up && c.spoken.Swap(false) {
				c.line.turns.Add(1)
			}
			leaves = own.send(k.send(now, n), n)
		}
		if leaves.Before(before) {
			leaves = before
		}
		due := leaves.Add(half)
		if n > small {
			if !q.push(chunk{data: buf[:n], from: buf, due: due}) {
				buf = buffers.Get().(*[chunkSize]byte)
				return
			}
			buf = buffers.Get().(*[chunkSize]byte)
		} else if n > 0 && !q.push(chunk{data: append([]byte(nil), buf[:n]...), due: due}) {
			return
		}
		if err != nil {
			e := reset
			if errors.Is(err, io.EOF) {
				e = fin
			}
			q.push(chunk{due: due, end: e})
			return
		}
	}
}

// write gives dst what the queue holds, when it is due, and reports whether that
// ended as src, where it came from, has ended it.
func (c *conn) write(dst, src *net.TCPConn, q *queue) bool {
	var chunks []chunk
	var bufs net.Buffers
	for {
		due, ok := q.head()
		if !ok {
			return false
		}
		if d := time.Until(due); d > 0 {
			sleep(d)
		}
		chunks, bufs = q.pop(time.Now(), chunks[:0]), bufs[:0]
		var last end
		for _, k := range chunks {
			if last = k.end; last == open {
				bufs = append(bufs, k.data)
			}
		}
		var err error
		if q == c.down && len(bufs) > 0 {
			c.spoken.Store(true)
		}
		if len(bufs) > 0 {
			all := bufs
			_, err = all.WriteTo(dst)
		}
		for i := range chunks {
			chunks[i].release()
		}
		switch {
		case err != nil:
			// The receiver is gone. The sender learns of it as late as on a line.
			q.kill()
			sleep(c.line.opt.RTT / 2)
			cut(src)
			return false
		case last == reset:
			c.abort()
			return false
		case last == fin:
			_ = dst.CloseWrite()
			return true
		}
	}
}

// sleep waits more exactly than a timer of the runtime, which is rounded up to a
// millisecond: the last part of the wait is the kernel's.
func sleep(d time.Duration) {
	const exact = 1500 * time.Microsecond
	begin := time.Now()
	if d > 2*exact {
		time.Sleep(d - exact)
	}
	for left := d - time.Since(begin); left > 0; left = d - time.Since(begin) {
		ts := syscall.NsecToTimespec(int64(left))
		_ = syscall.Nanosleep(&ts, nil)
	}
}
