package faultproxy

import (
	"io"
	"net"
	"time"
)

const (
	// dialTimeout bounds dialling a server, which is local.
	dialTimeout = 10 * time.Second
	// lingering bounds the wait for a client that was told to go.
	lingering = 5 * time.Second
)

func newConn(p *Proxy, r *Route, client *net.TCPConn, info ConnInfo) *conn {
	fault, shape := r.choose(info)
	c := &conn{
		proxy: p, route: r, info: info, client: client,
		fault: fault, shape: shape, trig: newTrigger(&fault),
		start: time.Now(), over: make(chan struct{}), changed: make(chan struct{}),
		chunk: [2]int{shape.Chunk, shape.Chunk},
	}
	return c
}

// run serves the connection from accept to end.
func (c *conn) run() {
	defer c.proxy.forget(c)
	defer c.end(BothSides, false)
	opening := c.proxy.operation(c, 0)
	if !c.beforeDial(opening) || !c.beforeDial(&c.fault) {
		return
	}
	if c.info.Role == Data {
		c.proxy.dataEvent(c, DataOpened)
		// Whatever way it ends.
		defer c.proxy.dataEvent(c, DataEnded)
	}
	if !c.dial() {
		return
	}
	c.atStart(opening, true)
	c.atStart(&c.fault, c.fault.When == When{})

	c.pumps.Go(func() { c.pump(Up) })
	c.pumps.Go(func() { c.pump(Down) })
	c.pumps.Wait()
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if held {
		<-c.over
	}
}

// beforeDial inflicts faults that come in place of dialling and reports whether
// the connection goes on.
func (c *conn) beforeDial(f *Fault) bool {
	if f == nil || !f.beforeDial() {
		return true
	}
	if f.Kind == Reply {
		c.sayAndClose(f.Text)
		return false
	}
	c.inflict(f)
	_, ok := c.pass(Up) // a black hole waits here
	return ok
}

// sayAndClose is a server that greets with a refusal. The client's goodbye, if
// it says one, is read: unread bytes would turn the close into a reset.
func (c *conn) sayAndClose(text string) {
	c.proxy.counts[c.info.Role].replies.Add(1)
	_ = c.client.SetDeadline(time.Now().Add(lingering))
	n, err := io.WriteString(c.client, text)
	c.count(Down, int64(n))
	if err == nil && c.client.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, c.client)
	}
}

// dial reaches the server, after the time that the client's packets take.
func (c *conn) dial() bool {
	if !c.wait(c.shape.connectDelay()) {
		return false
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	raw, err := dialer.DialContext(c.proxy.ctx, "tcp", c.info.Target)
	if err != nil {
		// The client believes that it is connected; a reset is the nearest thing
		// to the refusal that it should have had.
		c.proxy.counts[c.info.Role].dialErrors.Add(1)
		c.end(BothSides, true)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = raw.Close()
		return false
	}
	c.server = raw.(*net.TCPConn)
	if c.modes[index(Up)] == drop {
		_ = c.server.CloseWrite() // it was ended while the server was dialled
	}
	return true
}

// atStart inflicts a fault whose moment is the start.
func (c *conn) atStart(f *Fault, now bool) {
	if f != nil && now && f.Kind != None && !f.beforeDial() {
		c.inflict(f)
	}
}

// forget takes an ended connection off the books.
func (p *Proxy) forget(c *conn) {
	if c.watch != nil {
		p.unwatch(c.watch)
	}
	stats := c.stats()
	stats.Ended = true
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	if len(p.history) >= maxHistory {
		p.history = append(p.history[:0], p.history[maxHistory/2:]...)
	}
	p.history = append(p.history, stats)
}
