package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// relay stands before the proxy's control or SSH route and counts turns: that the
// client speaks after the server has. On a connection that carries one thing at a
// time, that is a round trip; where several share one, each wait counts at most
// once.
type relay struct {
	listener net.Listener
	target   string
	turns    atomic.Int64

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]struct{}
	wg     sync.WaitGroup
}

func startRelay(host, target string) (*relay, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	r := &relay{listener: l, target: target, conns: map[net.Conn]struct{}{}}
	r.wg.Go(r.accept)
	return r, nil
}

func (r *relay) port() int { return r.listener.Addr().(*net.TCPAddr).Port }

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.wg.Go(func() { r.serve(client) })
	}
}

func (r *relay) hold(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) drop(c net.Conn) {
	c.Close()
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

func (r *relay) serve(client net.Conn) {
	if !r.hold(client) {
		return
	}
	defer r.drop(client)
	server, err := net.Dial("tcp", r.target)
	if err != nil || !r.hold(server) {
		return
	}
	defer r.drop(server)
	var serverSpoke atomic.Bool
	serverSpoke.Store(true) // connecting is a round trip
	var pumps sync.WaitGroup
	pumps.Go(func() {
		pump(server, client, func() {
			if serverSpoke.Swap(false) {
				r.turns.Add(1)
			}
		})
	})
	pumps.Go(func() { pump(client, server, func() { serverSpoke.Store(true) }) })
	pumps.Wait()
}

// pump copies until the end, which is passed on as what it is, FIN or RST.
func pump(dst, src net.Conn, moved func()) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			moved()
			if _, werr := dst.Write(buf[:n]); werr != nil && err == nil {
				err = werr
			}
		}
		if errors.Is(err, io.EOF) {
			_ = dst.(*net.TCPConn).CloseWrite()
			return
		}
		if err != nil {
			for _, c := range []net.Conn{dst, src} {
				_ = c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
			return
		}
	}
}

func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}
