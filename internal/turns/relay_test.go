package turns

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// delay is how long a relay holds back what it carries, each way.
const delay = 5 * time.Millisecond

// A lag hands on, in order, what it is given, each a delay later.
type lag struct {
	queue chan held
	done  chan struct{}
}

type held struct {
	due time.Time
	act func() // nil at the end
}

func newLag() *lag {
	l := &lag{queue: make(chan held, 1<<12), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for h := range l.queue {
			time.Sleep(time.Until(h.due))
			h.act()
		}
	}()
	return l
}

// put has act called a delay from now.
func (l *lag) put(act func()) { l.queue <- held{time.Now().Add(delay), act} }

// close waits until all has been handed on; put must not be called any more.
func (l *lag) close() {
	close(l.queue)
	<-l.done
}

// A relay listens for a client and carries its connections to a server.
type relay struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns map[io.Closer]struct{} // nil when the relay is closed
}

// startRelay serves each connection to an address by serve, until the test ends.
func startRelay(t testing.TB, host string, serve func(*relay, *net.TCPConn)) *relay {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, conns: map[io.Closer]struct{}{}}
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() {
				if r.hold(c) {
					serve(r, c.(*net.TCPConn))
				}
				r.drop(c)
			})
		}
	})
	t.Cleanup(r.close)
	return r
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

// hold has c closed with the relay; false says that it is closed already.
func (r *relay) hold(c io.Closer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		c.Close()
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) drop(c io.Closer) {
	c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// close ends all connections and waits.
func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	for c := range r.conns {
		c.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.wg.Wait()
}

// controlRelay carries control connections, encrypted or not.
func controlRelay(t testing.TB, m *meter, host, target string) *relay {
	return startRelay(t, host, func(r *relay, client *net.TCPConn) {
		server, err := net.Dial("tcp", target)
		if err != nil || !r.hold(server) {
			return
		}
		defer r.drop(server)
		c := m.open()
		var pumps sync.WaitGroup
		pumps.Go(func() { pump(server, client, c.leaves, c.reaches) })
		pumps.Go(func() { pump(client, server, c.answers, c.hears) })
		pumps.Wait()
	})
}

// pump copies bytes with their depth, a delay later, and ends the other direction's
// reader when its own has ended, since no control connection lives with one.
func pump(dst, src net.Conn, depth func() int, arrives func(int)) {
	l := newLag()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			d, data := depth(), append([]byte(nil), buf[:n]...)
			l.put(func() {
				arrives(d)
				_, _ = dst.Write(data) // if it is gone, reading from it says so
			})
		}
		if err != nil {
			clean := errors.Is(err, io.EOF)
			l.put(func() {
				if !clean {
					_ = dst.(*net.TCPConn).SetLinger(0)
				}
				dst.Close()
			})
			l.close()
			return
		}
	}
}
