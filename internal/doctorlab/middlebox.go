//go:build linux

package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A middlebox is an imitated firewall before a server's port: it passes bytes on, and cuts
// the connection by an RST at both ends when judge says so, or after idle without a byte.
type middlebox struct {
	listener net.Listener
	target   string
	judge    func(fromClient []byte) bool // true cuts; nil never does
	cuts     func(fromServer []byte) bool // the same for the other direction
	overhear func(fromServer []byte)      // sees what is passed on to the client; nil for nobody
	idle     time.Duration                // 0 for ever

	wg    sync.WaitGroup
	mu    sync.Mutex // guards conns and done
	conns map[net.Conn]bool
	done  bool
}

// middlebox puts one before a port of 127.0.0.1 and returns its port.
func (b *bench) middlebox(target string, judge func([]byte) bool, idle time.Duration) (port int, err error) {
	return b.place(&middlebox{target: target, judge: judge, idle: idle})
}

// place has a middlebox listen.
func (b *bench) place(m *middlebox) (port int, err error) {
	if m.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return 0, err
	}
	m.conns = map[net.Conn]bool{}
	m.wg.Go(m.accept)
	b.cleanup(m.close)
	return m.listener.Addr().(*net.TCPAddr).Port, nil
}

func (m *middlebox) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.wg.Go(func() { m.serve(client) })
	}
}

func (m *middlebox) serve(client net.Conn) {
	server, err := net.Dial("tcp", m.target)
	if err != nil {
		client.Close()
		return
	}
	cut := sync.OnceFunc(func() {
		for _, c := range []net.Conn{client, server} {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	})
	if !m.add(client, server) {
		cut()
		return
	}
	timer := time.AfterFunc(time.Hour, cut)
	defer timer.Stop()
	moved := func() {
		if m.idle > 0 {
			timer.Reset(m.idle)
		}
	}
	moved()
	var both sync.WaitGroup
	pass := func(to, from net.Conn, judge func([]byte) bool) {
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				moved()
				if judge != nil && judge(buf[:n]) {
					cut()
					return
				}
				if _, werr := to.Write(buf[:n]); werr != nil {
					err = werr
				}
			}
			if errors.Is(err, io.EOF) {
				_ = to.(*net.TCPConn).CloseWrite()
				return
			}
			if err != nil {
				cut()
				return
			}
		}
	}
	both.Go(func() { pass(server, client, m.judge) })
	both.Go(func() {
		pass(client, server, func(p []byte) bool {
			if m.overhear != nil {
				m.overhear(p)
			}
			return m.cuts != nil && m.cuts(p)
		})
	})
	both.Wait()
	_, _ = client.Close(), server.Close()
}

func (m *middlebox) add(conns ...net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range conns {
		m.conns[c] = true
	}
	return !m.done
}

func (m *middlebox) close() error {
	err := m.listener.Close()
	m.mu.Lock()
	m.done = true
	for c := range m.conns {
		_ = c.Close()
	}
	m.mu.Unlock()
	m.wg.Wait()
	return err
}
