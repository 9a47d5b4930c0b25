package testserver

import (
	"crypto/tls"
	"net"
	"time"
)

// refusalTimeout bounds the goodbye to a connection that a limit turns away.
const refusalTimeout = 5 * time.Second

// controlListener hands control connections to ftpserverlib and turns away what
// is over the limit.
type controlListener struct {
	server *FTPServer
}

// Accept is part of net.Listener.
func (l controlListener) Accept() (net.Conn, error) {
	s := l.server
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return nil, err
		}
		if !isLoopback(raw.RemoteAddr()) {
			_ = raw.Close()
			continue
		}
		s.counts.accepted.Add(1)
		if limit := s.opts.MaxConnections; limit > 0 && s.controls() >= limit {
			s.refuse(raw)
			continue
		}
		c := newControlConn(s, raw)
		if !s.tracker.add(c, func() { _ = raw.Close() }) {
			_ = raw.Close()
			return nil, errShut
		}
		s.addControl(1)
		return c, nil
	}
}

// refuse greets with 421 in vsftpd's words and closes.
func (s *FTPServer) refuse(raw net.Conn) {
	s.counts.refused.Add(1)
	if !s.tracker.add(raw, func() { _ = raw.Close() }) {
		_ = raw.Close()
		return
	}
	go func() {
		defer s.tracker.remove(raw)
		_ = raw.SetDeadline(time.Now().Add(refusalTimeout))
		conn := raw
		if s.opts.TLS == ImplicitTLS {
			conn = tls.Server(raw, s.controlTLS)
		}
		_, _ = conn.Write([]byte("421 There are too many connections from your internet address.\r\n"))
		_ = conn.Close()
	}()
}

// Close is part of net.Listener.
func (l controlListener) Close() error { return l.server.listener.Close() }

// Addr is part of net.Listener.
func (l controlListener) Addr() net.Addr { return l.server.listener.Addr() }

// passiveListener is the listener of one passive data connection.
type passiveListener struct {
	net.Listener

	server *FTPServer
}

// Accept waits for the client within the limits that the library has set on the
// socket. The library holds a lock meanwhile that the end of the session wants
// too, so the wait is registered: closing the server has to end it.
func (l *passiveListener) Accept() (net.Conn, error) {
	s := l.server
	if !s.tracker.add(l, func() { _ = l.Close() }) {
		return nil, errShut
	}
	defer s.tracker.remove(l)
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		// The library listens on all addresses.
		if !isLoopback(raw.RemoteAddr()) {
			_ = raw.Close()
			continue
		}
		s.counts.data.Add(1)
		c := &countedConn{Conn: raw, counts: &s.counts}
		c.onClose = func() { s.tracker.remove(c) }
		if !s.tracker.add(c, func() { _ = raw.Close() }) {
			_ = raw.Close()
			return nil, errShut
		}
		return c, nil
	}
}

// countedConn counts the bytes of a connection and says when it is closed.
type countedConn struct {
	net.Conn

	counts  *counters
	onClose func()
}

// Read is part of net.Conn.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.counts.received.Add(int64(n))
	return n, err
}

// Write is part of net.Conn.
func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.counts.sent.Add(int64(n))
	return n, err
}

// Close is part of net.Conn.
func (c *countedConn) Close() error {
	err := c.Conn.Close()
	if c.onClose != nil {
		c.onClose()
	}
	return err
}
