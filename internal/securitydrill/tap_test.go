package securitydrill

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// A tap records all that clients send, whatever port they send it to.
type tap struct {
	mu   sync.Mutex
	sent []*bytes.Buffer // one for each connection, in order
}

func (tp *tap) connection() *bytes.Buffer {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	b := &bytes.Buffer{}
	tp.sent = append(tp.sent, b)
	return b
}

func (tp *tap) record(b *bytes.Buffer, p []byte) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	b.Write(p)
}

// holds reports whether some connection carried these bytes from a client. They
// are looked for in each connection as a whole, so that no boundary hides them.
func (tp *tap) holds(secret []byte) bool {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, b := range tp.sent {
		if bytes.Contains(b.Bytes(), secret) {
			return true
		}
	}
	return false
}

// totals returns how many connections there were, and what they carried.
func (tp *tap) totals() (conns, n int) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, b := range tp.sent {
		n += b.Len()
	}
	return len(tp.sent), n
}

// tapped is the server's side of a client's connection: what is read from it is
// recorded.
type tapped struct {
	net.Conn
	tap *tap
	b   *bytes.Buffer
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tap.record(c.b, p[:n])
	return n, err
}

// A handler deals with one connection of a client; it returns when that is over.
type handler func(client net.Conn)

// A line is a port that leads to a server, with a tap, until an attacker takes it.
type line struct {
	listener net.Listener
	tap      *tap
	wg       sync.WaitGroup

	mu      sync.Mutex // guards what follows
	way     handler
	conns   map[net.Conn]struct{}
	closed  bool
	arrived int // connections since the way was set
}

// newLine opens a port of 127.0.0.1, any for 0.
func newLine(t *testing.T, tp *tap, way handler) *line {
	t.Helper()
	l, err := listen(tp, "127.0.0.1:0", way)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func listen(tp *tap, addr string, way handler) (*line, error) {
	l := &line{tap: tp, way: way, conns: map[net.Conn]struct{}{}}
	var err error
	if l.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, err
	}
	l.wg.Go(l.accept)
	return l, nil
}

func (l *line) accept() {
	for {
		raw, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			_ = raw.Close()
			return
		}
		l.conns[raw] = struct{}{}
		l.arrived++
		way := l.way
		l.mu.Unlock()
		l.wg.Go(func() {
			way(&tapped{raw, l.tap, l.tap.connection()})
			_ = raw.Close()
			l.mu.Lock()
			delete(l.conns, raw)
			l.mu.Unlock()
		})
	}
}

// take puts an attacker in the place of the server, and resets what is open.
func (l *line) take(way handler) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.way, l.arrived = way, 0
	for raw := range l.conns {
		reset(raw)
	}
}

func (l *line) port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// seen is how many connections have come since the attacker took the line.
func (l *line) seen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrived
}

func (l *line) close() {
	l.mu.Lock()
	l.closed = true
	_ = l.listener.Close()
	for raw := range l.conns {
		_ = raw.Close()
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// reset closes a connection with RST.
func reset(c net.Conn) {
	if tp, ok := c.(*tapped); ok {
		c = tp.Conn
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// to leads to a server.
func to(addr string) handler {
	return func(client net.Conn) {
		server, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		both(client, client, server)
	}
}

// both forwards both ways until both have ended. from is the client, perhaps with
// bytes that were read already.
func both(client net.Conn, from io.Reader, server net.Conn) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := io.Copy(server, from)
		if errors.Is(err, io.ErrClosedPipe) || err != nil {
			reset(server)
			return
		}
		_ = server.(*net.TCPConn).CloseWrite()
	})
	_, err := io.Copy(client, server)
	if tp, ok := client.(*tapped); ok && err == nil {
		_ = tp.Conn.(*net.TCPConn).CloseWrite()
	}
	wg.Wait()
	_ = server.Close()
}

// The attackers.

// resets answers nothing and resets, as one who forges RST does.
func resets(client net.Conn) {
	_, _ = client.Read(make([]byte, 1))
	reset(client)
}

// refuses resets before a byte is said.
func refuses(client net.Conn) { reset(client) }

// swallows takes all and says nothing.
func swallows(client net.Conn) { _, _ = io.Copy(io.Discard, client) }

// says answers with something, takes what comes and says no more.
func says(text string) handler {
	return func(client net.Conn) {
		_, _ = io.WriteString(client, text)
		_, _ = io.Copy(io.Discard, client)
	}
}

// strips stands between client and server, and answers commands in clear itself
// where answer is not empty; all else reaches the server. Once TLS has begun it
// can but forward.
func strips(addr string, answer func(command string) string) handler {
	return func(client net.Conn) {
		server, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer server.Close()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			_, _ = io.Copy(client, server)
			_ = client.(*tapped).Conn.Close()
		})
		r := bufio.NewReader(client)
		for {
			first, err := r.Peek(1)
			if err != nil {
				reset(server)
				return
			}
			if first[0] == 0x16 { // a TLS handshake
				_, _ = io.Copy(server, r)
				reset(server)
				return
			}
			command, err := r.ReadString('\n')
			if err != nil {
				reset(server)
				return
			}
			reply := answer(strings.TrimSpace(command))
			if reply != "" {
				_, err = io.WriteString(client, reply)
			} else {
				_, err = io.WriteString(server, command)
			}
			if err != nil {
				reset(server)
				return
			}
		}
	}
}
