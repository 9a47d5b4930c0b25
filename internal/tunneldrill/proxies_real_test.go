//go:build linux && realserver

package tunneldrill

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
	"strconv"
	"sync"
	"syscall"
)

// The proxies are those of transport/tunnel's own tests, which this package cannot
// import.

// serve accepts until the process ends.
func serve(l net.Listener, handle func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			handle(c)
		}()
	}
}

// splice copies both ways until both have ended, passing on half-closes.
func splice(a, b io.ReadWriteCloser, first io.Reader) {
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

// socksProxy is a SOCKS5 server for CONNECT. With a user it wants RFC 1929.
type socksProxy struct {
	user, password string
}

func (p *socksProxy) serve(ctx context.Context, c net.Conn) {
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
	if p.user != "" {
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
		if string(user) != p.user || string(password) != p.password {
			_, _ = c.Write([]byte{1, 1})
			return
		}
		_, _ = c.Write([]byte{1, 0})
	}
	r := read(4)
	if r == nil {
		return
	}
	var host string
	switch r[3] {
	case 1:
		host = netip.AddrFrom4([4]byte(read(4))).String()
	case 4:
		host = netip.AddrFrom16([16]byte(read(16))).String()
	case 3:
		host = string(read(int(read(1)[0])))
	}
	port := strconv.Itoa(int(binary.BigEndian.Uint16(read(2))))
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
	splice(c, up, c)
}

// connectProxy is an HTTP proxy that knows CONNECT alone.
type connectProxy struct{ user, password string }

func (p *connectProxy) serve(ctx context.Context, c net.Conn) {
	br := bufio.NewReader(c)
	req, err := http.ReadRequest(br)
	if err != nil || req.Method != http.MethodConnect {
		_, _ = io.WriteString(c, "HTTP/1.1 405 CONNECT only\r\n\r\n")
		return
	}
	if p.user != "" {
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.user+":"+p.password))
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
	splice(c, up, br)
}
