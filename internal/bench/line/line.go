//go:build linux

package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options describe a line.
type Options struct {
	// RTT is the round trip; half of it is spent in each direction.
	RTT time.Duration
	// Rate is how many bytes a second each direction carries; 0 means any number.
	Rate int64
	// Window is how many bytes of one connection each direction carries in a round
	// trip, as TCP's window bounds it, or what losses leave of that; 0 means any number.
	Window int64
}

// each is how many bytes a second that is of one connection, 0 for any number.
func (o Options) each() int64 {
	if o.Window == 0 || o.RTT == 0 {
		return 0
	}
	return int64(float64(o.Window) / o.RTT.Seconds())
}

// Stats is what a line has carried.
type Stats struct {
	// Conns counts the connections that clients opened.
	Conns int64
	// Turns counts how often a client sent something after it had been sent
	// something, or for the first time: the round trips of a client that does one
	// thing after the other, connecting aside.
	Turns int64
	// Up and Down are bytes from and to the clients.
	Up, Down int64
}

// Line is a line with any number of ways in. Its methods are safe for concurrent use.
type Line struct {
	opt      Options
	up, down link
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	conns, turns, bytesUp, bytesDown atomic.Int64

	mu     sync.Mutex
	open   map[*conn]struct{}
	listen []net.Listener
	closed bool
}

// New returns a line without a way in.
func New(opt Options) *Line {
	l := &Line{opt: opt, open: map[*conn]struct{}{}}
	l.up.rate, l.down.rate = opt.Rate, opt.Rate
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Listen forwards what connects to the address listen, whose port may be 0, to
// target, and returns where it listens.
func (l *Line) Listen(listen, target string) (*net.TCPAddr, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("line: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errors.Join(net.ErrClosed, ln.Close())
	}
	l.listen = append(l.listen, ln)
	l.wg.Go(func() { l.accept(ln, target) })
	return ln.Addr().(*net.TCPAddr), nil
}

// Mirror forwards every port from low to high of one address to the same port of
// another: the passive range of an FTP server.
func (l *Line) Mirror(listenIP, targetIP string, low, high int) error {
	for port := low; port <= high; port++ {
		p := strconv.Itoa(port)
		if _, err := l.Listen(net.JoinHostPort(listenIP, p), net.JoinHostPort(targetIP, p)); err != nil {
			return err
		}
	}
	return nil
}

// Stats returns what the line has carried since the last call of Reset.
func (l *Line) Stats() Stats {
	return Stats{Conns: l.conns.Load(), Turns: l.turns.Load(), Up: l.bytesUp.Load(), Down: l.bytesDown.Load()}
}

// Reset sets the counters to zero.
func (l *Line) Reset() {
	for _, c := range []*atomic.Int64{&l.conns, &l.turns, &l.bytesUp, &l.bytesDown} {
		c.Store(0)
	}
}

// Close ends every connection and returns when nothing is left running.
func (l *Line) Close() {
	l.cancel()
	l.mu.Lock()
	l.closed = true
	for _, ln := range l.listen {
		ln.Close()
	}
	for c := range l.open {
		c.abort()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

func (l *Line) accept(ln net.Listener, target string) {
	for {
		client, err := ln.Accept()
		switch {
		case err == nil:
			l.conns.Add(1)
			c := newConn(l, client.(*net.TCPConn))
			if l.add(c) {
				l.wg.Go(func() { c.run(target) })
			}
		case errors.Is(err, net.ErrClosed):
			return
		case !pause(l.ctx, 5*time.Millisecond): // no descriptors left, for now
			return
		}
	}
}

func (l *Line) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		c.abort()
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *Line) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// pause waits, and reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
