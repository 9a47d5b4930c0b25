package testserver

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

// Splice copies both ways until both have ended, passing on half-closes.
func Splice(a, b io.ReadWriteCloser, first io.Reader) {
	var work sync.WaitGroup
	half := func(to io.Writer, from io.Reader) {
		if _, err := io.Copy(to, from); err != nil {
			a.Close()
			b.Close()
			return
		}
		if w, ok := to.(interface{ CloseWrite() error }); ok {
			_ = w.CloseWrite()
		}
	}
	work.Go(func() { half(b, first) })
	work.Go(func() { half(a, b) })
	work.Wait()
	a.Close()
	b.Close()
}

// SOCKSProxy is a SOCKS5 server for CONNECT (RFC 1928).
type SOCKSProxy struct {
	// User, if not empty, must log in with Password (RFC 1929).
	User, Password string

	mu    sync.Mutex // guards asked
	asked []string
}

// Asked returns the addresses that were asked for, names with "name:" before them.
func (p *SOCKSProxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// Serve serves one connection until it ends, and leaves it open.
func (p *SOCKSProxy) Serve(ctx context.Context, c net.Conn) {
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(c, b); err != nil {
			return nil
		}
		return b
	}
	h := read(2)
	if h == nil || h[0] != 5 {
		return
	}
	methods := read(int(h[1]))
	want := byte(0)
	if p.User != "" {
		want = 2
	}
	found := false
	for _, m := range methods {
		found = found || m == want
	}
	if !found {
		_, _ = c.Write([]byte{5, 0xff})
		return
	}
	_, _ = c.Write([]byte{5, want})
	if want == 2 {
		h := read(2)
		if h == nil || h[0] != 1 {
			return
		}
		user := read(int(h[1]))
		n := read(1)
		if n == nil {
			return
		}
		password := read(int(n[0]))
		if string(user) != p.User || string(password) != p.Password {
			_, _ = c.Write([]byte{1, 1})
			return
		}
		_, _ = c.Write([]byte{1, 0})
	}
	r := read(4)
	if r == nil {
		return
	}
	var host, note string
	switch r[3] {
	case 1, 4:
		ip, _ := netip.AddrFromSlice(read(map[byte]int{1: 4, 4: 16}[r[3]]))
		host = ip.String()
	case 3:
		n := read(1)
		if n == nil {
			return
		}
		host, note = string(read(int(n[0]))), "name:"
	}
	last := read(2)
	if last == nil {
		return
	}
	port := strconv.Itoa(int(binary.BigEndian.Uint16(last)))
	p.mu.Lock()
	p.asked = append(p.asked, note+net.JoinHostPort(host, port))
	p.mu.Unlock()
	up, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		code := byte(4)
		if errors.Is(err, syscall.ECONNREFUSED) {
			code = 5
		}
		_, _ = c.Write([]byte{5, code, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	// An answer with a name in it, which clients must be able to skip.
	_, _ = c.Write(append(append([]byte{5, 0, 0, 3, 5}, "proxy"...), 0, 1))
	Splice(c, up, c)
}

// ConnectProxy is an HTTP proxy that knows CONNECT alone (RFC 9110 section 9.3.6).
type ConnectProxy struct {
	// User, if not empty, must log in with Password (Basic).
	User, Password string
}

// Serve serves one connection until it ends, and leaves it open.
func (p *ConnectProxy) Serve(ctx context.Context, c net.Conn) {
	br := bufio.NewReader(c)
	req, err := http.ReadRequest(br)
	if err != nil || req.Method != http.MethodConnect {
		_, _ = io.WriteString(c, "HTTP/1.1 405 CONNECT only\r\n\r\n")
		return
	}
	if p.User != "" {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.User+":"+p.Password))
		if req.Header.Get("Proxy-Authorization") != want {
			_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
			return
		}
	}
	up, err := (&net.Dialer{}).DialContext(ctx, "tcp", req.Host)
	if err != nil {
		_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\n\r\n")
		return
	}
	// A server that greets at once: its greeting in one write with the header.
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
	Splice(c, up, br)
}
